"""Dashed lines that a plotter drew dash by dash are one stroke again, as in the drawing."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Floats

_FEWEST: Final = 3  # equal gaps; fewer may be a row of something
_OFF: Final = 0.1  # points that coordinates of a plot may be off the line
_GAP_TOLERANCE: Final = 0.03  # of the gap
_WIDEST: Final = 30.0  # points; a gap of a centimetre
_GAP_TO_DASH: Final = 1.0  # the longest dash is at least as long as a gap


def joined_dashes(segments: Floats) -> tuple[Floats, int]:
    """The (n, 4) segments, in points and file order, with each row of dashes as one segment.

    Also how many such rows. Dashes follow each other in the file on one line in one direction,
    with equal gaps between them, however long they are (a chain line has short and long ones).
    """
    gap = _gaps(segments)
    alike = np.zeros(len(gap), bool)  # as the gap before
    near = np.abs(np.diff(gap)) <= _OFF + _GAP_TOLERANCE * gap[1:]
    alike[1:] = near & np.isfinite(gap[1:]) & np.isfinite(gap[:-1])
    parts, done, rows = [], 0, 0
    for first, last in _runs(alike):
        start, stop = first, last + 1  # the segments before the first and behind the last gap
        if last - first + 1 >= _FEWEST and _is_row(segments[start : stop + 1], gap[first]):
            line = [*segments[start, :2], *segments[stop, 2:]]
            parts += [segments[done:start], np.array([line])]
            done, rows = stop + 1, rows + 1
    return np.concatenate([*parts, segments[done:]]), rows


def _gaps(segments: Floats) -> Floats:
    """(n - 1,) the gap to the next segment where that goes on along the same line, else NaN."""
    start, end = segments[:-1, :2], segments[:-1, 2:]
    onset, far = segments[1:, :2], segments[1:, 2:]
    chord = far - start
    length = np.maximum(np.hypot(*chord.T), 1e-12)
    along = chord / length[:, None]
    offsets = [point - start for point in (end, onset)]
    place = [(offset * along).sum(axis=1) for offset in offsets]
    away = [np.abs(o[:, 0] * along[:, 1] - o[:, 1] * along[:, 0]) for o in offsets]
    gap = place[1] - place[0]
    goes_on = (place[0] > 0) & (place[1] < length) & (gap > 2 * _OFF) & (gap < _WIDEST)
    goes_on &= (away[0] <= _OFF) & (away[1] <= _OFF)
    return np.asarray(np.where(goes_on, gap, np.nan))


def _runs(alike: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last gap of each run of gaps that are alike; each but the first is marked."""
    edges = np.diff(np.concatenate([[False], alike, [False]]).astype(np.int8))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(int(a) - 1, int(b) - 1) for a, b in zip(starts, stops, strict=True)]


def _is_row(dashes: Floats, gap: float) -> bool:
    """Whether all dashes lie on one line, and are longer than the gaps."""
    points = dashes.reshape(-1, 2)
    chord = points[-1] - points[0]
    along = chord / max(float(np.hypot(*chord)), 1e-12)
    offset = points - points[0]
    away = np.abs(offset[:, 0] * along[1] - offset[:, 1] * along[0])
    longest = float(np.hypot(*(dashes[:, 2:] - dashes[:, :2]).T).max())
    return bool((away <= 2 * _OFF).all() and longest >= _GAP_TO_DASH * gap)
