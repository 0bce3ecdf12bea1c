"""The store that a run was given, as a block or by the settings."""

from __future__ import annotations

import asyncio

from blocks.stores import StoreBlock, stores_from
from dedup2d.jobs.opening import services
from dedup2d.stores.protocol import FileStore


async def uploads_of(store: StoreBlock | None) -> FileStore:
    """The store of a picked block; the configured one where none was picked."""
    opened = await services()
    if store is None:
        return opened.uploads
    return await asyncio.to_thread(lambda: stores_from(store, opened.settings).uploads)
