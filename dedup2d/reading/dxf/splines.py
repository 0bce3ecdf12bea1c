"""SPLINE and HELIX, and curves through fit points."""

from __future__ import annotations

import numpy as np

from dedup2d.drawing.model import Floats
from dedup2d.reading.bezier import beziers, is_bezier
from dedup2d.reading.dxf.group import Group
from dedup2d.reading.geometry import chain, spline_points
from dedup2d.reading.strokes import Owners, Strokes, joined

_FIT_PIECES = 8


def splines(group: Group) -> Strokes:
    """SPLINE: control points, knots and weights as they are stored; else the fit points."""
    control, entity = group.vertices(10)
    first = np.searchsorted(entity, np.arange(len(group.rows) + 1))
    knots, weights, degree = group.listed(40), group.listed(41), group.flags(71)
    alike: dict[tuple[int, int, bytes], list[int]] = {}
    parts, by_fit = [], []
    for k, count in enumerate(np.diff(first).tolist()):
        if count < 2:  # noqa: PLR2004  # no curve
            by_fit.append(k)
            continue
        weight = _uneven(weights.of(k), count)
        if weight is None:
            key = (int(degree[k]) or 3, count, knots.of(k).tobytes())
            alike.setdefault(key, []).append(k)
        else:
            own = control[first[k] : first[k + 1]]
            points = spline_points(int(degree[k]) or 3, tuple(knots.of(k).tolist()), own, weight)
            parts.append(Strokes.free(chain(points), k))
    for (order, count, raw), members in alike.items():
        rows = np.array(members, np.intp)
        own = control[first[rows][:, None] + np.arange(count)]
        parts.append(_alike(order, np.frombuffer(raw), own, rows))
    return joined([*parts, *_through_points(group, by_fit)])


def _uneven(weights: Floats, count: int) -> Floats | None:
    """The weights of a rational spline; equal ones make it a plain one."""
    usable = len(weights) == count and bool((weights > 0).all())
    return weights if usable and (weights != weights[0]).any() else None


def _alike(degree: int, knots: Floats, control: Floats, rows: Owners) -> Strokes:
    """Splines with the same knots at once; ``control`` is (m, count, 2).

    Those that are Bezier curves may stand for arcs and lines: many programs write nothing else.
    """
    members, count, _ = control.shape
    if is_bezier(degree, knots, count):
        return beziers(control).owned_by(rows)
    side_by_side = control.transpose(1, 0, 2).reshape(count, -1)
    points = spline_points(degree, tuple(knots.tolist()), side_by_side)
    points = points.reshape(len(points), members, 2).transpose(1, 0, 2)
    edges = np.concatenate([points[:, :-1], points[:, 1:]], axis=2)
    owner = np.repeat(rows, edges.shape[1])
    return Strokes.free(edges.reshape(-1, 4), owner)


def _through_points(group: Group, rows: list[int]) -> list[Strokes]:
    """Splines that have fit points only."""
    if not rows:
        return []
    fit, entity = group.vertices(11)
    first = np.searchsorted(entity, np.arange(len(group.rows) + 1))
    closed = group.flags(70) & 1
    tangents = [np.where(group.has(c)[:, None], group.point(c)[:, :2], np.nan) for c in (12, 13)]
    parts = []
    for k in rows:
        points = fit[first[k] : first[k + 1]]
        if len(points) > 1:
            curve = fitted(points, tangents[0][k], tangents[1][k], closed=bool(closed[k]))
            parts.append(Strokes.free(chain(curve), k))
    return parts


def fitted(points: Floats, start: Floats, end: Floats, *, closed: bool = False) -> Floats:
    """(n, 2) points on the cubic spline through (k, 2) points.

    Chord-length parameters; end tangents (2,) where they are finite, else no curvature at the
    ends, as CAD systems do.
    """
    if closed and (points[0] != points[-1]).any():
        points = np.concatenate([points, points[:1]])
    step = np.hypot(*np.diff(points, axis=0).T)
    points = points[np.r_[True, step > 0]]
    step = step[step > 0]
    count = len(points)
    if count < 3:  # noqa: PLR2004  # a straight line
        return points
    slopes = _slopes(points, step, start, end)
    t = np.linspace(0, 1, _FIT_PIECES, endpoint=False)[None, :, None]
    h = step[:, None, None]
    p0, p1 = points[:-1, None], points[1:, None]
    m0, m1 = slopes[:-1, None] * h, slopes[1:, None] * h
    curve = (2 * t**3 - 3 * t**2 + 1) * p0 + (t**3 - 2 * t**2 + t) * m0
    curve = curve + (-2 * t**3 + 3 * t**2) * p1 + (t**3 - t**2) * m1
    return np.concatenate([curve.reshape(-1, 2), points[-1:]])


def _slopes(points: Floats, step: Floats, start: Floats, end: Floats) -> Floats:
    """(k, 2) first derivatives at the points that make the second ones continuous."""
    count = len(points)
    change = np.diff(points, axis=0) / step[:, None]
    lower, middle, upper = np.zeros(count), np.ones(count), np.zeros(count)
    right = np.zeros((count, 2))
    lower[1:-1], upper[1:-1] = step[1:], step[:-1]
    middle[1:-1] = 2 * (step[1:] + step[:-1])
    right[1:-1] = 3 * (step[1:, None] * change[:-1] + step[:-1, None] * change[1:])
    for row, tangent, span in ((0, start, 0), (-1, end, -1)):
        size = float(np.hypot(*tangent))
        if np.isfinite(size) and size > 0:
            right[row] = tangent / size
        else:
            middle[row] = 2.0
            (upper if row == 0 else lower)[row] = 1.0
            right[row] = 3 * change[span]
    return _tridiagonal(lower, middle, upper, right)


def _tridiagonal(lower: Floats, middle: Floats, upper: Floats, right: Floats) -> Floats:
    """Solve by the Thomas algorithm; the system is diagonally dominant."""
    count = len(middle)
    over, value = np.empty(count), np.empty((count, 2))
    over[0], value[0] = upper[0] / middle[0], right[0] / middle[0]
    for k in range(1, count):
        pivot = middle[k] - lower[k] * over[k - 1]
        over[k] = upper[k] / pivot
        value[k] = (right[k] - lower[k] * value[k - 1]) / pivot
    for k in range(count - 2, -1, -1):
        value[k] -= over[k] * value[k + 1]
    return value
