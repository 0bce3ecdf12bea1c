"""Entities of fixed form, read as columns: lines, circles, arcs, ellipses, solids, faces.

Each function takes a Group and gives Strokes owned by indices into the group's rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Floats
from dedup2d.reading.dxf import mosaics
from dedup2d.reading.dxf.group import Group
from dedup2d.reading.dxf.ocs import to_world
from dedup2d.reading.geometry import TAU, chain, ellipse_points, round_ellipse, turn_angles
from dedup2d.reading.strokes import Strokes, joined


def lines(group: Group) -> Strokes:
    """LINE."""
    ends = np.column_stack([group.number(code) for code in (10, 20, 11, 21)])
    return Strokes.straight(ends, np.arange(len(ends)))


def circles(group: Group) -> Strokes:
    """CIRCLE."""
    zero = np.zeros(len(group.rows))
    return _round(group, zero, zero + TAU)


def arcs(group: Group) -> Strokes:
    """ARC; angles counter-clockwise in degrees."""
    start = np.radians(group.number(50))
    return _round(group, start, turn_angles(start, np.radians(group.number(51, 360.0))))


def _round(group: Group, start: Floats, end: Floats) -> Strokes:
    centre = group.point(10)
    radius = np.abs(group.number(40))
    table = np.column_stack([centre[:, 0], centre[:, 1], radius, start, end])
    strokes = Strokes.bent(table, np.arange(len(table)))
    return to_world(strokes, group.normal(), centre[:, 2])


def ellipses(group: Group) -> Strokes:
    """ELLIPSE: world coordinates, parameters in radians; round ones are arcs."""
    centre, major, normal = group.point(10), group.point(11), group.normal()
    ratio = group.number(40, 1.0)
    start, end = group.number(41), group.number(42, TAU)
    size = np.linalg.norm(normal, axis=1, keepdims=True)
    normal = normal / np.where(size > 0, size, 1.0)
    minor = np.cross(normal, major) * ratio[:, None]
    parts = []
    for k in range(len(group.rows)):
        axes = major[k, :2], minor[k, :2]
        circle = round_ellipse(centre[k, :2], *axes, float(start[k]), float(end[k]))
        if circle is not None:
            parts.append(Strokes.bent(circle, np.array([k])))
        elif np.isfinite([*centre[k], *major[k], *minor[k], start[k], end[k]]).all():
            points = ellipse_points(centre[k, :2], *axes, float(start[k]), float(end[k]))
            parts.append(Strokes.free(chain(points), k))
    return joined(parts)


def solids(group: Group) -> Strokes:
    """SOLID and TRACE: their common outline; the third and fourth corner are crossed."""
    corners = _corners(group)[:, [0, 1, 3, 2]]
    heights = group.number(30)
    strokes = mosaics.outlines(corners, group.document.block_of(group.rows))
    return to_world(strokes, group.normal(), heights)


def faces(group: Group) -> Strokes:
    """3DFACE: its outline but for edges that are marked unseen, in world coordinates."""
    unseen = group.flags(70)[:, None] >> np.arange(4) & 1
    return _outlines(_corners(group), drawn=unseen == 0)


def _corners(group: Group) -> Floats:
    """(r, 4, 2) corners; a missing fourth is the third."""
    corners = np.stack([group.point(10 + k)[:, :2] for k in range(4)], axis=1)
    missing = ~group.has(13)
    corners[missing, 3] = corners[missing, 2]
    return corners


def _outlines(corners: Floats, drawn: NDArray[np.bool_] | None = None) -> Strokes:
    edges = np.concatenate([corners, np.roll(corners, -1, axis=1)], axis=2).reshape(-1, 4)
    owner = np.repeat(np.arange(len(corners)), 4)
    real = (edges[:, :2] != edges[:, 2:]).any(axis=1)
    if drawn is not None:
        real &= drawn.ravel()
    return Strokes.straight(edges[real], owner[real])
