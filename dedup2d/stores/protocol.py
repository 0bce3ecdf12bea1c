"""What a file store promises; one contract suite runs against every implementation.

Stores are blocking: async callers wrap a call in ``asyncio.to_thread``. A file lies at
``{root}/{folder}/{uuid4 hex}_{sanitised name}``; ``folder`` is the job's (or upload's) id, so
that everything of a job can be deleted by its folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from dedup2d.fileref import FileRef


class Readable(Protocol):
    """A stream of bytes; ``read(n)`` gives b"" at the end."""

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes."""
        ...


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file as a listing shows it."""

    folder: str
    location: str  # FileRef.location
    size: int  # bytes
    modified_at: datetime  # UTC


class FileStore(Protocol):
    """A folder or a bucket. Every method raises ServiceError when the storage itself fails."""

    def put(
        self,
        source: Readable,
        *,
        folder: str,
        file_name: str,
        media_type: str = "",
        max_bytes: int | None = None,
    ) -> FileRef:
        """Stream ``source`` into the store; sha256 and size are taken on the way.

        The file becomes visible only when complete. Whatever fails (the source raises, the
        disk is full, the limit is passed), nothing is left behind. Raises RequestError
        ``FILE_TOO_LARGE`` above ``max_bytes`` and ``EMPTY_FILE`` for no bytes.
        """
        ...

    def fetch(self, ref: FileRef, target: Path) -> FileRef:
        """Copy to ``target``, verifying size and sha256 where ``ref`` has them.

        Gives ``ref`` completed with both. Nothing is left at ``target`` on failure. Raises
        RequestError ``FILE_MISSING`` or ``FILE_ALTERED``, and ``FOREIGN_REF`` for a reference
        that does not point into this store.
        """
        ...

    def verify(self, ref: FileRef) -> FileRef:
        """As ``fetch`` without keeping the bytes."""
        ...

    def read_bytes(self, folder: str, name: str, *, max_bytes: int) -> bytes | None:
        """A small file written by ``write_bytes``; None where there is none."""
        ...

    def write_bytes(self, folder: str, name: str, data: bytes) -> FileRef:
        """A small file under its exact (sanitised) name, replaced atomically."""
        ...

    def delete(self, ref: FileRef) -> bool:
        """Delete the file and its folder if that is empty then; False where it was gone."""
        ...

    def delete_folder(self, folder: str) -> int:
        """Delete all files of a job and the folder; gives how many files were deleted."""
        ...

    def list(self) -> Iterator[StoredFile]:
        """Every complete file, by folder and name; files that vanish meanwhile are skipped."""
        ...
