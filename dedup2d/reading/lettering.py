"""Which filled outlines are lettering: plotters write text as the outlines of its glyphs.

As strokes they would say nothing that can be compared, and would be most of a drawing's ink.
Solid hatches, arrowheads and dots are filled too, and stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dedup2d.reading.outline import Contour

LETTER_SHARE: Final = 0.03  # of the page's diagonal: height or width of the largest letter
_ARROW, _SOLID = 3, 4  # edges of an arrowhead, and of a SOLID or a letter I
_PARTS: Final = 3  # of a letter whose parts are all plain
_SQUARE: Final = 0.1  # difference of a dot's width and height
_REACH: Final = 1.6  # between the middles of neighbours, over the larger one's size
_SAME, _SEVERAL = 0.03, 5  # heights that count as one, and letters of it that make a sort
_ALIKE: Final = 1.5  # size of a plain shape among letters, over its largest neighbour
_POINT: Final = 0.3  # the same of a round one: larger dots are dots

Flags = NDArray[np.bool_]


def lettering(paths: Sequence[Sequence[Contour]], diagonal: float) -> Flags:
    """(n,) whether each filled path is a glyph, or some glyphs of one text.

    ``diagonal`` is that of the page. Small outlines in several parts, not all of them plain,
    are glyphs. A small outline in one part (L, 1, S) is one where it has such neighbours or its
    like, or is as large as several letters of the page; a plain one (I, a point) where its
    neighbours are letters and not much smaller.
    """
    sizes = np.array([max(map(_size, contours), default=0.0) for contours in paths])
    is_small = (sizes > 0) & (sizes <= LETTER_SHARE * diagonal)
    plain = [sum(map(_is_plain, contours)) for contours in paths]
    counts = np.array([len(contours) for contours in paths])
    found = is_small & (counts > 1) & (np.array(plain) < counts)
    odd = is_small & (counts == 1) & (np.array(plain) == 0)
    neighbours = _Neighbours(paths, found | odd)
    for k in np.flatnonzero(odd).tolist():
        found[k] = neighbours.largest(k) > 0
    heights = np.sort([c.top - c.bottom for k in np.flatnonzero(found).tolist() for c in paths[k]])
    for k in np.flatnonzero(odd & ~found).tolist():
        own = paths[k][0].top - paths[k][0].bottom
        low, high = np.searchsorted(heights, [own * (1 - _SAME), own * (1 + _SAME)])
        found[k] = high - low >= _SEVERAL
    neighbours = _Neighbours(paths, found)
    for k in np.flatnonzero(is_small & ~found & (counts <= _PARTS)).tolist():
        if not any(_is_arrow(contour) for contour in paths[k]):
            limit = _POINT if counts[k] == 1 and not paths[k][0].edges else _ALIKE
            found[k] = sizes[k] <= limit * neighbours.largest(k)
    return found


def is_point(contours: Sequence[Contour], largest: float) -> bool:
    """Whether a filled path is a single round dot, at most ``largest`` wide."""
    return (
        len(contours) == 1
        and contours[0].edges == 0
        and _is_plain(contours[0])
        and _size(contours[0]) <= largest
    )


def _size(contour: Contour) -> float:
    return max(contour.right - contour.left, contour.top - contour.bottom)


def _is_plain(contour: Contour) -> bool:
    """An arrowhead, a SOLID, or a dot; also a part of i, o or =."""
    if contour.bends:
        uneven = (contour.right - contour.left) - (contour.top - contour.bottom)
        return contour.edges == 0 and abs(uneven) <= _SQUARE * _size(contour)
    return contour.edges <= _SOLID


def _is_arrow(contour: Contour) -> bool:
    return contour.edges == _ARROW and not contour.bends


class _Neighbours:
    """The outlines next to one, among some of the paths."""

    def __init__(self, paths: Sequence[Sequence[Contour]], among: Flags) -> None:
        chosen = [(k, c) for k in np.flatnonzero(among).tolist() for c in paths[k]]
        self._paths = paths
        self._path = np.array([k for k, _ in chosen], np.intp)
        self._size = np.array([_size(contour) for _, contour in chosen])
        self._largest = float(self._size.max(initial=0.0))
        self._tree = cKDTree([_middle(contour) for _, contour in chosen]) if chosen else None

    def largest(self, k: int) -> float:
        """The size of the largest contour near the first one of path ``k``, 0 for none."""
        if self._tree is None:
            return 0.0
        contour = self._paths[k][0]
        own, middle = _size(contour), _middle(contour)
        reach = _REACH * max(own, self._largest)
        near = np.array(self._tree.query_ball_point(middle, reach), np.intp)
        away = np.hypot(*(self._tree.data[near] - middle).T)
        near = near[(away <= _REACH * np.maximum(own, self._size[near])) & (self._path[near] != k)]
        return float(self._size[near].max()) if len(near) else 0.0


def _middle(contour: Contour) -> tuple[float, float]:
    return ((contour.left + contour.right) / 2, (contour.bottom + contour.top) / 2)
