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
from dedup2d.reading.blocks import Placement
from dedup2d.reading.dxf.document import Document, Rows
from dedup2d.reading.geometry import flatten_arcs
from dedup2d.reading.strokes import Strokes

Bools = NDArray[np.bool_]

_ANONYMOUS: Final = re.compile(r"\*[ux]\d+")  # *X by AutoCAD, *U by others
_TURN: Final = 1e-3  # radians within which lines are parallel
_LEVEL: Final = 1e-4  # of the hatching's extent: pieces of one line
_NEAR: Final = 0.25  # of the pattern's spacing: a line that ends so near to a stroke ends on it
_SINGLE: Final = 0.01  # the same for a line without neighbours, of its length
_ENDING: Final = (
    0.75  # share of the ends that must: of 196 patterns one has fewer, dashes end anywhere
)
_CELLS: Final = 4_000_000  # distances computed at once


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
    ends, reach = _ends(lines)
    low, high = ends.min(axis=0) - reach, ends.max(axis=0) + reach
    x, y = others[:, [0, 2]], others[:, [1, 3]]
    near = (x.max(axis=1) >= low[0]) & (x.min(axis=1) <= high[0])
    near &= (y.max(axis=1) >= low[1]) & (y.min(axis=1) <= high[1])
    return bool(_reached(ends, others[near], reach).mean() >= _ENDING)


def _ends(lines: Floats) -> tuple[Floats, float]:
    """(2 g, 2) where the pattern's lines begin and end, and how near to a stroke that must be."""
    extent = float(np.ptp(lines.reshape(-1, 2), axis=0).max())
    centre = lines.reshape(-1, 2).mean(axis=0)
    moved = lines - np.tile(centre, 2)
    along = moved[:, 2:] - moved[:, :2]
    angle = np.arctan2(along[:, 1], along[:, 0]) % np.pi
    turn = np.round(angle / _TURN) * _TURN
    turn[turn > np.pi - 1.5 * _TURN] = 0.0
    unit = np.column_stack([np.cos(angle), np.sin(angle)])
    level = moved[:, 1] * unit[:, 0] - moved[:, 0] * unit[:, 1]
    level[(turn == 0.0) & (angle > np.pi / 2)] *= -1
    order = np.lexsort((level, turn))
    is_new = (np.diff(turn[order]) != 0) | (np.diff(level[order]) > _LEVEL * extent)
    line = np.empty(len(lines), np.intp)
    line[order] = np.concatenate([[0], np.cumsum(is_new)])
    steps = np.diff(level[order])[is_new & (np.diff(turn[order]) == 0)]
    axis = np.column_stack([np.cos(turn), np.sin(turn)])
    reaches = np.sort(np.stack([(moved[:, :2] * axis).sum(1), (moved[:, 2:] * axis).sum(1)], 1), 1)
    points = np.concatenate([lines[:, :2], lines[:, 2:]])
    place = np.concatenate([(moved[:, :2] * axis).sum(1), (moved[:, 2:] * axis).sum(1)])
    both = np.tile(line, 2)
    by_place = np.lexsort((place, both))
    first = np.flatnonzero(np.diff(both[by_place], prepend=-1))
    last = np.append(first[1:], len(both)) - 1
    spacing = float(np.median(steps)) if len(steps) else _SINGLE / _NEAR * extent
    return points[by_place[np.concatenate([first, last])]], _NEAR * spacing + _gap(reaches, line)


def _gap(reaches: Floats, line: Rows) -> float:
    """The usual gap between the dashes of a line; 0 where most lines have no dashes."""
    order = np.lexsort((reaches[:, 0], line))
    gaps = reaches[order][1:, 0] - reaches[order][:-1, 1]
    gaps = gaps[np.diff(line[order]) == 0]
    return float(max(np.median(gaps), 0.0)) if len(gaps) > len(line) / 2 else 0.0


def _reached(points: Floats, strokes: Floats, reach: float) -> Bools:
    """(p,) whether a stroke is within ``reach``."""
    found = np.zeros(len(points), bool)
    if not len(strokes):
        return found
    start, along = strokes[:, :2], strokes[:, 2:] - strokes[:, :2]
    square = np.maximum((along**2).sum(axis=1), np.finfo(float).tiny)
    step = max(1, _CELLS // len(strokes))
    for at in range(0, len(points), step):
        away = points[at : at + step, None] - start
        share = np.clip((away * along).sum(axis=2) / square, 0.0, 1.0)
        off = away - share[..., None] * along
        found[at : at + step] = ((off**2).sum(axis=2) <= reach**2).any(axis=1)
    return found
