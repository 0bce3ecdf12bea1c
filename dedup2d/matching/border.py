"""Which strokes are the sheet's frame with what hangs on it: zone marks and title block.

A frame has a long line near each of its four sides; all strokes that are connected with these
lines belong to the border. Different parts in one frame share the border, so it must not speak
for them. An outline that fills the drawing looks like a frame; then the border is the outline,
and what is inside must agree for itself.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from dedup2d.matching.shape import Bools, Ints, Shape, sample

BAND: Final = 0.10  # of the extent: how near to its side a frame's line must be
REACH: Final = 0.60  # of the side: how much of it the lines must cover
PARALLEL: Final = 3e-3  # sine of the angle; a pixel or two along a scanned line
PIXELS: Final = 400  # along the diagonal; strokes less than about a pixel apart are connected
NORMAL_SIZE: Final = 50_000  # samples of the picture
FEWEST_INSIDE: Final = 8  # strokes that a border must leave, or it is no border


def border(shape: Shape) -> Bools:
    """(count,) true for strokes of the border; none where there is no frame."""
    found = np.zeros(shape.count, np.bool_)
    sides = _frame_lines(shape)
    if not sides.any():
        return found
    component = _components(shape)
    hanging = np.unique(component[np.flatnonzero(sides)])
    return np.isin(component, hanging)


def body(shape: Shape) -> Bools:
    """(count,) strokes that are not the sheet's border; all where little else is there."""
    found = ~border(shape)
    return found if found.sum() >= FEWEST_INSIDE else np.ones_like(found)


def inside(shape: Shape) -> Shape:
    """What the sheet's border surrounds; the shape itself where there is no border."""
    found = body(shape)
    return shape if found.all() else shape.part(found)


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


def _components(shape: Shape) -> Ints:
    """(count,) number of the connected component of each stroke."""
    pixel = shape.diagonal / PIXELS
    points = sample(shape, max(pixel * 0.7, shape.length / NORMAL_SIZE))
    low = shape.bounds[0]
    at = (points.z - complex(*low)) / pixel
    column, row = at.real.astype(np.int64) + 2, at.imag.astype(np.int64) + 2
    picture = np.zeros((int(row.max()) + 3, int(column.max()) + 3), np.uint8)
    picture[row, column] = 1
    label = cv2.connectedComponents(picture, connectivity=8)[1]
    first = np.flatnonzero(np.diff(points.owner, prepend=-1))
    found: Ints = label[row[first], column[first]].astype(np.int64)
    return found
