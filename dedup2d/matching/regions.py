"""Changed places: uncovered strokes of both drawings, clustered, as boxes in the query's frame."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from dedup2d.matching.shape import Bools, Complexes, Ints, Shape, sample
from dedup2d.report import Region

LINK: Final = 0.01  # of the diagonal: changes closer than about this are one place
MOST_REGIONS: Final = 100


def changed_regions(
    added: tuple[Shape, Bools], removed: tuple[Shape, Bools], diagonal: float
) -> tuple[Region, ...]:
    """Boxes around clusters, most primitives first.

    ``added`` and ``removed`` are shapes in the query's frame with their uncovered primitives;
    ``diagonal`` is the query's.
    """
    cell = LINK * diagonal
    ink, owner, side = _ink(added, removed, cell)
    if not len(ink):
        return ()
    cluster = _clusters(ink, cell)
    order = np.argsort(cluster, kind="stable")
    first = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    x, y = ink.real[order], ink.imag[order]
    boxes = np.column_stack(
        [
            np.minimum.reduceat(x, first),
            np.minimum.reduceat(y, first),
            np.maximum.reduceat(x, first),
            np.maximum.reduceat(y, first),
        ]
    )
    new, gone = (_owners(cluster, owner, side == s).tolist() for s in (0, 1))
    regions = [
        Region(min_x=low_x, min_y=low_y, max_x=high_x, max_y=high_y, added=more, removed=fewer)
        for (low_x, low_y, high_x, high_y), more, fewer in zip(
            boxes.tolist(), new, gone, strict=True
        )
    ]
    regions.sort(key=lambda r: (-(r.added + r.removed), r.min_x, r.min_y, r.max_x, r.max_y))
    return tuple(regions[:MOST_REGIONS])


def _owners(cluster: Ints, owner: Ints, chosen: Bools) -> Ints:
    """(clusters,) how many primitives have chosen points in each cluster."""
    primitives = int(owner.max()) + 1
    there = np.unique(cluster[chosen] * primitives + owner[chosen])
    return np.bincount(there // primitives, minlength=int(cluster.max()) + 1)


def _ink(
    added: tuple[Shape, Bools], removed: tuple[Shape, Bools], cell: float
) -> tuple[Complexes, Ints, Ints]:
    points, owners, sides = [], [], []
    for side, (shape, chosen) in enumerate((added, removed)):
        part = shape.part(chosen)
        found = sample(part, max(cell / 2, part.length / 50_000), arc_minimum=16)
        points.append(found.z)
        owners.append(found.owner)
        sides.append(np.full(len(found.z), side))
    return np.concatenate(points), np.concatenate(owners), np.concatenate(sides)


def _clusters(z: Complexes, cell: float) -> Ints:
    """Number of the connected cluster of each point, on a picture of cells."""
    low = complex(z.real.min(), z.imag.min())
    span = max(np.ptp(z.real), np.ptp(z.imag))
    cell = max(cell, span / 2000)
    at = (z - low) / cell
    column, row = at.real.astype(np.int64) + 2, at.imag.astype(np.int64) + 2
    picture = np.zeros((int(row.max()) + 3, int(column.max()) + 3), np.uint8)
    picture[row, column] = 1
    picture = cv2.dilate(picture, np.ones((3, 3), np.uint8)).astype(np.uint8)
    label = cv2.connectedComponents(picture)[1][row, column]
    return np.unique(label, return_inverse=True)[1].ravel()
