"""The inner loops over a vault's tokens and signatures; see ``kernels`` for how they are written."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from dedup2d.matching.kernels import Cells, Floats, Hashes, Longs

BUCKET: Final = 16  # bits of a token within its bucket


def find_tokens(tokens: Hashes, buckets: Longs, wanted: Hashes, number: int, places: Longs) -> None:
    """Place of each wanted token (number) among sorted distinct ``tokens``; -1 where it is not.

    ``buckets`` (65537) says where the tokens begin that have the same upper half.
    """
    for i in range(number):
        value = np.int64(wanted[i])
        low, high = buckets[value >> BUCKET], buckets[(value >> BUCKET) + 1]
        last = high
        while low < high:
            middle = (low + high) >> 1
            if np.int64(tokens[middle]) < value:
                low = middle + 1
            else:
                high = middle
        places[i] = low if low < last and np.int64(tokens[low]) == value else -1


def sum_weights(
    rows: Cells, starts: Longs, places: Longs, weights: Floats, number: int, sums: Floats
) -> None:
    """Add the weight of each token to the sums of the rows that have it.

    Rows of the token at place p are ``rows[starts[p]:starts[p + 1]]``.
    """
    for i in range(number):
        for k in range(starts[places[i]], starts[places[i] + 1]):
            sums[rows[k]] += weights[i]


def furthest(many: Floats, number: int, size: int, own: Floats, found: Floats) -> None:
    """The largest difference of any number (size) of each row (number, size) to ``own``."""
    for i in range(number):
        most = 0.0
        for k in range(size):
            most = max(most, math.fabs(many[size * i + k] - own[k]))
        found[i] = most
