"""dedup: fingerprints -> candidates -> verified matches, as a Report per drawing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from prefect import task
from prefect.logging import get_run_logger

from dedup2d.jobs.loading import refused
from dedup2d.jobs.model import Job, Loaded
from dedup2d.jobs.opening import services
from dedup2d.options import SearchOptions
from dedup2d.report import Report
from tasks.policy import CONCURRENT_FILES, RETRIES


@task(name="dedup", task_run_name="dedup", **RETRIES)
async def dedup(job: Job, drawings: Sequence[Loaded], options: SearchOptions) -> list[Report]:
    """Search the tenant's vault for each drawing."""
    opened = await services()
    turn = asyncio.Semaphore(CONCURRENT_FILES)

    async def report(loaded: Loaded) -> Report:
        if loaded.drawing is None:
            return refused(loaded)
        async with turn:
            return await opened.matcher.search(loaded.drawing, options, tenant=job.tenant_id)

    reports = await asyncio.gather(*map(report, drawings))
    get_run_logger().info(
        "%d drawing(s), %d duplicate(s), %d similar",
        len(reports),
        sum(len(r.duplicates) for r in reports),
        sum(len(r.similar) for r in reports),
    )
    return reports
