"""Edges of meshes: polygon meshes, polyface meshes and MESH entities, seen from above."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing import no_segments
from dedup2d.drawing.model import Floats
from dedup2d.reading.dxf.group import Group
from dedup2d.reading.dxf.tags import number, whole
from dedup2d.reading.geometry import chain
from dedup2d.reading.strokes import Strokes, joined

_CLOSED_M: Final = 1
_CLOSED_N: Final = 32
_LOCATION: Final = 64


def mesh_size(count: int, sizes: Sequence[int]) -> tuple[int, int]:
    """Rows and columns of a polygon mesh of ``count`` points.

    ``sizes`` are those of the mesh and those of its smoothed surface; the points of only one
    of the two are drawn.
    """
    rows, columns, smooth_rows, smooth_columns = sizes
    if count == smooth_rows * smooth_columns:
        return smooth_rows, smooth_columns
    return rows, columns


def grid_edges(points: Floats, size: tuple[int, int], flags: int) -> Floats:
    """(n, 4) edges of a polygon mesh of rows x columns points (n, 2)."""
    rows, columns = size
    if rows < 1 or columns < 1 or rows * columns != len(points):
        return chain(points)
    grid = points.reshape(rows, columns, 2)
    edges = [chain(line, closed=bool(flags & _CLOSED_N)) for line in grid]
    edges += [chain(line, closed=bool(flags & _CLOSED_M)) for line in grid.transpose(1, 0, 2)]
    return np.concatenate(edges)


def polyface_edges(table: Floats, flags: NDArray[np.int64], corners: NDArray[np.int64]) -> Floats:
    """(n, 4) edges of a polyface mesh: vertices and faces by ``flags``; negative is unseen."""
    is_place = (flags & _LOCATION) != 0
    points = table[is_place, :2]
    edges: set[tuple[int, int]] = set()
    for face in corners[~is_place].tolist():
        used = [corner for corner in face if corner]
        for here, there in zip(used, used[1:] + used[:1], strict=True):
            pair = sorted((abs(here), abs(there)))
            if here > 0 and 0 < pair[0] < pair[1] <= len(points):
                edges.add((pair[0] - 1, pair[1] - 1))
    return _edges(points, edges)


def meshes(group: Group) -> Strokes:
    """MESH: the edges of its faces at level 0."""
    parts = []
    for k, (_, items) in enumerate(group.items()):
        edges = _edges(*_mesh(items))
        parts.append(Strokes.straight(edges, np.full(len(edges), k)))
    return joined(parts)


def _mesh(items: list[tuple[int, Any]]) -> tuple[Floats, set[tuple[int, int]]]:
    x = [number(value) for code, value in items if code == 10]  # noqa: PLR2004  # group code
    y = [number(value) for code, value in items if code == 20]  # noqa: PLR2004  # group code
    points = np.column_stack([x[: len(y)], y[: len(x)]]) if x else np.empty((0, 2))
    codes = [code for code, _ in items]
    edges: set[tuple[int, int]] = set()
    if 93 not in codes:  # noqa: PLR2004  # group code: size of the face list
        return points, edges
    start = codes.index(93)
    listed = []
    for code, value in items[start + 1 :]:
        if code != 90:  # noqa: PLR2004  # group code of the face list's numbers
            break
        listed.append(whole(value))
    at = 0
    while at < len(listed):
        face = listed[at + 1 : at + 1 + listed[at]]
        at += 1 + max(listed[at], 0)
        for here, there in zip(face, face[1:] + face[:1], strict=True):
            low, high = sorted((here, there))
            if 0 <= low < high < len(points):
                edges.add((low, high))
    return points, edges


def _edges(points: Floats, edges: set[tuple[int, int]]) -> Floats:
    if not edges:
        return no_segments()
    pairs = np.array(sorted(edges))
    return np.concatenate([points[pairs[:, 0]], points[pairs[:, 1]]], axis=1)
