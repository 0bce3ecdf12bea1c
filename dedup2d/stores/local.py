"""A file store in a folder: temp file, fsync, rename, fsync of the folder."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from dedup2d.errors import RequestError, ServiceError
from dedup2d.fileref import Backend, FileRef
from dedup2d.stores.measured import (
    CHUNK,
    MeasuredReader,
    check_size,
    completed,
    copy_verified,
    foreign_ref,
    missing_file,
    source_errors_as_they_were,
    too_large,
)
from dedup2d.stores.names import (
    checked_folder,
    is_folder,
    part_name,
    plain_media_type,
    sanitised,
    shown,
    unique_name,
)
from dedup2d.stores.protocol import Readable, StoredFile

_TRIES: Final = 20  # a folder may be deleted between its making and its use


class LocalStore:
    """``FileStore`` below ``root``, which is made with the first file.

    A file that is being written is a hidden part in its folder: ``list`` does not show it, and
    ``remove_unfinished`` finds those that a killed process left.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()  # flows may change the working directory

    def put(
        self,
        source: Readable,
        *,
        folder: str,
        file_name: str,
        media_type: str = "",
        max_bytes: int | None = None,
    ) -> FileRef:
        """See ``FileStore.put``."""
        reader = MeasuredReader(source, max_bytes=max_bytes)
        name = unique_name(file_name)
        with source_errors_as_they_were():
            reader.require_content()
            with disk_errors("write the file"):
                self._write(folder, name, lambda file: shutil.copyfileobj(reader, file, CHUNK))
        return FileRef(
            backend=Backend.LOCAL,
            path=f"{folder}/{name}",
            sha256=reader.sha256,
            size=reader.size,
            file_name=shown(file_name),
            media_type=plain_media_type(media_type),
            stored_at=datetime.now(UTC),
        )

    def fetch(self, ref: FileRef, target: Path) -> FileRef:
        """See ``FileStore.fetch``; the folder of ``target`` must be there."""
        with disk_errors("copy the file"), self._opened(ref) as (reader, _):
            return copy_verified(reader, ref, target)

    def verify(self, ref: FileRef) -> FileRef:
        """See ``FileStore.verify``."""
        with disk_errors("read the file"), self._opened(ref) as (reader, _):
            reader.drain()
            return completed(ref, reader)

    def read_bytes(self, folder: str, name: str, *, max_bytes: int) -> bytes | None:
        """See ``FileStore.read_bytes``; RequestError ``FILE_TOO_LARGE`` above ``max_bytes``."""
        ref = FileRef(backend=Backend.LOCAL, path=f"{checked_folder(folder)}/{sanitised(name)}")
        try:
            with disk_errors("read the file"), self._opened(ref) as (reader, size):
                if size > max_bytes:
                    raise too_large(max_bytes)
                return reader.read()
        except RequestError as error:
            if error.code == "FILE_MISSING":
                return None
            raise

    def write_bytes(self, folder: str, name: str, data: bytes) -> FileRef:
        """See ``FileStore.write_bytes``."""
        exact = sanitised(name)
        with disk_errors("write the file"):
            self._write(folder, exact, lambda file: file.write(data))
        return FileRef(
            backend=Backend.LOCAL,
            path=f"{folder}/{exact}",
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
            file_name=shown(name),
            stored_at=datetime.now(UTC),
        )

    def delete(self, ref: FileRef) -> bool:
        """See ``FileStore.delete``; a link is deleted, not what it points to."""
        path = self._path_of(ref)
        with disk_errors("delete the file"):
            self._refuse_outside(path.parent)
            try:
                path.unlink()
                deleted = True
            except (FileNotFoundError, NotADirectoryError):
                deleted = False
            if path.parent != self._root:
                _remove_if_empty(path.parent)
        return deleted

    def delete_folder(self, folder: str) -> int:
        """See ``FileStore.delete_folder``; a file that is being written there then fails."""
        path = self._root / checked_folder(folder)
        deleted = 0
        with disk_errors("delete the folder"):
            if path.is_symlink():
                raise foreign_ref()
            for _ in range(_TRIES):
                for entry in _entries(path):
                    with suppress(FileNotFoundError):
                        Path(entry).unlink()
                        deleted += not entry.name.startswith(".")
                _remove_if_empty(path)
                if not path.exists():
                    return deleted
        raise ServiceError("store", "The folder is being written to and cannot be deleted now.")

    def list(self) -> Iterator[StoredFile]:
        """See ``FileStore.list``; links are not followed."""
        with disk_errors("list its files"):
            folders = self._folders()
        for folder in folders:
            with disk_errors("list its files"):
                files = [_stored(folder.name, entry) for entry in _entries(folder)]
            yield from (file for file in files if file is not None)

    def remove_unfinished(self, older_than: datetime) -> int:
        """Delete what killed processes left: parts and empty folders untouched since then.

        Gives how many were deleted.
        """
        limit, removed = older_than.timestamp(), 0
        with disk_errors("delete unfinished files"):
            for folder in self._folders():
                touched = _modified(folder)  # before a part's going touches the folder
                for entry in _entries(folder):
                    if entry.name.startswith(".") and _modified(entry) < limit:
                        Path(entry).unlink(missing_ok=True)
                        removed += 1
                if touched < limit:
                    removed += _remove_if_empty(Path(folder))
        return removed

    def _folders(self) -> Sequence[os.DirEntry[str]]:
        """The folders that can be ours; others, such as ``lost+found``, are left alone."""
        return [
            entry
            for entry in _entries(self._root)
            if is_folder(entry.name) and entry.is_dir(follow_symlinks=False)
        ]

    def _path_of(self, ref: FileRef) -> Path:
        if ref.backend is not Backend.LOCAL or ref.path is None:
            raise foreign_ref()
        path = self._root / ref.path
        if path.name.startswith("."):
            raise missing_file()
        return path

    def _refuse_outside(self, path: Path) -> None:
        """Raise FOREIGN_REF if links lead out of the store's root."""
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise foreign_ref()

    @contextmanager
    def _opened(self, ref: FileRef) -> Iterator[tuple[MeasuredReader, int]]:
        """A reader of the file, and its size in bytes; only regular files inside the root."""
        path = self._path_of(ref)
        self._refuse_outside(path.parent)
        try:
            # NONBLOCK: opening a named pipe must not wait for somebody to write to it.
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise missing_file() from error
        except OSError as error:
            if error.errno == errno.ELOOP:  # a link
                raise foreign_ref() from error
            raise
        with os.fdopen(descriptor, "rb") as file, source_errors_as_they_were():
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise missing_file()
            check_size(ref, status.st_size)
            yield MeasuredReader(file), status.st_size

    def _write(self, folder: str, name: str, fill: Callable[[BinaryIO], object]) -> None:
        """Write ``{folder}/{name}`` so that it is there whole and durably, or not at all."""
        path = self._root / checked_folder(folder)
        made, part = self._new_part(path)
        created = not (path / name).exists()
        try:
            with part.open("r+b") as file:
                fill(file)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path / name)
            sync_folder(path)
            if made:
                sync_folder(self._root)
        except BaseException:
            part.unlink(missing_ok=True)
            if created:
                (path / name).unlink(missing_ok=True)
            _remove_if_empty(path)
            raise

    def _new_part(self, folder: Path) -> tuple[bool, Path]:
        """Whether ``folder`` had to be made, and an empty part in it."""
        for _ in range(_TRIES):
            made = not folder.exists()
            # Somebody may delete the empty folder at any moment: mkdir then says that it exists
            # (and it does not any more), touch that it does not.
            with suppress(FileNotFoundError, FileExistsError):
                folder.mkdir(parents=True, exist_ok=True)
                self._refuse_outside(folder)
                part = folder / part_name()
                part.touch(exist_ok=False)
                return made, part
        raise ServiceError("store", "The folder is being deleted and cannot be written to now.")


@contextmanager
def disk_errors(action: str) -> Iterator[None]:
    """Turn the operating system's errors into a ServiceError that names no path."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise ServiceError("store", f"The file store cannot {action}: {reason}.") from error


def _entries(folder: Path | os.DirEntry[str]) -> list[os.DirEntry[str]]:
    """Sorted as an S3 listing is, ``/`` after each folder's name; none if it is not there."""
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: f"{entry.name}/")
    except (FileNotFoundError, NotADirectoryError):
        return []


def _modified(entry: os.DirEntry[str]) -> float:
    """Seconds since the epoch; the end of time for what has vanished meanwhile."""
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return float("inf")


def _stored(folder: str, entry: os.DirEntry[str]) -> StoredFile | None:
    """The entry if it is a complete file and still there."""
    try:
        if entry.name.startswith(".") or not entry.is_file(follow_symlinks=False):
            return None
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return StoredFile(
        folder=folder,
        location=f"{folder}/{entry.name}",
        size=status.st_size,
        modified_at=datetime.fromtimestamp(status.st_mtime, UTC),
    )


def _remove_if_empty(folder: Path) -> bool:
    """Whether the folder was empty and is gone now."""
    try:
        folder.rmdir()
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
            return False
        raise
    return True


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # network shares cannot sync a folder
            raise
    finally:
        os.close(descriptor)
