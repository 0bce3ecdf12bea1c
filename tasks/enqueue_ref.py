"""enqueue-ref: the reference enters the queue; a job that came by the gateway is in it already."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from prefect import get_client, task
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from dedup2d.fileref import FileRef
from dedup2d.jobs.model import TENANT_TAG, Job
from dedup2d.jobs.opening import services
from dedup2d.tickets.model import MAX_LISTED_FILES, Ticket
from tasks.policy import RETRIES

UNLIMITED: Final = sys.maxsize  # this job was accepted long ago: it runs


@task(name="enqueue-ref", task_run_name="enqueue-ref", **RETRIES)
async def enqueue_ref(job: Job, refs: Sequence[FileRef]) -> Ticket:
    """Make sure that this job has its ticket, and that the ticket knows its job."""
    queue = (await services()).queue
    ticket = await queue.get(job.ticket_id)
    if ticket is None or not ticket.job_id:  # Redis lost it, or the gateway died before binding it
        wanted = Ticket(
            ticket_id=job.ticket_id,
            tenant_id=job.tenant_id,
            files=tuple(refs[:MAX_LISTED_FILES]),
            file_count=len(refs),
            callback_url=job.callback_url,
        )
        await queue.admit(wanted, max_jobs=UNLIMITED, max_jobs_per_tenant=UNLIMITED)
        ticket = await queue.bind(job.ticket_id, job.job_id)
    await tag_run(job)
    get_run_logger().info("ticket %s of tenant %s", ticket.ticket_id, ticket.tenant_id)
    return ticket


async def tag_run(job: Job) -> None:
    """Tag the run with its tenant, so that its tenant may see it; the gateway's runs are."""
    tag = f"{TENANT_TAG}{job.tenant_id}"
    if tag not in flow_run.tags:
        async with get_client() as client:
            await client.update_flow_run(UUID(job.job_id), tags=[*flow_run.tags, tag])
