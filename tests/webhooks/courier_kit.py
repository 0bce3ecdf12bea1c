"""A courier with real parts and a clock that a test sets."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dedup2d.jobs.courier import Courier
from dedup2d.jobs.model import JobStatus, Outcome
from dedup2d.jobs.outcomes import keep_outcome, undelivered_jobs
from dedup2d.net.guard import AddressGuard
from dedup2d.settings import read_settings
from dedup2d.stores.local import LocalStore
from dedup2d.tickets.connect import connect
from dedup2d.tickets.deliveries import DeliveryLedger
from dedup2d.tickets.model import Delivery
from dedup2d.webhooks.schedule import Schedule
from dedup2d.webhooks.sender import WebhookSender

DAY_S = 86400
NOW = 1_700_000_000.0


class Post:
    """The courier, what it works with, and what it told; ``pick`` is what jitter does."""

    def __init__(self, redis_data: Path, results: Path, prefix: str = "", **changes: Any) -> None:
        given = {"callback_allow_http": True, "callback_block_private": False}
        given |= {"callback_timeout_s": 2.0, "callback_hmac_secret": "s"}
        self.settings = read_settings({}, data_dir=redis_data).model_copy(update=given | changes)
        self.now = NOW
        self.pick = max
        self.prefix = prefix or f"t{uuid.uuid4().hex[:8]}"
        self.redis = connect(self.settings)
        self.results = LocalStore(results)
        self.told: list[Delivery] = []
        self.ledger = DeliveryLedger(
            self.redis,
            prefix=self.prefix,
            ttl_s=7 * DAY_S,
            claim_s=30,
            disable_after_s=5 * DAY_S,
            clock=self.clock,
        )
        self.sender = WebhookSender(self.settings, AddressGuard(self.settings), clock=self.clock)
        self.courier = self.courier_with(Schedule.from_settings(self.settings))

    def courier_with(self, schedule: Schedule) -> Courier:
        return Courier(
            self.ledger,
            self.sender,
            self.results,
            schedule,
            tell=self.told.append,
            jitter=self.jitter,
            clock=self.clock,
        )

    def jitter(self, low: float, high: float) -> float:
        return self.pick(low, high)

    def clock(self) -> float:
        return self.now

    async def announce(self, url: str, job_id: str = "job-1", tenant: str = "acme") -> Any:
        outcome = Outcome(
            job_id=job_id,
            tenant_id=tenant,
            status=JobStatus.COMPLETED,
            result={"similarity": 0.1, "name": "Flansch Ø40"},
            finished_at=datetime.fromtimestamp(NOW, UTC),
        )
        await keep_outcome(self.results, outcome)
        return await self.courier.announce(outcome, url)

    async def send_due(self) -> int:
        started = await self.courier.send_due()
        await self.courier.settle()
        return started

    async def run(self, job_id: str = "job-1") -> Delivery:
        """Let time pass until the delivery has ended."""
        while (delivery := await self.ledger.of_job(job_id)).status == "pending":
            self.now = max(self.now, delivery.next_attempt_at.timestamp())
            assert await self.send_due()
        return delivery

    @property
    def undelivered(self) -> set[str]:
        return undelivered_jobs(file.folder for file in self.results.list())

    async def forget(self) -> None:
        """Redis loses everything."""
        async for key in self.redis.scan_iter(f"{self.prefix}:*"):
            await self.redis.delete(key)

    async def aclose(self) -> None:
        await self.courier.aclose()
        await self.sender.aclose()
        await self.redis.aclose()
