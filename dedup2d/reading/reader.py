"""The one way into reading: a path and a budget in, a Drawing out."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Final, Protocol, cast

import numpy as np

from dedup2d.drawing import Drawing
from dedup2d.errors import DrawingError
from dedup2d.reading.budget import Budget, Meter
from dedup2d.reading.formats import HEAD_BYTES, Format, decide


class Reader(Protocol):
    """What the module of a format has; imported only when a file of that format comes."""

    def read(self, path: Path, meter: Meter) -> Drawing:
        """The drawing at ``path``; raises DrawingError with a code, nothing else."""
        ...


_READERS: Final = {
    Format.DXF: "dedup2d.reading.dxf",
    Format.DWG: "dedup2d.reading.dwg",
    Format.PDF: "dedup2d.reading.pdf",
    Format.SVG: "dedup2d.reading.svg",
    Format.PNG: "dedup2d.reading.raster",
    Format.JPEG: "dedup2d.reading.raster",
    Format.TIFF: "dedup2d.reading.raster",
}


def read(path: Path, budget: Budget | None = None) -> Drawing:
    """Read a drawing of any format.

    Raises DrawingError: ``EMPTY_FILE``, ``FORMAT_MISMATCH``, ``UNSUPPORTED_FORMAT``,
    ``BROKEN_DRAWING``, ``TRUNCATED_DRAWING``, ``EMPTY_DRAWING`` (readable, but no geometry),
    ``FILE_TOO_LARGE``, ``TOO_MANY_PRIMITIVES``, ``TOO_MANY_PIXELS``, ``INSERT_TOO_DEEP``,
    ``TIME_LIMIT``.
    """
    budget = budget or Budget()
    size = path.stat().st_size
    if size > budget.max_bytes:
        raise DrawingError(
            "FILE_TOO_LARGE",
            f"The file has {size} bytes, the limit is {budget.max_bytes}. Save it without what "
            "does not belong to the drawing (pictures, unused blocks), or raise "
            "DEDUP2D_MAX_DRAWING_BYTES.",
        )
    meter = Meter(budget)
    with path.open("rb") as file:
        found = decide(path, file.read(HEAD_BYTES))
    if found not in _READERS:
        raise DrawingError("UNSUPPORTED_FORMAT", f"Files of format {found} cannot be read yet.")
    reader = cast(Reader, importlib.import_module(_READERS[found]))
    # Numbers of damaged files overflow; what comes of them is left out and counted at the end.
    with np.errstate(all="ignore"):
        drawing = reader.read(path, meter)
    meter.check_time()
    if not drawing.primitive_count and not drawing.texts:
        raise DrawingError("EMPTY_DRAWING", _empty(drawing))
    return drawing


def _empty(drawing: Drawing) -> str:
    skipped = " ".join(f"{f.message} ({f.count})" for f in drawing.findings)
    sentence = "The file can be read, but there is no geometry in it."
    return f"{sentence} Left out: {skipped}" if skipped else sentence
