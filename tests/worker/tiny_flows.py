"""Flows for the worker's tests, loaded by their entrypoint as deployments do."""

import asyncio
import os
import time
from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed

from dedup2d.jobs.interrupts import outcome_of
from dedup2d.jobs.model import Answer, Job, JobStatus


@flow(name="tiny", persist_result=False)
async def tiny(seconds: float = 0.0, journal: str = "") -> State[None]:
    job_id = str(flow_run.id)
    job = Job(job_id=job_id, tenant_id="t", folder=job_id, ticket_id=job_id)

    async def work() -> Answer:
        end = time.monotonic() + seconds
        while journal and time.monotonic() < end:
            with Path(journal).open("a") as file:  # noqa: ASYNC230 - a line
                file.write(f"{job_id} {os.getpid()}\n")
            await asyncio.sleep(0.1)
        await asyncio.sleep(end - time.monotonic())
        return Answer()

    outcome, _ = await outcome_of(job, work(), timeout_s=60)
    if outcome.status is JobStatus.CANCELED:
        return Cancelled(message="stopped")
    return Completed(message="done")
