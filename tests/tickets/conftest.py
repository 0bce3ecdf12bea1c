from __future__ import annotations

import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from dedup2d.settings import read_settings
from dedup2d.tickets.connect import connect
from dedup2d.tickets.embedded import EmbeddedRedis
from dedup2d.tickets.model import Ticket
from dedup2d.tickets.queue import TicketQueue


@pytest.fixture(scope="session")
def ticket_data() -> Iterator[Path]:
    """The data folder of a running embedded Redis."""
    with tempfile.TemporaryDirectory(prefix="dedup2d-tickets-") as folder:
        server = EmbeddedRedis(Path(folder))
        server.start()
        yield Path(folder)
        server.stop()


@pytest.fixture
async def redis(ticket_data: Path) -> AsyncIterator[Redis]:
    client = connect(read_settings({}, data_dir=ticket_data))
    yield client
    await client.aclose()


@pytest.fixture
def prefix() -> str:
    """Each test has its keys to itself."""
    return f"t{uuid.uuid4().hex[:8]}"


@pytest.fixture
def queue(redis: Redis, prefix: str) -> TicketQueue:
    return TicketQueue(redis, prefix=prefix, ttl_s=3600)


@pytest.fixture
def admit(queue: TicketQueue) -> Callable[..., Any]:
    """Admits a new ticket; limits are far away unless given."""

    async def new(tenant: str = "acme", **asked: Any) -> Any:
        ticket = Ticket(ticket_id=uuid.uuid4().hex, tenant_id=tenant)
        limits = {"max_jobs": 1000, "max_jobs_per_tenant": 1000}
        return await queue.admit(asked.pop("ticket", ticket), **(limits | asked))

    return new


@pytest.fixture
def left(redis: Redis, prefix: str) -> Callable[[], Any]:
    """Names of all keys of this test, without the prefix, sorted."""

    async def names() -> list[str]:
        found = [key async for key in redis.scan_iter(f"{prefix}:*", count=1000)]
        return sorted(key.removeprefix(f"{prefix}:") for key in found)

    return names
