"""Straight strokes and arcs through traced pixels. Units are pixels, y as in the input."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from scipy.spatial import cKDTree

from dedup2d.drawing import no_arcs, no_segments
from dedup2d.drawing.model import Floats

MIN_PIXELS: Final = 6
CORNER_PX: Final = 1.6  # a polyline through the pixels keeps this near to them
ARC_PX: Final = 1.8  # an arc keeps this near to them
_ARC_PIXELS: Final = 14
_MAX_RADIUS: Final = 3000.0
_MIN_SWEEP: Final = 0.6
_NEARLY_CLOSED: Final = 0.35  # radians missing of a full circle
_LONG: Final = 12.0  # straight strokes that are joined across gaps
_GAP: Final = 5.0
_JOIN_TURN: Final = 0.03
_JOIN_OFFSET: Final = 2.0
_JOIN_ROUNDS: Final = 3
_SAME_CIRCLE_PX: Final = 3.0
_FULL_SHARE: Final = 0.85


def fit(path: Floats) -> tuple[Floats, Floats]:
    """Segments (n, 4) and arcs (m, 5) for one traced path (k, 2); short paths give none."""
    if len(path) < MIN_PIXELS:
        return no_segments(), no_arcs()
    ring = bool((path[0] == path[-1]).all())
    pixels = path[:-1] if ring else path
    corners = cv2.approxPolyDP(pixels.astype(np.float32)[:, None], CORNER_PX, closed=ring)
    corners = corners[:, 0].astype(np.float64)
    if ring:
        corners = np.concatenate([corners, corners[:1]])
    if len(corners) > 3 and len(path) > _ARC_PIXELS:  # noqa: PLR2004  # else it is straight
        arc = _arc(path)
        if arc is not None:
            return no_segments(), arc
    return np.concatenate([corners[:-1], corners[1:]], axis=1), no_arcs()


def _arc(path: Floats) -> Floats | None:
    """(1, 5) the circle of least algebraic error (Kasa 1976) through (k, 2), if it fits."""
    middle = path.mean(axis=0)
    offsets = path - middle
    system = np.column_stack([2 * offsets, np.ones(len(offsets))])
    (a, b, c), *_ = np.linalg.lstsq(system, (offsets**2).sum(axis=1), rcond=None)
    radius = math.sqrt(max(c + a * a + b * b, 0.0))
    from_centre = offsets - np.array([a, b])
    away = np.abs(np.hypot(*from_centre.T) - radius)
    if away.max() >= ARC_PX or radius >= _MAX_RADIUS:
        return None
    angles = np.unwrap(np.arctan2(from_centre[:, 1], from_centre[:, 0]))
    start, end = sorted((float(angles[0]), float(angles[-1])))
    if end - start <= _MIN_SWEEP:
        return None
    if end - start > math.tau - _NEARLY_CLOSED:
        start, end = 0.0, math.tau
    return np.array([[middle[0] + a, middle[1] + b, radius, start, end]])


def join_collinear(segments: Floats) -> Floats:
    """Long segments that go on in one line across a small gap, as one."""
    length = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1])
    long, short = segments[length > _LONG], segments[length <= _LONG]
    for _ in range(_JOIN_ROUNDS):
        pairs = _joinable(long)
        if not len(pairs):
            break
        long = _joined(long, pairs)
    return np.concatenate([long, short])


def _joinable(segments: Floats) -> np.ndarray:
    """(n, 2) longer and shorter row of pairs that belong to one line, longest first."""
    count = len(segments)
    ends = np.concatenate([segments[:, :2], segments[:, 2:]])
    pairs = cKDTree(ends).query_pairs(_GAP, output_type="ndarray") % max(count, 1)
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    along = segments[:, 2:] - segments[:, :2]
    length = np.hypot(along[:, 0], along[:, 1])
    unit = along / np.maximum(length, 1e-9)[:, None]
    first, second = pairs.T
    longer = np.where(length[first] >= length[second], first, second)
    shorter = np.where(length[first] >= length[second], second, first)
    turn = np.abs(_cross(unit[longer], unit[shorter]))
    near = turn < _JOIN_TURN + 2.0 / np.maximum(length[shorter], 1e-9)
    for column in (slice(0, 2), slice(2, 4)):
        offset = _cross(unit[longer], segments[shorter, column] - segments[longer, :2])
        near &= np.abs(offset) < _JOIN_OFFSET
    longer, shorter = longer[near], shorter[near]
    order = np.argsort(-length[longer], kind="stable")
    return np.column_stack([longer, shorter])[order]


def _joined(segments: Floats, pairs: np.ndarray) -> Floats:
    segments = segments.copy()
    used = np.zeros(len(segments), bool)
    gone = np.zeros(len(segments), bool)
    for longer, shorter in pairs.tolist():
        if used[longer] or used[shorter]:
            continue
        used[[longer, shorter]] = True
        gone[shorter] = True
        points = np.concatenate([segments[longer], segments[shorter]]).reshape(4, 2)
        along = (points - points[0]) @ (points[1] - points[0])
        segments[longer] = np.concatenate([points[along.argmin()], points[along.argmax()]])
    return segments[~gone]


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def join_circles(arcs: Floats) -> Floats:
    """Arcs of one circle that together go nearly all the way round, as that circle."""
    sweep = arcs[:, 4] - arcs[:, 3]
    left = np.ones(len(arcs), bool)
    out: list[Floats] = []
    for row in np.argsort(-arcs[:, 2] * sweep, kind="stable"):
        if not left[row]:
            continue
        off = np.abs(arcs[:, :3] - arcs[row, :3])
        same = left & (off < _SAME_CIRCLE_PX + 0.01 * arcs[row, 2]).all(axis=1)
        left &= ~same
        if sweep[same].sum() > _FULL_SHARE * math.tau:
            mean = np.average(arcs[same, :3], axis=0, weights=sweep[same])
            out.append(np.array([[*mean, 0.0, math.tau]]))
        else:
            out.append(arcs[same])
    return np.concatenate(out) if out else no_arcs()
