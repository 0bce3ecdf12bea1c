"""Where the pose may come from: moments, bounds, agreeing tokens, longest strokes.

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
from dedup2d.matching.shape import Complexes, Ints
from dedup2d.matching.similarity import Bundle, Similarity, bundle, joined
from dedup2d.matching.tokens import Hashes, hashed

MOST_VOTES: Final = 20_000
RARE_PRODUCT: Final = 400  # a token that n x m groups share votes only if n m is at most this
VOTE_SHARE: Final = 3000
SCALE_BIN: Final = 0.04  # of the logarithm
TURN_BIN: Final = 0.05  # radians
PLACE_BIN: Final = 0.02  # of the diagonal
MOST_PEAKS: Final = 12
LONGEST: Final = 10  # segments of a scan that are laid onto each other
SCALES: Final = (0.02, 50.0)  # between a scan and a drawing


def from_whole(a: Prepared, b: Prepared) -> Bundle:
    """Identity, moment phases and the eight ways to lay one box onto the other."""
    return joined([bundle([Similarity()]), _from_moments(a, b), _from_bounds(a, b)])


def _from_bounds(a: Prepared, b: Prepared) -> Bundle:
    scale = b.shape.diagonal / a.shape.diagonal
    return bundle(
        [
            _about(scale * 1j**k, a.shape.centre, b.shape.centre, mirrored=mirrored)
            for mirrored in (False, True)
            for k in range(4)
        ]
    )


def _about(turn: complex, centre: complex, image: complex, *, mirrored: bool) -> Similarity:
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
            found.append(_about(turn, ma.centroid, mb.centroid, mirrored=mirrored))
    return bundle(found[:10])


def from_tokens(a: Prepared, b: Prepared, *, absolute: bool) -> Bundle:
    """Peaks of a vote of common tokens for scale, turn, place and handedness.

    Two staggered grids of bins, so that no peak is cut by a border (Hough voting as in Lowe,
    "Distinctive image features", 2004).
    """
    ta, tb = a.tokens, b.tokens
    first, second = (ta.absolute, tb.absolute) if absolute else (ta.relative, tb.relative)
    i, j, weight = _agreeing(first, second)
    if not len(i):
        return bundle([])
    votes: list[tuple[Bundle, Floats]] = []
    for mirrored in (False, True):
        for swapped in (False, True):
            k = ta.swappable[i] if swapped else np.ones(len(i), np.bool_)
            p0, p1 = ta.first[i[k]], ta.second[i[k]]
            q0, q1 = tb.first[j[k]], tb.second[j[k]]
            if swapped:
                q0, q1 = q1, q0
            votes.append(_frame_onto_frame((p0, p1), (q0, q1), weight[k], mirrored, a))
    return _peaks(joined([v[0] for v in votes]), np.concatenate([v[1] for v in votes]), a, b)


def _agreeing(first: Hashes, second: Hashes) -> tuple[Ints, Ints, Floats]:
    """Pairs of groups with the same hash, rare hashes first, and the weight of each pair."""
    order_a, order_b = np.argsort(first, kind="stable"), np.argsort(second, kind="stable")
    value, at, count_a = np.unique(first[order_a], return_index=True, return_counts=True)
    low = np.searchsorted(second[order_b], value, "left")
    count_b = np.searchsorted(second[order_b], value, "right") - low
    product = count_a * count_b
    use = (product > 0) & (product <= RARE_PRODUCT)
    if not use.any():
        use = product > 0
    at, low, count_b, product = at[use], low[use], count_b[use], product[use]
    rare = np.argsort(product, kind="stable")
    rare = rare[: max(1, int(np.searchsorted(np.cumsum(product[rare]), VOTE_SHARE)))]
    at, low, count_b, product = at[rare], low[rare], count_b[rare], product[rare]
    group = np.repeat(np.arange(len(product)), product)[:MOST_VOTES]
    step = np.arange(len(group)) - np.repeat(np.cumsum(product) - product, product)[:MOST_VOTES]
    i = order_a[at[group] + step // count_b[group]]
    j = order_b[low[group] + step % count_b[group]]
    return i, j, 1.0 / product[group]


def _frame_onto_frame(
    p: tuple[Complexes, Complexes],
    q: tuple[Complexes, Complexes],
    weight: Floats,
    mirrored: bool,
    a: Prepared,
) -> tuple[Bundle, Floats]:
    p0, p1 = (p[0].conj(), p[1].conj()) if mirrored else p
    span = p1 - p0
    good = np.abs(span) > 1e-9 * a.shape.diagonal
    turn = (q[1] - q[0])[good] / span[good]
    moving = np.abs(turn) > 0
    turn = turn[moving]
    shift = q[0][good][moving] - turn * p0[good][moving]
    strength = (weight * np.abs(span) ** 0.25)[good][moving]
    return Bundle(turn, shift, np.full(len(turn), mirrored)), strength


def _peaks(votes: Bundle, weight: Floats, a: Prepared, b: Prepared) -> Bundle:
    if not len(votes):
        return votes
    centre, size = a.shape.centre, b.shape.diagonal
    image = votes.apply(np.array([centre]))[:, 0]
    peaks: list[tuple[float, Similarity]] = []
    for offset in (0.0, 0.5):
        bins = hashed(
            0,
            np.floor(np.log(np.abs(votes.a)) / SCALE_BIN + offset).astype(np.int64),
            np.floor(np.angle(votes.a) / TURN_BIN + offset).astype(np.int64),
            np.floor(image.real / (PLACE_BIN * size) + offset).astype(np.int64),
            np.floor(image.imag / (PLACE_BIN * size) + offset).astype(np.int64),
            votes.mirrored.astype(np.int64),
        )
        _, inverse = np.unique(bins, return_inverse=True)
        inverse = inverse.ravel()
        strength = np.bincount(inverse, weight)
        for peak in np.argsort(-strength, kind="stable")[:MOST_PEAKS]:
            voters = np.flatnonzero(inverse == peak)
            voters = voters[np.argsort(-weight[voters], kind="stable")[:50]]
            middle = _median(votes.a[voters]), _median(image[voters])
            mirrored = bool(votes.mirrored[voters[0]])
            peaks.append((strength[peak], _about(middle[0], centre, middle[1], mirrored=mirrored)))
    peaks.sort(key=lambda peak: -peak[0])
    return bundle(_distinct([t for _, t in peaks], centre, size))


def _median(z: Complexes) -> complex:
    half = len(z) // 2
    return complex(np.sort(z.real)[half], np.sort(z.imag)[half])


def _distinct(found: list[Similarity], centre: complex, size: float) -> list[Similarity]:
    kept: list[Similarity] = []
    for t in found:
        if not any(_alike(t, other, centre, size) for other in kept):
            kept.append(t)
        if len(kept) == MOST_PEAKS:
            break
    return kept


def _alike(t: Similarity, u: Similarity, centre: complex, size: float) -> bool:
    return (
        t.mirrored == u.mirrored
        and abs(t.a - u.a) < 0.005 * abs(u.a)
        and abs(t.at(centre) - u.at(centre)) < 0.003 * size
    )


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
    scale = np.abs(every.a)
    return every.kept((scale > SCALES[0]) & (scale < SCALES[1]))


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
