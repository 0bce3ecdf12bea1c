"""How a job ends, whoever notices: webhook once, upload gone, ticket closed.

Called at the end of the flow, from its hooks, from the gateway for a job that was cancelled
before it started, and from the sweep. Each step is idempotent, so being called twice, or dying
in between and being called again, changes nothing.
"""

from __future__ import annotations

import asyncio

from dedup2d.jobs.loading import drop_scratch
from dedup2d.jobs.model import Outcome
from dedup2d.jobs.outcomes import keep_outcome, read_outcome
from dedup2d.jobs.services import Services
from dedup2d.stores.protocol import FileStore
from dedup2d.tickets.model import Delivery


async def notify_receiver(
    services: Services, outcome: Outcome, callback_url: str | None
) -> Delivery | None:
    """Begin the webhook of this terminal state, unless it was begun before; see ``Courier``.

    None where there is no receiver or somebody else has the delivery. Neither the receiver's
    faults nor the ledger's are raised.
    """
    if callback_url is None:
        return None
    return await services.courier.announce(outcome, callback_url)


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
    if kept is None:  # before the receiver is told: whoever tries the webhook again reads it
        await keep_outcome(services.results, outcome)
    folder = ticket_id or outcome.job_id
    await asyncio.to_thread(drop_scratch, services.settings, outcome.job_id)
    await notify_receiver(services, kept or outcome, callback_url)
    await delete_uploads(
        uploads or services.uploads, folder, enabled=services.settings.cleanup_on_finish
    )
    await services.queue.close(folder)
