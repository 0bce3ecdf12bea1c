"""An inverted list of tokens in numpy: which rows have a token, and how rare it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Floats
from dedup2d.matching.compiled import at, kernel
from dedup2d.matching.shape import Ints
from dedup2d.matching.tokens import Hashes

SMOOTHING: Final = 60.0  # keeps containment of tiny drawings from being 1 by one token
SMOOTHING_AT: Final = 64.0  # square of the rarity at which the smoothing was found (8)
BUCKET: Final = 16  # bits, as in kernels_vault


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
        return self._rarity_at(self._places(tokens))

    def scores(self, sketch: Hashes) -> tuple[Floats, Floats]:
        """(n,) cosine, and (n,) containment of the smaller in the larger."""
        common = np.zeros(self.size)
        if not len(self.tokens) or not len(sketch):
            return common, common
        places = self._places(sketch)
        weight = self._rarity_at(places) ** 2
        own = float(weight.sum())
        known = (places >= 0) & (weight > 0)
        places, weight = places[known], weight[known]
        kernel("sum_weights")(
            *(at(self.rows), at(self.starts), at(places), at(weight), len(places), at(common))
        )
        smoothing = SMOOTHING * max(self.highest_rarity, 0.1) ** 2 / SMOOTHING_AT
        cosine = common / np.sqrt(own * self.norms + 1e-9)
        containment = common / (np.minimum(own, self.norms) + smoothing)
        return cosine, containment

    @cached_property
    def _buckets(self) -> Ints:
        """(65537,) where the tokens begin that have the same upper half."""
        first = np.arange((1 << BUCKET) + 1, dtype=np.uint64) << np.uint64(BUCKET)
        return np.searchsorted(self.tokens.astype(np.uint64), first)

    def _places(self, tokens: Hashes) -> Ints:
        """(k,) places of tokens among ours; -1 where no row has it."""
        wanted, places = np.array(tokens, np.uint32), np.empty(len(tokens), np.int64)
        kernel("find_tokens")(
            *(at(self.tokens), at(self._buckets), at(wanted), len(wanted), at(places))
        )
        return places

    def _rarity_at(self, places: Ints) -> Floats:
        if not len(self.tokens):
            return np.full(len(places), self.highest_rarity)
        return np.where(places >= 0, self.rarity[places], self.highest_rarity)
