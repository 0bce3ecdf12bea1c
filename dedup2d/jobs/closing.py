"""How a job ends, whoever notices: webhook once, upload gone, ticket closed.

Called at the end of the flow, from its hooks, from the gateway for a job that was cancelled
before it started, and from the sweep. Each step is idempotent, so being called twice, or dying
in between and being called again, changes nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from dedup2d.errors import ServiceError
from dedup2d.jobs.loading import drop_scratch
from dedup2d.jobs.model import Outcome
from dedup2d.jobs.services import Services
from dedup2d.stores.protocol import FileStore
from dedup2d.tickets.model import Delivery
from dedup2d.webhooks.body import webhook_body

OUTCOME_FILE: Final = "outcome.json"
MAX_OUTCOME_BYTES: Final = 256 * 1024**2


async def keep_outcome(results: FileStore, outcome: Outcome) -> None:
    """Store the outcome where the gateway finds it by the job's id."""
    await asyncio.to_thread(
        results.write_bytes, outcome.job_id, OUTCOME_FILE, outcome.model_dump_json().encode()
    )


async def read_outcome(results: FileStore, job_id: str) -> Outcome | None:
    """The stored outcome; None where the job has none (yet, or any more)."""
    data = await asyncio.to_thread(
        results.read_bytes, job_id, OUTCOME_FILE, max_bytes=MAX_OUTCOME_BYTES
    )
    return None if data is None else Outcome.model_validate_json(data)


async def notify_receiver(
    services: Services, outcome: Outcome, callback_url: str | None
) -> Delivery | None:
    """Deliver the webhook of this terminal state, unless it was delivered before.

    None where there is no receiver or somebody else has the delivery. The receiver's faults
    are recorded in the ledger, never raised.
    """
    if callback_url is None:
        return None
    claimed = await services.ledger.claim(outcome.job_id, outcome.status.value)
    if claimed is None:
        return None
    body = webhook_body(
        job_id=outcome.job_id,
        tenant_id=outcome.tenant_id,
        status=outcome.status.value,
        error=str(outcome.error) if outcome.error else None,
        result=outcome.result,
        started_at=outcome.started_at,
        finished_at=outcome.finished_at,
    )

    async def progress(attempted: Delivery) -> None:
        with suppress(ServiceError):  # a Redis that is away must not end the delivery
            await services.ledger.record(attempted)

    delivery = await services.sender.deliver(
        claimed.delivery_id,
        callback_url,
        job_id=outcome.job_id,
        tenant_id=outcome.tenant_id,
        body=body,
        attempts_before=claimed.attempts,
        progress=progress,
    )
    await services.ledger.record(delivery.model_copy(update={"job_id": outcome.job_id}))
    return delivery


async def delete_uploads(uploads: FileStore, folder: str, *, enabled: bool) -> int:
    """Delete every file of this upload folder, if uploads are to be cleaned up."""
    if not enabled:
        return 0
    return await asyncio.to_thread(uploads.delete_folder, folder)


async def close_job(
    services: Services,
    outcome: Outcome,
    *,
    ticket_id: str | None,
    callback_url: str | None,
    uploads: FileStore | None = None,
) -> None:
    """Everything at once, for those who end a job from outside of its flow.

    An outcome that the job itself kept stays. The order matters: the sweep looks for uploads
    and tickets, so the last of them goes when nothing else is left to do. A step that fails is
    raised, and the sweep goes on from there.
    """
    kept = await read_outcome(services.results, outcome.job_id)
    if kept is None:
        await keep_outcome(services.results, outcome)
    folder = ticket_id or outcome.job_id
    await asyncio.to_thread(drop_scratch, services.settings, outcome.job_id)
    await notify_receiver(services, kept or outcome, callback_url)
    await delete_uploads(
        uploads or services.uploads, folder, enabled=services.settings.cleanup_on_finish
    )
    await services.queue.close(folder)
