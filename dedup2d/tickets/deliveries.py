"""The delivery ledger: who notifies the end of a job, and how far that got."""

from __future__ import annotations

import uuid
from typing import Any, Final

from redis.asyncio import Redis

from dedup2d.tickets import keys
from dedup2d.tickets.connect import queue_errors, script
from dedup2d.tickets.keys import Keys
from dedup2d.tickets.model import Delivery

_DELIVERIES: Final = uuid.UUID("0f8b2a52-6f0c-5c0e-9a63-2d1d5f1e7c11")  # names of delivery ids


class DeliveryLedger:
    """Deliveries below ``prefix``; each is kept ``ttl_s`` seconds from its last change.

    ``ttl_s`` must be longer than anybody may still try to notify a job, because a forgotten
    delivery can be claimed anew. A claim lasts ``claim_s`` seconds, which must be longer than
    the sender's attempts take.
    """

    def __init__(
        self, redis: Redis, *, prefix: str, ttl_s: int, claim_s: float = keys.CLAIM_S
    ) -> None:
        self._redis: Any = redis  # its annotations are unions over protocols and decoding
        self._keys = Keys(prefix)
        self._ttl_s = ttl_s
        self._claim_ms = round(claim_s * 1000)
        self._claim = redis.register_script(script("claim"))
        self._record = redis.register_script(script("record"))

    async def claim(self, job_id: str, status: str) -> Delivery | None:
        """The right to notify that ``job_id`` ended with ``status``; None where it is taken.

        Only one caller at a time has it, and nobody once the delivery was recorded as
        ``success``, ``failed`` or ``skipped``. A claim whose sender died can be had again when
        its time is over: with the attempts recorded so far and the same ``delivery_id``, which
        is made of the job's id, so that a receiver recognises a repetition.
        """
        fresh = Delivery(delivery_id=_delivery_id(job_id), job_id=job_id, status="pending")
        with queue_errors():
            text = await self._claim(
                keys=[self._keys.delivery(job_id), self._keys.sender(job_id)],
                args=[
                    uuid.uuid4().hex,
                    self._claim_ms,
                    fresh.model_dump_json(exclude_none=True),
                    status,
                    self._ttl_s,
                ],
            )
        return Delivery.model_validate_json(text) if text else None

    async def record(self, delivery: Delivery) -> None:
        """Write down an attempt (``pending``: the claim is prolonged) or the end.

        A delivery that was recorded as accepted stays accepted.
        """
        with queue_errors():
            await self._record(
                keys=[self._keys.delivery(delivery.job_id), self._keys.sender(delivery.job_id)],
                args=[
                    delivery.status,
                    delivery.model_dump_json(exclude_none=True),
                    self._ttl_s,
                    self._claim_ms,
                ],
            )

    async def of_job(self, job_id: str) -> list[Delivery]:
        """The job's deliveries; empty where nobody claimed one yet."""
        with queue_errors():
            text = await self._redis.hget(self._keys.delivery(job_id), "delivery")
        return [Delivery.model_validate_json(text)] if text else []


def _delivery_id(job_id: str) -> str:
    return str(uuid.uuid5(_DELIVERIES, job_id))
