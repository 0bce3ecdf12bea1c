"""Short-lived local copies that the gateway itself has to look into.

The bytes of a search go straight into the upload store. Geometry JSON (validated before the
job is accepted) and drawings to be indexed need a file on this machine for a moment.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

from dedup2d.errors import RequestError
from dedup2d.fileref import FileRef
from dedup2d.gateway.geometry import MAX_IN_PROCESS_BYTES, check
from dedup2d.sandbox import ChildPool
from dedup2d.settings import Settings
from dedup2d.stores.bridge import put_stream
from dedup2d.stores.local import LocalStore

GEOMETRY_TIMEOUT_S: Final = 30.0
STALE: Final = timedelta(hours=24)  # no request lives that long


@dataclass(frozen=True, slots=True)
class Tray:
    """The files of one request."""

    folder: str
    root: Path
    store: LocalStore

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.root / self.folder

    async def keep(
        self, chunks: AsyncIterator[bytes], *, file_name: str, media_type: str, max_bytes: int
    ) -> FileRef:
        """Stream an upload into a file. Raises as ``FileStore.put`` does."""
        return await put_stream(
            self.store,
            chunks,
            folder=self.folder,
            file_name=file_name,
            media_type=media_type,
            max_bytes=max_bytes,
        )

    def path_of(self, ref: FileRef) -> Path:
        """Where a file of this tray lies."""
        return self.root / ref.location


class Inbox:
    """Trays below the data folder, and the child process that checks large geometry."""

    def __init__(self, settings: Settings) -> None:
        self._root = settings.data_dir / "inbox"
        self._store = LocalStore(self._root)
        self._children = ChildPool(
            processes=1,
            memory_bytes=settings.child_memory_bytes,
            preload=("dedup2d.gateway.geometry",),
        )

    async def clear(self) -> None:
        """Delete what a killed gateway left."""
        await asyncio.to_thread(self._clear, datetime.now(UTC) - STALE)

    def _clear(self, limit: datetime) -> None:
        for tray in self._root.glob("*"):
            with suppress(FileNotFoundError):  # another gateway clears too
                if tray.stat().st_mtime < limit.timestamp():
                    shutil.rmtree(tray, ignore_errors=True)

    @asynccontextmanager
    async def tray(self) -> AsyncIterator[Tray]:
        """A folder that is gone after the block."""
        tray = Tray(folder=uuid4().hex, root=self._root, store=self._store)
        try:
            yield tray
        finally:
            # A matcher may leave folders in it; what cannot be deleted now goes with ``clear``.
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, tray.path, ignore_errors=True))

    async def check_geometry(self, path: Path, *, size: int) -> None:
        """Raise RequestError ``INVALID_GEOMETRY`` unless the file is geometry JSON."""
        payload = {"path": str(path)}
        if size <= MAX_IN_PROCESS_BYTES:
            answer = await asyncio.to_thread(check, payload)
        else:
            answer = await self._children.run(
                "dedup2d.gateway.geometry:check", payload, timeout_s=GEOMETRY_TIMEOUT_S
            )
        if answer["reason"] is not None:
            raise RequestError("INVALID_GEOMETRY", f"Invalid geom_json: {answer['reason']}")

    async def aclose(self) -> None:
        """End the child process."""
        await self._children.aclose()
