"""Tells receivers how jobs ended: once at the job's end, then by schedule until they accept.

A delivery is never part of its job: it has its own time limit, its own state, and its failure
changes nothing about the job. An attempt is claimed in the ledger before it is made and recorded
after it, so whoever is killed in between leaves a claim that runs out, and the next one goes on
with the same id.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime, timedelta
from time import time
from typing import Any, Final, TypeAlias

from dedup2d.errors import RequestError, ServiceError
from dedup2d.jobs.model import Outcome
from dedup2d.jobs.outcomes import (
    drop_undelivered,
    keep_undelivered,
    read_outcome,
    read_undelivered,
)
from dedup2d.stores.protocol import FileStore
from dedup2d.tickets.deliveries import DeliveryLedger, new_delivery
from dedup2d.tickets.model import Delivery, LoggedAttempt
from dedup2d.webhooks.body import webhook_body
from dedup2d.webhooks.schedule import Schedule
from dedup2d.webhooks.sender import Attempt, WebhookSender

logger = logging.getLogger(__name__)

_Sending: TypeAlias = Coroutine[Any, Any, Delivery | None]

HEAD_START_S: Final = 2.0  # a job waits that long for its receiver; then it ends beside the attempt
AT_ONCE: Final = 32  # attempts of one process that were due
PER_RECEIVER: Final = 4  # of them at one receiver, so that a silent one does not take all
LOOKED_AT: Final = 500  # due deliveries in one look
FAREWELL_S: Final = 3.0  # for attempts under way when the process ends
SWITCHED_OFF: Final = "The receiver is switched off: it has accepted nothing for days."


class Courier:
    """Delivers through ``sender`` by ``schedule``, and keeps the ledger.

    ``tell`` is called when a receiver was switched off by a delivery's failure. ``jitter(low,
    high)`` and ``clock`` (Unix seconds) are chance and time; the ledger should have the same
    clock.
    """

    def __init__(
        self,
        ledger: DeliveryLedger,
        sender: WebhookSender,
        results: FileStore,
        schedule: Schedule,
        *,
        tell: Callable[[Delivery], None],
        jitter: Callable[[float, float], float] = random.uniform,
        clock: Callable[[], float] = time,
    ) -> None:
        self._ledger = ledger
        self._sender = sender
        self._results = results
        self._schedule = schedule
        self._tell = tell
        self._jitter = jitter
        self._clock = clock
        self._skip = 0
        self._sending: dict[asyncio.Task[Delivery | None], Delivery] = {}

    async def announce(self, outcome: Outcome, url: str) -> Delivery | None:
        """Make the first attempt at telling this outcome, unless somebody did.

        None where somebody has the delivery, or had it. An attempt that takes longer than
        ``HEAD_START_S`` goes on beside the caller. With the ledger away the delivery is kept in
        the result store, where the sweep finds it; only that store's absence is raised.
        """
        fresh = new_delivery(outcome.job_id, tenant_id=outcome.tenant_id, url=url)
        try:
            claimed = await self._ledger.claim(fresh)
        except ServiceError as error:
            logger.warning("the webhook of job %s waits for the sweep: %s", fresh.job_id, error)
            waiting = fresh.model_copy(update={"next_attempt_at": self._now()})
            await keep_undelivered(self._results, waiting)
            return waiting
        if claimed is None:
            return None
        delivery, is_off = claimed
        sending = self._start(delivery, self._send(delivery, outcome, is_off=is_off))
        done, _ = await asyncio.wait({sending}, timeout=HEAD_START_S)
        return sending.result() if done else delivery

    async def send_due(self) -> int:
        """Start an attempt at what is due, as far as there is room; gives how many were."""
        started = 0
        due = await self._ledger.due(LOOKED_AT, skip=self._skip)
        # A backlog at one silent receiver must not hide the others behind it.
        self._skip = self._skip + LOOKED_AT if len(due) == LOOKED_AT else 0
        busy = {delivery.job_id for delivery in self._sending.values()}
        at_receiver = Counter(delivery.receiver for delivery in self._sending.values())
        for delivery in due:
            if len(self._sending) >= AT_ONCE:
                break
            if delivery.job_id not in busy and at_receiver[delivery.receiver] < PER_RECEIVER:
                at_receiver[delivery.receiver] += 1
                self._start(delivery, self._take(delivery))
                started += 1
        return started

    async def settle(self) -> None:
        """Wait for the attempts that are under way."""
        if self._sending:
            await asyncio.wait(self._sending)

    async def recover(self, job_ids: Iterable[str]) -> int:
        """Bring the kept deliveries of these jobs back into a ledger that lost them.

        Gives how many were brought back; what the ledger knows to have ended is let go.
        """
        wanted = sorted(job_ids)
        brought = 0
        for job_id, known in zip(wanted, await self._ledger.of_jobs(wanted), strict=True):
            if known is None and (kept := await read_undelivered(self._results, job_id)):
                due = {"next_attempt_at": kept.next_attempt_at or self._now()}
                await self._ledger.schedule(kept.model_copy(update=due))
                brought += 1
            elif known is not None and known.status != "pending":
                await drop_undelivered(self._results, job_id)
        return brought

    async def replay(self, delivery: Delivery) -> Delivery:
        """Send a delivery again, now and then by schedule, whatever became of it before."""
        again = delivery.model_copy(
            update={
                "status": "pending",
                "attempts": 0,
                "next_attempt_at": self._now(),
                "finished_at": None,
                "replayed": True,
            }
        )
        await keep_undelivered(self._results, again)
        await self._ledger.schedule(again)
        return again

    async def aclose(self) -> None:
        """Let attempts end, shortly; what is cut off is repeated when its claim runs out."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=FAREWELL_S)
        for sending in self._sending:
            sending.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    def _start(self, delivery: Delivery, sending: _Sending) -> asyncio.Task[Delivery | None]:
        task = asyncio.ensure_future(self._guarded(delivery, sending))
        self._sending[task] = delivery
        task.add_done_callback(self._sending.pop)
        return task

    async def _guarded(self, delivery: Delivery, sending: _Sending) -> Delivery | None:
        """A store or a ledger that is away costs this attempt; its claim runs out."""
        try:
            return await sending
        except ServiceError as error:
            logger.warning("webhook of job %s: %s", delivery.job_id, error)
        except Exception:
            # The edge of one delivery: it must not end its job, nor go unheard.
            logger.exception("webhook of job %s", delivery.job_id)
        return delivery

    async def _take(self, due: Delivery) -> Delivery | None:
        taken = await self._ledger.take(due)
        if taken is None:
            return None
        return await self._send(taken[0], None, is_off=taken[1])

    async def _send(self, delivery: Delivery, outcome: Outcome | None, *, is_off: bool) -> Delivery:
        if is_off and not delivery.replayed:
            status = "failed" if delivery.attempts else "skipped"
            return await self._end(delivery, status, SWITCHED_OFF)
        body = await self._body(delivery.job_id, outcome)
        if body is None:
            return await self._end(delivery, "failed", "The job's outcome is not kept any more.")
        began = self._now()
        attempt = await self._sender.attempt(
            delivery.delivery_id,
            delivery.url,
            job_id=delivery.job_id,
            tenant_id=delivery.tenant_id,
            body=body,
        )
        ended = self._now()
        after = self._after(delivery, attempt, ended)
        if after.status == "pending":
            await keep_undelivered(self._results, after)
        logged = LoggedAttempt(
            at=began,
            duration_s=(ended - began).total_seconds(),
            http_status=attempt.http_status,
            error=attempt.error,
        )
        if await self._ledger.record(after, logged):
            self._tell(after)
        if after.status != "pending" and (delivery.attempts or delivery.next_attempt_at):
            await drop_undelivered(self._results, after.job_id)
        return after

    async def _body(self, job_id: str, outcome: Outcome | None) -> bytes | None:
        """None where there is no outcome that could be read and written."""
        try:
            outcome = outcome or await read_outcome(self._results, job_id)
            return None if outcome is None else body_of(outcome)
        except (ValueError, RequestError):
            logger.exception("the outcome of job %s cannot be told", job_id)
            return None

    async def _end(self, delivery: Delivery, status: str, error: str) -> Delivery:
        """Without an attempt."""
        update = {"status": status, "last_error": error, "finished_at": self._now()}
        ended = delivery.model_copy(update=update | {"next_attempt_at": None})
        await self._ledger.record(ended)
        await drop_undelivered(self._results, ended.job_id)
        return ended

    def _after(self, delivery: Delivery, attempt: Attempt, now: datetime) -> Delivery:
        attempts = delivery.attempts + 1
        wait_s = self._schedule.wait_s(attempts, attempt.retry_after_s, self._jitter)
        goes_on = attempt.retryable and wait_s is not None
        status = "pending" if goes_on else "failed" if attempt.error else "success"
        return delivery.model_copy(
            update={
                "status": status,
                "attempts": attempts,
                "http_status": attempt.http_status,
                "last_error": attempt.error,
                "next_attempt_at": now + timedelta(seconds=wait_s or 0) if goes_on else None,
                "finished_at": None if goes_on else now,
            }
        )

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def body_of(outcome: Outcome) -> bytes:
    """The webhook's body; the same bytes for an outcome and for its kept copy."""
    return webhook_body(
        job_id=outcome.job_id,
        tenant_id=outcome.tenant_id,
        status=outcome.status.value,
        error=str(outcome.error) if outcome.error else None,
        result=outcome.result,
        started_at=outcome.started_at,
        finished_at=outcome.finished_at,
    )
