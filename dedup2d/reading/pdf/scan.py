"""A PDF page that is only an image: rendered, then read as a scan."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from dedup2d.drawing import Drawing
from dedup2d.reading.budget import Meter
from dedup2d.reading.pdf.page import MM_PER_POINT

DPI: Final = 200
_FEW_STROKES: Final = 12  # a scanner may put a frame or a stamp around its image
_IMAGE_SHARE: Final = 0.25


def is_scan(page: pdfium.PdfPage, sheet: Drawing) -> bool:
    """Whether images cover much of the page and hardly anything is drawn."""
    if sheet.primitive_count > _FEW_STROKES:
        return False
    area = 0.0
    for image in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE]):
        left, bottom, right, top = image.get_bounds()
        area += max(right - left, 0) * max(top - bottom, 0)
    width, height = page.get_size()
    return bool(area >= _IMAGE_SHARE * width * height > 0)


def read_scan(page: pdfium.PdfPage, meter: Meter, name: str) -> Drawing:
    """The page's strokes in points. Raises DrawingError ``TOO_MANY_PIXELS``."""
    from dedup2d.reading.raster.vectorise import vectorise  # noqa: PLC0415  # only scans need it

    scale = DPI / 72.0
    width, height = page.get_size()
    meter.check_pixels(int(width * scale), int(height * scale))
    image = page.render(scale=scale, grayscale=True)
    grey = np.ascontiguousarray(image.to_numpy()).reshape(image.height, image.width)
    sheet = vectorise(grey, meter, format_name="pdf", sheet_name=name)
    return replace(
        sheet,
        segments=sheet.segments / scale,
        arcs=sheet.arcs / np.array([scale, scale, scale, 1, 1]),
        unit_mm=MM_PER_POINT,
        tolerance=sheet.tolerance / scale,
    )
