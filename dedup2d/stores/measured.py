"""A stream that is measured while it is read: size, sha256, limit, and whose fault a fault is."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dedup2d.errors import RequestError
from dedup2d.fileref import FileRef
from dedup2d.stores.names import part_name
from dedup2d.stores.protocol import Readable

CHUNK: Final = 1024**2  # bytes


class SourceError(Exception):
    """Reading the source failed; ``failure`` is what it raised, whatever that was."""

    def __init__(self, failure: BaseException) -> None:
        super().__init__(failure)
        self.failure = failure


class MeasuredReader:
    """Gives ``source`` on, counting and hashing.

    Reads are full until the end of the stream, because boto3 takes a short read for the end.
    Whatever the source raises, and RequestError ``FILE_TOO_LARGE`` above ``max_bytes``, leaves
    ``read`` as SourceError: so a store knows its own faults from those of the source, and
    boto3's threads, which wait for ever when an interrupt passes them, see an Exception.
    """

    def __init__(self, source: Readable, *, max_bytes: int | None = None) -> None:
        self._source = source
        self._max_bytes = max_bytes
        self._digest = hashlib.sha256()
        self._ahead = b""
        self.size = 0

    @property
    def sha256(self) -> str:
        """Of everything that was read, lower-case hex."""
        return self._digest.hexdigest()

    def require_content(self) -> None:
        """Raise RequestError ``EMPTY_FILE`` if the stream has no byte; nothing is lost."""
        self._ahead = self._take(CHUNK)
        if not self._ahead:
            raise RequestError("EMPTY_FILE", "The file is empty.")

    def read(self, size: int = -1, /) -> bytes:
        """Exactly ``size`` bytes while the stream has them; all that is left for -1."""
        parts: list[bytes] = []
        missing = size
        while missing:
            part = self._take(CHUNK if missing < 0 else missing)
            if not part:
                break
            parts.append(part)
            if missing > 0:
                missing -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def drain(self) -> None:
        """Read to the end and keep nothing."""
        while self._take(CHUNK):
            pass

    def _take(self, size: int) -> bytes:
        if self._ahead:
            part, self._ahead = self._ahead[:size], self._ahead[size:]
            return part
        try:
            part = self._source.read(size)
        except BaseException as error:
            raise SourceError(error) from error
        self.size += len(part)
        self._digest.update(part)
        if self._max_bytes is not None and self.size > self._max_bytes:
            raise SourceError(too_large(self._max_bytes))
        return part


@contextmanager
def source_errors_as_they_were() -> Iterator[None]:
    """Raise what the source raised in place of SourceError."""
    failure: BaseException | None = None
    try:
        yield
    except SourceError as error:
        failure = error.failure
    if failure is not None:
        raise failure


def too_large(max_bytes: int) -> RequestError:
    """The refusal of a file above ``max_bytes``."""
    return RequestError("FILE_TOO_LARGE", f"The file is larger than {max_bytes} bytes.")


def missing_file() -> RequestError:
    """The answer for a reference to a file that is not there."""
    return RequestError("FILE_MISSING", "The referenced file is not in the store.")


def foreign_ref() -> RequestError:
    """The answer for a reference that does not point into this store."""
    return RequestError("FOREIGN_REF", "The reference does not point into this store.")


def check_size(ref: FileRef, size: int) -> None:
    """Raise RequestError ``FILE_ALTERED`` if ``ref`` says another size than ``size`` bytes."""
    if ref.size is not None and ref.size != size:
        raise RequestError(
            "FILE_ALTERED",
            f"The file has {size} bytes, it was stored with {ref.size}: it is not the same any more.",
        )


def completed(ref: FileRef, reader: MeasuredReader) -> FileRef:
    """``ref`` with size and digest as read; RequestError ``FILE_ALTERED`` where it had others."""
    check_size(ref, reader.size)
    if ref.sha256 not in {None, reader.sha256}:
        raise RequestError("FILE_ALTERED", "The file's sha256 is another than when it was stored.")
    return ref.model_copy(update={"size": reader.size, "sha256": reader.sha256})


def copy_verified(reader: MeasuredReader, ref: FileRef, target: Path) -> FileRef:
    """Read into ``target``, which is there only if ``completed`` has nothing to object."""
    part = target.with_name(part_name())
    try:
        with part.open("xb") as file:
            shutil.copyfileobj(reader, file, CHUNK)
        verified = completed(ref, reader)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return verified
