"""Thinning of ink to lines one pixel wide, vectorised over the ink's pixels."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
Places = NDArray[np.intp]

# Neighbours p2..p9 of Zhang and Suen: north, then clockwise; as (dy, dx).
AROUND: Final = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))


def neighbour_steps(width: int) -> Places:
    """(8,) steps in a flattened image of that width to the neighbours ``AROUND`` a pixel."""
    return np.array([dy * width + dx for dy, dx in AROUND], dtype=np.intp)


def neighbour_codes(flat: Mask, at: Places, width: int) -> NDArray[np.uint8]:
    """(n,) bit k set where neighbour k of the pixel ``at`` is ink. No pixel on the border."""
    codes = np.zeros(len(at), np.uint8)
    for bit, step in enumerate(neighbour_steps(width)):
        codes |= flat[at + step] << np.uint8(bit)
    return codes


def thin(ink: Mask, rounds: int = 10_000) -> Mask:
    """(h, w) 0/1 with an empty border of one pixel -> its skeleton.

    Zhang and Suen, A fast parallel algorithm for thinning digital patterns, CACM 27 (1984).
    A pixel whose neighbourhood did not change since it was kept is not looked at again.
    """
    flat = ink.ravel().copy()
    width = ink.shape[1]
    steps = neighbour_steps(width)
    at = np.flatnonzero(flat)
    for _ in range(rounds):
        gone: list[Places] = []
        for deletable in _DELETABLE:
            dead = at[flat[at].astype(bool) & deletable[neighbour_codes(flat, at, width)]]
            flat[dead] = 0
            gone.append(dead)
        dead = np.concatenate(gone)
        if not len(dead):
            break
        touched = (dead[:, None] + steps).ravel()
        at = np.unique(touched[flat[touched] == 1])
    return flat.reshape(ink.shape)


def _deletable(phase: int) -> NDArray[np.bool_]:
    codes = np.arange(256, dtype=np.uint16)
    p = [(codes >> bit) & 1 for bit in range(8)]
    ink = sum(p)
    rises = sum((p[k] == 0) & (p[(k + 1) % 8] == 1) for k in range(8))
    north, east, south, west = p[0], p[2], p[4], p[6]
    if phase == 0:
        open_side = (north * east * south == 0) & (east * south * west == 0)
    else:
        open_side = (north * east * west == 0) & (north * south * west == 0)
    keep_shape = (ink >= 2) & (ink <= 6) & (rises == 1)  # noqa: PLR2004  # the paper's numbers
    return np.asarray(keep_shape & open_side)


_DELETABLE: Final = (_deletable(0), _deletable(1))
