"""What a flow run in Prefect says of its job, in the words of the HTTP interface."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import FlowRun, State

from dedup2d.jobs.model import (
    FLOW_NAME,
    STATES_OF_STATUS,
    STATUS_OF_STATE,
    JobError,
    JobStatus,
    JobView,
    Outcome,
)


def callback_url_of(run: FlowRun) -> str | None:
    """The callback address that the run was given."""
    url = run.parameters.get("callback_url")
    return url if isinstance(url, str) else None


def state_type_of(run: FlowRun) -> str:
    """The name of the run's state type; a run without a state waits."""
    return run.state_type.value if run.state_type else "SCHEDULED"


def status_of(run: FlowRun) -> JobStatus:
    """What clients see; a job that started once and waits for another worker is in progress."""
    status = STATUS_OF_STATE[state_type_of(run)]
    started = run.start_time is not None
    return JobStatus.IN_PROGRESS if started and status is JobStatus.PENDING else status


def filters_of(status: JobStatus | None) -> list[dict[str, Any]]:
    """What to ask Prefect for, to get the runs with this status; see ``status_of``."""
    if status is None:
        return [{}]
    asked: list[dict[str, Any]] = [{"state": {"type": {"any_": list(STATES_OF_STATUS[status])}}}]
    waiting = {"state": {"type": {"any_": list(STATES_OF_STATUS[JobStatus.PENDING])}}}
    if status is JobStatus.PENDING:
        return [waiting | {"start_time": {"is_null_": True}}]
    if status is JobStatus.IN_PROGRESS:
        asked.append(waiting | {"start_time": {"is_null_": False}})
    return asked


def view_of(run: FlowRun, tenant_id: str) -> JobView:
    """What Prefect alone knows of a job."""
    status = status_of(run)
    error = error_of(run.state) if status is JobStatus.FAILED else None
    return JobView(
        job_id=str(run.id),
        tenant_id=tenant_id,
        status=status,
        created_at=run.created.timestamp() if run.created else None,
        started_at=run.start_time.timestamp() if run.start_time else None,
        finished_at=run.end_time.timestamp() if run.end_time else None,
        error=str(error) if error else None,
        error_code=error.code if error else None,
    )


def with_outcome(view: JobView, outcome: Outcome) -> JobView:
    """``view`` of an ended run as the job itself left it.

    The outcome's status wins, which is what the receiver was told: Prefect ends by itself what
    was cancelled or without a heartbeat for minutes, also when the work was done by then.
    """
    update: dict[str, Any] = {"status": outcome.status, "error": None, "error_code": None}
    if outcome.status is JobStatus.COMPLETED:
        update["result"] = outcome.result
    elif outcome.status is JobStatus.FAILED and outcome.error is not None:
        update |= {"error": str(outcome.error), "error_code": outcome.error.code}
    return view.model_copy(update=update)


def error_of(state: State[Any] | None) -> JobError:
    """Why a run failed: the flow's own ``CODE: sentence``; anything else may carry paths and is not shown."""
    code, _, sentence = ((state.message if state else None) or "").partition(": ")
    if code.isupper() and code.replace("_", "").isalnum():
        return JobError(code=code, message=sentence)
    if state is not None and state.is_crashed():
        return JobError(code="WORKER_LOST", message=f"The worker of this {FLOW_NAME} was lost.")
    return JobError(code="JOB_FAILED", message="The job failed; the server's log says why.")
