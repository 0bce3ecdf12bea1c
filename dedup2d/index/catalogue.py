"""The index on disk: one SQLite file, written by one process at a time, read by many.

Every change is one transaction with a new generation, which tells readers what to fetch. In WAL
mode a writer that is killed leaves the last complete generation. Strokes lie in a table of their
own, so that opening, which reads all keys, does not page through them.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.errors import ServiceError
from dedup2d.matching.fingerprint import ALGORITHM_VERSION, Fingerprint, decode, encode

FILE_NAME: Final = "vault.sqlite3"
SCHEMA_VERSION: Final = 3
BUSY_TIMEOUT_S: Final = 30.0

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS drawings (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    drawing_id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    file_name TEXT NOT NULL,
    path TEXT NOT NULL,
    user_name TEXT NOT NULL,
    added_at TEXT NOT NULL,
    generation INTEGER NOT NULL,
    algorithm INTEGER NOT NULL,
    primitives INTEGER NOT NULL,
    key TEXT NOT NULL,
    signature BLOB NOT NULL,
    descriptors BLOB NOT NULL,
    sketch BLOB NOT NULL,
    UNIQUE (tenant, sha256)
);
CREATE TABLE IF NOT EXISTS geometry (number INTEGER PRIMARY KEY, strokes BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS drawings_by_algorithm ON drawings (tenant, algorithm);
CREATE INDEX IF NOT EXISTS drawings_by_change ON drawings (tenant, generation);
CREATE TABLE IF NOT EXISTS removed (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    generation INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT OR IGNORE INTO counters VALUES ('generation', 0);
"""

_UPSERT: Final = """
INSERT INTO drawings (drawing_id, tenant, sha256, file_name, path, user_name, added_at,
    generation, algorithm, primitives, key, signature, descriptors, sketch)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant, sha256) DO UPDATE SET
    file_name = excluded.file_name, path = excluded.path, user_name = excluded.user_name,
    generation = excluded.generation, algorithm = excluded.algorithm,
    primitives = excluded.primitives, key = excluded.key, signature = excluded.signature,
    descriptors = excluded.descriptors, sketch = excluded.sketch
RETURNING number
"""

_OUTDATED: Final = f"(algorithm < {ALGORITHM_VERSION} OR algorithm > {ALGORITHM_VERSION})"
_ENTRY: Final = (
    "number, drawing_id, tenant, sha256, file_name, path, user_name, added_at, "
    "algorithm, primitives, generation"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One drawing of the vault; ``number`` is its row, stable while it is in the index.

    ``generation`` is that of its last change: what was made of an older one is stale.
    """

    number: int
    drawing_id: str
    tenant: str
    sha256: str
    file_name: str
    path: str
    user_name: str
    added_at: datetime
    algorithm: int
    primitives: int
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """What searching needs of a drawing that is new or was updated."""

    number: int
    key: str
    signature: bytes
    descriptors: bytes
    sketch: bytes


@dataclass(frozen=True, slots=True)
class Changes:
    """All that happened to a tenant's drawings up to ``generation``."""

    generation: int
    changed: tuple[Change, ...]
    removed: tuple[int, ...]


class Catalogue:
    """The SQLite file below ``folder``, made if it is not there.

    Raises ServiceError: ``INDEX_DAMAGED`` for a broken file, ``INDEX_VERSION`` for one that
    another version of the program made, ``INDEX_BUSY`` while another process writes for long.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        with _told():
            folder.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            self._open()

    def _open(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA_VERSION):
            self._db.close()
            raise ServiceError(
                "index",
                f"The index has format {version}, this program writes {SCHEMA_VERSION}. "
                "Index the vault again into a new folder.",
                code="INDEX_VERSION",
            )
        self._to_write_ahead()
        self._db.execute("PRAGMA synchronous = NORMAL")
        if version == 0:
            with self._writing():
                for statement in _SCHEMA.split(";\n"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        self._db.execute("SELECT value FROM counters").fetchone()

    def _to_write_ahead(self) -> None:
        """SQLite does not wait by itself when two processes that open a new file both ask it."""
        until = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _next_generation(self) -> int:
        self._db.execute("UPDATE counters SET value = value + 1 WHERE name = 'generation'")
        return self.generation()

    def generation(self) -> int:
        """Number of the last change; grows with every write of any process."""
        with _told():
            row = self._db.execute("SELECT value FROM counters WHERE name = 'generation'")
            return int(row.fetchone()[0])

    def add(self, entries: Iterable[tuple[Entry, Fingerprint]]) -> None:
        """Add or update drawings, all or none; a given Entry's number and generation do not matter."""
        rows = [(_row(entry, fp), encode(fp)) for entry, fp in entries]
        with _told(), self._writing():
            generation = self._next_generation()
            for row, strokes in rows:
                values = (*row[:7], generation, *row[7:])
                number = self._db.execute(_UPSERT, values).fetchone()[0]
                self._db.execute("INSERT OR REPLACE INTO geometry VALUES (?, ?)", (number, strokes))

    def remove(self, tenant: str, drawing_id: str) -> bool:
        """Remove a drawing; False if there is none of this id."""
        with _told(), self._writing():
            found = self._db.execute(
                "DELETE FROM drawings WHERE tenant = ? AND drawing_id = ? RETURNING number",
                (tenant, drawing_id),
            ).fetchone()
            if found is None:
                return False
            self._db.execute("DELETE FROM geometry WHERE number = ?", found)
            self._db.execute(
                "INSERT INTO removed VALUES (?, ?, ?)",
                (found[0], tenant, self._next_generation()),
            )
            return True

    def entries(self, tenant: str | None = None) -> tuple[Entry, ...]:
        """All drawings (of one tenant), oldest first."""
        where, values = _of(tenant)
        return self._entries(f"WHERE {where} ORDER BY number", values)

    def by_numbers(self, numbers: Iterable[int]) -> dict[int, Entry]:
        """The drawings of these rows, as far as they are still there."""
        wanted = tuple(numbers)
        marks = ",".join("?" * len(wanted))
        return {e.number: e for e in self._entries(f"WHERE number IN ({marks})", wanted)}

    def by_id(self, tenant: str, drawing_id: str) -> Entry | None:
        """One drawing of a tenant."""
        found = self._entries("WHERE tenant = ? AND drawing_id = ?", (tenant, drawing_id))
        return found[0] if found else None

    def by_sha256(self, tenant: str, sha256: str) -> Entry | None:
        """The drawing with exactly these bytes."""
        found = self._entries("WHERE tenant = ? AND sha256 = ?", (tenant, sha256))
        return found[0] if found else None

    def _entries(self, where: str, values: tuple[object, ...]) -> tuple[Entry, ...]:
        with _told():
            rows = self._db.execute(f"SELECT {_ENTRY} FROM drawings {where}", values)  # noqa: S608  # fixed clauses
            return tuple(_stored(row) for row in rows)

    def fingerprint(self, number: int) -> Fingerprint | None:
        """The stored fingerprint of a row; None if it is gone."""
        with _told():
            row = self._db.execute(
                "SELECT strokes, signature, descriptors, sketch FROM drawings "
                "JOIN geometry USING (number) WHERE number = ?",
                (number,),
            ).fetchone()
        if row is None:
            return None
        return decode(
            row[0],
            np.frombuffer(row[1], "<f8"),
            vectors(row[2]),
            np.frombuffer(row[3], "<u4"),
        )

    def changes(self, tenant: str, since: int) -> Changes:
        """What changed after generation ``since``; only rows of this version's algorithm."""
        with _told():
            self._db.execute("BEGIN")
            try:
                generation = self.generation()
                changed = self._db.execute(
                    "SELECT number, key, signature, descriptors, sketch FROM drawings "
                    "WHERE tenant = ? AND generation > ? AND algorithm = ? ORDER BY number",
                    (tenant, since, ALGORITHM_VERSION),
                ).fetchall()
                removed = self._db.execute(
                    "SELECT number FROM removed WHERE tenant = ? AND generation > ?",
                    (tenant, since),
                ).fetchall()
            finally:
                self._db.execute("COMMIT")
        return Changes(
            generation, tuple(Change(*row) for row in changed), tuple(row[0] for row in removed)
        )

    def outdated(self, tenant: str | None = None) -> tuple[Entry, ...]:
        """Drawings whose fingerprint another version of the algorithm made."""
        where, values = _of(tenant)
        return self._entries(f"WHERE {where} AND {_OUTDATED} ORDER BY number", values)

    def count_outdated(self, tenant: str | None = None) -> int:
        """Number of these."""
        where, values = _of(tenant)
        return self._count(f"{where} AND {_OUTDATED}", values)

    def count(self, tenant: str | None = None) -> int:
        """Number of drawings."""
        return self._count(*_of(tenant))

    def _count(self, where: str, values: tuple[object, ...]) -> int:
        with _told():
            row = self._db.execute(f"SELECT COUNT(*) FROM drawings WHERE {where}", values)  # noqa: S608  # fixed clauses
            return int(row.fetchone()[0])

    def size(self) -> int:
        """Bytes on disk, what waits in the write-ahead log included."""
        files = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def close(self) -> None:
        """Give the file back."""
        self._db.close()


def vectors(descriptors: bytes) -> NDArray[np.float32]:
    """(2, 252) the stored descriptors of a drawing: of the whole, and inside its border."""
    return np.frombuffer(descriptors, "<f2").astype(np.float32).reshape(2, -1)


def _of(tenant: str | None) -> tuple[str, tuple[str, ...]]:
    """The condition on the rows of one tenant, or of all, and its values."""
    return ("tenant = ?", (tenant,)) if tenant is not None else ("true", ())


def _stored(row: tuple[Any, ...]) -> Entry:
    number, drawing_id, tenant, sha256, file_name, path, user_name, added_at = row[:8]
    version, count, generation = row[8:]
    return Entry(
        number=number,
        drawing_id=drawing_id,
        tenant=tenant,
        sha256=sha256,
        file_name=file_name,
        path=path,
        user_name=user_name,
        added_at=datetime.fromisoformat(added_at),
        algorithm=version,
        primitives=count,
        generation=generation,
    )


def _row(entry: Entry, fp: Fingerprint) -> tuple[object, ...]:
    return (
        entry.drawing_id,
        entry.tenant,
        entry.sha256,
        entry.file_name,
        entry.path,
        entry.user_name,
        entry.added_at.astimezone(UTC).isoformat(),
        fp.version,
        fp.shape.count,
        fp.key,
        np.ascontiguousarray(fp.signature, "<f8").tobytes(),
        np.stack([fp.descriptor, fp.inner]).astype("<f2").tobytes(),
        np.ascontiguousarray(fp.sketch, "<u4").tobytes(),
    )


@contextmanager
def _told() -> Iterator[None]:
    """SQLite's errors as ours, and those of the folder."""
    try:
        yield
    except OSError as error:
        raise ServiceError(
            "index", f"The index's folder cannot be used: {error.strerror}: {error.filename}."
        ) from error
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise ServiceError(
                "index", "Another process is writing to the index.", code="INDEX_BUSY"
            ) from error
        raise ServiceError("index", f"The index cannot be used: {error}.") from error
    except sqlite3.DatabaseError as error:
        raise ServiceError(
            "index",
            "The index file is damaged. Index the vault again into a new folder.",
            code="INDEX_DAMAGED",
        ) from error
