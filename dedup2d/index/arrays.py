"""The arrays of one tenant's drawings that searching runs over."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Floats
from dedup2d.index.catalogue import Changes, vectors
from dedup2d.index.limits import Limits
from dedup2d.index.postings import Postings
from dedup2d.matching.compiled import at, kernel
from dedup2d.matching.descriptor import SIZE
from dedup2d.matching.fingerprint import Fingerprint
from dedup2d.matching.moments import SIGNATURE_SIZE
from dedup2d.matching.shape import Ints
from dedup2d.matching.tokens import Hashes

JOIN: Final = 1e-3  # signatures closer than this in every number may be the same drawing
JOINED_AT_MOST: Final = 50
SCANNED_DESCRIPTOR: Final = 75  # tokens say little about scans, so the descriptor must
SCANNED_WHOLE: Final = 25  # the same by the whole sheet: what looked like a frame may be the part

Levels = tuple[bool, float, float, float, float]


class TenantArrays:
    """Rows of signatures, descriptors and tokens, brought up to ``generation``."""

    def __init__(self) -> None:
        self.generation = -1
        self._rows: dict[int, tuple[str, Floats, NDArray[np.float32], Hashes]] = {}

    def apply(self, changes: Changes) -> None:
        """Take over what changed."""
        self.generation = changes.generation
        if not changes.changed and not changes.removed:
            return
        for number in changes.removed:
            self._rows.pop(number, None)
        for change in changes.changed:
            self._rows[change.number] = (
                change.key,
                np.frombuffer(change.signature, "<f8"),
                vectors(change.descriptors),
                np.frombuffer(change.sketch, "<u4"),
            )
        for name in ("numbers", "keys", "signatures", "descriptors", "postings"):
            self.__dict__.pop(name, None)

    @cached_property
    def numbers(self) -> Ints:
        """(n,) catalogue numbers of the rows, ascending."""
        return np.array(sorted(self._rows), np.int64)

    @cached_property
    def keys(self) -> dict[str, list[int]]:
        """Rows by quick key."""
        found: dict[str, list[int]] = {}
        for row, number in enumerate(self.numbers):
            found.setdefault(self._rows[int(number)][0], []).append(row)
        return found

    @cached_property
    def signatures(self) -> Floats:
        """(n, 17)."""
        none = np.empty((0, SIGNATURE_SIZE))
        return np.stack([self._rows[int(n)][1] for n in self.numbers]) if self._rows else none

    @cached_property
    def descriptors(self) -> NDArray[np.float32]:
        """(2, n, 252) of the whole drawings, and inside their borders."""
        none = np.empty((2, 0, SIZE), np.float32)
        rows = [self._rows[int(n)][2] for n in self.numbers]
        return np.ascontiguousarray(np.stack(rows, axis=1)) if rows else none

    @cached_property
    def postings(self) -> Postings:
        """The inverted list of the rows' tokens."""
        return Postings.of([self._rows[int(n)][3] for n in self.numbers])

    def find(self, fp: Fingerprint, limits: Limits) -> dict[int, Levels]:
        """Catalogue numbers of candidates, and what each key saw of them.

        That is: same key, signature difference, cosine, containment, descriptor.
        """
        if not self._rows:
            return {}
        apart = self._apart(fp.signature)
        cosine, containment = self.postings.scores(fp.sketch)
        whole, inner = self._alike(fp)
        same_key = self.keys.get(fp.key, [])
        chosen = dict.fromkeys(same_key)
        close = np.flatnonzero(apart <= JOIN)
        chosen |= dict.fromkeys(close[np.argsort(apart[close], kind="stable")][:JOINED_AT_MOST])
        chosen |= dict.fromkeys(_best(cosine, limits.cosine))
        chosen |= dict.fromkeys(_best(containment, limits.containment))
        by_inner = SCANNED_DESCRIPTOR if fp.is_raster else limits.descriptor
        by_whole = SCANNED_WHOLE if fp.is_raster else limits.descriptor
        chosen |= dict.fromkeys(_best(inner, by_inner))
        chosen |= dict.fromkeys(_best(whole, by_whole))
        # a scan's outline may be taken for a frame where the vault's is not, or the other way
        alike = np.maximum(inner, whole) if fp.is_raster else inner
        keyed = set(same_key)
        return {
            int(self.numbers[row]): (
                int(row) in keyed,
                float(apart[row]),
                float(cosine[row]),
                float(containment[row]),
                float(alike[row]),
            )
            for row in (int(r) for r in chosen)
        }

    def _apart(self, signature: Floats) -> Floats:
        """(n,) largest difference of any number of the signatures."""
        own, found = np.array(signature, np.float64), np.empty(len(self.signatures))
        kernel("furthest")(*(at(self.signatures), *self.signatures.shape, at(own), at(found)))
        return found

    def _alike(self, fp: Fingerprint) -> tuple[Floats, Floats]:
        """(n,) cosine of the whole drawings, and of what the borders surround.

        What this one's border surrounds may be another's whole drawing.
        """
        whole, inner = self.descriptors
        return whole @ fp.descriptor, np.maximum(inner @ fp.inner, whole @ fp.inner)


def _best(scores: Floats | NDArray[np.float32], count: int) -> Ints:
    """Rows with the highest positive scores, best first; ties by row."""
    count = min(count, len(scores))
    if not count:
        return np.empty(0, np.int64)
    top = np.argpartition(-scores, count - 1)[:count]
    top = top[np.lexsort((top, -scores[top]))]
    return top[scores[top] > 0]
