"""cleanup: uploads deleted if so configured, local copies dropped, ticket closed."""

from __future__ import annotations

import asyncio

from prefect import task
from prefect.logging import get_run_logger

from blocks.stores import StoreBlock
from dedup2d.jobs.closing import delete_uploads
from dedup2d.jobs.loading import drop_scratch
from dedup2d.jobs.model import Job
from dedup2d.jobs.opening import services
from tasks.opening import uploads_of
from tasks.policy import FEW_RETRIES


@task(name="cleanup", task_run_name="cleanup", **FEW_RETRIES)
async def cleanup(job: Job, store: StoreBlock | None = None) -> int:
    """Give how many files were deleted."""
    opened = await services()
    await asyncio.to_thread(drop_scratch, opened.settings, job.job_id)
    deleted = await delete_uploads(
        await uploads_of(store), job.folder, enabled=opened.settings.cleanup_on_finish
    )
    await opened.queue.close(job.ticket_id)
    get_run_logger().info("%d upload(s) deleted, ticket closed", deleted)
    return deleted
