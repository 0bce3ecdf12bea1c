"""Everything a job needs from outside, opened once per process and event loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Self

from dedup2d.matcher import Matcher
from dedup2d.net.guard import AddressGuard
from dedup2d.settings import MatcherKind, Settings
from dedup2d.stores.build import Store, result_store, upload_store
from dedup2d.tickets.connect import connect
from dedup2d.tickets.deliveries import DeliveryLedger
from dedup2d.tickets.queue import TicketQueue
from dedup2d.webhooks.sender import WebhookSender


@dataclass(frozen=True, slots=True)
class Services:
    """Connections and stores; close with ``aclose``."""

    settings: Settings
    uploads: Store
    results: Store
    queue: TicketQueue
    ledger: DeliveryLedger
    guard: AddressGuard
    sender: WebhookSender
    matcher: Matcher

    @classmethod
    async def open(cls, settings: Settings) -> Self:
        """Build everything from the settings; connections are made on first use."""
        redis = connect(settings)
        guard = AddressGuard(settings)
        uploads, results = await asyncio.to_thread(
            lambda: (upload_store(settings), result_store(settings))
        )
        return cls(
            settings=settings,
            uploads=uploads,
            results=results,
            queue=TicketQueue(redis, prefix=settings.redis_key_prefix, ttl_s=settings.job_ttl_s),
            ledger=DeliveryLedger(
                redis, prefix=settings.redis_key_prefix, ttl_s=settings.result_retention_s
            ),
            guard=guard,
            sender=WebhookSender(settings, guard),
            matcher=open_matcher(settings),
        )

    async def aclose(self) -> None:
        """Give everything back."""
        await self.matcher.aclose()
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
