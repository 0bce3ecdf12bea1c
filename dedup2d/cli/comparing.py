"""What a child process does for ``dedup2d diff``: JSON in, JSON out, the picture in a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from dedup2d.drawing.codec import load
from dedup2d.engine.overlays import compare_drawings
from dedup2d.overlay.dxf import render_dxf
from dedup2d.overlay.layout import fitting_height
from dedup2d.overlay.model import Overlay
from dedup2d.overlay.png import render_png
from dedup2d.overlay.svg import render_svg
from dedup2d.report import Relation

WIDTH: Final = 1200  # of a picture, in pixels


def compare(payload: dict[str, Any]) -> dict[str, Any]:
    """``{"old", "new", "names", "same_bytes", "out"}`` -> relation, pose, changes, why as JSON.

    ``old`` and ``new`` are parsed drawings; the overlay goes to ``out``, in the format of its
    suffix and in the frame of the new drawing.
    """
    new, old = load(Path(payload["new"])), load(Path(payload["old"]))
    comparison, overlay = compare_drawings(new, old, tuple(payload["names"]))
    answer: dict[str, Any] = {
        "relation": comparison.relation.value,
        "similarity": comparison.similarity,
        "confidence": comparison.confidence,
        "pose": comparison.pose.model_dump(mode="json"),
        "changes": comparison.changes.model_dump(mode="json"),
        "why": list(comparison.why),
    }
    if payload["same_bytes"]:
        overlay = replace(overlay, relation=Relation.EXACT, similarity=1.0)
        said = {"relation": Relation.EXACT.value, "similarity": 1.0, "confidence": 1.0}
        answer |= said | {"why": ["The files have the same bytes."]}
    out = Path(payload["out"])
    out.write_bytes(picture(overlay, out.suffix.lower()))
    return answer


def picture(overlay: Overlay, suffix: str) -> bytes:
    """The overlay as a file of this suffix: ``.png``, ``.svg`` or ``.dxf``."""
    if suffix == ".dxf":
        return render_dxf(overlay)
    height = fitting_height(overlay, WIDTH)
    if suffix == ".svg":
        return render_svg(overlay, height=height).encode()
    return render_png(overlay, width=WIDTH, height=height)
