"""Waiting for a job on behalf of a client that wants the report itself."""

from __future__ import annotations

from functools import partial
from typing import Final

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from dedup2d.gateway.bodies import Accepted
from dedup2d.gateway.errors import ERROR_HEADER, RETRY_AFTER_S, predecessors_sentence
from dedup2d.gateway.hangup import while_connected
from dedup2d.gateway.patience import patiently
from dedup2d.gateway.state import Gateway
from dedup2d.jobs.model import JobStatus, JobView

MARGIN_S: Final = 15.0  # beyond the job's own time limit, for the way there and back
WAIT_LIMIT: Final = "wait_limit"  # forced_async_reason of a job that did not end in time


async def wait_for_end(
    gateway: Gateway, request: Request, job_id: str, tenant: str, *, keep: bool
) -> JobView | None:
    """The ended job; None where it goes on after the time limit.

    A client that hangs up cannot learn the job's id any more: its job is cancelled, unless
    ``keep`` (it has an idempotency key to come back with).
    """
    timeout_s = gateway.settings.job_timeout_s + MARGIN_S
    try:
        return await while_connected(request, ended(gateway, job_id, tenant, timeout_s))
    except ClientDisconnect:
        if not keep:
            await gateway.jobs.cancel(job_id, tenant)
        raise


async def ended(gateway: Gateway, job_id: str, tenant: str, timeout_s: float) -> JobView | None:
    """The job once it has ended; None after the time, or because the gateway stops."""
    async with gateway.watch.listen(job_id) as listener:
        standing = await listener.end(timeout_s)
        gone = standing is None and listener.is_over and not gateway.watch.stopped
    if standing is None and not gone:
        return None
    return await patiently(partial(gateway.jobs.get, job_id, tenant))


def answer_of(job_id: str, view: JobView | None) -> Response:
    """The report, or why there is none; a job that goes on is answered as an accepted one."""
    if view is None:
        return JSONResponse(Accepted.of(job_id, WAIT_LIMIT).model_dump(mode="json"))
    if view.status is JobStatus.COMPLETED:
        return JSONResponse(view.result)
    code = view.error_code or "JOB_CANCELED"
    message = (view.error or "The job was canceled.").removeprefix(f"{code}: ")
    status = _status_of(code)
    headers = {ERROR_HEADER: code}
    if status == JSON_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    sentence = predecessors_sentence(code)
    detail = sentence or {"error": code, "message": message, "job_id": job_id}
    return JSONResponse({"detail": detail}, status, headers=headers)


JSON_UNAVAILABLE: Final = 503
_STATUS_OF_FAILURE: Final = {
    "JOB_CANCELED": 409,
    "TIME_LIMIT": 504,
    "WORKER_LOST": 503,
    "VISION_CIRCUIT_OPEN": 503,
    "VISION_BUSY": 503,
    "VISION_REFUSED": 503,
    "VISION_BAD_ANSWER": 502,
    "INTERNAL_ERROR": 500,
    "JOB_FAILED": 500,
    "FILE_MISSING": 500,  # the upload, which was stored whole
    "FILE_ALTERED": 500,
}


def _status_of(code: str) -> int:
    if code.endswith("_UNAVAILABLE"):
        return JSON_UNAVAILABLE
    return _STATUS_OF_FAILURE.get(code, 400)
