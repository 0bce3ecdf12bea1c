"""Reading DXF, ASCII and binary, R12 to R2018 and header-less exports."""

from __future__ import annotations

from pathlib import Path

from dedup2d.drawing import Drawing
from dedup2d.reading.budget import Meter
from dedup2d.reading.dxf.by_ezdxf import read_with_ezdxf
from dedup2d.reading.dxf.outline import check_outline


def read(path: Path, meter: Meter) -> Drawing:
    """The drawing at ``path``."""
    check_outline(path.read_bytes(), meter)
    return read_with_ezdxf(path, meter)
