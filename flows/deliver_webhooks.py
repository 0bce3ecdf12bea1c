"""deliver-webhooks: tries again what receivers have not accepted."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks.deliver import deliver


@flow(name="deliver-webhooks", persist_result=False)
async def deliver_webhooks() -> State[None]:
    """Make one attempt at every delivery that is due; the warm worker does so each second."""
    tried = await deliver()
    return Completed(message=f"{tried} tried")
