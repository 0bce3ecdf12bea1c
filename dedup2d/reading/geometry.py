"""Strokes out of the shapes that CAD formats know. All arrays float64, drawing units.

Segments are (n, 4) x0, y0, x1, y1; arcs (m, 5) cx, cy, r, start, end in radians, end > start.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing import no_arcs, no_segments
from dedup2d.drawing.model import Floats

TAU: Final = math.tau
PIECES_PER_TURN: Final = 128  # of flattened ellipses; 0.03 % of the radius at most off the curve
STRAIGHT_BULGE: Final = 1e-9
_ROUND: Final = 1e-9  # an ellipse with axes that equal is a circle

_PIECES_PER_SPAN = (4, 16)  # of a spline, fewest and most
_SPLINE_POINTS = 4096


def chain(points: Floats, *, closed: bool = False) -> Floats:
    """(n, 2) points joined in order: (n - 1, 4) segments, one more where ``closed``."""
    if len(points) < 2:  # noqa: PLR2004  # a stroke has two ends
        return no_segments()
    if closed:
        points = np.concatenate([points, points[:1]])
    return np.concatenate([points[:-1], points[1:]], axis=1)


def without_zero_length(segments: Floats) -> Floats:
    """The segments whose ends differ."""
    real: Floats = segments[(segments[:, :2] != segments[:, 2:]).any(axis=1)]
    return real


def bulge_arcs(chords: Floats, bulges: Floats) -> Floats:
    """Arcs over (n, 4) chords by their (n,) bulges (tangent of a quarter of the angle, not 0)."""
    x0, y0, x1, y1 = chords.T
    # Centre = middle of the chord, moved along its left normal by chord (1 - b^2) / 4b.
    reach = (1.0 - bulges**2) / (4.0 * bulges)
    cx = (x0 + x1) / 2 - (y1 - y0) * reach
    cy = (y0 + y1) / 2 + (x1 - x0) * reach
    radius = np.hypot(x1 - x0, y1 - y0) * (1 + bulges**2) / (4 * np.abs(bulges))
    at_start = np.arctan2(y0 - cy, x0 - cx)
    at_end = np.arctan2(y1 - cy, x1 - cx)
    start = np.where(bulges > 0, at_start, at_end)
    sweep = np.abs(4 * np.arctan(bulges))
    return np.column_stack([cx, cy, radius, start, start + sweep])


def bulged_chain(points: Floats, bulges: Floats, *, closed: bool) -> tuple[Floats, Floats]:
    """Segments and arcs of a polyline of (n, 2) points with (n,) bulges."""
    chords = chain(points, closed=closed)
    bulges = bulges[: len(chords)]
    real = (chords[:, :2] != chords[:, 2:]).any(axis=1)
    bent = np.abs(bulges) > STRAIGHT_BULGE
    segments = chords[real & ~bent]
    arcs = bulge_arcs(chords[real & bent], bulges[real & bent])
    return segments, arcs


def turn_angles(start: Floats, end: Floats) -> Floats:
    """(n,) end angles made greater than ``start`` by at most one turn; equal means a turn."""
    sweep = np.mod(end - start, TAU)
    return start + np.where(sweep < 1e-9, TAU, sweep)  # noqa: PLR2004  # rounding of degrees


def ellipse_points(
    centre: Floats, major: Floats, minor: Floats, start: float, end: float
) -> Floats:
    """(n, d) points from parameter ``start`` to ``end`` (radians), one turn at most."""
    end = start + one_turn(end - start)
    pieces = max(16, math.ceil((end - start) / TAU * PIECES_PER_TURN))
    t = np.linspace(start, end, pieces + 1)[:, None]
    points: Floats = centre + major * np.cos(t) + minor * np.sin(t)
    return points


def round_ellipse(
    centre: Floats, major: Floats, minor: Floats, start: float, end: float
) -> Floats | None:
    """(1, 5) the arc that equals an ellipse with (2,) axes, None where they differ."""
    radius = float(np.hypot(*major))
    uneven = abs(radius - float(np.hypot(*minor))), abs(float(major @ minor)) / max(radius, 1e-300)
    if not radius > 0 or max(uneven) > _ROUND * radius:
        return None
    turn = float(np.arctan2(major[1], major[0]))
    end = start + one_turn(end - start)
    is_left = major[0] * minor[1] - major[1] * minor[0] > 0
    span = (turn + start, turn + end) if is_left else (turn - end, turn - start)
    return np.array([[centre[0], centre[1], radius, *span]])


def one_turn(sweep: float) -> float:
    """A sweep in (0, one turn]: none at all means a whole one, as does more."""
    if sweep > TAU:
        return TAU
    sweep %= TAU
    return sweep if sweep > 1e-9 else TAU  # noqa: PLR2004  # rounding, as in turn_angles


def flatten_arcs(arcs: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """(k, 4) chords of the arcs, and (k,) the row of the arc that each belongs to."""
    if not len(arcs):
        return no_segments(), np.empty(0, np.intp)
    sweep = np.clip(np.nan_to_num(arcs[:, 4] - arcs[:, 3]), 0.0, TAU)
    pieces = np.maximum(2, np.ceil(sweep / TAU * PIECES_PER_TURN)).astype(np.intp)
    owner = np.repeat(np.arange(len(arcs)), pieces)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    cx, cy, radius, start = arcs[owner, 0], arcs[owner, 1], arcs[owner, 2], arcs[owner, 3]
    one = sweep[owner] / pieces[owner]
    a, b = start + one * step, start + one * (step + 1)
    chords = [cx + radius * np.cos(a), cy + radius * np.sin(a)]
    chords += [cx + radius * np.cos(b), cy + radius * np.sin(b)]
    return np.column_stack(chords), owner


def transform_segments(segments: Floats, matrix: Floats, shift: Floats) -> Floats:
    """Segments under x -> ``matrix`` (2, 2) x + ``shift`` (2,)."""
    ends = segments.reshape(-1, 2) @ matrix.T + shift
    return ends.reshape(-1, 4)


def keeps_circles(matrix: Floats) -> bool:
    """Whether a (2, 2) matrix is a rotation or mirroring with one scale."""
    (a, b), (c, d) = matrix
    size = max(a * a + c * c, b * b + d * d)
    return bool(
        size > 0
        and abs((a * a + c * c) - (b * b + d * d)) <= 1e-6 * size
        and abs(a * b + c * d) <= 1e-6 * size
    )


def transform_arcs(arcs: Floats, matrix: Floats, shift: Floats) -> Floats:
    """Arcs under a matrix that ``keeps_circles``, and ``shift``."""
    if not len(arcs):
        return no_arcs()
    (a, b), (c, d) = matrix
    turn, scale = math.atan2(c, a), math.hypot(a, c)
    moved = np.empty_like(arcs)
    moved[:, :2] = arcs[:, :2] @ matrix.T + shift
    moved[:, 2] = arcs[:, 2] * scale
    if a * d - b * c > 0:
        moved[:, 3:] = arcs[:, 3:] + turn
    else:
        moved[:, 3] = turn - arcs[:, 4]
        moved[:, 4] = turn - arcs[:, 3]
    return moved


def spline_points(
    degree: int, knots: tuple[float, ...], control: Floats, weights: Floats | None = None
) -> Floats:
    """(n, d) points on a B-spline of (k, d) control points, rational where ``weights`` (k,).

    ``knots`` that do not fit are replaced by a clamped uniform vector. The basis is computed
    by the Cox-de Boor recursion (Piegl and Tiller, The NURBS Book, A2.2) once a knot vector.
    """
    count = len(control)
    degree = max(1, min(degree, count - 1))
    if len(knots) != count + degree + 1 or not knots[count] > knots[degree]:
        inner = np.linspace(0, 1, count - degree + 1)[1:-1]
        knots = (*[0.0] * (degree + 1), *inner.tolist(), *[1.0] * (degree + 1))
    basis = _basis(degree, knots, count)
    if weights is None:
        points: Floats = basis @ control
        return points
    homogeneous = basis @ np.column_stack([control * weights[:, None], weights])
    return np.asarray(homogeneous[:, :-1] / homogeneous[:, -1:])


@lru_cache(maxsize=2048)
def _basis(degree: int, knots: tuple[float, ...], count: int) -> Floats:
    """(n, count) values of the basis functions at the points of flattening."""
    u = np.asarray(knots)
    spans = np.unique(u[degree : count + 1])
    fewest, most = _PIECES_PER_SPAN
    pieces = max(fewest, min(most, _SPLINE_POINTS // len(spans)))
    at = np.linspace(spans[:-1], spans[1:], pieces, endpoint=False, axis=1).ravel()
    at = np.append(at, spans[-1])
    span = np.clip(np.searchsorted(u, at, side="right") - 1, degree, count - 1)
    values = np.zeros((len(at), degree + 1))
    values[:, 0] = 1.0
    for order in range(1, degree + 1):
        saved = np.zeros(len(at))
        for i in range(order):
            right = u[span + i + 1]
            left = u[span + i + 1 - order]
            part = values[:, i] / np.where(right > left, right - left, 1.0)
            values[:, i] = saved + (right - at) * part
            saved = (at - left) * part
        values[:, order] = saved
    basis = np.zeros((len(at), count))
    columns = span[:, None] - degree + np.arange(degree + 1)
    np.put_along_axis(basis, columns, values, axis=1)
    return basis
