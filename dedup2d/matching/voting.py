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
from dedup2d.matching.prepared import Prepared
from dedup2d.matching.shape import Complexes
from dedup2d.matching.similarity import Bundle, bundle
from dedup2d.matching.tokens import Tokens

MOST_VOTES: Final = 20_000
RARE_PRODUCT: Final = 400  # a token that n x m groups share votes only if n m is at most this
VOTE_SHARE: Final = 3000
SCALE_BIN: Final = 0.04  # of the logarithm
TURN_BIN: Final = 0.05  # radians
PLACE_BIN: Final = 0.02  # of the diagonal
MOST_PEAKS: Final = 12
MOST_VOTERS: Final = 50  # of a peak, as in kernels_voting
LIKE_TURN: Final = 0.005  # poses that turn and scale alike, of their scale ...
LIKE_PLACE: Final = 0.003  # ... and lie as near together, of the diagonal, are one
SHORTEST: Final = 1e-9  # frame, of the diagonal

_Pairs = np.ndarray[tuple[int, int], np.dtype[np.int32]]


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
    pairs, weight = _agreeing(a, b, absolute=absolute)
    if not len(pairs):
        return bundle([])
    votes = _votes(pairs, weight, a, b)
    size = b.shape.diagonal
    peaks = np.concatenate([_peaks(votes, size, offset) for offset in (0.0, 0.5)])
    return _distinct(peaks[np.argsort(-peaks[:, 0], kind="stable")], a.shape.centre, size)


def _agreeing(a: Prepared, b: Prepared, *, absolute: bool) -> tuple[_Pairs, Floats]:
    """(v, 3) pairs of groups with the same hash, rare hashes first, and (v,) their weights.

    The third number says whether the ends of the frame in a may be exchanged.
    """
    first, second = (a.by_absolute, b.by_absolute) if absolute else (a.by_relative, b.by_relative)
    n, m = len(first.hashes), len(second.hashes)
    room, count = np.empty((min(n, m), 4), np.int32), np.zeros(1, np.int32)
    kernel("common_tokens")(at(first.hashes), n, at(second.hashes), m, at(room), at(count))
    groups = room[: count[0]]
    product = groups[:, 1].astype(np.int64) * groups[:, 3]
    if (rare := product <= RARE_PRODUCT).any():
        groups, product = groups[rare], product[rare]
    order = np.argsort(product, kind="stable")
    order = order[: max(1, int(np.searchsorted(np.cumsum(product[order]), VOTE_SHARE)))]
    groups = groups[order]
    most = min(MOST_VOTES, int(product[order].sum()))
    pairs, weights = np.empty((most, 3), np.int32), np.empty(most)
    swappable = a.tokens.swappable.view(np.uint8)
    kernel("pair_up")(
        *(at(groups), len(groups), at(first.order), at(second.order), at(swappable)),
        *(most, at(pairs), at(weights), at(count)),
    )
    return pairs, weights


def _frames(found: Tokens) -> Floats:
    """(t, 4) x, y of both ends of each group's frame."""
    return np.column_stack([found.first, found.second]).view(np.float64)


def _votes(pairs: _Pairs, weight: Floats, a: Prepared, b: Prepared) -> _Votes:
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


def _peaks(votes: _Votes, size: float, offset: float) -> Floats:
    """(k, 6) strength, turn, image of the centre, and hand of the strongest bins."""
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
    return peaks


def _distinct(peaks: Floats, centre: complex, size: float) -> Bundle:
    """The poses of the peaks that are not like a stronger one's, 12 at most."""
    most = min(MOST_PEAKS, len(peaks))
    poses, images, count = np.empty((most, 5)), np.empty((most, 2)), np.zeros(1, np.int32)
    middle = np.array([centre])
    kernel("distinct")(
        *(at(peaks), len(peaks), at(middle), LIKE_TURN, LIKE_PLACE * size),
        *(most, at(images), at(poses), at(count)),
    )
    poses = poses[: count[0]]
    turn, shift = (np.ascontiguousarray(poses[:, k : k + 2]).view(np.complex128) for k in (0, 2))
    return Bundle(turn.ravel(), shift.ravel(), poses[:, 4] < 0)
