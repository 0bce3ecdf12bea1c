"""Where the pose may come from: moments, bounds, longest strokes; see ``voting`` too.

Each source answers with a Bundle of transforms from shape a onto shape b, best first.
"""

from __future__ import annotations

import cmath
import math
from typing import Final

import numpy as np

from dedup2d.drawing.model import Floats
from dedup2d.matching.moments import ORDERS
from dedup2d.matching.prepared import Prepared
from dedup2d.matching.shape import Complexes
from dedup2d.matching.similarity import Bundle, Similarity, bundle, joined

DIRECTIONS: Final = 360  # of half a turn
PEAKS: Final = 4  # turns that are tried
LONGEST: Final = 10  # segments of a scan that are laid onto each other
SCALES: Final = (0.02, 50.0)  # of one diagonal over the other


def from_whole(a: Prepared, b: Prepared) -> Bundle:
    """Identity, moment phases and the eight ways to lay one box onto the other."""
    return joined([bundle([Similarity()]), _from_moments(a, b), _from_bounds(a, b)])


def _from_bounds(a: Prepared, b: Prepared) -> Bundle:
    scale = b.shape.diagonal / a.shape.diagonal
    return bundle(
        [
            about(scale * 1j**k, a.shape.centre, b.shape.centre, mirrored=mirrored)
            for mirrored in (False, True)
            for k in range(4)
        ]
    )


def about(turn: complex, centre: complex, image: complex, *, mirrored: bool) -> Similarity:
    """The transform that takes ``centre`` to ``image``."""
    z = centre.conjugate() if mirrored else centre
    return Similarity(turn, image - turn * z, mirrored)


def _from_moments(a: Prepared, b: Prepared) -> Bundle:
    """The turns that bring the phases of one strong moment together (at most 10)."""
    ma, mb = a.moments, b.moments
    if ma is None or mb is None:
        return bundle([])
    turning = [order for order in ORDERS if order[0] != order[1]]
    p, q = max(turning, key=lambda k: min(abs(ma.c[k]), abs(mb.c[k])) / 1.6 ** sum(k))
    scale = mb.gyration / ma.gyration
    found = []
    for mirrored in (False, True):
        before = ma.c[p, q].conjugate() if mirrored else ma.c[p, q]
        phase = cmath.phase(mb.c[p, q] / before) if before else 0.0
        for k in range(p - q):
            turn = cmath.rect(scale, (phase + math.tau * k) / (p - q))
            found.append(about(turn, ma.centroid, mb.centroid, mirrored=mirrored))
    return bundle(found[:10])


def from_longest(a: Prepared, b: Prepared) -> Bundle:
    """The longest segments of one laid onto those of the other: what survives a scan."""
    p, q = _longest(a), _longest(b)
    i, j = (k.ravel() for k in np.meshgrid(np.arange(len(p)), np.arange(len(q)), indexing="ij"))
    found = []
    for mirrored in (False, True):
        for swapped in (False, True):
            start, end = p[i, 0], p[i, 1]
            if mirrored:
                start, end = start.conj(), end.conj()
            onto = q[j][:, ::-1] if swapped else q[j]
            turn = (onto[:, 1] - onto[:, 0]) / (end - start)
            shift = onto[:, 0] - turn * start
            found.append(Bundle(turn, shift, np.full(len(turn), mirrored)))
    every = joined(found)
    scale = np.abs(every.a) * a.shape.diagonal / b.shape.diagonal
    return every.kept((scale > SCALES[0]) & (scale < SCALES[1]))


def from_directions(a: Prepared, b: Prepared) -> Bundle:
    """The turns that lay most strokes parallel, box onto box then: for hatching, and askew scans.

    Turns are the peaks of the circular correlation of both histograms of directions.
    """
    found = []
    for mirrored in (False, True):
        spectrum = np.fft.rfft(_directions(a, mirrored=mirrored)).conj()
        alike = np.fft.irfft(spectrum * np.fft.rfft(_directions(b, mirrored=False)), DIRECTIONS)
        is_peak = (alike >= np.roll(alike, 1)) & (alike > np.roll(alike, -1))
        peaks = np.flatnonzero(is_peak)
        for k in peaks[np.argsort(-alike[peaks], kind="stable")[:PEAKS]].tolist():
            turn = cmath.rect(1.0, math.pi * k / DIRECTIONS)
            found += [_box_onto_box(a, b, sign * turn, mirrored=mirrored) for sign in (1, -1)]
    return bundle(found)


def _directions(p: Prepared, *, mirrored: bool) -> Floats:
    """(360,) length of the straight strokes by direction, half a degree each, smoothed."""
    s = p.shape.segments
    angle = np.arctan2(s[:, 3] - s[:, 1], s[:, 2] - s[:, 0]) * (-1 if mirrored else 1)
    bins = np.rint(angle / math.pi * DIRECTIONS).astype(np.int64) % DIRECTIONS
    length = np.bincount(bins, p.shape.lengths[: len(s)], DIRECTIONS)
    smooth: Floats = length + 0.5 * (np.roll(length, 1) + np.roll(length, -1))
    return smooth


def _box_onto_box(a: Prepared, b: Prepared, turn: complex, *, mirrored: bool) -> Similarity:
    """Turned by ``turn``, then scaled and moved so that the bounds have one diagonal and middle."""
    z = a.samples.z
    low, high = _corners(turn * (z.conj() if mirrored else z))
    onto_low, onto_high = _corners(b.samples.z)
    scale = abs(onto_high - onto_low) / (abs(high - low) or 1.0)
    middle, onto = (low + high) / 2, (onto_low + onto_high) / 2
    return Similarity(scale * turn, onto - scale * middle, mirrored)


def _corners(z: Complexes) -> tuple[complex, complex]:
    return complex(z.real.min(), z.imag.min()), complex(z.real.max(), z.imag.max())


def from_insides(a: Prepared, b: Prepared) -> Bundle:
    """As from the whole and from the longest, for what the borders of the sheets surround."""
    views = [(a.inside, b.inside)]
    views += [(a.inside, b)] if b.inside is not b else []
    views += [(a, b.inside)] if a.inside is not a else []
    if a.inside is a and b.inside is b:
        return bundle([])
    return joined([source(p, q) for p, q in views for source in (from_whole, from_longest)])


def _longest(a: Prepared) -> Complexes:
    """(k, 2) end points of the longest segments."""
    s = a.shape.segments
    length = a.shape.lengths[: len(s)]
    s = s[np.argsort(-length, kind="stable")[:LONGEST]]
    return np.column_stack([s[:, 0] + 1j * s[:, 1], s[:, 2] + 1j * s[:, 3]])
