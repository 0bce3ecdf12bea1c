"""The lines of a hatch pattern, cut off at the hatch's boundary.

A pattern is some families of parallel lines (the .pat format: angle, base point, offset to the
next line, dashes). Every line is crossed with all edges of the boundary at once; between an odd
crossing and the next one it is inside.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing import no_segments
from dedup2d.drawing.model import Floats

MOST_LINES: Final = 5_000  # of one hatch; more are grey paper, and no lines to a person
_SAME_LEVEL: Final = 1e-9  # of the lines' distance: two edges meet, each with its own rounding

Lines = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class LineFamily:
    """Parallel lines: direction (radians), a point (2,) of the first, offset (2,) to the next.

    ``dashes`` (d,) are lengths along the line: gaps are negative, dots 0; none is a whole line.
    """

    angle: float
    base: Floats
    offset: Floats
    dashes: Floats


class TooManyLinesError(Exception):
    """A pattern has more lines in its boundary than may be drawn."""


def pattern_lines(edges: Floats, families: Iterable[LineFamily]) -> Floats:
    """(h, 4) pattern lines inside closed paths with (e, 4) ``edges``, by the even-odd rule.

    Dots are left out. Raises TooManyLinesError.
    """
    edges = edges[np.isfinite(edges).all(axis=1)]
    parts = [no_segments()]
    left = MOST_LINES
    for family in families:
        parts.append(_lines(edges, family, left))
        left -= len(parts[-1])
    return np.concatenate(parts)


def _lines(edges: Floats, family: LineFamily, most: int) -> Floats:
    along = np.array([np.cos(family.angle), np.sin(family.angle)])
    across = np.array([-along[1], along[0]])
    step = float(family.offset @ across)
    ends = edges.reshape(-1, 2) - family.base
    extent = float(np.ptp(ends @ across)) if len(ends) else 0.0
    if not 0 < extent < (most + 1) * abs(step):  # False for NaN too
        if extent > 0 and np.isfinite(step):
            raise TooManyLinesError
        return no_segments()
    line, start, end = _inside((ends @ across / step).reshape(-1, 2), (ends @ along).reshape(-1, 2))
    shift = line * float(family.offset @ along)
    line, start, end = _dashed(line, start - shift, end - shift, family.dashes, most)
    origin = family.base + line[:, None] * family.offset
    return np.concatenate([origin + start[:, None] * along, origin + end[:, None] * along], axis=1)


def _inside(level: Floats, place: Floats) -> tuple[Lines, Floats, Floats]:
    """Number, start and end of the pieces of lines that lie inside.

    ``level`` (e, 2) at which line an edge's ends are, ``place`` (e, 2) how far along it. A line
    meets an edge from its lower end on, but not at its upper one: so a corner counts once.
    """
    near = np.rint(level)
    level = np.where(np.abs(level - near) < _SAME_LEVEL, near, level)
    first = np.ceil(level.min(axis=1)).astype(np.intp)
    count = np.ceil(level.max(axis=1)).astype(np.intp) - first
    edge = np.repeat(np.arange(len(level)), count)
    line = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    share = (line - level[edge, 0]) / (level[edge, 1] - level[edge, 0])
    at = place[edge, 0] + share * (place[edge, 1] - place[edge, 0])
    order = np.lexsort((at, line))
    line, at = line[order], at[order]
    _, number, crossings = np.unique(line, return_inverse=True, return_counts=True)
    is_closed = crossings[number.ravel()] % 2 == 0
    line, at = line[is_closed], at[is_closed]
    return line[::2], at[::2], at[1::2]


def _dashed(
    line: Lines, start: Floats, end: Floats, dashes: Floats, most: int
) -> tuple[Lines, Floats, Floats]:
    """The dashes of (n,) pieces; places count from where the first dash of the line begins."""
    length = float(np.abs(dashes).sum())
    if length > 0:
        first = np.floor(start / length)
        count = np.floor(end / length) - first + 1
        begin = np.cumsum(np.abs(dashes)) - np.abs(dashes)
        begin, drawn = begin[dashes > 0], dashes[dashes > 0]
        if count.sum() * len(drawn) > 2 * most + len(line):
            raise TooManyLinesError
        piece = np.repeat(np.arange(len(line)), count.astype(np.intp))
        nth = np.arange(len(piece)) - np.searchsorted(piece, piece)
        low = (first[piece] + nth)[:, None] * length + begin
        high = np.minimum(low + drawn, end[piece, None])
        low = np.maximum(low, start[piece, None])
        row = np.broadcast_to(line[piece, None], low.shape)
        line, start, end = row[low < high], low[low < high], high[low < high]
    if len(line) > most:
        raise TooManyLinesError
    return line, start, end
