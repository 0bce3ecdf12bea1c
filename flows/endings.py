"""How a flow run of a job ends: its state, and the hooks for the ends that no body sees."""

from __future__ import annotations

from typing import Any

from prefect import Flow
from prefect.blocks.core import Block
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Cancelled, Completed, Failed

from dedup2d.jobs.closing import close_job
from dedup2d.jobs.model import DEFAULT_TENANT, JobError, JobStatus, Outcome
from dedup2d.jobs.opening import services
from dedup2d.jobs.service import callback_url_of
from dedup2d.stores.protocol import FileStore
from tasks.opening import uploads_of


def final_state(outcome: Outcome) -> State[None]:
    """Prefect's state for an outcome; a failure's message is ``CODE: sentence``."""
    if outcome.status is JobStatus.COMPLETED:
        found = (outcome.result or {}).get("total_matches", 0)
        return Completed(message=f"{found} match(es)")
    if outcome.status is JobStatus.CANCELED:
        return Cancelled(message="Cancelled on request.")
    return Failed(message=str(outcome.error))


async def close_after(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 - Prefect calls hooks by these names
    """Hook: webhook, cleanup and ticket of a run that could not see to them itself.

    A run that did is left as it is: each step is idempotent.
    """
    canceled = state.is_cancelling() or state.is_cancelled()
    outcome = Outcome(
        job_id=str(flow_run.id),
        tenant_id=str(flow_run.parameters.get("tenant_id") or DEFAULT_TENANT),
        status=JobStatus.CANCELED if canceled else JobStatus.FAILED,
        error=None if canceled else error_of(state),
        started_at=flow_run.start_time,
    )
    await close_job(
        await services(),
        outcome,
        ticket_id=flow_run.parameters.get("ticket_id"),
        callback_url=callback_url_of(flow_run),
        uploads=await uploads_of_run(flow_run),
    )


def error_of(state: State[Any]) -> JobError:
    """A crash is a lost worker; other failures have said their code."""
    code, _, sentence = (state.message or "").partition(": ")
    if not state.is_crashed() and code.isupper():
        return JobError(code=code, message=sentence)
    return JobError(code="WORKER_LOST", message="The worker of this job was lost.")


async def uploads_of_run(run: FlowRun) -> FileStore:
    """The store that the run was given as a block; the configured one where it was given none."""
    picked = run.parameters.get("store")
    if isinstance(picked, dict) and "$ref" in picked:
        return await uploads_of(await Block.aload_from_ref(picked["$ref"]))
    return await uploads_of(None)
