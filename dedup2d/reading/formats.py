"""Which format a file has: by its content first, then by its name."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Final

from dedup2d.errors import DrawingError


class Format(StrEnum):
    """Formats that are read."""

    DXF = "dxf"
    DWG = "dwg"
    PDF = "pdf"
    SVG = "svg"
    PNG = "png"
    JPEG = "jpeg"
    TIFF = "tiff"


HEAD_BYTES: Final = 8192

_RASTER = frozenset({Format.PNG, Format.JPEG, Format.TIFF})
_SUFFIXES: Final = {
    ".dxf": Format.DXF,
    ".dwg": Format.DWG,
    ".pdf": Format.PDF,
    ".svg": Format.SVG,
    ".png": Format.PNG,
    ".jpg": Format.JPEG,
    ".jpeg": Format.JPEG,
    ".tif": Format.TIFF,
    ".tiff": Format.TIFF,
}
_NAMES: Final = {
    Format.DXF: "a DXF drawing",
    Format.DWG: "a DWG drawing",
    Format.PDF: "a PDF document",
    Format.SVG: "an SVG drawing",
    Format.PNG: "a PNG image",
    Format.JPEG: "a JPEG image",
    Format.TIFF: "a TIFF image",
}
_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"\xff\xd8\xff", Format.JPEG),
    (b"II*\0", Format.TIFF),
    (b"MM\0*", Format.TIFF),
    (b"II+\0", Format.TIFF),
    (b"MM\0+", Format.TIFF),
    (b"AutoCAD Binary DXF\r\n\x1a\0", Format.DXF),
)
_DWG = re.compile(rb"AC10\d\d|AC1\.\d|AC2\.\d|MC0\.0")
_SVG = re.compile(r"<(?:\w+:)?svg[\s>]", re.IGNORECASE)
# The first tags of a DXF: a group code alone on a line, then its value; comments (999) first.
_DXF = re.compile(r"\s*(?:999[ \t]*\r?\n[^\n]*\n\s*)*0[ \t]*(?:\r\n|\r|\n)[ \t]*[A-Z0-9_]+\s")


def sniff(head: bytes) -> Format | None:
    """The format that the first ``HEAD_BYTES`` of a file show, None where none does."""
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    if _DWG.match(head):
        return Format.DWG
    if b"%PDF-" in head[:1024]:
        return Format.PDF
    text = _decoded(head)
    if _DXF.match(text):
        return Format.DXF
    return Format.SVG if _SVG.search(text) else None


def _decoded(head: bytes) -> str:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head.decode("utf-16", errors="replace")
    return head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def decide(path: Path, head: bytes) -> Format:
    """The format to read ``path`` as.

    Raises DrawingError ``EMPTY_FILE``, ``FORMAT_MISMATCH`` (content and name contradict each
    other), ``UNSUPPORTED_FORMAT``, or ``BROKEN_DRAWING`` (the name alone says a format).
    """
    if not head:
        raise DrawingError("EMPTY_FILE", "The file is empty (0 bytes).")
    shown = sniff(head)
    suffix = path.suffix.lower()
    named = _SUFFIXES.get(suffix)
    if shown is None:
        if named is None:
            known = ", ".join(sorted(_SUFFIXES))
            raise DrawingError(
                "UNSUPPORTED_FORMAT", f"The file is of no known drawing format ({known})."
            )
        raise DrawingError(
            "BROKEN_DRAWING", f"The file is named {suffix}, but does not begin like one."
        )
    if named is not None and named is not shown and not {named, shown} <= _RASTER:
        raise DrawingError(
            "FORMAT_MISMATCH",
            f"The file is {_NAMES[shown]} but is named {suffix}: "
            "give it the right name or the right content.",
        )
    return shown
