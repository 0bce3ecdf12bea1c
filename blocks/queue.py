"""The block of the ticket queue."""

from __future__ import annotations

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from blocks.about import DOCUMENTATION_URL, logo
from dedup2d.settings import Settings
from dedup2d.tickets.connect import connect_url
from dedup2d.tickets.queue import TicketQueue


class QueueBlock(Block):
    """The Redis in which tickets wait and the doorbell rings."""

    _block_type_name = "dedup2d Queue"
    _block_type_slug = "dedup2d-queue"
    _logo_url = logo("redis")
    _documentation_url = DOCUMENTATION_URL
    _description = "The Redis in which the tickets of dedup2d wait; it never holds drawings."

    redis_url: SecretStr = Field(
        title="Redis address", description="redis://, rediss:// or unix://, with its password."
    )
    prefix: str = Field(
        "dedup2d",
        min_length=1,
        description="Begins every key; the same for the gateway and all workers.",
    )

    def build_queue(self, settings: Settings) -> TicketQueue:
        """The queue in this Redis; the caller closes it."""
        redis = connect_url(self.redis_url.get_secret_value())
        return TicketQueue(redis, prefix=self.prefix, ttl_s=settings.job_ttl_s)
