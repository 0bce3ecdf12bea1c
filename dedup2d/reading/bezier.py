"""Cubic Bezier curves, as in PDF, SVG and splines: arcs where they stand for one, else pieces."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Floats
from dedup2d.reading.strokes import Strokes

# As many as a span of a spline has at most: a spline plotted as Beziers gives the same points.
PIECES: Final = 16
# Of the radius; the usual quarter circle is off by 2.7e-4, a shorter arc by far less. A piece of
# a spline that comes as near to some circle is a piece of a spline nevertheless.
_CIRCLE_ERROR: Final = 1.5e-3
_ERROR_ORDER: Final = 4  # of the sweep over a quarter turn; six in theory, before rounding
_FLATTEST: Final = 0.02  # height over chord of the flattest arc; below it a line is as good
_LARGEST: Final = 1e4  # radius over chord
_T: Final = np.linspace(0.0, 1.0, PIECES + 1)
_BERNSTEIN: Final = np.column_stack(
    [(1 - _T) ** 3, 3 * (1 - _T) ** 2 * _T, 3 * (1 - _T) * _T**2, _T**3]
)

_CUBIC: Final = 3

Mask = NDArray[np.bool_]


def beziers(control: Floats, *, rounding: float = 0.0) -> Strokes:
    """What (n, 4, 2) control points draw, owned by their rows.

    A curve that keeps to a circle, or within ``rounding`` of one, is that arc; one that is
    straight is a segment.
    """
    if not len(control):
        return Strokes()
    straight = _are_straight(control)
    row = np.flatnonzero(~straight)
    points: Floats = np.einsum("tk,nkd->ntd", _BERNSTEIN, control[row])
    arcs, is_round = _arcs(points, rounding)
    free = points[~is_round]
    return Strokes(
        segments=control[straight][:, [0, 3]].reshape(-1, 4),
        segment_owner=np.flatnonzero(straight),
        arcs=arcs,
        arc_owner=row[is_round],
        curves=np.concatenate([free[:, :-1], free[:, 1:]], axis=2).reshape(-1, 4),
        curve_owner=np.repeat(row[~is_round], PIECES),
    )


def is_bezier(degree: int, knots: Floats, count: int) -> bool:
    """Whether a B-spline of ``count`` control points is one cubic Bezier curve."""
    if degree != _CUBIC or count != _CUBIC + 1:
        return False
    first, last = knots[: _CUBIC + 1], knots[_CUBIC + 1 :]
    clamped = len(knots) == 2 * (_CUBIC + 1)
    return clamped and bool((first == first[0]).all() and (last == last[0]).all())


def _are_straight(control: Floats) -> Mask:
    """(n,) whether all control points lie on the chord and between its ends."""
    chord = control[:, 3] - control[:, 0]
    offset = control - control[:, :1]
    away = np.abs(chord[:, None, 0] * offset[..., 1] - chord[:, None, 1] * offset[..., 0])
    length = np.hypot(*chord.T)
    size = np.maximum(np.hypot(*np.ptp(control, axis=1).T), 1e-300)
    along = np.einsum("nkd,nd->nk", offset, chord)
    slack = 1e-9 * size[:, None] ** 2
    inside = (along >= -slack) & (along <= length[:, None] ** 2 + slack)
    near = away <= (1e-6 * size * length)[:, None]
    return np.asarray((length > 0) & inside.all(axis=1) & near.all(axis=1))


def _arcs(points: Floats, rounding: float) -> tuple[Floats, Mask]:
    """Arcs (m, 5) through start, middle and end where the other (n, t, 2) points keep to them.

    Also (n,) which ones those are.
    """
    a, b, c = points[:, 0], points[:, PIECES // 2], points[:, -1]
    u, v = b - a, c - a
    cross = 2.0 * (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])
    chord = np.hypot(*v.T)
    bends = (chord > 0) & (np.abs(cross) > _FLATTEST * chord * np.hypot(*u.T))
    uu, vv = (u * u).sum(axis=1), (v * v).sum(axis=1)
    up = np.column_stack([v[:, 1] * uu - u[:, 1] * vv, u[:, 0] * vv - v[:, 0] * uu])
    centre = a + up / np.where(bends, cross, 1.0)[:, None]
    spoke = points - centre[:, None]
    radius = np.hypot(*(a - centre).T)
    off = np.abs(np.hypot(spoke[..., 0], spoke[..., 1]) - radius[:, None]).max(axis=1)
    now, then = spoke[:, :-1], spoke[:, 1:]
    steps = np.arctan2(
        now[..., 0] * then[..., 1] - now[..., 1] * then[..., 0], (now * then).sum(axis=2)
    )
    sweep = steps.sum(axis=1)
    one_way = (steps > 0).all(axis=1) | (steps < 0).all(axis=1)
    error = np.minimum((np.abs(sweep) / (math.pi / 2)) ** _ERROR_ORDER, 1.0) * _CIRCLE_ERROR
    allowed = np.minimum(np.maximum(error * radius, rounding), _CIRCLE_ERROR * radius)
    kept = bends & one_way & (np.abs(sweep) <= math.tau) & (radius <= _LARGEST * chord)
    kept &= off <= allowed
    first = np.arctan2(spoke[:, 0, 1], spoke[:, 0, 0])
    start = np.where(sweep > 0, first, first + sweep)
    table = np.column_stack([centre, radius, start, start + np.abs(sweep)])
    return table[kept], np.asarray(kept)
