"""Iterated closest points with a point-to-line distance (Chen and Medioni 1992), for similarities."""

from __future__ import annotations

import numpy as np

from dedup2d.matching.prepared import Prepared
from dedup2d.matching.similarity import Similarity

FEWEST_POINTS = 6


def refine(a: Prepared, b: Prepared, start: Similarity, reaches: tuple[float, ...]) -> Similarity:
    """``start`` improved once per reach; only points nearer to ``b`` than the reach take part."""
    found = start
    for reach in reaches:
        z = found.apply(a.steering)
        owner, distance = b.field.likely(z)
        near = distance < reach
        if near.sum() < FEWEST_POINTS:
            return found
        z, owner = z[near], owner[near]
        foot, normal = b.field.normals(z, owner)
        found = _step(found, z, foot, normal, b.shape.diagonal)
    return found


def _step(
    t: Similarity,
    z: np.ndarray[tuple[int, ...], np.dtype[np.complex128]],
    foot: np.ndarray[tuple[int, ...], np.dtype[np.complex128]],
    normal: np.ndarray[tuple[int, ...], np.dtype[np.complex128]],
    size: float,
) -> Similarity:
    """Least squares of scale, turn and shift about the points' middle, to first order."""
    error = ((foot - z) * normal.conj()).real
    middle = complex(z.mean())
    arm = (z - middle) / size
    jacobian = np.column_stack(
        [(arm * normal.conj()).real, (1j * arm * normal.conj()).real, normal.real, normal.imag]
    )
    square = jacobian.T @ jacobian + 1e-9 * len(z) * np.eye(4)
    scale, turn, dx, dy = np.linalg.lstsq(square, jacobian.T @ error, rcond=None)[0]
    growth = complex(1 + scale / size, turn / size)
    shift = (t.b - middle) * growth + middle + complex(dx, dy)
    return Similarity(t.a * growth, shift, t.mirrored)
