"""An inverted list of tokens in numpy: which rows have a token, and how rare it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Floats
from dedup2d.matching.shape import Ints
from dedup2d.matching.tokens import Hashes

SMOOTHING: Final = 60.0  # keeps containment of tiny drawings from being 1 by one token
SMOOTHING_AT: Final = 64.0  # square of the rarity at which the smoothing was found (8)


@dataclass(frozen=True)
class Postings:
    """Which rows have a token.

    ``tokens`` (t,) sorted distinct; row numbers of token i are
    ``rows[starts[i]:starts[i + 1]]``; ``rarity`` (t,) is log((n + 1) / (df + 0.5))
    (Spärck Jones 1972); ``norms`` (n,) the sum of squared rarities of each row.
    """

    tokens: Hashes
    starts: Ints
    rows: NDArray[np.int32]
    rarity: Floats
    norms: Floats
    size: int

    @classmethod
    def of(cls, sketches: list[Hashes]) -> Self:
        """The inverted list of rows 0, 1, ... with these tokens."""
        n = len(sketches)
        counts = np.array([len(s) for s in sketches], np.int64)
        rows = np.repeat(np.arange(n, dtype=np.int32), counts)
        every = np.concatenate([*sketches, np.empty(0, np.uint32)]).astype(np.uint32)
        # token and row in one number: sorting values is several times faster than argsort
        both = np.sort(every.astype(np.uint64) << np.uint64(32) | rows.astype(np.uint64))
        every = (both >> np.uint64(32)).astype(np.uint32)
        rows = (both & np.uint64(0xFFFFFFFF)).astype(np.int32)
        first = np.flatnonzero(np.diff(every, prepend=~every[:1] if len(every) else 0))
        starts = np.append(first, len(every))
        frequency = np.diff(starts)
        rarity = np.log((n + 1) / (frequency + 0.5)).clip(0)
        norms = np.bincount(rows, np.repeat(rarity**2, frequency), n).astype(np.float64)
        return cls(every[first], starts, rows, rarity, norms, n)

    @property
    def highest_rarity(self) -> float:
        """Rarity of a token that one row has."""
        return float(np.log((self.size + 1) / 1.5).clip(0))

    def rarity_of(self, tokens: Hashes) -> Floats:
        """(k,) rarity of tokens; one that no row has is as rare as can be."""
        if not len(self.tokens):
            return np.full(len(tokens), self.highest_rarity)
        at = np.minimum(np.searchsorted(self.tokens, tokens), len(self.tokens) - 1)
        known = self.tokens[at] == tokens
        return np.where(known, self.rarity[at], self.highest_rarity)

    def scores(self, sketch: Hashes) -> tuple[Floats, Floats]:
        """(n,) cosine, and (n,) containment of the smaller in the larger."""
        if not len(self.tokens) or not len(sketch):
            return np.zeros(self.size), np.zeros(self.size)
        weight = self.rarity_of(sketch) ** 2
        own = float(weight.sum())
        at = np.minimum(np.searchsorted(self.tokens, sketch), len(self.tokens) - 1)
        known = (self.tokens[at] == sketch) & (weight > 0)
        at, weight = at[known], weight[known]
        many = self.starts[at + 1] - self.starts[at]
        step = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        rows = self.rows[np.repeat(self.starts[at], many) + step]
        common = np.bincount(rows, np.repeat(weight, many), self.size)
        smoothing = SMOOTHING * max(self.highest_rarity, 0.1) ** 2 / SMOOTHING_AT
        cosine = common / np.sqrt(own * self.norms + 1e-9)
        containment = common / (np.minimum(own, self.norms) + smoothing)
        return cosine, containment
