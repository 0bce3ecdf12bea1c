"""load: reference -> verified local copy -> Drawing, read in a child process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from prefect import task
from prefect.logging import get_run_logger

from blocks.stores import StoreBlock
from dedup2d.fileref import FileRef
from dedup2d.jobs.loading import load_drawing
from dedup2d.jobs.model import Job, Loaded
from dedup2d.jobs.opening import services
from tasks.opening import uploads_of
from tasks.policy import CONCURRENT_FILES, RETRIES


@task(name="load", task_run_name="load", **RETRIES)
async def load(
    job: Job,
    refs: Sequence[FileRef],
    *,
    geometry: FileRef | None = None,
    store: StoreBlock | None = None,
) -> list[Loaded]:
    """Load each drawing; a broken one fails the task if it is alone, else it is said."""
    opened = await services()
    uploads = await uploads_of(store)
    turn = asyncio.Semaphore(CONCURRENT_FILES)

    async def loaded(ref: FileRef) -> Loaded:
        async with turn:
            return await load_drawing(
                opened, uploads, job, ref, geometry=geometry, alone=len(refs) == 1
            )

    drawings = await asyncio.gather(*map(loaded, refs))
    get_run_logger().info(
        "%d read, %d refused",
        sum(d.drawing is not None for d in drawings),
        sum(d.error is not None for d in drawings),
    )
    return drawings
