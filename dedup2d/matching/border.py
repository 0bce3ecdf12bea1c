"""Which strokes are the sheet's frame with what hangs on it: zone marks and title block.

A frame has a long line near each of its four sides; all strokes that are connected with these
lines belong to the border, and so do those in the small cells that they close. Different parts
in one frame share the border, so it must not speak for them. An outline that fills the drawing
looks like a frame; then the border is the outline, and what is inside must agree for itself.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dedup2d.matching.shape import Bools, Ints, Shape, sample

BAND: Final = 0.10  # of the extent: how near to its side a frame's line must be
REACH: Final = 0.60  # of the side: how much of it the lines must cover
PARALLEL: Final = 3e-3  # sine of the angle; a pixel or two along a scanned line
PIXELS: Final = 400  # along the diagonal; strokes less than about a pixel apart are connected
NORMAL_SIZE: Final = 50_000  # samples of the picture
FEWEST_INSIDE: Final = 8  # strokes that a border must leave, or it is no border
FEWEST_FOUND: Final = 2  # the same for finding a scanned part, which is then judged whole too
CELL: Final = 0.03  # of the picture: what lies in a smaller cell of the border is lettering


def border(shape: Shape) -> Bools:
    """(count,) true for strokes of the border; none where there is no frame."""
    sides = _frame_lines(shape)
    if not sides.any():
        return np.zeros(shape.count, np.bool_)
    canvas = _Canvas(shape)
    component = canvas.components()
    hanging = np.isin(component, np.unique(component[np.flatnonzero(sides)]))
    return hanging | canvas.in_cells(hanging)


def surrounded(found: Bools, fewest: int) -> Bools:
    """(count,) strokes that are not of the border ``found``; all where little else is there."""
    rest = ~found
    return rest if rest.sum() >= fewest else np.ones_like(found)


def _frame_lines(shape: Shape) -> Bools:
    """(n,) segments that run along the four sides, in the direction of the longest segment."""
    s = shape.segments
    none = np.zeros(len(s), np.bool_)
    if not len(s):
        return none
    start, end = s[:, 0] + 1j * s[:, 1], s[:, 2] + 1j * s[:, 3]
    along = end - start
    longest = along[np.argmax(np.abs(along))]
    turn = (longest / abs(longest)).conjugate()
    start, end, along = start * turn, end * turn, along * turn
    length = np.abs(along)
    low = complex(min(start.real.min(), end.real.min()), min(start.imag.min(), end.imag.min()))
    high = complex(max(start.real.max(), end.real.max()), max(start.imag.max(), end.imag.max()))
    middle, extent = (start + end) / 2 - low, high - low
    level = np.abs(along.imag) <= PARALLEL * length
    upright = np.abs(along.real) <= PARALLEL * length
    sides = (
        (level & (middle.imag <= BAND * extent.imag), extent.real),
        (level & (middle.imag >= (1 - BAND) * extent.imag), extent.real),
        (upright & (middle.real <= BAND * extent.real), extent.imag),
        (upright & (middle.real >= (1 - BAND) * extent.real), extent.imag),
    )
    lines = none
    for side, reach in sides:
        # a stroke as long as a tenth of the side is part of it; hatching is not
        long = side & (length >= BAND * reach)
        if length[long].sum() < REACH * reach:
            return none
        lines = lines | long
    return lines


class _Canvas:
    """A picture of the strokes, ``PIXELS`` along the diagonal."""

    def __init__(self, shape: Shape) -> None:
        pixel = shape.diagonal / PIXELS
        points = sample(shape, max(pixel * 0.7, shape.length / NORMAL_SIZE))
        at = (points.z - complex(*shape.bounds[0])) / pixel
        self._column, self._row = at.real.astype(np.int64) + 2, at.imag.astype(np.int64) + 2
        self._owner = points.owner
        self._size = int(self._row.max()) + 3, int(self._column.max()) + 3

    def _drawn(self, some: Bools | None = None) -> NDArray[np.uint8]:
        picture = np.zeros(self._size, np.uint8)
        chosen = slice(None) if some is None else some[self._owner]
        picture[self._row[chosen], self._column[chosen]] = 1
        return picture

    def components(self) -> Ints:
        """(count,) number of the connected component of each stroke."""
        label = cv2.connectedComponents(self._drawn(), connectivity=8)[1]
        first = np.flatnonzero(np.diff(self._owner, prepend=-1))
        found: Ints = label[self._row[first], self._column[first]].astype(np.int64)
        return found

    def in_cells(self, walls: Bools) -> Bools:
        """(count,) strokes that lie in small cells which the ``walls`` (count,) close."""
        closed = cv2.dilate(self._drawn(walls), np.ones((3, 3), np.uint8))
        label, boxes = cv2.connectedComponentsWithStats(1 - closed, connectivity=4)[1:3]
        small = boxes[:, cv2.CC_STAT_AREA] < CELL * closed.size
        at = label[self._row, self._column]
        wide = np.bincount(self._owner, (at > 0) & ~small[at], len(walls)) > 0
        cell = np.bincount(self._owner, (at > 0) & small[at], len(walls)) > 0
        found: Bools = cell & ~wide & ~walls
        return found
