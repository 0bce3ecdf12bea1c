"""Complex moments of the strokes, and a 17-number signature that no pose changes.

Flusser, "On the independence of rotation moment invariants" (2000): |c_pq| does not change under
rotation, products whose phases cancel do not either, and their real parts not under mirroring.
The strokes' length is the measure; integrals are exact by 4-point Gauss quadrature on segments
and nearly so on arcs of at most 30 degrees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from dedup2d.drawing.model import Floats
from dedup2d.matching.shape import Complexes, Shape

ORDERS: Final = tuple(
    (p, n - p) for n in range(2, 7) for p in range(n, -1, -1) if p >= n - p and (p, n - p) != (1, 1)
)
SIGNATURE_SIZE: Final = 1 + len(ORDERS) + 3

_NODES: Final = np.polynomial.legendre.leggauss(4)
_PHASES: Final = (((2, 0), 2), ((3, 0), 3), ((3, 1), 2))


@dataclass(frozen=True, slots=True)
class Moments:
    """``gyration`` is the radius of gyration about ``centroid``; ``c`` the normalised moments."""

    length: float
    centroid: complex
    gyration: float
    c: dict[tuple[int, int], complex]


def moments(shape: Shape) -> Moments | None:
    """The moments up to order 6; None for a shape without length."""
    z, weight = _quadrature(shape)
    length = float(weight.sum())
    if length <= 0:
        return None
    centroid = complex((z * weight).sum() / length)
    z = z - centroid
    gyration = math.sqrt(float((np.abs(z) ** 2 * weight).sum()) / length) or 1.0
    z = z / gyration
    powers = [np.ones_like(z)]
    for _ in range(6):
        powers.append(powers[-1] * z)
    c = {(p, q): complex((powers[p] * powers[q].conj() * weight).sum() / length) for p, q in ORDERS}
    return Moments(length, centroid, gyration, c)


def signature(m: Moments | None) -> Floats:
    """(17,) numbers that order, splitting, pose, mirroring and scale leave alone; zeros if empty."""
    if m is None:
        return np.zeros(SIGNATURE_SIZE)
    values = [math.log(m.length / m.gyration)]
    values += [abs(m.c[p, q]) / (1 + 0.5 * (p + q - 2) ** 2) for p, q in ORDERS]
    turn = m.c[2, 1].conjugate()
    values += [(m.c[order] * turn**k).real for order, k in _PHASES]
    return np.array(values)


def _quadrature(shape: Shape) -> tuple[Complexes, Floats]:
    """(k,) Gauss nodes as x + iy and their weights in drawing units."""
    nodes, weights = _NODES[0], _NODES[1] / 2
    s, a = shape.segments, shape.arcs
    z0, z1 = s[:, 0] + 1j * s[:, 1], s[:, 2] + 1j * s[:, 3]
    z = ((z0 + z1) / 2)[:, None] + ((z1 - z0) / 2)[:, None] * nodes
    w = np.abs(z1 - z0)[:, None] * weights
    pieces = np.maximum(1, np.ceil((a[:, 4] - a[:, 3]) / (math.tau / 12))).astype(np.int64)
    owner = np.repeat(np.arange(len(a)), pieces)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    span = ((a[:, 4] - a[:, 3]) / pieces)[owner]
    theta = (a[owner, 3] + (step + 0.5) * span)[:, None] + (span / 2)[:, None] * nodes
    centre = (a[:, 0] + 1j * a[:, 1])[owner]
    za = centre[:, None] + a[owner, 2][:, None] * np.exp(1j * theta)
    wa = (a[owner, 2] * span)[:, None] * weights
    return np.concatenate([z.ravel(), za.ravel()]), np.concatenate([w.ravel(), wa.ravel()])
