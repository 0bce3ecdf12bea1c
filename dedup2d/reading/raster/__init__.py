"""Reading images of drawings: PNG, JPEG and TIFF with all its pages."""

from __future__ import annotations

from pathlib import Path

from dedup2d.drawing import Drawing
from dedup2d.reading.budget import Meter
from dedup2d.reading.raster.pages import pages
from dedup2d.reading.raster.vectorise import vectorise
from dedup2d.reading.sheets import side_by_side

_FORMATS = {"PNG": "png", "JPEG": "jpeg", "TIFF": "tiff"}


def read(path: Path, meter: Meter) -> Drawing:
    """The drawing at ``path``: one unit is one pixel, y up, pages side by side."""
    sheets: list[Drawing] = []
    for page in pages(path, meter):
        name = f"Page {len(sheets) + 1}"
        sheets.append(
            vectorise(page.grey, meter, format_name=_FORMATS[page.format], sheet_name=name)
        )
    return side_by_side(sheets)
