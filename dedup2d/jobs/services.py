"""Everything a job needs from outside, opened once per process and event loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final, Self

from dedup2d.jobs.courier import Courier
from dedup2d.jobs.events import receiver_disabled
from dedup2d.matcher import Matcher
from dedup2d.net.guard import AddressGuard
from dedup2d.settings import MatcherKind, Settings
from dedup2d.stores.build import Store, result_store, tenant_store, upload_store
from dedup2d.tenants.registry import TenantRegistry
from dedup2d.tickets.allowance import Allowance
from dedup2d.tickets.connect import connect
from dedup2d.tickets.deliveries import DeliveryLedger
from dedup2d.tickets.progress import ProgressBoard
from dedup2d.tickets.queue import TicketQueue
from dedup2d.tickets.sessions import UploadSessions
from dedup2d.webhooks.schedule import Schedule
from dedup2d.webhooks.sender import WebhookSender

LEDGER_S: Final = 86400  # deliveries are remembered at least that long
CLAIM_MARGIN_S: Final = 20.0  # beyond the time limit of one attempt


@dataclass(frozen=True, slots=True)
class Services:
    """Connections and stores; close with ``aclose``."""

    settings: Settings
    uploads: Store
    results: Store
    queue: TicketQueue
    ledger: DeliveryLedger
    progress: ProgressBoard
    sessions: UploadSessions
    guard: AddressGuard
    sender: WebhookSender
    courier: Courier
    tenants: TenantRegistry
    allowance: Allowance
    matcher: Matcher

    @classmethod
    async def open(cls, settings: Settings) -> Self:
        """Build everything from the settings; connections are made on first use."""
        redis = connect(settings)
        guard = AddressGuard(settings)
        uploads, results, tenants = await asyncio.to_thread(
            lambda: (
                upload_store(settings),
                result_store(settings),
                TenantRegistry(tenant_store(settings), secrets=settings.callback_secrets),
            )
        )
        ledger = DeliveryLedger(
            redis,
            prefix=settings.redis_key_prefix,
            ttl_s=max(settings.result_retention_s, LEDGER_S),
            claim_s=settings.callback_timeout_s + CLAIM_MARGIN_S,
            disable_after_s=settings.callback_disable_after_s,
        )
        sender = WebhookSender(settings, guard, secrets_of=tenants.webhook_secrets)
        schedule = Schedule.from_settings(settings)
        return cls(
            settings=settings,
            uploads=uploads,
            results=results,
            queue=TicketQueue(redis, prefix=settings.redis_key_prefix, ttl_s=settings.job_ttl_s),
            ledger=ledger,
            progress=ProgressBoard(
                redis, prefix=settings.redis_key_prefix, ttl_s=settings.job_ttl_s
            ),
            sessions=UploadSessions(redis, prefix=settings.redis_key_prefix),
            guard=guard,
            sender=sender,
            courier=Courier(ledger, sender, results, schedule, tell=receiver_disabled),
            tenants=tenants,
            allowance=Allowance(redis, prefix=settings.redis_key_prefix),
            matcher=open_matcher(settings),
        )

    async def aclose(self) -> None:
        """Give everything back."""
        await self.matcher.aclose()
        await self.courier.aclose()
        await self.sender.aclose()
        await self.queue.aclose()


def open_matcher(settings: Settings) -> Matcher:
    """The matcher that ``DEDUP2D_MATCHER`` names."""
    # Imported here: a process has one matcher, and pays for that one only.
    if settings.matcher is MatcherKind.VISION:
        from dedup2d.vision.client import VisionMatcher  # noqa: PLC0415

        return VisionMatcher(settings)
    from dedup2d.engine import EmbeddedMatcher  # noqa: PLC0415

    return EmbeddedMatcher(settings)
