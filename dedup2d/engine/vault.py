"""An opened index with the drawings that were lately verified, kept warm between searches."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Final

from dedup2d.index.catalogue import Entry
from dedup2d.index.index import Index
from dedup2d.matching.subject import Subject, subject

MOST_KEPT: Final = 256  # prepared drawings; each holds about half a megabyte


class Vault:
    """The index in ``folder`` and prepared subjects of its drawings. For one thread."""

    def __init__(self, folder: Path) -> None:
        self.index = Index(folder)
        self._kept: OrderedDict[tuple[int, int], tuple[int, Subject]] = OrderedDict()

    def weighted(self, plain: Subject, *, tenant: str) -> Subject:
        """A drawing, weighted by what is common in the tenant's vault."""
        strokes = plain.prepared
        weights = self.index.weights(strokes.tokens, strokes.shape.count, tenant=tenant)
        if weights is None and strokes.weights is None:
            return plain
        return replace(plain, prepared=strokes.weighing(weights))

    def subject(self, entry: Entry, *, tenant: str) -> Subject | None:
        """A drawing of the vault, weighted.

        The same bytes may be indexed again with other geometry JSON, so its generation counts.
        None if it was removed meanwhile. Raises ServiceError ``INDEX_DAMAGED``.
        """
        key, learned = (entry.number, entry.generation), self.index.generation()
        since, found = self._kept.get(key, (-1, None))
        if found is None:
            fp = self.index.fingerprint(entry.number)
            if fp is None:
                return None
            found = subject(fp)
        if since != learned:  # what is common in the vault may have changed
            found = self.weighted(found, tenant=tenant)
        self._kept[key] = learned, found
        self._kept.move_to_end(key)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return found


_OPENED: dict[str, Vault] = {}


def opened(folder: Path) -> Vault:
    """The vault of a folder; a process opens it once and keeps it warm."""
    name = str(folder)
    if name not in _OPENED:
        _OPENED[name] = Vault(folder)
    return _OPENED[name]


def forget(folder: Path) -> None:
    """Close a vault that proved to be broken, so that the next call opens it anew."""
    vault = _OPENED.pop(str(folder), None)
    if vault is not None:
        vault.index.close()
