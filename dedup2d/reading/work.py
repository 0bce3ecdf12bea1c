"""The task of a child process: read a file, leave the Drawing where the parent wants it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dedup2d.drawing.codec import save
from dedup2d.reading.budget import Budget
from dedup2d.reading.reader import read


def parse(payload: dict[str, Any]) -> dict[str, Any]:
    """``{"path", "out", "budget": {field: value}}`` -> a codec file at ``out``.

    Answers ``{"format", "primitives", "texts", "findings": [{"code", "message", "count"}]}``.
    """
    drawing = read(Path(payload["path"]), Budget(**payload.get("budget", {})))
    save(drawing, Path(payload["out"]))
    return {
        "format": drawing.format,
        "primitives": drawing.primitive_count,
        "texts": len(drawing.texts),
        "findings": [
            {"code": f.code, "message": f.message, "count": f.count} for f in drawing.findings
        ],
    }
