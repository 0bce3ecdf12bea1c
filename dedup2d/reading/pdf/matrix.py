"""PDF's transformations: x' = a x + c y + e, y' = b x + d y + f."""

from __future__ import annotations

from typing import Any

import pypdfium2.raw as pdfium_c

Matrix = tuple[float, float, float, float, float, float]  # a b c d e f, as PDF has it


def matrix_of(handle: Any) -> Matrix:
    """The matrix of a page object; one that has none stays in place."""
    raw = pdfium_c.FS_MATRIX()
    if not pdfium_c.FPDFPageObj_GetMatrix(handle, raw):
        return (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    return (raw.a, raw.b, raw.c, raw.d, raw.e, raw.f)


def times(inner: Matrix, outer: Matrix) -> Matrix:
    """First ``inner``, then ``outer``."""
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return (
        *(a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s),
        *(e * p + f * r + t, e * q + f * s + u),
    )
