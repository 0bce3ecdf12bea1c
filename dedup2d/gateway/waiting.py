"""Waiting for a job on behalf of a client that wants the report itself."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from dedup2d.errors import ServiceError
from dedup2d.gateway.bodies import Accepted
from dedup2d.gateway.errors import ERROR_HEADER, RETRY_AFTER_S
from dedup2d.gateway.state import Gateway
from dedup2d.jobs.model import JobStatus, JobView

logger = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 1.0
PAUSE_FACTOR: Final = 1.4
MARGIN_S: Final = 15.0  # beyond the job's own time limit, for the way there and back
WAIT_LIMIT: Final = "wait_limit"  # forced_async_reason of a job that did not end in time


async def wait_for_end(
    gateway: Gateway, request: Request, job_id: str, tenant: str, *, keep: bool
) -> JobView | None:
    """The ended job; None where it goes on after the time limit.

    A client that hangs up cannot learn the job's id any more: its job is cancelled, unless
    ``keep`` (it has an idempotency key to come back with).
    """
    clock = asyncio.get_running_loop()
    deadline = clock.time() + gateway.settings.job_timeout_s + MARGIN_S
    pause = FIRST_PAUSE_S
    while clock.time() < deadline:
        await asyncio.sleep(pause)
        pause = min(pause * PAUSE_FACTOR, LONGEST_PAUSE_S)
        if await request.is_disconnected():
            if not keep:
                await gateway.jobs.cancel(job_id, tenant)
            raise ClientDisconnect
        try:
            view = await gateway.jobs.get(job_id, tenant)
        except ServiceError as error:  # the job is safe; asking again costs nothing
            logger.warning("job %s cannot be looked at just now: %s", job_id, error)
            continue
        if view.status.is_terminal:
            return view
    return None


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
    detail = {"error": code, "message": message, "job_id": job_id}
    return JSONResponse({"detail": detail}, status, headers=headers)


JSON_UNAVAILABLE: Final = 503
_STATUS_OF_FAILURE: Final = {
    "JOB_CANCELED": 409,
    "TIME_LIMIT": 504,
    "WORKER_LOST": 503,
    "INTERNAL_ERROR": 500,
    "JOB_FAILED": 500,
    "FILE_MISSING": 500,  # the upload, which was stored whole
    "FILE_ALTERED": 500,
}


def _status_of(code: str) -> int:
    if code.endswith("_UNAVAILABLE"):
        return JSON_UNAVAILABLE
    return _STATUS_OF_FAILURE.get(code, 400)
