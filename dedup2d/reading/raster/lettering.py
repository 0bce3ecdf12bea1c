"""Which small pieces of ink are lettering, and which are holes, slots and dashes.

Geometry of that size is closed or straight: rings, small boxes, dashes. Letters may look so too
(O, D, I), but stand beside others that do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dedup2d.reading.raster.thinning import Mask

LETTER_SHARE: Final = 0.016  # of the page's diagonal: what is smaller may be lettering
LETTER_REACH: Final = 0.7  # of the larger one's size: gap between two letters of a word
MOST_PIECES: Final = 20_000  # a page of more is a halftone: all that is small is taken out
_LETTER_RATIO: Final = 2.5  # between the sizes of two letters of a word
_SMALLEST: Final = 7  # pixels across of a ring that is seen for one
_OFF: Final = 2  # pixels by which a box of a ring may not be square
_ROUND: Final = (0.70, 0.86)  # of its box that a filled ring covers; a circle covers 0.785
_BOXED: Final = 0.88  # the same of a box that is askew by 3 degrees
_OPEN: Final = 0.35  # of a filled letter D or O that is paper; less in most other letters
_DASH: Final = 3.0  # length over width

Bools = NDArray[np.bool_]
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Pieces:
    """Connected pieces of ink: ``labels`` (h, w), of 0 the paper; ``boxes`` as OpenCV has them."""

    labels: Ints
    boxes: Ints

    @property
    def area(self) -> Ints:
        """(n,) pixels of each."""
        return self.boxes[:, cv2.CC_STAT_AREA]

    @property
    def width(self) -> Ints:
        """(n,) of each one's box."""
        return self.boxes[:, cv2.CC_STAT_WIDTH]

    @property
    def height(self) -> Ints:
        """(n,) of each one's box."""
        return self.boxes[:, cv2.CC_STAT_HEIGHT]


def letters(mask: Mask, pieces: Pieces, specks: Bools) -> Bools:
    """(n,) small pieces that are lettering."""
    size = np.maximum(pieces.width, pieces.height)
    small = (size < LETTER_SHARE * math.hypot(*mask.shape)) & ~specks
    small[0] = False
    if not 0 < small.sum() <= MOST_PIECES:
        return small
    shape, open_ = _closed(mask, pieces)
    dash = _straight(pieces, small)
    own = np.flatnonzero(small)
    kind = np.where(shape, 0, np.where(dash, 1, np.where(open_, 2, 3)))[own]
    beside = _beside(pieces, own)
    # the least geometrical neighbour of each
    worst = np.full(len(own), -1)
    for one, other in (beside.T, beside[:, ::-1].T):
        np.maximum.at(worst, one, kind[other])
    drawn = (kind <= 1) & (worst <= 1)
    small[own[drawn]] = False
    return small


def _closed(mask: Mask, pieces: Pieces) -> tuple[Bools, Bools]:
    """(n,) rings and boxes; and whatever else surrounds much paper."""
    count = len(pieces.boxes)
    paper, holes = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)[1:3]
    within = holes[:, cv2.CC_STAT_AREA]
    inside = np.flatnonzero((within > 2) & (holes[:, cv2.CC_STAT_LEFT] > 0))  # noqa: PLR2004
    inside = inside[inside > 0]
    owner = _surrounding(paper, holes, inside, pieces)
    number = np.bincount(owner, minlength=count)
    hole = np.bincount(owner, within[inside], count)
    width, height = pieces.width, pieces.height
    filled = (pieces.area + hole) / np.maximum(width * height, 1)
    level = np.minimum(width, height) >= _SMALLEST
    one = (number == 1) & level & (hole > 0)
    square = np.abs(width - height) <= _OFF + 0.05 * np.maximum(width, height)
    ring = one & square & (filled > _ROUND[0]) & (filled < _ROUND[1])
    boxed = one & (filled >= _BOXED)
    return ring | boxed, one & (hole >= _OPEN * (pieces.area + hole))


def _surrounding(paper: Ints, holes: Ints, inside: NDArray[np.intp], pieces: Pieces) -> Ints:
    """The piece of ink around each hole, 0 where the paper is no hole of a piece."""
    left, top = holes[inside, cv2.CC_STAT_LEFT], holes[inside, cv2.CC_STAT_TOP]
    width = holes[inside, cv2.CC_STAT_WIDTH]
    found = np.zeros(len(inside), np.int32)
    for k, (x, y, across, label) in enumerate(
        zip(left.tolist(), top.tolist(), width.tolist(), inside.tolist(), strict=True)
    ):
        first = int(np.argmax(paper[y, x : x + across] == label))
        found[k] = pieces.labels[y - 1, x + first]
    return found


def _straight(pieces: Pieces, small: Bools) -> Bools:
    """(n,) small pieces that are dashes: long and thin in some direction."""
    count = len(pieces.boxes)
    y, x = np.nonzero(small[pieces.labels])
    owner = pieces.labels[y, x]
    number = np.maximum(np.bincount(owner, minlength=count), 1)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(owner, values, count) / number)

    dx, dy = x - mean(x.astype(float))[owner], y - mean(y.astype(float))[owner]
    xx, yy, xy = mean(dx * dx), mean(dy * dy), mean(dx * dy)
    spread = np.hypot(xx - yy, 2 * xy)
    long, wide = (xx + yy + spread) / 2, np.maximum((xx + yy - spread) / 2, 1 / 12)
    return np.asarray(small & (long >= _DASH**2 * wide))


def _beside(pieces: Pieces, own: NDArray[np.intp]) -> NDArray[np.intp]:
    """(m, 2) pairs of ``own`` pieces that stand as near to each other as letters of a word."""
    width, height = pieces.width[own], pieces.height[own]
    middle = np.column_stack(
        [
            pieces.boxes[own, cv2.CC_STAT_LEFT] + width / 2,
            pieces.boxes[own, cv2.CC_STAT_TOP] + height / 2,
        ]
    )
    size = np.maximum(width, height)
    pairs = cKDTree(middle).query_pairs((1 + LETTER_REACH) * size.max(), output_type="ndarray")
    one, other = pairs.T
    apart = np.abs(middle[one] - middle[other])
    gap = np.maximum(
        apart[:, 0] - (width[one] + width[other]) / 2,
        apart[:, 1] - (height[one] + height[other]) / 2,
    )
    larger, smaller = np.maximum(size[one], size[other]), np.minimum(size[one], size[other])
    near = (gap <= LETTER_REACH * larger) & (larger <= _LETTER_RATIO * smaller)
    return np.asarray(pairs[near])
