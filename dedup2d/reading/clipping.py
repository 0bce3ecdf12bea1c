"""Strokes cut off at a polygon: what of a block a clipped reference shows (XCLIP).

Inside is by the even-odd rule. What lies on the border is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Floats
from dedup2d.drawing.pattern import reached
from dedup2d.reading.geometry import TAU, chain
from dedup2d.reading.strokes import Strokes

Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]

_ON_BORDER: Final = 1e-9  # of the polygon's size
_CELLS: Final = 1_000_000  # pairs of strokes and edges worked on at once
_SHORT: Final = 1e-9  # of a stroke: two edges of the polygon cross it at their common corner


@dataclass(frozen=True, slots=True)
class Clip:
    """A (k, 2) polygon of which the inside is shown, or the outside where ``is_inverted``."""

    polygon: Floats
    is_inverted: bool = False

    def moved(self, shift: Floats) -> Clip:
        """By (2,) ``shift``."""
        return Clip(self.polygon + shift, self.is_inverted)

    def shows(self, points: Floats) -> Bools:
        """(p,) whether each of (p, 2) points is shown."""
        edges = chain(self.polygon, closed=True)
        border = _ON_BORDER * float(np.ptp(self.polygon, axis=0).max())
        found = np.zeros(len(points), bool)
        step = max(1, _CELLS // len(edges))
        for at in range(0, len(points), step):
            some = points[at : at + step]
            shown = _is_inside(some, edges) != self.is_inverted
            found[at : at + step] = shown | reached(some, edges, border)
        return found


def clipped(strokes: Strokes, clip: Clip) -> Strokes:
    """What of the strokes is shown; of a text its anchor decides."""
    anchors = np.array([(text.x, text.y) for text in strokes.texts]).reshape(-1, 2)
    with np.errstate(all="ignore"):  # of parallel lines, and of circles beyond a line
        segments, of_segment = _cut(_Segments, strokes.segments, clip)
        arcs, of_arc = _cut(_Arcs, strokes.arcs, clip)
        curves, of_curve = _cut(_Segments, strokes.curves, clip)
        beside, of_beside = _cut(_Segments, strokes.beside, clip)
        said = zip(strokes.texts, clip.shows(anchors).tolist(), strict=True)
    return Strokes(
        segments=segments,
        segment_owner=strokes.segment_owner[of_segment],
        arcs=arcs,
        arc_owner=strokes.arc_owner[of_arc],
        curves=curves,
        curve_owner=strokes.curve_owner[of_curve],
        beside=beside,
        beside_owner=strokes.beside_owner[of_beside],
        texts=tuple(text for text, is_shown in said if is_shown),
    )


class _Strokes(Protocol):
    """Strokes of a kind; a place on one is the share of its length before it."""

    @property
    def table(self) -> Floats:
        """(n, 4) or (n, 5)."""
        ...

    def crossings(self, edges: Floats) -> tuple[Rows, Floats]:
        """Row and place of each meeting with an edge (e, 4)."""
        ...

    def at(self, rows: Rows, place: Floats) -> Floats:
        """(p, 2) points."""
        ...

    def pieces(self, rows: Rows, start: Floats, end: Floats) -> Floats:
        """The rows between two places."""
        ...


@dataclass(frozen=True, slots=True)
class _Segments:
    table: Floats

    def crossings(self, edges: Floats) -> tuple[Rows, Floats]:
        along = self.table[:, None, 2:] - self.table[:, None, :2]
        side = edges[:, 2:] - edges[:, :2]
        away = edges[:, :2] - self.table[:, None, :2]
        across = _cross(along, side)
        place, on_edge = _cross(away, side) / across, _cross(away, along) / across
        rows, edge = np.nonzero((place > 0) & (place < 1) & (on_edge >= 0) & (on_edge <= 1))
        return rows, place[rows, edge]

    def at(self, rows: Rows, place: Floats) -> Floats:
        start, end = self.table[rows, :2], self.table[rows, 2:]
        return np.asarray(start + place[:, None] * (end - start))

    def pieces(self, rows: Rows, start: Floats, end: Floats) -> Floats:
        first = np.where(start[:, None] == 0, self.table[rows, :2], self.at(rows, start))
        last = np.where(end[:, None] == 1, self.table[rows, 2:], self.at(rows, end))
        return np.concatenate([first, last], axis=1)


@dataclass(frozen=True, slots=True)
class _Arcs:
    table: Floats

    def crossings(self, edges: Floats) -> tuple[Rows, Floats]:
        centre, radius = self.table[:, None, :2], self.table[:, None, 2]
        side, away = edges[:, 2:] - edges[:, :2], edges[:, :2] - centre
        square = (side**2).sum(axis=1)
        half = (away * side).sum(axis=2)
        root = np.sqrt(half**2 - square * ((away**2).sum(axis=2) - radius**2))
        rows, places = [np.empty(0, np.intp)], [np.empty(0)]
        for on_edge in ((-half - root) / square, (-half + root) / square):
            row, edge = np.nonzero((on_edge >= 0) & (on_edge <= 1))  # False for NaN
            x, y = (away[row, edge] + on_edge[row, edge, None] * side[edge]).T
            turn = np.remainder(np.arctan2(y, x) - self.table[row, 3], TAU)
            place = turn / (self.table[row, 4] - self.table[row, 3])
            met = (place > 0) & (place < 1)
            rows.append(row[met])
            places.append(place[met])
        return np.concatenate(rows), np.concatenate(places)

    def at(self, rows: Rows, place: Floats) -> Floats:
        x, y, radius, start, end = self.table[rows].T
        angle = start + place * (end - start)
        return np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)])

    def pieces(self, rows: Rows, start: Floats, end: Floats) -> Floats:
        found: Floats = self.table[rows].copy()
        sweep = found[:, 4] - found[:, 3]
        found[:, 4] = np.where(end == 1, found[:, 4], found[:, 3] + end * sweep)
        found[:, 3] += start * sweep
        return found


def _cut(kind: Callable[[Floats], _Strokes], table: Floats, clip: Clip) -> tuple[Floats, Rows]:
    """The pieces that are shown, and (n,) the row of the stroke that each is of."""
    found, rows = [table[:0]], [np.empty(0, np.intp)]
    step = max(1, _CELLS // len(clip.polygon))
    for at in range(0, len(table), step):
        pieces, row = _pieces(kind(table[at : at + step]), clip)
        found.append(pieces)
        rows.append(row + at)
    return np.concatenate(found), np.concatenate(rows)


def _pieces(strokes: _Strokes, clip: Clip) -> tuple[Floats, Rows]:
    count = len(strokes.table)
    row, place = strokes.crossings(chain(clip.polygon, closed=True))
    row = np.concatenate([np.arange(count), row, np.arange(count)])
    place = np.concatenate([np.zeros(count), place, np.ones(count)])
    order = np.lexsort((place, row))
    row, place = row[order], place[order]
    is_piece = (row[1:] == row[:-1]) & (place[1:] - place[:-1] > _SHORT)
    row, start, end = row[:-1][is_piece], place[:-1][is_piece], place[1:][is_piece]
    seen = clip.shows(strokes.at(row, (start + end) / 2))
    goes_on = (row[1:] == row[:-1]) & seen[1:] & seen[:-1]  # where it only touches the border
    first = seen & ~np.concatenate([[False], goes_on])
    last = seen & ~np.concatenate([goes_on, [False]])
    return strokes.pieces(row[first], start[first], end[last]), row[first]


def _cross(a: Floats, b: Floats) -> Floats:
    product: Floats = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product


def _is_inside(points: Floats, edges: Floats) -> Bools:
    """(p,) whether an odd number of edges lies to the right of each point."""
    x0, y0, x1, y1 = edges.T
    x, y = points[:, :1], points[:, 1:]
    is_level = (y0 <= y) != (y1 <= y)
    is_left = x < x0 + (y - y0) / (y1 - y0) * (x1 - x0)
    odd: Bools = (is_level & is_left).sum(axis=1) % 2 == 1
    return odd
