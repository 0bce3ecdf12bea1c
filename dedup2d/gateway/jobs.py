"""Looking at jobs, listing and cancelling them."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request

from dedup2d.errors import RequestError
from dedup2d.gateway.auth import Tenant
from dedup2d.gateway.bodies import Canceled, JobItem, JobList
from dedup2d.gateway.documents import answers, one_of
from dedup2d.gateway.examples import CANCELED, JOB, JOB_ID, JOBS
from dedup2d.gateway.hangup import while_connected
from dedup2d.gateway.patience import patiently
from dedup2d.gateway.refusals import JOB_PROBLEMS, LIST_PROBLEMS
from dedup2d.gateway.state import gateway_of
from dedup2d.gateway.waiting import ended
from dedup2d.jobs.model import JobStatus, JobView

router = APIRouter(tags=["jobs"])

LONGEST_WAIT_S: Final = 60.0
JobId = Annotated[str, Path(max_length=255, examples=[JOB_ID])]


@router.get("/2d/jobs", summary="My jobs, newest first", responses=answers(JOBS, LIST_PROBLEMS))
async def list_jobs(
    request: Request,
    tenant: Tenant,
    status: Annotated[
        str | None,
        Query(
            description="pending, in_progress, completed, failed or canceled",
            json_schema_extra=one_of(JobStatus),
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JobList:
    """Results are not part of the list; ``total`` is the length of the list."""
    jobs = gateway_of(request).jobs
    views = await patiently(partial(jobs.list, tenant, status=_status_of(status), limit=limit))
    return JobList(jobs=[JobItem.of(view) for view in views], total=len(views))


@router.get(
    "/2d/jobs/{job_id}",
    summary="A job, and its result when it has completed",
    responses=answers(JOB, JOB_PROBLEMS),
)
async def get_job(
    request: Request,
    job_id: JobId,
    tenant: Tenant,
    wait: Annotated[
        float,
        Query(ge=0, le=LONGEST_WAIT_S, description="seconds to wait for the job's end, if need be"),
    ] = 0,
) -> JobView:
    """``completed`` comes with ``result``; ``failed`` with ``error`` and ``error_code``.

    With ``wait`` the answer comes when the job has ended, or when the time is over.
    """
    gateway = gateway_of(request)
    look = partial(gateway.jobs.get, job_id, tenant)
    view = await patiently(look)
    if view.status.is_terminal or not wait:
        return view
    end = await while_connected(request, ended(gateway, job_id, tenant, wait))
    return await patiently(look) if end is None else end


@router.post(
    "/2d/jobs/{job_id}/cancel",
    summary="End a job",
    responses=answers(CANCELED, JOB_PROBLEMS),
)
async def cancel_job(request: Request, job_id: JobId, tenant: Tenant) -> Canceled:
    """Answers at once; a running job stops within seconds. A job that has ended stays as it is."""
    await patiently(partial(gateway_of(request).jobs.cancel, job_id, tenant))
    return Canceled(job_id=job_id, tenant_id=tenant)


def _status_of(text: str | None) -> JobStatus | None:
    if text is None:
        return None
    try:
        return JobStatus(text.strip().lower())
    except ValueError:
        known = ", ".join(JobStatus)
        raise RequestError(
            "INVALID_STATUS_FILTER", f"Invalid status: {text}. Valid values: {known}"
        ) from None
