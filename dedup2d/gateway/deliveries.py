"""The webhooks of a job: what was tried, and trying again by hand."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Self

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from dedup2d.errors import ConflictError, RequestError
from dedup2d.gateway.auth import Tenant
from dedup2d.gateway.documents import answers
from dedup2d.gateway.examples import DELIVERIES, DELIVERY
from dedup2d.gateway.jobs import JobId
from dedup2d.gateway.patience import patiently
from dedup2d.gateway.refusals import DELIVERY_PROBLEMS, JOB_PROBLEMS
from dedup2d.gateway.state import Gateway, gateway_of
from dedup2d.jobs.model import UnknownJobError
from dedup2d.jobs.outcomes import read_outcome, read_undelivered
from dedup2d.tickets.deliveries import delivery_id_of, new_delivery
from dedup2d.tickets.model import Delivery, LoggedAttempt

router = APIRouter(tags=["webhooks"])

DeliveryId = Annotated[str, Path(max_length=255, examples=[DELIVERY["delivery_id"]])]


class AttemptView(BaseModel):
    """One POST; times are seconds since the epoch."""

    at: float
    duration_ms: float
    http_status: int | None = Field(None, description="null: nobody answered")
    error: str | None = Field(None, description="null: the receiver accepted")

    @classmethod
    def of(cls, attempt: LoggedAttempt) -> Self:
        """As the log has it."""
        return cls(
            at=attempt.at.timestamp(),
            duration_ms=round(attempt.duration_s * 1000, 1),
            http_status=attempt.http_status,
            error=attempt.error,
        )


class DeliveryView(BaseModel):
    """A webhook with its attempts, the oldest first; ``next_attempt_at`` while it is pending."""

    delivery_id: str = Field(description="the header webhook-id of every attempt")
    url: str
    status: str = Field(description="pending, success, failed or skipped")
    created_at: float
    next_attempt_at: float | None = None
    finished_at: float | None = None
    last_error: str | None = None
    attempts: list[AttemptView]

    @classmethod
    def of(cls, delivery: Delivery, log: list[LoggedAttempt]) -> Self:
        """As the ledger has it."""
        due, ended = delivery.next_attempt_at, delivery.finished_at
        return cls(
            delivery_id=delivery.delivery_id,
            url=delivery.url,
            status=delivery.status,
            created_at=delivery.created_at.timestamp(),
            next_attempt_at=due.timestamp() if due else None,
            finished_at=ended.timestamp() if ended else None,
            last_error=delivery.last_error,
            attempts=[AttemptView.of(attempt) for attempt in log],
        )


class DeliveryList(BaseModel):
    """The webhooks of a job."""

    job_id: str
    deliveries: list[DeliveryView]


@router.get(
    "/2d/jobs/{job_id}/deliveries",
    summary="The webhook of a job, with every attempt",
    responses=answers(DELIVERIES, JOB_PROBLEMS),
)
async def list_deliveries(request: Request, job_id: JobId, tenant: Tenant) -> DeliveryList:
    """Empty where no callback was asked for, and before the job's end."""
    gateway = gateway_of(request)
    await patiently(partial(gateway.jobs.request_of, job_id, tenant))
    delivery = await _known(gateway, job_id)
    if delivery is None:
        return DeliveryList(job_id=job_id, deliveries=[])
    log = await gateway.services.ledger.log(job_id)
    return DeliveryList(job_id=job_id, deliveries=[DeliveryView.of(delivery, log)])


@router.post(
    "/2d/jobs/{job_id}/deliveries/{delivery_id}/replay",
    summary="Send a webhook again",
    status_code=202,
    responses=answers(DELIVERY, DELIVERY_PROBLEMS, status=202),
)
async def replay(
    request: Request, job_id: JobId, delivery_id: DeliveryId, tenant: Tenant
) -> DeliveryView:
    """At once, and by schedule until it is accepted; under the same ``webhook-id``.

    It goes even to a receiver that is switched off, which is on again when it accepts.
    """
    gateway = gateway_of(request)
    asked = await patiently(partial(gateway.jobs.request_of, job_id, tenant))
    if asked.callback_url is None or delivery_id != delivery_id_of(job_id):
        raise RequestError("DELIVERY_NOT_FOUND", f"Job {job_id} has no delivery {delivery_id}.")
    if await read_outcome(gateway.services.results, job_id) is None:
        view = await patiently(partial(gateway.jobs.get, job_id, tenant))
        if not view.status.is_terminal:
            raise ConflictError("JOB_NOT_ENDED", f"Job {job_id} has not ended yet.")
        raise UnknownJobError(job_id)
    delivery = await _known(gateway, job_id) or new_delivery(
        job_id, tenant_id=tenant, url=asked.callback_url
    )
    again = await gateway.services.courier.replay(delivery)
    return DeliveryView.of(again, await gateway.services.ledger.log(job_id))


async def _known(gateway: Gateway, job_id: str) -> Delivery | None:
    """As the ledger has it; where that was lost, as it was kept for such a case."""
    found = await gateway.services.ledger.of_job(job_id)
    return found or await read_undelivered(gateway.services.results, job_id)
