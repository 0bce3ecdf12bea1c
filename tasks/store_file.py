"""store-file: bytes stream into the file store, a FileRef comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from prefect import task
from prefect.logging import get_run_logger

from blocks.stores import StoreBlock
from dedup2d.fileref import FileRef
from dedup2d.jobs.model import Job
from dedup2d.jobs.opening import services
from dedup2d.stores.sources import store_source
from tasks.opening import uploads_of
from tasks.policy import CONCURRENT_FILES, RETRIES


@task(name="store-file", task_run_name="store-file", **RETRIES)
async def store_file(
    job: Job, sources: Sequence[str | FileRef], store: StoreBlock | None = None
) -> list[FileRef]:
    """Store each source (a path, an address, an S3 object), or verify it where it is stored."""
    opened = await services()
    uploads = await uploads_of(store)
    turn = asyncio.Semaphore(CONCURRENT_FILES)

    async def stored(source: str | FileRef) -> FileRef:
        async with turn:
            return await store_source(
                source, uploads, folder=job.folder, settings=opened.settings, guard=opened.guard
            )

    refs = await asyncio.gather(*map(stored, sources))
    get_run_logger().info("%d file(s), %d bytes stored", len(refs), sum(r.size or 0 for r in refs))
    return refs
