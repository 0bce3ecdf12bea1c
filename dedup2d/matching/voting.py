"""Where the pose may come from: common tokens vote for scale, turn, place and handedness.

Hough voting as in Lowe, "Distinctive image features" (2004): the frames of two groups of strokes
with the same hash give a pose; poses that many agree on are tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dedup2d.drawing.model import Floats
from dedup2d.matching.compiled import at, kernel
from dedup2d.matching.hypotheses import about
from dedup2d.matching.prepared import Prepared
from dedup2d.matching.shape import Complexes, Ints
from dedup2d.matching.similarity import Bundle, Similarity, bundle
from dedup2d.matching.tokens import Hashes, Tokens

MOST_VOTES: Final = 20_000
RARE_PRODUCT: Final = 400  # a token that n x m groups share votes only if n m is at most this
VOTE_SHARE: Final = 3000
SCALE_BIN: Final = 0.04  # of the logarithm
TURN_BIN: Final = 0.05  # radians
PLACE_BIN: Final = 0.02  # of the diagonal
MOST_PEAKS: Final = 12
MOST_VOTERS: Final = 50  # of a peak, whose median is its pose
SHORTEST: Final = 1e-9  # frame, of the diagonal


@dataclass(frozen=True, slots=True)
class _Votes:
    """(v,) turn, image of the centre of the first shape, -1 if mirrored else 1, and weight."""

    turn: Complexes
    image: Complexes
    hand: Floats
    weight: Floats


def from_tokens(a: Prepared, b: Prepared, *, absolute: bool) -> Bundle:
    """Peaks of a vote of common tokens, best first.

    In two staggered grids of bins, so that no peak is cut by a border.
    """
    ta, tb = a.tokens, b.tokens
    first, second = (ta.absolute, tb.absolute) if absolute else (ta.relative, tb.relative)
    i, j, weight = _agreeing(first, second)
    if not len(i):
        return bundle([])
    pairs = np.column_stack([i, j, ta.swappable[i]]).astype(np.int32)
    votes = _votes(pairs, weight, a, b)
    centre, size = a.shape.centre, b.shape.diagonal
    peaks: list[tuple[float, Similarity]] = []
    for offset in (0.0, 0.5):
        chosen, strengths = _bins(votes, size, offset)
        for peak, voters in _strongest(chosen, strengths, votes.weight):
            middle = _median(votes.turn[voters]), _median(votes.image[voters])
            mirrored = bool(votes.hand[voters[0]] < 0)
            peaks.append((peak, about(middle[0], centre, middle[1], mirrored=mirrored)))
    peaks.sort(key=lambda peak: -peak[0])
    return bundle(_distinct([t for _, t in peaks], centre, size))


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


def _frames(found: Tokens) -> Floats:
    """(t, 4) x, y of both ends of each group's frame."""
    return np.column_stack([found.first, found.second]).view(np.float64)


def _votes(
    pairs: np.ndarray[tuple[int, int], np.dtype[np.int32]], weight: Floats, a: Prepared, b: Prepared
) -> _Votes:
    most = 4 * len(pairs)
    turn, image = np.empty(most, np.complex128), np.empty(most, np.complex128)
    hand, strength, many = np.empty(most), np.empty(most), np.zeros(1, np.int32)
    frames, onto = _frames(a.tokens), _frames(b.tokens)
    centre = np.array([a.shape.centre])
    kernel("cast_votes")(
        *(at(pairs), len(pairs), at(frames), at(onto), at(weight), at(centre)),
        *(SHORTEST * a.shape.diagonal, at(turn), at(image), at(hand), at(strength), at(many)),
    )
    cast = slice(int(many[0]))
    return _Votes(turn[cast], image[cast], hand[cast], strength[cast])


def _bins(votes: _Votes, size: float, offset: float) -> tuple[Ints, Floats]:
    """(v,) bin of each vote, and the strength of each bin."""
    number = len(votes.turn)
    widths = np.array([SCALE_BIN, TURN_BIN, PLACE_BIN * size])
    room = np.empty((number + 1, 5), np.int32)
    table = np.full(1 << (2 * number).bit_length(), -1, np.int32)
    chosen, strengths = np.empty(number, np.int32), np.empty(number)
    kernel("vote")(
        *(at(votes.turn), at(votes.image), at(votes.hand), number, at(widths), offset),
        *(at(room), at(table), len(table) - 1, at(votes.weight), at(chosen), at(strengths)),
    )
    return chosen.astype(np.int64), strengths[: chosen.max(initial=-1) + 1]


def _strongest(chosen: Ints, strengths: Floats, weight: Floats) -> list[tuple[float, Ints]]:
    """Strength and strongest voters of the best bins."""
    few = min(MOST_PEAKS, len(strengths))
    if not few:
        return []
    best = np.flatnonzero(strengths >= np.partition(strengths, -few)[-few])
    best = best[np.argsort(-strengths[best], kind="stable")[:few]]
    rank = np.full(len(strengths), -1)
    rank[best] = np.arange(few)
    voters = np.flatnonzero(rank[chosen] >= 0)
    of = rank[chosen[voters]]
    order = np.lexsort((-weight[voters], of))
    groups = np.split(voters[order], np.cumsum(np.bincount(of, minlength=few))[:-1])
    return [
        (float(strengths[k]), group[:MOST_VOTERS]) for k, group in zip(best, groups, strict=True)
    ]


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
