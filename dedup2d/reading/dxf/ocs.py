"""Object coordinates to world coordinates: DXF's arbitrary axis algorithm, vectorised."""

from __future__ import annotations

from typing import Final

import numpy as np

from dedup2d.drawing import no_arcs
from dedup2d.drawing.model import Floats
from dedup2d.reading.geometry import flatten_arcs
from dedup2d.reading.strokes import Strokes, no_owners

_NEAR_Z: Final = 1.0 / 64.0
_TILTED: Final = 1e-9


def axes(normals: Floats) -> Floats:
    """(n, 3, 3) matrices whose columns are the x, y and z axis for (n, 3) extrusions."""
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    usable = np.isfinite(length) & (length > 0)
    z = np.where(usable, normals / np.where(usable, length, 1.0), np.array([0.0, 0.0, 1.0]))
    near = (np.abs(z[:, :1]) < _NEAR_Z) & (np.abs(z[:, 1:2]) < _NEAR_Z)
    guide = np.where(near, np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    x = np.cross(guide, z)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return np.stack([x, np.cross(z, x), z], axis=2)


def is_plain(normals: Floats) -> bool:
    """Whether all extrusions are +z, so that object and world coordinates agree."""
    return bool(((normals[:, :2] == 0).all(axis=1) & (normals[:, 2] > 0)).all())


def to_world(strokes: Strokes, normals: Floats, heights: Floats) -> Strokes:
    """Strokes in the plane of their entities, seen from above.

    ``strokes`` are owned by indices into ``normals`` (n, 3) and ``heights`` (n,) (the
    elevation). Circles in a plane that is turned away become curves.
    """
    if is_plain(normals):
        return strokes
    frames = axes(normals)
    is_level = np.abs(frames[:, :2, 2]).max(axis=1) <= _TILTED
    flat_arc = is_level[strokes.arc_owner]
    chords, row = flatten_arcs(strokes.arcs[~flat_arc])
    chord_owner = strokes.arc_owner[~flat_arc][row]
    arcs, arc_owner = strokes.arcs[flat_arc], strokes.arc_owner[flat_arc]
    curves = np.concatenate([strokes.curves, chords])
    curve_owner = np.concatenate([strokes.curve_owner, chord_owner])
    return Strokes(
        segments=_seen(
            strokes.segments, frames[strokes.segment_owner], heights[strokes.segment_owner]
        ),
        segment_owner=strokes.segment_owner,
        arcs=_turned_over(arcs, frames[arc_owner]) if len(arcs) else no_arcs(),
        arc_owner=arc_owner if len(arcs) else no_owners(),
        curves=_seen(curves, frames[curve_owner], heights[curve_owner]),
        curve_owner=curve_owner,
        beside=_seen(strokes.beside, frames[strokes.beside_owner], heights[strokes.beside_owner]),
        beside_owner=strokes.beside_owner,
        texts=strokes.texts,
    )


def points_to_world(points: Floats, normals: Floats) -> Floats:
    """(n, 3) points of entities with (n, 3) extrusions -> (n, 2) in the world, from above."""
    seen: Floats = np.einsum("nij,nj->ni", axes(normals)[:, :2], points)
    return seen


def _seen(segments: Floats, frames: Floats, heights: Floats) -> Floats:
    lifted = heights[:, None] * frames[:, :2, 2]
    ends = [
        np.einsum("nij,nj->ni", frames[:, :2, :2], segments[:, columns]) + lifted
        for columns in (slice(0, 2), slice(2, 4))
    ]
    return np.concatenate(ends, axis=1)


def _turned_over(arcs: Floats, frames: Floats) -> Floats:
    """Arcs seen from +z (as they are) or from -z: there x points the other way."""
    below = frames[:, 2, 2] < 0
    over = arcs.copy()
    over[below, 0] = -arcs[below, 0]
    over[below, 3] = np.pi - arcs[below, 4]
    over[below, 4] = np.pi - arcs[below, 3]
    return over
