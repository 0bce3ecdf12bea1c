"""Filled faces that lie edge to edge: what can be seen of them is their common outline.

Programs that know no filled areas write them as many SOLIDs. An edge between two faces cannot be
seen: it has filled paper on both sides, and is kept beside the strokes. The outline that remains
may be a polygon around what was a curve once, so it is free (see Drawing.curves).
"""

from __future__ import annotations

import numpy as np

from dedup2d.drawing.model import Floats
from dedup2d.reading.dxf.document import Rows
from dedup2d.reading.strokes import Strokes


def outlines(corners: Floats, place: Rows) -> Strokes:
    """(r, 4, 2) corners of faces in turn, (r,) the block that each is in; owned by face."""
    turned = _area(corners) < 0
    corners = np.where(turned[:, None, None], corners[:, ::-1], corners) + 0.0  # no -0
    edges = np.concatenate([corners, np.roll(corners, -1, axis=1)], axis=2).reshape(-1, 4)
    face = np.repeat(np.arange(len(corners)), 4)
    real = (edges[:, :2] != edges[:, 2:]).any(axis=1)
    edges, face = edges[real], face[real]
    inner = _is_inner(edges, place[face])
    touching = np.zeros(len(corners), bool)
    touching[face[inner]] = True
    free = ~inner & touching[face]
    straight = ~touching[face]
    return Strokes(
        segments=edges[straight],
        segment_owner=face[straight],
        curves=edges[free],
        curve_owner=face[free],
        beside=edges[inner],
        beside_owner=face[inner],
    )


def _area(corners: Floats) -> Floats:
    """(r,) twice the signed area."""
    following = np.roll(corners, -1, axis=1)
    cross = corners[..., 0] * following[..., 1] - corners[..., 1] * following[..., 0]
    area: Floats = cross.sum(axis=1)
    return area


def _is_inner(edges: Floats, place: Rows) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(n,) whether the same edge runs the other way in another face of the same block."""
    if not len(edges):
        return np.zeros(0, bool)
    forth = np.column_stack([place, edges])
    back = np.column_stack([place, edges[:, 2:], edges[:, :2]])
    _, number = np.unique(np.concatenate([forth, back]), axis=0, return_inverse=True)
    number = number.ravel()
    return np.isin(number[: len(edges)], number[len(edges) :])
