"""Pattern lines of hatches that a program wrote as lines: they say no more than their outline.

DXF up to R12 knows no HATCH: its lines are kept in an anonymous block of their own, in world
coordinates. Newer files keep the outline, and each program draws the pattern anew, so the pattern
is nothing to compare. Lines are left out where they end on drawn strokes; hatching without an
outline stays, it is all there is to see.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Floats
from dedup2d.drawing.pattern import ENDING, pattern_ends, reached
from dedup2d.reading.blocks import Placement
from dedup2d.reading.dxf.document import Document, Rows
from dedup2d.reading.geometry import flatten_arcs
from dedup2d.reading.strokes import Strokes

Bools = NDArray[np.bool_]

_ANONYMOUS: Final = re.compile(r"\*[ux]\d+")  # *X by AutoCAD, *U by others


def hatching_blocks(
    document: Document, placements: list[tuple[int, Placement]]
) -> list[tuple[int, int]]:
    """Row ranges of the anonymous blocks that hold lines only and are used once, unmoved."""
    uses: dict[str, int] = {}
    for _, placed in placements:
        uses[placed.block] = uses.get(placed.block, 0) + 1
    found = []
    for _, placed in placements:
        block = document.blocks.get(placed.block)
        if block is None or uses[placed.block] > 1 or not _ANONYMOUS.fullmatch(placed.block):
            continue
        unmoved = not (placed.grid or placed.role or any(block.base) or placed.shift.any())
        if (
            unmoved
            and (placed.matrix == np.eye(2)).all()
            and _is_lines(document, block.start, block.stop)
        ):
            found.append((block.start, block.stop))
    return sorted(found)


def _is_lines(document: Document, start: int, stop: int) -> bool:
    kinds = {document.kinds[k] for k in np.unique(document.kind[start:stop]).tolist()}
    return kinds == {"LINE"}


def is_hatching(strokes: Strokes, rows: Rows, blocks: list[tuple[int, int]]) -> Bools:
    """(n,) segments of ``strokes`` that hatch what other strokes bound; ``rows`` (n,) they are of."""
    inside = np.zeros(len(rows), bool)
    if not blocks:
        return inside
    number = np.searchsorted([start for start, _ in blocks], rows, side="right") - 1
    stops = np.array([stop for _, stop in blocks])
    number[(number >= 0) & (rows >= stops[number])] = -1
    chords = flatten_arcs(strokes.arcs)[0]
    others = np.concatenate([strokes.segments[number < 0], strokes.curves, chords])
    order = np.argsort(number, kind="stable")
    low, high = (
        np.searchsorted(number[order], np.arange(len(blocks)), side=s) for s in ("left", "right")
    )
    for first, last in zip(low.tolist(), high.tolist(), strict=True):
        own = order[first:last]
        if len(own) and _is_bounded(strokes.segments[own], others):
            inside[own] = True
    return inside


def _is_bounded(lines: Floats, others: Floats) -> bool:
    """Whether the lines end on other strokes, or as near as their dashes leave them."""
    lines = lines[(lines[:, :2] != lines[:, 2:]).any(axis=1)]
    if not len(lines):
        return True  # dots
    ends, reach = pattern_ends(lines)
    low, high = ends.min(axis=0) - reach, ends.max(axis=0) + reach
    x, y = others[:, [0, 2]], others[:, [1, 3]]
    near = (x.max(axis=1) >= low[0]) & (x.min(axis=1) <= high[0])
    near &= (y.max(axis=1) >= low[1]) & (y.min(axis=1) <= high[1])
    return bool(reached(ends, others[near], reach).mean() >= ENDING)
