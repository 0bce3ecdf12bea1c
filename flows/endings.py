"""How a flow run of a job ends: what stands already, and the hooks for the ends that no body sees."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from prefect import Flow, runtime
from prefect.blocks.core import Block
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import Abort

from dedup2d.errors import ServiceError
from dedup2d.jobs.closing import close_job
from dedup2d.jobs.interrupts import outcome_of
from dedup2d.jobs.model import DEFAULT_TENANT, Answer, Job, JobStatus, Outcome
from dedup2d.jobs.opening import services
from dedup2d.jobs.outcomes import read_outcome
from dedup2d.jobs.views import callback_url_of, error_of
from dedup2d.stores.protocol import FileStore
from tasks.opening import uploads_of


@contextmanager
def given_back_on_fault() -> Iterator[None]:
    """A service that stays away gives the run back to the queue instead of ending it.

    Without the lease of a worker the run counts as lost, and another attempt goes on with it.
    """
    try:
        yield
    except ServiceError as fault:
        raise Abort(f"Given back: {fault}") from fault


async def only_outcome_of(
    job: Job, work: Callable[[], Coroutine[Any, Any, Answer]], *, timeout_s: float
) -> tuple[Outcome, Answer]:
    """As ``outcome_of``, but how another attempt of this run has ended the job stands.

    Its receiver may have been told, and its files may be gone. The other one is over, or a
    worker that stood still and was thought dead; so it is asked for before the work and after.
    """
    if (kept := await _kept_by_another(job)) is not None:
        return kept, Answer()
    outcome, answer = await outcome_of(job, work(), timeout_s=timeout_s)
    if (kept := await _kept_by_another(job)) is not None:
        return kept, Answer()
    return outcome, answer


async def _kept_by_another(job: Job) -> Outcome | None:
    if runtime.flow_run.run_count == 1:
        return None
    return await read_outcome((await services()).results, job.job_id)


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


async def uploads_of_run(run: FlowRun) -> FileStore:
    """The store that the run was given as a block; the configured one where it was given none."""
    picked = run.parameters.get("store")
    if isinstance(picked, dict) and "$ref" in picked:
        return await uploads_of(await Block.aload_from_ref(picked["$ref"]))
    return await uploads_of(None)
