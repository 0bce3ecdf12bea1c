"""Reading PDF: vector paths as strokes, text with positions, scanned pages as images."""

from __future__ import annotations

from pathlib import Path

import pypdfium2 as pdfium

from dedup2d.drawing import Drawing
from dedup2d.errors import DrawingError
from dedup2d.reading.budget import Meter
from dedup2d.reading.pdf.page import MM_PER_POINT, read_page
from dedup2d.reading.pdf.scan import is_scan, read_scan
from dedup2d.reading.sheets import side_by_side

MAX_PAGES = 200


def read(path: Path, meter: Meter) -> Drawing:
    """The drawing at ``path``: one unit is one point (1/72 inch), y up, pages side by side.

    Raises DrawingError ``BROKEN_DRAWING``, ``ENCRYPTED_DRAWING``, ``TOO_MANY_PAGES``.
    """
    try:
        document = pdfium.PdfDocument(path)
        try:
            return _pages(document, meter)
        finally:
            document.close()
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise DrawingError("ENCRYPTED_DRAWING", "The PDF asks for a password.") from error
        raise DrawingError("BROKEN_DRAWING", "The PDF is damaged.") from error


def _pages(document: pdfium.PdfDocument, meter: Meter) -> Drawing:
    count = len(document)
    if count > MAX_PAGES:
        raise DrawingError(
            "TOO_MANY_PAGES",
            f"The PDF has {count} pages, the limit is {MAX_PAGES}. Send it in several files.",
        )
    sheets = []
    for index in range(count):
        page = document[index]
        name = f"Page {index + 1}"
        sheet = read_page(page, meter, name)
        if is_scan(page, sheet):
            sheet = read_scan(page, meter, name)
        sheets.append(sheet)
        page.close()
    if not sheets:
        return Drawing(format="pdf", unit_mm=MM_PER_POINT)
    return side_by_side(sheets)
