"""Nearest neighbours in the plane, exact and deterministic.

OpenCV's single k-d tree (Muja and Lowe, FLANN) without a limit on checks is exact, and it is
loaded in a twentieth of the time of scipy.spatial, which the first answer would wait for.
"""

from __future__ import annotations

import cv2
import numpy as np

from dedup2d.drawing.model import Floats
from dedup2d.matching.shape import Complexes, Ints

_KDTREE_SINGLE = 4


def nearest(points: Complexes, queries: Complexes, k: int) -> tuple[Ints, Floats]:
    """(q, k') indices and distances of the ``k`` points nearest to each query, nearest first.

    k' is the smaller of ``k`` and the number of points, of which there must be one at least.
    Coordinates should be about 1 in size: the tree counts in float32.
    """
    k = min(k, len(points))
    tree = cv2.flann.Index(_pairs(points), {"algorithm": _KDTREE_SINGLE, "leaf_max_size": 10})
    index, _ = tree.knnSearch(_pairs(queries), k, params={"checks": -1})
    found = index.astype(np.int64)
    return found, np.abs(points[found] - queries[:, None])


def _pairs(z: Complexes) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.column_stack([z.real, z.imag]).astype(np.float32)
