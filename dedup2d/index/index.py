"""``Index``: add, remove and list drawings, and find candidates for a fingerprint.

The arrays that searching needs are kept in memory per tenant and brought up to date by
generation, so that a process which only reads sees what another has written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from dedup2d.drawing.model import Floats
from dedup2d.index.arrays import JOIN, TenantArrays
from dedup2d.index.catalogue import Catalogue, Entry
from dedup2d.index.limits import Limits
from dedup2d.matching.fingerprint import ALGORITHM_VERSION, Fingerprint, refreshed
from dedup2d.matching.tokens import Tokens

USUAL_DESCRIPTOR: Final = 0.95  # framed drawings are as alike as this whatever they show
LEARNED_FROM: Final = 100  # drawings: below it, frequencies say nothing about frames
COMMON_RARITY: Final = 3.0  # of 5 % of the drawings and more: a frame, a standard part
TELLING_RARITY: Final = 2.5  # above that: fully telling


@dataclass(frozen=True, slots=True)
class Candidate:
    """A drawing that may have to do with the query, and what each key saw of it.

    ``signature`` is the largest difference of two signatures; smaller is closer. The others are
    in [0, 1], larger is closer.
    """

    entry: Entry
    same_bytes: bool
    same_key: bool
    signature: float
    cosine: float
    containment: float
    descriptor: float

    @property
    def promise(self) -> float:
        """Orders candidates: what is most likely to be a match is verified first."""
        if self.same_bytes or self.same_key:
            return 3.0
        close = 1.0 if self.signature <= JOIN else 0.0
        return close + max(self.cosine, self.containment, 3 * (self.descriptor - USUAL_DESCRIPTOR))


@dataclass(frozen=True, slots=True)
class NewDrawing:
    """What a drawing is indexed with."""

    tenant: str
    sha256: str
    file_name: str
    fingerprint: Fingerprint
    path: str = ""
    user_name: str = ""


def drawing_id_of(tenant: str, sha256: str) -> str:
    """The id of these bytes in this tenant's vault: the same on every machine."""
    return hashlib.sha256(f"{tenant}\0{sha256}".encode()).hexdigest()[:32]


class Index:
    """The index in ``folder``. Errors as in Catalogue; one instance belongs to one thread."""

    def __init__(self, folder: Path) -> None:
        self._catalogue = Catalogue(folder)
        self._arrays: dict[str, TenantArrays] = {}
        self._counts: dict[str | None, tuple[int, int, int]] = {}

    def add(self, drawings: Iterable[NewDrawing]) -> tuple[str, ...]:
        """Add drawings, all or none; the same bytes in the same vault are one entry, updated.

        Returns the drawing ids in order.
        """
        now = datetime.now(UTC)
        entries = [(_entry(new, now), new.fingerprint) for new in drawings]
        self._catalogue.add(entries)
        return tuple(entry.drawing_id for entry, _ in entries)

    def remove(self, tenant: str, drawing_id: str) -> bool:
        """Remove a drawing; False if it is not there."""
        return self._catalogue.remove(tenant, drawing_id)

    def entries(self, tenant: str | None = None) -> tuple[Entry, ...]:
        """All drawings (of one tenant), oldest first."""
        return self._catalogue.entries(tenant)

    def entry(self, tenant: str, drawing_id: str) -> Entry | None:
        """One drawing of a tenant."""
        return self._catalogue.by_id(tenant, drawing_id)

    def count(self, tenant: str | None = None) -> int:
        """Number of drawings."""
        return self._counted(tenant)[1]

    def outdated(self, tenant: str | None = None) -> int:
        """Number of drawings that searches skip because an older algorithm indexed them."""
        return self._counted(tenant)[2]

    def _counted(self, tenant: str | None) -> tuple[int, int, int]:
        """Generation, and the numbers of drawings and of outdated ones in it.

        SQLite counts row by row, which no search should wait for.
        """
        generation = self._catalogue.generation()
        known = self._counts.get(tenant)
        if known is None or known[0] != generation:
            counted = self._catalogue.count(tenant), self._catalogue.count_outdated(tenant)
            known = self._counts[tenant] = (generation, *counted)
        return known

    def generation(self) -> int:
        """Number of the last change, of whatever process."""
        return self._catalogue.generation()

    def fingerprint(self, number: int) -> Fingerprint | None:
        """The stored fingerprint of a row; None if it is gone."""
        return self._catalogue.fingerprint(number)

    def info(self) -> dict[str, Any]:
        """What a person wants to know: counts, versions, size."""
        entries = self._catalogue.entries()
        tenants: dict[str, int] = {}
        for entry in entries:
            tenants[entry.tenant] = tenants.get(entry.tenant, 0) + 1
        return {
            "drawings": len(entries),
            "tenants": tenants,
            "outdated": sum(e.algorithm != ALGORITHM_VERSION for e in entries),
            "algorithm_version": ALGORITHM_VERSION,
            "generation": self._catalogue.generation(),
            "bytes": self._catalogue.size(),
        }

    def refresh(self, tenant: str | None = None) -> int:
        """Fingerprint anew, from the stored strokes, what an older algorithm made; how many."""
        outdated = self._catalogue.outdated(tenant)
        for entry in outdated:
            old = self._catalogue.fingerprint(entry.number)
            if old is not None:
                self._catalogue.add([(entry, refreshed(old))])
        return len(outdated)

    def candidates(
        self, fp: Fingerprint, *, tenant: str, sha256: str = "", limits: Limits | None = None
    ) -> tuple[Candidate, ...]:
        """What may have to do with ``fp``, most promising first."""
        arrays = self._current(tenant)
        found = arrays.find(fp, limits or Limits())
        exact = self._catalogue.by_sha256(tenant, sha256) if sha256 else None
        entries = self._catalogue.by_numbers(found)
        candidates = [
            Candidate(entries[number], entries[number].sha256 == sha256, *levels)
            for number, levels in found.items()
            if number in entries
        ]
        if exact is not None and exact.number not in found:
            candidates.append(Candidate(exact, True, False, 0.0, 1.0, 1.0, 1.0))
        candidates.sort(key=lambda c: (-c.promise, c.entry.drawing_id))
        return tuple(candidates)

    def weights(self, tokens: Tokens, count: int, *, tenant: str) -> Floats | None:
        """(count,) how telling each primitive is: 0 for what is in 5 % of the vault's drawings.

        None where the vault is too small to tell, or nothing would be telling.
        """
        postings = self._current(tenant).postings
        if postings.size < LEARNED_FROM or not len(tokens.relative):
            return None
        rarity = np.repeat(postings.rarity_of(tokens.relative), 2)
        owners = tokens.owners.ravel()
        seen = np.bincount(owners, minlength=count)
        mean = np.bincount(owners, rarity, count) / np.maximum(seen, 1)
        weights = np.clip((mean - COMMON_RARITY) / TELLING_RARITY, 0, 1)
        weights[seen == 0] = 0.5
        return weights if weights.sum() > 0 else None

    def close(self) -> None:
        """Give the file back."""
        self._catalogue.close()

    def _current(self, tenant: str) -> TenantArrays:
        arrays = self._arrays.get(tenant)
        if arrays is None:
            arrays = self._arrays[tenant] = TenantArrays()
        if arrays.generation != self._catalogue.generation():
            arrays.apply(self._catalogue.changes(tenant, arrays.generation))
        return arrays


def _entry(new: NewDrawing, now: datetime) -> Entry:
    return Entry(
        number=0,
        drawing_id=drawing_id_of(new.tenant, new.sha256),
        tenant=new.tenant,
        sha256=new.sha256,
        file_name=new.file_name,
        path=new.path,
        user_name=new.user_name,
        added_at=now,
        algorithm=new.fingerprint.version,
        primitives=new.fingerprint.shape.count,
    )
