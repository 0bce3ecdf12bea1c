"""Cubic Bezier curves as PDF and SVG have them: arcs where they stand for one, else pieces."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from dedup2d.drawing import no_arcs, no_segments
from dedup2d.drawing.model import Floats
from dedup2d.reading.geometry import chain

PIECES: Final = 12
_CIRCLE_ERROR: Final = 1.5e-3  # of the radius; the usual quarter circle is off by 2.7e-4
_FLATTEST: Final = 0.02  # height over chord of the flattest arc; below it a line is as good
_LARGEST: Final = 1e4  # radius over chord
_T: Final = np.linspace(0.0, 1.0, PIECES + 1)[:, None]


def bezier(control: Floats) -> tuple[Floats, Floats, Floats]:
    """Segments, arcs and curve pieces for (4, 2) control points; two of the three are empty.

    A curve that keeps to a circle is that arc; one that is straight is a segment.
    """
    points = _points(control)
    chord = points[-1] - points[0]
    size = max(float(np.hypot(*np.ptp(control, axis=0))), 1e-300)
    if _is_straight(control, chord, size):
        return np.array([[*control[0], *control[3]]]), no_arcs(), no_segments()
    arc = _arc(points)
    if arc is not None:
        return no_segments(), arc, no_segments()
    return no_segments(), no_arcs(), chain(points)


def _points(control: Floats) -> Floats:
    s = 1.0 - _T
    near = s**3 * control[0] + 3 * s**2 * _T * control[1]
    far = 3 * s * _T**2 * control[2] + _T**3 * control[3]
    return np.asarray(near + far)


def _is_straight(control: Floats, chord: Floats, size: float) -> bool:
    away = np.abs(
        chord[0] * (control[:, 1] - control[0, 1]) - chord[1] * (control[:, 0] - control[0, 0])
    )
    length = float(np.hypot(*chord))
    along = (control - control[0]) @ chord
    inside = bool((along >= -1e-9 * size**2).all() and (along <= length**2 + 1e-9 * size**2).all())
    return length > 0 and inside and bool((away <= 1e-6 * size * length).all())


def _arc(points: Floats) -> Floats | None:
    """(1, 5) the circle through start, middle and end, if the other points keep to it."""
    a, b, c = points[0], points[PIECES // 2], points[-1]
    u, v = b - a, c - a
    cross = 2.0 * float(u[0] * v[1] - u[1] * v[0])
    chord = float(np.hypot(*v))
    if chord <= 0 or abs(cross) <= _FLATTEST * chord * float(np.hypot(*u)):
        return None
    uu, vv = float(u @ u), float(v @ v)
    centre = a + np.array([v[1] * uu - u[1] * vv, u[0] * vv - v[0] * uu]) / cross
    radius = float(np.hypot(*(a - centre)))
    off = np.abs(np.hypot(*(points - centre).T) - radius)
    if radius > _LARGEST * chord or off.max() > _CIRCLE_ERROR * radius:
        return None
    angles = np.unwrap(np.arctan2(*(points - centre).T[::-1]))
    steps = np.diff(angles)
    if not ((steps > 0).all() or (steps < 0).all()):
        return None
    start, end = sorted((float(angles[0]), float(angles[-1])))
    if end - start > math.tau:
        return None
    return np.array([[*centre, radius, start, end]])
