from __future__ import annotations

import asyncio
import time

import pytest

from dedup2d.errors import ConflictError, RequestError
from dedup2d.fileref import Backend, FileRef
from dedup2d.tickets import keys
from dedup2d.tickets.model import Bell, Ticket
from dedup2d.tickets.queue import TicketQueue


async def test_binding_ties_ticket_key_and_job_together_and_rings_once(admit, queue):
    ticket = (await admit(idempotency_key="k")).ticket
    bound = await queue.bind(ticket.ticket_id, "job-1")
    assert bound.job_id == "job-1"
    assert await queue.by_job("job-1") == await queue.get(ticket.ticket_id) == bound
    assert await queue.job_of_idempotency_key("acme", "k") == "job-1"
    assert await queue.bells("w", block_s=0) == [Bell(kind="run", job_id="job-1")]


async def test_binding_twice_is_fine_but_not_to_another_job(admit, queue):
    ticket = (await admit()).ticket
    await queue.bind(ticket.ticket_id, "job-1")
    await queue.bind(ticket.ticket_id, "job-1")
    with pytest.raises(ConflictError):
        await queue.bind(ticket.ticket_id, "job-2")
    assert await queue.by_job("job-2") is None


async def test_a_ticket_that_is_gone_cannot_be_bound(queue, left):
    with pytest.raises(RequestError, match="expired or was closed"):
        await queue.bind("gone", "job-1")
    assert await left() == []


async def test_a_place_can_be_leased_before_its_ticket_is_there(admit, queue, left):
    """A run that Prefect started has no ticket until its second task."""
    assert await queue.lease("x", "one", 10)
    assert not await queue.lease("x", "two", 10)
    assert await left() == ["lease:x"]
    await admit(ticket=Ticket(ticket_id="x", tenant_id="acme"))
    assert not await queue.lease("x", "two", 10)


async def test_a_lease_has_one_holder_who_may_renew(admit, queue):
    ticket_id = (await admit()).ticket.ticket_id
    assert await queue.lease(ticket_id, "one", 10)
    assert await queue.lease(ticket_id, "one", 10)
    assert not await queue.lease(ticket_id, "two", 10)


async def test_forty_workers_at_once_and_one_gets_the_lease(admit, queue):
    ticket_id = (await admit()).ticket.ticket_id
    got = await asyncio.gather(*[queue.lease(ticket_id, f"w{n}", 10) for n in range(40)])
    assert sum(got) == 1


async def test_a_lease_whose_holder_died_can_be_taken_when_its_time_is_over(admit, queue):
    """The predecessor's jobs hung for 310 s after a kill -9 (A4)."""
    ticket_id = (await admit()).ticket.ticket_id
    await queue.lease(ticket_id, "dead", 0.05)
    await asyncio.sleep(0.1)
    assert await queue.lease(ticket_id, "alive", 10)


async def test_only_the_holder_gives_a_lease_back(admit, queue):
    ticket_id = (await admit()).ticket.ticket_id
    await queue.lease(ticket_id, "one", 10)
    await queue.release(ticket_id, "two")
    assert not await queue.lease(ticket_id, "two", 10)
    await queue.release(ticket_id, "one")
    assert await queue.lease(ticket_id, "two", 10)


async def test_renewing_a_lease_lengthens_everything_of_the_ticket(admit, queue, redis, prefix):
    """A job that runs longer than the TTL must not lose its ticket (A10)."""
    ticket_id = (await admit(idempotency_key="k")).ticket.ticket_id
    await queue.bind(ticket_id, "job-1")
    for name in (f"ticket:{ticket_id}", "job:job-1"):
        await redis.expire(f"{prefix}:{name}", 5)
    await redis.zadd(f"{prefix}:active", {ticket_id: time.time() + 5})
    await queue.lease(ticket_id, "w", 1)
    for name in (f"ticket:{ticket_id}", "job:job-1"):
        assert await redis.ttl(f"{prefix}:{name}") > 3500
    assert await redis.zscore(f"{prefix}:active", ticket_id) > time.time() + 3500


async def test_closing_twice_is_fine_and_leaves_no_key_of_the_ticket(admit, queue, left):
    """The predecessor kept payloads for an hour after the job (C8)."""
    ticket_id = (await admit()).ticket.ticket_id
    await queue.bind(ticket_id, "job-1")
    await queue.lease(ticket_id, "w", 10)
    await queue.close(ticket_id)
    await queue.close(ticket_id)
    assert await left() == ["bells:run", "tenants"]
    assert await queue.get(ticket_id) is None
    assert (await queue.counts()).active == 0


async def test_every_key_expires(admit, queue, redis, prefix, left):
    ticket_id = (await admit(idempotency_key="k")).ticket.ticket_id
    await queue.bind(ticket_id, "job-1")
    await queue.lease(ticket_id, "w", 10)
    await queue.ring(Bell(kind="cancel", job_id="job-1"))
    await queue.bells("w", block_s=0)
    names = await left()
    assert len(names) == 9
    for name in names:
        assert 0 < await redis.ttl(f"{prefix}:{name}") <= keys.KEEP_S, name


async def test_a_job_takes_less_than_four_kilobytes_of_redis(admit, queue, redis, prefix, left):
    """All keys of one job together, whatever the upload's size (C8: 7.3 MB for 5 MB)."""
    ref = FileRef(
        backend=Backend.LOCAL,
        path="d" * 32 + "/" + "b" * 32 + "_flange.dxf",
        sha256="c" * 64,
        size=500 * 1024**2,
        file_name="flange.dxf",
    )
    ticket = Ticket(
        ticket_id="d" * 32,
        tenant_id="a" * 16,
        files=(ref,),
        file_count=1,
        callback_url="https://receiver.example/hooks/dedup",
    )
    await admit(ticket=ticket, idempotency_key="k" * 36, request_digest="e" * 64)
    await queue.bind(ticket.ticket_id, "f" * 36)
    await queue.lease(ticket.ticket_id, "worker-1", 30)
    sizes = {name: await redis.memory_usage(f"{prefix}:{name}", samples=0) for name in await left()}
    assert sum(sizes.values()) < 4096, sizes


async def test_the_sweep_sees_every_open_ticket_and_no_closed_one(admit, queue):
    ids = [(await admit()).ticket.ticket_id for _ in range(300)]
    await queue.bind(ids[0], "job-0")
    await queue.close(ids[1])
    tickets = {ticket.ticket_id: ticket async for ticket in queue.open_tickets()}
    assert set(tickets) == set(ids) - {ids[1]}
    assert tickets[ids[0]].job_id == "job-0"


async def test_two_prefixes_share_nothing(admit, redis, queue):
    ticket_id = (await admit()).ticket.ticket_id
    other = TicketQueue(redis, prefix="another", ttl_s=3600)
    assert await other.get(ticket_id) is None
    assert (await other.counts()).active == 0
