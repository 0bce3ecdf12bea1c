"""The geometry JSON that came with indexed drawings, compressed, one per drawing and tenant."""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
from io import BytesIO
from pathlib import Path
from typing import Final

from dedup2d.errors import RequestError
from dedup2d.stores.protocol import FileStore

FILE_NAME: Final = "geometry.v2.json.gz"
SPEED: Final = 4  # of gzip: three quarters of what level 9 saves, in a fifth of its time

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def checked_hash(file_hash: str) -> str:
    """The sha256 of a drawing's bytes. Raises RequestError ``INVALID_FILE_HASH``."""
    if not _SHA256.fullmatch(file_hash):
        raise RequestError(
            "INVALID_FILE_HASH", "Invalid file_hash; expected 64-char lowercase hex sha256"
        )
    return file_hash


class GeometryStore:
    """Blocking, as its FileStore; errors are the store's, and ``INVALID_FILE_HASH``."""

    def __init__(self, store: FileStore) -> None:
        self._store = store

    def keep(self, tenant: str, file_hash: str, path: Path) -> None:
        """Keep the document at ``path`` for these bytes, instead of an earlier one."""
        packed = BytesIO()
        with (
            path.open("rb") as file,
            gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=SPEED, mtime=0) as out,
        ):
            shutil.copyfileobj(file, out)
        self._store.write_bytes(_folder(tenant, file_hash), FILE_NAME, packed.getvalue())

    def has(self, tenant: str, file_hash: str) -> bool:
        """Whether a document is kept for these bytes in this tenant's vault."""
        try:
            return (
                self._store.read_bytes(_folder(tenant, file_hash), FILE_NAME, max_bytes=0)
                is not None
            )
        except RequestError as error:
            if error.code != "FILE_TOO_LARGE":
                raise
            return True  # it is there, and not asked for

    def drop(self, tenant: str, file_hash: str) -> None:
        """Delete the document of a drawing that is taken out of the vault."""
        self._store.delete_folder(_folder(tenant, file_hash))


def _folder(tenant: str, file_hash: str) -> str:
    """One per tenant and drawing: whoever knows a hash learns nothing of other vaults."""
    return hashlib.sha256(f"{tenant}\0{checked_hash(file_hash)}".encode()).hexdigest()[:32]
