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
MOST_VOTERS: Final = 50  # of a peak, as in kernels_voting
SHORTEST: Final = 1e-9  # frame, of the diagonal


@dataclass(frozen=True, slots=True)
class _Votes:
    """Turn, image of the centre of the first shape, -1 if mirrored else 1, and weight, all (v,).

    ``polar`` (v, 2) is the logarithm of the scale and the angle.
    """

    turn: Complexes
    polar: Floats
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
    peaks = [peak for offset in (0.0, 0.5) for peak in _peaks(votes, size, offset)]
    peaks.sort(key=lambda peak: -peak[0])
    poses = [
        about(complex(ar, ai), centre, complex(x, y), mirrored=hand < 0)
        for _, ar, ai, x, y, hand in peaks
    ]
    return bundle(_distinct(poses, centre, size))


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
    polar = np.empty((most, 2))
    hand, strength, many = np.empty(most), np.empty(most), np.zeros(1, np.int32)
    frames, onto = _frames(a.tokens), _frames(b.tokens)
    centre = np.array([a.shape.centre])
    kernel("cast_votes")(
        *(at(pairs), len(pairs), at(frames), at(onto), at(weight), at(centre)),
        *(
            SHORTEST * a.shape.diagonal,
            at(turn),
            at(polar),
            at(image),
            at(hand),
            at(strength),
            at(many),
        ),
    )
    cast = slice(int(many[0]))
    return _Votes(turn[cast], polar[cast], image[cast], hand[cast], strength[cast])


def _peaks(votes: _Votes, size: float, offset: float) -> list[list[float]]:
    """Strength, turn, image of the centre, and hand of the strongest bins."""
    number = len(votes.turn)
    widths = np.array([SCALE_BIN, TURN_BIN, PLACE_BIN * size])
    bins, count = np.empty((number + 1, 5), np.int32), np.zeros(1, np.int32)
    table = np.full(1 << (2 * number).bit_length(), -1, np.int32)
    chosen, strengths = np.empty(number, np.int32), np.empty(number)
    placed = at(votes.image), at(votes.hand)
    kernel("count_votes")(
        *(
            at(votes.polar),
            *placed,
            number,
            at(widths),
            offset,
            at(bins),
            at(table),
            len(table) - 1,
        ),
        *(at(votes.weight), at(chosen), at(strengths), at(count)),
    )
    many = int(count[0])
    most = min(MOST_PEAKS, many)
    ranks, held = np.full(many, -1, np.int32), np.zeros(most, np.int32)
    voters, row = np.empty((most, MOST_VOTERS), np.int32), np.empty(MOST_VOTERS)
    peaks = np.empty((most, 6))
    kernel("find_peaks")(
        *(at(votes.turn), *placed, at(votes.weight), number, at(chosen), at(strengths), many, most),
        *(at(ranks), at(voters), at(held), at(row), at(peaks)),
    )
    found: list[list[float]] = peaks.tolist()
    return found


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
