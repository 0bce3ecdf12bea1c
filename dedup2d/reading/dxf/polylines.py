"""LWPOLYLINE, POLYLINE with its VERTEX entities, and MLINE.

Each function takes a Group and gives Strokes owned by indices into the group's rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Floats
from dedup2d.reading.dxf.group import Group
from dedup2d.reading.dxf.meshes import grid_edges, mesh_size, polyface_edges
from dedup2d.reading.dxf.ocs import to_world
from dedup2d.reading.dxf.tags import Places, number
from dedup2d.reading.geometry import STRAIGHT_BULGE, bulge_arcs, chain
from dedup2d.reading.strokes import Strokes, joined

_CLOSED: Final = 1
_3D: Final = 8
_MESH: Final = 16
_POLYFACE: Final = 64
_FRAME_POINT: Final = 16  # a vertex that only controls a fitted spline


def lwpolylines(group: Group) -> Strokes:
    """LWPOLYLINE: bulges are arcs."""
    vertices, entity = group.vertices(10, 42)
    closed = (group.flags(70) & _CLOSED).astype(bool)
    return to_world(_bulged(vertices, entity, closed), group.normal(), group.number(38))


def _bulged(vertices: Floats, entity: Places, closed: NDArray[np.bool_]) -> Strokes:
    """(v, 3) x, y, bulge of polylines, vertices of one ``entity`` in a row."""
    if not len(vertices):
        return Strokes()
    starts = np.flatnonzero(np.r_[True, entity[1:] != entity[:-1]])
    following = np.arange(1, len(vertices) + 1)
    is_last = np.r_[entity[1:] != entity[:-1], True]
    following[is_last] = starts
    drawn = ~is_last | closed[entity]
    drawn &= following != np.arange(len(vertices))
    chords = np.concatenate([vertices[:, :2], vertices[following % len(vertices), :2]], axis=1)
    bulge = vertices[:, 2]
    drawn &= (chords[:, :2] != chords[:, 2:]).any(axis=1)
    bent = drawn & (np.abs(bulge) > STRAIGHT_BULGE)
    straight = drawn & ~bent
    return Strokes(
        segments=chords[straight],
        segment_owner=entity[straight],
        arcs=bulge_arcs(chords[bent], bulge[bent]),
        arc_owner=entity[bent],
    )


@dataclass(frozen=True, slots=True)
class _Vertices:
    """VERTEX entities: (v, 5) x, y, bulge, z and flags; ``entity`` (v,) their polyline."""

    table: Floats
    entity: Places
    flags: NDArray[np.int64]
    corners: NDArray[np.int64]

    def of(self, k: int) -> slice:
        low, high = np.searchsorted(self.entity, [k, k + 1])
        return slice(int(low), int(high))


def polylines(group: Group, vertices: Group) -> Strokes:
    """POLYLINE of every sort; ``vertices`` are all VERTEX entities of the same rows' range."""
    flags = group.flags(70)
    table = _vertices(group, vertices)
    entity_flags = flags[table.entity]
    plain = (entity_flags & (_MESH | _POLYFACE)) == 0
    plain &= (table.flags & _FRAME_POINT) == 0
    flat = table.table[:, :3].copy()
    flat[(entity_flags & _3D) != 0, 2] = 0.0  # 3D polylines have no bulges
    closed = (flags & _CLOSED).astype(bool)
    strokes = _bulged(flat[plain], table.entity[plain], closed)
    normals = group.normal()
    normals[(flags & _3D) != 0] = (0.0, 0.0, 1.0)
    heights = group.number(30)
    parts = [to_world(strokes, normals, heights)]
    sizes = np.column_stack([group.flags(code) for code in (71, 72, 73, 74)])
    for k in np.flatnonzero(flags & (_MESH | _POLYFACE)).tolist():
        own = table.of(k)
        if flags[k] & _POLYFACE:
            edges = polyface_edges(table.table[own], table.flags[own], table.corners[own])
        else:
            points = table.table[own][(table.flags[own] & _FRAME_POINT) == 0, :2]
            edges = grid_edges(points, mesh_size(len(points), sizes[k].tolist()), int(flags[k]))
        parts.append(Strokes.straight(edges, np.full(len(edges), k)))
    return joined(parts)


def _vertices(group: Group, vertices: Group) -> _Vertices:
    entity = np.searchsorted(group.rows, vertices.rows) - 1
    usable = entity >= 0
    columns = [vertices.number(code) for code in (10, 20, 42, 30)]
    corners = np.column_stack([vertices.flags(code) for code in (71, 72, 73, 74)])
    table = np.column_stack(columns)
    return _Vertices(table[usable], entity[usable], vertices.flags(70)[usable], corners[usable])


def mlines(group: Group) -> Strokes:
    """MLINE: each of its parallel lines, by the offsets along the mitres that it stores."""
    parts = []
    flags = group.flags(71)
    for k, (_, items) in enumerate(group.items()):
        vertices: list[dict[int, float]] = []
        offsets: list[list[float]] = []
        is_due = False  # the first 41 after a 74 is the offset, the rest are breaks
        for code, value in items:
            if code == 11:  # noqa: PLR2004  # DXF group code of a vertex
                vertices.append({})
                offsets.append([])
            if vertices and code in {11, 21, 13, 23}:
                vertices[-1][code] = number(value)
            elif code == 74:  # noqa: PLR2004  # DXF group code: how many parameters follow
                is_due = True
            elif code == 41 and is_due and offsets:  # noqa: PLR2004  # DXF group code
                offsets[-1].append(number(value))
                is_due = False
        lines = min((len(offset) for offset in offsets), default=0)
        for line in range(lines):
            points = np.array(
                [
                    (
                        v.get(11, 0) + v.get(13, 0) * offset[line],
                        v.get(21, 0) + v.get(23, 0) * offset[line],
                    )
                    for v, offset in zip(vertices, offsets, strict=True)
                ]
            )
            edges = chain(points, closed=bool(flags[k] & 2))
            parts.append(Strokes.straight(edges, np.full(len(edges), k)))
    return joined(parts)
