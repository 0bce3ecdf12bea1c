"""A global descriptor of 252 numbers: how the ink is spread, whatever the pose.

|FFT| of a polar density (14 rings, 64 sectors), distances of random pairs (D2, Osada et al.
2002), |FFT| of orientations, histograms of segment lengths and arc radii. The key for scans, and
for drawings whose local details differ; no help for crops and sheets.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Floats
from dedup2d.matching.shape import Ints, Samples, Shape

SIZE: Final = 252

_RINGS: Final = 14
_SECTORS: Final = 64
_PAIRS: Final = 4000
_BINS: Final = 32  # of the distances of pairs
_FARTHEST: Final = 4  # radii of gyration between two of a pair


def descriptor(shape: Shape, points: Samples) -> NDArray[np.float32]:
    """(252,) unit vector; zeros for a shape without length. ``points`` are about 3000."""
    if shape.length <= 0:
        return np.zeros(SIZE, np.float32)
    weight = points.weight / points.weight.sum()
    z = points.z - (points.z * weight).sum()
    gyration = math.sqrt(float((np.abs(z) ** 2 * weight).sum())) or 1.0
    z = z / gyration
    lengths = shape.lengths / shape.length
    straight = len(shape.segments)
    parts = (
        _polar(z, weight),
        0.5 * _pair_distances(z, weight),
        0.4 * _orientations(shape),
        0.5 * np.sqrt(_sizes(shape.lengths[:straight] / gyration, lengths[:straight])),
        0.5 * np.sqrt(_sizes(shape.arcs[:, 2] / gyration, lengths[straight:])),
    )
    vector = np.concatenate(parts)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def _polar(z: NDArray[np.complex128], weight: Floats) -> Floats:
    ring = np.minimum((np.abs(z) * 5).astype(np.int64), _RINGS - 1)
    sector = ((np.angle(z) / math.tau + 0.5) * _SECTORS).astype(np.int64) % _SECTORS
    density = np.bincount(ring * _SECTORS + sector, weight, _RINGS * _SECTORS)
    spectrum = np.abs(np.fft.rfft(np.sqrt(density.reshape(_RINGS, _SECTORS)), axis=1))[:, :10]
    unit: Floats = (spectrum / (np.linalg.norm(spectrum) + 1e-12)).ravel()
    return unit


@lru_cache(maxsize=1)
def _uniform() -> tuple[Floats, Ints]:
    """(8000,) the same random numbers each time, ascending, and the place of each."""
    drawn = np.random.default_rng(0).random(2 * _PAIRS)
    order = np.argsort(drawn)
    return drawn[order], np.argsort(order)


def _pair_distances(z: NDArray[np.complex128], weight: Floats) -> Floats:
    ascending, place = _uniform()
    found = np.searchsorted(np.cumsum(weight), ascending)[place]
    i, j = np.minimum(found, len(z) - 1).reshape(2, _PAIRS)
    distance = np.abs(z[i] - z[j])
    bins = (distance[distance <= _FARTHEST] * (_BINS / _FARTHEST)).astype(np.int64)
    counts = np.bincount(np.minimum(bins, _BINS - 1), minlength=_BINS)
    return np.sqrt(counts / _PAIRS)


def _orientations(shape: Shape) -> Floats:
    s = shape.segments
    degrees = np.degrees(np.arctan2(s[:, 3] - s[:, 1], s[:, 2] - s[:, 0]))
    bins = (degrees % 180 + 0.5).astype(np.int64) % 180
    histogram = np.bincount(bins, shape.lengths[: len(s)], 180)
    spectrum: Floats = np.abs(np.fft.rfft(histogram))[:20] / max(shape.length, 1e-12)
    return spectrum


def _sizes(size: Floats, share: Floats) -> Floats:
    bins = np.clip(np.log(size + 1e-9) * 4 + 22, 0, 29).astype(np.int64)
    counts: Floats = np.bincount(bins, share, 30).astype(np.float64)
    return counts
