"""Prefect events that no task emits."""

from __future__ import annotations

import hashlib
from typing import Final

from dedup2d.tickets.model import Delivery

RECEIVER_DISABLED: Final = "dedup2d.receiver.disabled"


def receiver_disabled(delivery: Delivery) -> None:
    """``dedup2d.receiver.disabled``: this delivery's receiver gets no more webhooks for now.

    Told in the background; a server that does not listen costs nothing.
    """
    from prefect.events import emit_event  # noqa: PLC0415 - takes seconds, and happens hardly ever

    name = f"{delivery.tenant_id} {delivery.receiver}"
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    emit_event(
        event=RECEIVER_DISABLED,
        resource={
            "prefect.resource.id": f"dedup2d.receiver.{digest}",
            "prefect.resource.name": delivery.receiver,
            "dedup2d.tenant": delivery.tenant_id,
        },
        payload={
            "receiver": delivery.receiver,
            "job_id": delivery.job_id,
            "last_error": delivery.last_error,
        },
    )
