"""GET /2d/jobs/{id}/events: what happens to a job, as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic import BaseModel

from dedup2d.errors import Dedup2DError
from dedup2d.gateway.auth import Tenant
from dedup2d.gateway.jobs import JobId
from dedup2d.gateway.patience import patiently
from dedup2d.gateway.refusals import JOB_PROBLEMS
from dedup2d.gateway.state import Gateway, gateway_of
from dedup2d.jobs.model import JobStatus, JobView
from dedup2d.tickets.model import Progress

router = APIRouter(tags=["jobs"])

HEARTBEAT_S: Final = 15.0  # a comment, so that proxies keep the connection and lost ones are found
RETRY_MS: Final = 2000  # when a browser connects again
NO_BUFFERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
EVENT: Final[dict[str, Any]] = {  # OpenAPI 3.1 describes a stream by one of its events
    "schema": {
        "type": "object",
        "properties": {
            "event": {"enum": ["status", "progress"]},
            "data": {"type": "string", "description": "JSON: how the job stands"},
            "id": {"type": "string"},
        },
    },
    "example": {
        "event": "status",
        "data": '{"job_id":"6f3c1f0e-…","status":"in_progress","progress":null,'
        '"error":null,"error_code":null}',
        "id": "in_progress",
    },
}
STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "the events, until the job has ended",
        "content": {"text/event-stream": EVENT},
    },
    204: {"description": "Last-Event-ID says that the end was heard: connect no more"},
}


class JobEvent(BaseModel):
    """The data of an event; the result of a job is at ``GET /2d/jobs/{id}``."""

    job_id: str
    status: JobStatus
    progress: Progress | None = None
    error: str | None = None
    error_code: str | None = None

    @classmethod
    def of(cls, view: JobView) -> JobEvent:
        """How the job stands in this view."""
        return cls(**view.model_dump(include=set(cls.model_fields)))

    @property
    def event_id(self) -> str:
        """What a client that comes back says it heard last."""
        return self.status if self.progress is None else f"{self.status}-{self.progress.done}"

    def encoded(self, name: str) -> bytes:
        """On the wire."""
        return format_sse_event(data_str=self.model_dump_json(), event=name, id=self.event_id)


@router.get(
    "/2d/jobs/{job_id}/events",
    summary="What happens to a job, as server-sent events",
    response_class=Response,
    responses=STREAM | JOB_PROBLEMS,
)
async def follow(
    request: Request,
    job_id: JobId,
    tenant: Tenant,
    last_event_id: Annotated[str | None, Header(description="what was heard last")] = None,
) -> Response:
    """``status`` with each change of state, ``progress`` of a batch; the first is how it stands.

    The stream ends after ``completed``, ``failed`` or ``canceled``; comments come in between.
    """
    gateway = gateway_of(request)
    view = await patiently(partial(gateway.jobs.get, job_id, tenant))
    if view.status.is_terminal and last_event_id == JobEvent.of(view).event_id:
        return Response(status_code=204)
    return EventSourceResponse(_stream(gateway, view), headers=NO_BUFFERS)


async def _stream(gateway: Gateway, view: JobView) -> AsyncIterator[bytes]:
    last = JobEvent.of(view)
    yield format_sse_event(retry=RETRY_MS)
    yield last.encoded("status")
    if last.status.is_terminal:
        return
    async with gateway.watch.listen(view.job_id) as listener:
        while not listener.is_over:
            standing = await listener.news(HEARTBEAT_S)
            if standing is None:
                yield format_sse_event(comment="")
                continue
            update = {"status": standing.status, "progress": standing.progress}
            event = last.model_copy(update=update)
            if standing.status.is_terminal:
                yield (await _at_its_end(gateway, view, event)).encoded("status")
                return
            if event != last:
                yield event.encoded("status" if event.status is not last.status else "progress")
                last = event


async def _at_its_end(gateway: Gateway, view: JobView, event: JobEvent) -> JobEvent:
    """With the error of a job that failed."""
    try:
        ended = await patiently(partial(gateway.jobs.get, view.job_id, view.tenant_id))
    except Dedup2DError:  # the stream has begun, so the status alone must do
        return event
    return JobEvent.of(ended)
