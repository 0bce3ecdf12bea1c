"""The inner loops of the vote for a pose; see ``kernels`` for how they are written."""

from __future__ import annotations

import math
from typing import Final

from dedup2d.matching.kernels import Cells, Floats, Hashes, Pixels, inner

MIXING: Final = 0x1E3779B97F4A7C15  # odd: spreads small numbers over 64 bits
MOST_VOTERS: Final = 50  # of a peak, whose median is its pose


def common_tokens(
    first: Hashes, number: int, second: Hashes, many: int, groups: Cells, count: Cells
) -> None:
    """Where equal hashes lie in two sorted lists (number and many).

    ``groups`` (count[0], 4) are the place and the number of a hash in the first, and in the second.
    """
    i, j, found = 0, 0, 0
    while i < number and j < many:
        value = first[i]
        if value < second[j]:
            i += 1
        elif second[j] < value:
            j += 1
        else:
            groups[4 * found], groups[4 * found + 2] = i, j
            while i < number and first[i] == value:
                i += 1
            while j < many and second[j] == value:
                j += 1
            groups[4 * found + 1] = i - groups[4 * found]
            groups[4 * found + 3] = j - groups[4 * found + 2]
            found += 1
    count[0] = found


def pair_up(
    groups: Cells,
    number: int,
    first: Cells,
    second: Cells,
    swappable: Pixels,
    most: int,
    pairs: Cells,
    weights: Floats,
    count: Cells,
) -> None:
    """Each of the first with each of the second of every group (number), ``most`` pairs in all.

    ``groups`` as of ``common_tokens``; ``first`` and ``second`` say which token is at a place.
    A pair's weight is one over their number in the group.
    """
    found = 0
    for g in range(0, 4 * number, 4):
        weight = 1.0 / (float(groups[g + 1]) * float(groups[g + 3]))
        for i in range(groups[g], groups[g] + groups[g + 1]):
            for j in range(groups[g + 2], groups[g + 2] + groups[g + 3]):
                if found == most:
                    break
                at = 3 * found
                pairs[at], pairs[at + 1], pairs[at + 2] = first[i], second[j], swappable[first[i]]
                weights[found] = weight
                found += 1
    count[0] = found


def cast_votes(
    pairs: Cells,
    number: int,
    frames: Floats,
    onto: Floats,
    weights: Floats,
    centre: Floats,
    least: float,
    turns: Floats,
    polar: Floats,
    images: Floats,
    hands: Floats,
    strengths: Floats,
    votes: Cells,
) -> None:
    """The turns that lay a frame onto another, and where they take the centre (x, y).

    ``polar`` is logarithm of the scale and angle of each turn.

    ``pairs`` (number, 3) are a frame of ``frames``, one of ``onto``, and whether the ends of the
    first may be exchanged; frames are (4) x, y of both ends, and no shorter than ``least``.
    ``votes[0]`` is how many votes there are: up to four of each pair.
    """
    many = 0
    for pair in range(number):
        p, q = 4 * pairs[3 * pair], 4 * pairs[3 * pair + 1]
        for way in range(4 if pairs[3 * pair + 2] else 2):
            hand = -1.0 if way % 2 else 1.0
            begin, end = (q, q + 2) if way < 2 else (q + 2, q)  # noqa: PLR2004  # exchanged
            px, py = frames[p + 2] - frames[p], (frames[p + 3] - frames[p + 1]) * hand
            qx, qy = onto[end] - onto[begin], onto[end + 1] - onto[begin + 1]
            square = px * px + py * py
            ar, ai = (qx * px + qy * py) / square, (qy * px - qx * py) / square
            if square <= least * least or not (ar != 0 or ai != 0):
                continue
            cx, cy = centre[0] - frames[p], (centre[1] - frames[p + 1]) * hand
            turns[2 * many], turns[2 * many + 1] = ar, ai
            polar[2 * many] = 0.5 * math.log(ar * ar + ai * ai)
            polar[2 * many + 1] = math.atan2(ai, ar)
            images[2 * many] = onto[begin] + ar * cx - ai * cy
            images[2 * many + 1] = onto[begin + 1] + ai * cx + ar * cy
            hands[many] = hand
            strengths[many] = weights[pair] * math.sqrt(math.sqrt(math.sqrt(square)))
            many += 1
    votes[0] = many


@inner
def _slot(bins: Cells, many: int, table: Cells, mask: int) -> int:
    """The place in the table of the bin that ``bins`` ends with: free, or with the same bin."""
    at, slot = 5 * many, 0
    for k in range(5):
        slot = (slot + bins[at + k]) * MIXING
        slot ^= slot >> 29
    slot &= mask
    while table[slot] >= 0:
        other = 5 * table[slot]
        same = True
        for k in range(5):
            same = same and bins[at + k] == bins[other + k]
        if same:
            break
        slot = (slot + 1) & mask
    return slot


def count_votes(
    polar: Floats,
    images: Floats,
    hands: Floats,
    number: int,
    widths: Floats,
    offset: float,
    bins: Cells,
    table: Cells,
    mask: int,
    weights: Floats,
    chosen: Cells,
    strengths: Floats,
    count: Cells,
) -> None:
    """Sort votes (number) for turn, scale and place into bins, and sum the weights of each bin.

    ``widths`` of a bin in the logarithm of the scale, the turn, and the place; ``bins``
    (number + 1, 5) and ``table`` (mask + 1, a power of two, all -1) are room to work in.
    ``chosen`` (number) is each vote's bin, in the order of their first votes, of which there are
    ``count[0]``.
    """
    many = 0
    for i in range(number):
        at = 5 * many
        bins[at] = math.floor(polar[2 * i] / widths[0] + offset)
        bins[at + 1] = math.floor(polar[2 * i + 1] / widths[1] + offset)
        bins[at + 2] = math.floor(images[2 * i] / widths[2] + offset)
        bins[at + 3] = math.floor(images[2 * i + 1] / widths[2] + offset)
        bins[at + 4] = 1 if hands[i] < 0 else 0
        slot = _slot(bins, many, table, mask)
        if table[slot] < 0:
            table[slot] = many
            strengths[many] = 0.0
            many += 1
        chosen[i] = table[slot]
        strengths[table[slot]] += weights[i]
    count[0] = many


@inner
def _ranked(weights: Floats, voters: Cells, first: int, held: int, vote: int) -> int:
    """Put a vote among the strongest of a peak, strongest first; how many are held then."""
    place = first + held
    if held == MOST_VOTERS:
        if weights[vote] <= weights[voters[place - 1]]:
            return held
        place -= 1
    while place > first and weights[voters[place - 1]] < weights[vote]:
        voters[place] = voters[place - 1]
        place -= 1
    voters[place] = vote
    return held + 1 if held < MOST_VOTERS else held


@inner
def _median(values: Floats, part: int, voters: Cells, first: int, held: int, row: Floats) -> float:
    """Median of the real (0) or imaginary (1) part of the values of some voters."""
    for k in range(held):
        value = values[2 * voters[first + k] + part]
        place = k
        while place > 0 and row[place - 1] > value:
            row[place] = row[place - 1]
            place -= 1
        row[place] = value
    found: float = row[held // 2]
    return found


def find_peaks(
    turns: Floats,
    images: Floats,
    hands: Floats,
    weights: Floats,
    number: int,
    chosen: Cells,
    strengths: Floats,
    bins: int,
    most: int,
    ranks: Cells,
    voters: Cells,
    held: Cells,
    row: Floats,
    peaks: Floats,
) -> None:
    """The ``most`` strongest bins: strength, median turn, median image, hand (most, 6) of each.

    ``ranks`` (bins, all -1), ``voters`` (most, 50), ``held`` (most, all 0) and ``row`` (50) are
    room to work in.
    """
    for peak in range(most):
        best = -1
        for k in range(bins):
            if ranks[k] < 0 and (best < 0 or strengths[k] > strengths[best]):
                best = k
        ranks[best] = peak
        peaks[6 * peak] = strengths[best]
    for i in range(number):
        peak = ranks[chosen[i]]
        if peak >= 0:
            held[peak] = _ranked(weights, voters, MOST_VOTERS * peak, held[peak], i)
    for peak in range(most):
        first = MOST_VOTERS * peak
        for part in range(2):
            peaks[6 * peak + 1 + part] = _median(turns, part, voters, first, held[peak], row)
            peaks[6 * peak + 3 + part] = _median(images, part, voters, first, held[peak], row)
        peaks[6 * peak + 5] = hands[voters[first]]


def distinct(
    peaks: Floats,
    number: int,
    centre: Floats,
    turning: float,
    placing: float,
    most: int,
    images: Floats,
    poses: Floats,
    count: Cells,
) -> None:
    """The first ``most`` poses (count[0], 5) that are not like one before.

    ``peaks`` (number, 6) as of ``find_peaks``; like another is what turns and scales by less than
    ``turning`` else, and takes the centre (x, y) less than ``placing`` elsewhere. ``images``
    (most, 2) is room to work in.
    """
    kept = 0
    for i in range(number):
        ar, ai, hand = peaks[6 * i + 1], peaks[6 * i + 2], peaks[6 * i + 5]
        x, y = centre[0], centre[1] * hand
        br, bi = peaks[6 * i + 3] - (ar * x - ai * y), peaks[6 * i + 4] - (ar * y + ai * x)
        here_x, here_y = ar * x - ai * y + br, ar * y + ai * x + bi
        new = True
        for k in range(kept):
            p = 5 * k
            away = math.hypot(ar - poses[p], ai - poses[p + 1])
            apart = math.hypot(here_x - images[2 * k], here_y - images[2 * k + 1])
            alike = away < turning * math.hypot(poses[p], poses[p + 1]) and apart < placing
            new = new and not (alike and (hand < 0) == (poses[p + 4] < 0))
        if new:
            p = 5 * kept
            poses[p], poses[p + 1], poses[p + 2], poses[p + 3], poses[p + 4] = ar, ai, br, bi, hand
            images[2 * kept], images[2 * kept + 1] = here_x, here_y
            kept += 1
        if kept == most:
            break
    count[0] = kept
