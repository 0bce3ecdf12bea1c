"""The delivery ledger: who notifies the end of a job, how far that got, and when to try again."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final

from redis.asyncio import Redis

from dedup2d.tickets import keys
from dedup2d.tickets.connect import queue_errors, script
from dedup2d.tickets.keys import Keys
from dedup2d.tickets.model import Delivery, LoggedAttempt

_DELIVERIES: Final = uuid.UUID("0f8b2a52-6f0c-5c0e-9a63-2d1d5f1e7c11")  # names of delivery ids


def delivery_id_of(job_id: str) -> str:
    """Made of the job's id, so that it survives the loss of all data."""
    return str(uuid.uuid5(_DELIVERIES, job_id))


def new_delivery(job_id: str, *, tenant_id: str, url: str) -> Delivery:
    """The one delivery of a job's end, before its first attempt."""
    return Delivery(delivery_id=delivery_id_of(job_id), job_id=job_id, tenant_id=tenant_id, url=url)


class DeliveryLedger:
    """Deliveries below ``prefix``; each is kept ``ttl_s`` seconds from when it was last due.

    ``ttl_s`` must be longer than anybody may still try to notify a job, because a forgotten
    delivery can be claimed anew. A claim lasts ``claim_s`` seconds, which must be longer than
    one attempt takes. A receiver (of one tenant: scheme, host and port) that has accepted
    nothing for ``disable_after_s`` seconds is switched off; 0: never. ``clock`` gives Unix
    seconds; without, it is Redis's, so that machines need not agree on the time.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        prefix: str,
        ttl_s: int,
        claim_s: float = keys.CLAIM_S,
        disable_after_s: int = 0,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._redis: Any = redis  # its annotations are unions over protocols and decoding
        self._keys = Keys(prefix)
        self._ttl_s = ttl_s
        self._claim_s = claim_s
        self._disable_after_s = disable_after_s
        self._clock = clock
        self._claim = redis.register_script(script("clock", "claim"))
        self._record = redis.register_script(script("clock", "record"))
        self._due = redis.register_script(script("clock", "due"))
        self._schedule = redis.register_script(script("clock", "schedule"))

    async def claim(self, fresh: Delivery) -> tuple[Delivery, bool] | None:
        """The right to send this job's delivery, begun by this call where there is none yet.

        None where it has ended, somebody else is sending, or it is not due. Only one caller at
        a time has it; a claim whose sender died can be had again when its time is over, with
        the attempts recorded so far and the same id. The second value is whether its receiver
        is switched off.
        """
        return await self._claimed(fresh, fresh.model_dump_json(exclude_none=True))

    async def take(self, due: Delivery) -> tuple[Delivery, bool] | None:
        """As ``claim``, for a delivery that was begun."""
        return await self._claimed(due, "")

    async def _claimed(self, delivery: Delivery, fresh: str) -> tuple[Delivery, bool] | None:
        with queue_errors():
            answer = await self._claim(
                keys=self._places(delivery)[:3],
                args=[delivery.job_id, self._claim_s, fresh, self._ttl_s, self._now()],
            )
        return (Delivery.model_validate_json(answer[0]), bool(answer[1])) if answer else None

    async def record(self, delivery: Delivery, attempt: LoggedAttempt | None = None) -> bool:
        """Write down an attempt and what follows; gives whether the receiver is off by this.

        Pending: it is due at ``next_attempt_at``. A delivery that was recorded as accepted
        stays accepted.
        """
        with queue_errors():
            switched_off = await self._record(
                keys=self._places(delivery),
                args=[
                    delivery.job_id,
                    delivery.status,
                    delivery.model_dump_json(exclude_none=True),
                    self._ttl_s,
                    delivery.next_attempt_at.timestamp() if delivery.next_attempt_at else "",
                    attempt.model_dump_json(exclude_none=True) if attempt else "",
                    keys.ATTEMPTS_LOGGED,
                    self._disable_after_s,
                    keys.RECEIVER_FAILURES,
                    max(keys.RECEIVER_KEPT_S, 2 * self._disable_after_s),
                    self._now(),
                ],
            )
        return bool(switched_off)

    async def due(self, limit: int, *, skip: int = 0) -> list[Delivery]:
        """What may be sent now, the longest due first; take it before sending."""
        with queue_errors():
            found = await self._due(
                keys=[self._keys.due], args=[self._keys.delivery(""), skip, limit, self._now()]
            )
        return [Delivery.model_validate_json(text) for text in found]

    async def schedule(self, delivery: Delivery) -> None:
        """Make a delivery pending, due at ``next_attempt_at``, whatever it was before."""
        assert delivery.next_attempt_at is not None
        with queue_errors():
            await self._schedule(
                keys=self._places(delivery)[:2],
                args=[
                    delivery.job_id,
                    delivery.model_dump_json(exclude_none=True),
                    delivery.next_attempt_at.timestamp(),
                    self._ttl_s,
                    self._now(),
                ],
            )

    async def of_job(self, job_id: str) -> Delivery | None:
        """The job's delivery; None where nobody began one."""
        (delivery,) = await self.of_jobs([job_id])
        return delivery

    async def of_jobs(self, job_ids: Sequence[str]) -> list[Delivery | None]:
        """The delivery of each job, in one round trip."""
        with queue_errors():
            async with self._redis.pipeline(transaction=False) as asked:
                for job_id in job_ids:
                    asked.hget(self._keys.delivery(job_id), "delivery")
                found = await asked.execute()
        return [Delivery.model_validate_json(text) if text else None for text in found]

    async def log(self, job_id: str) -> list[LoggedAttempt]:
        """The attempts at the job's delivery, the oldest first."""
        with queue_errors():
            texts = await self._redis.lrange(self._keys.delivery_log(job_id), 0, -1)
        return [LoggedAttempt.model_validate_json(text) for text in texts]

    def _places(self, delivery: Delivery) -> list[str]:
        return [
            self._keys.delivery(delivery.job_id),
            self._keys.due,
            self._keys.receiver(delivery.tenant_id, delivery.receiver),
            self._keys.delivery_log(delivery.job_id),
        ]

    def _now(self) -> float | str:
        return "" if self._clock is None else self._clock()
