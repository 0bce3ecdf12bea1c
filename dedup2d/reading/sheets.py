"""Several sheets (pages, paper space layouts) as one drawing: laid side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from dedup2d.drawing import Drawing, Finding, Source, Text
from dedup2d.drawing.model import Floats

_GAP: Final = 0.1  # between sheets, as a share of the wider one


def side_by_side(sheets: Sequence[Drawing]) -> Drawing:
    """The sheets from left to right, each with its own lower edge; the first stays in place."""
    if len(sheets) == 1:
        return sheets[0]
    placed: list[Drawing] = []
    right = 0.0
    for sheet in sheets:
        box = bounds(sheet)
        if placed and box is not None:
            width = box[2] - box[0]
            sheet = moved(sheet, right + _GAP * width - box[0])  # noqa: PLW2901  # in place of it
            right += (1 + _GAP) * width
        elif box is not None:
            right = box[2]
        placed.append(sheet)
    return _joined(placed)


def bounds(drawing: Drawing) -> tuple[float, float, float, float] | None:
    """Lowest x, y and highest x, y of the strokes (whole circles for arcs), None for none."""
    ends = np.concatenate([drawing.segments, drawing.curves]).reshape(-1, 2)
    centres, radii = drawing.arcs[:, :2], drawing.arcs[:, 2:3]
    points = np.concatenate([ends, centres - radii, centres + radii])
    if not len(points):
        return None
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def moved(drawing: Drawing, dx: float) -> Drawing:
    """The drawing shifted along x."""
    both: Floats = np.array([dx, 0.0, dx, 0.0])
    return replace(
        drawing,
        segments=drawing.segments + both,
        curves=drawing.curves + both,
        hatching=drawing.hatching + both,
        seams=drawing.seams + both,
        arcs=drawing.arcs + np.array([dx, 0.0, 0.0, 0.0, 0.0]),
        texts=tuple(replace(text, x=text.x + dx) for text in drawing.texts),
    )


def _joined(sheets: Sequence[Drawing]) -> Drawing:
    sources: list[Source] = []
    texts: list[Text] = []
    findings: list[Finding] = []
    owners: dict[str, list[np.ndarray]] = {"segment": [], "arc": [], "curve": []}
    for sheet in sheets:
        for name, parts in owners.items():
            parts.append(getattr(sheet, f"{name}_source") + np.int32(len(sources)))
        sources += sheet.sources
        texts += sheet.texts
        findings += sheet.findings
    return replace(
        sheets[0],
        segments=np.concatenate([sheet.segments for sheet in sheets]),
        arcs=np.concatenate([sheet.arcs for sheet in sheets]),
        curves=np.concatenate([sheet.curves for sheet in sheets]),
        hatching=np.concatenate([sheet.hatching for sheet in sheets]),
        seams=np.concatenate([sheet.seams for sheet in sheets]),
        segment_source=np.concatenate(owners["segment"]),
        arc_source=np.concatenate(owners["arc"]),
        curve_source=np.concatenate(owners["curve"]),
        sources=tuple(sources),
        texts=tuple(texts),
        findings=_counted(findings),
        sheet_names=tuple(name for sheet in sheets for name in sheet.sheet_names),
        is_raster=any(sheet.is_raster for sheet in sheets),
        tolerance=max(sheet.tolerance for sheet in sheets),
    )


def _counted(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    counts: dict[tuple[str, str], int] = {}
    for finding in findings:
        key = (finding.code, finding.message)
        counts[key] = counts.get(key, 0) + finding.count
    return tuple(Finding(code, message, n) for (code, message), n in sorted(counts.items()))
