from __future__ import annotations

import asyncio
import statistics
import time
import uuid
from datetime import UTC, datetime

import pytest

from dedup2d.errors import ConflictError, QueueFullError, RequestError
from dedup2d.fileref import Backend, FileRef
from dedup2d.tickets import keys
from dedup2d.tickets.model import Ticket
from dedup2d.tickets.queue import TicketQueue

FILE = FileRef(
    backend=Backend.S3,
    bucket="drawings",
    key="dedup2d/uploads/" + "a" * 32 + "/" + "b" * 32 + "_flange.dxf",
    sha256="c" * 64,
    size=50_000,
    file_name="flange.dxf",
    media_type="image/vnd.dxf",
    stored_at=datetime(2026, 1, 1, tzinfo=UTC),
)


async def test_a_ticket_comes_back_as_it_was_admitted(queue):
    ticket = Ticket(
        ticket_id="x", tenant_id="acme", files=(FILE,), file_count=1, callback_url="https://a.b/c"
    )
    await queue.admit(ticket, max_jobs=1, max_jobs_per_tenant=1)
    assert await queue.get("x") == ticket


async def test_forty_submits_at_once_with_a_limit_of_five_admit_exactly_five(admit, queue):
    """The predecessor checked first and wrote later: 32 of 40 came in (C1)."""
    answers = await asyncio.gather(*[admit(max_jobs=5) for _ in range(40)], return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, QueueFullError)]
    assert len(refused) == 35
    assert {(error.max_jobs, error.current_jobs) for error in refused} == {(5, 5)}
    assert (await queue.counts()).active == 5


async def test_one_tenants_backlog_leaves_room_for_the_others(admit, queue):
    """The predecessor's limit was global: one tenant locked out all others (C2)."""
    for _ in range(3):
        await admit("greedy", max_jobs_per_tenant=3)
    with pytest.raises(QueueFullError) as caught:
        await admit("greedy", max_jobs_per_tenant=3)
    assert (caught.value.max_jobs, caught.value.current_jobs) == (3, 3)
    await admit("modest", max_jobs_per_tenant=3)
    assert (await queue.counts()).per_tenant == {"greedy": 3, "modest": 1}


async def test_a_refused_submit_leaves_nothing(admit, left):
    await admit(max_jobs=1)
    before = await left()
    with pytest.raises(QueueFullError):
        await admit(max_jobs=1, idempotency_key="k")
    assert await left() == before


async def test_a_submit_costs_no_more_behind_five_thousand_waiting(redis):
    """The predecessor's took 1.7 ms in front of an empty queue and 1,022 ms behind 5,000 (C3)."""
    empty, full = (
        TicketQueue(redis, prefix=f"c3{uuid.uuid4().hex[:6]}", ttl_s=3600) for _ in range(2)
    )

    async def submit(queue: TicketQueue) -> float:
        ticket = Ticket(ticket_id=uuid.uuid4().hex, tenant_id="acme", files=(FILE,))
        started = time.perf_counter()
        await queue.admit(ticket, max_jobs=10_000, max_jobs_per_tenant=10_000)
        return time.perf_counter() - started

    for _ in range(250):
        await asyncio.gather(*[submit(full) for _ in range(20)])
    ratios = []
    for _ in range(3):  # taken alternately, so that a busy machine slows both
        times = [(await submit(empty), await submit(full)) for _ in range(100)]
        ratios.append(
            statistics.median(b for _, b in times) / statistics.median(a for a, _ in times)
        )
    assert (await full.counts()).active == 5300
    assert min(ratios) < 1.5


async def test_the_same_key_gives_the_same_ticket_and_takes_no_second_place(admit, queue):
    first = await admit(idempotency_key="k", request_digest="d")
    second = await admit(idempotency_key="k", request_digest="d")
    assert (first.created, second.created) == (True, False)
    assert second.ticket == first.ticket
    assert (await queue.counts()).active == 1


async def test_twenty_submits_at_once_with_one_key_are_one_job(admit):
    answers = await asyncio.gather(*[admit(idempotency_key="k") for _ in range(20)])
    assert sum(answer.created for answer in answers) == 1
    assert len({answer.ticket.ticket_id for answer in answers}) == 1


async def test_a_key_belongs_to_its_tenant(admit):
    ours = await admit("acme", idempotency_key="k")
    theirs = await admit("globex", idempotency_key="k")
    assert theirs.created
    assert theirs.ticket.ticket_id != ours.ticket.ticket_id


async def test_a_key_that_comes_with_another_request_is_a_conflict(admit):
    await admit(idempotency_key="k", request_digest="one")
    with pytest.raises(ConflictError) as caught:
        await admit(idempotency_key="k", request_digest="two")
    assert caught.value.code == "IDEMPOTENCY_CONFLICT"


async def test_a_known_key_is_answered_even_when_the_queue_is_full(admit):
    first = await admit(max_jobs=1, idempotency_key="k")
    again = await admit(max_jobs=1, idempotency_key="k")
    assert again.ticket.ticket_id == first.ticket.ticket_id


async def test_a_key_still_gives_its_job_when_the_ticket_is_closed(admit, queue):
    first = await admit(idempotency_key="k")
    await queue.bind(first.ticket.ticket_id, "job-1")
    await queue.close(first.ticket.ticket_id)
    again = await admit(idempotency_key="k")
    assert not again.created
    assert (again.ticket.ticket_id, again.ticket.job_id) == (first.ticket.ticket_id, "job-1")
    assert again.ticket.created_at == first.ticket.created_at
    assert await queue.job_of_idempotency_key("acme", "k") == "job-1"


async def test_a_key_whose_submit_was_undone_is_free_again(admit, queue):
    first = await admit(idempotency_key="k")
    await queue.close(first.ticket.ticket_id)
    assert (await admit(idempotency_key="k")).created


async def test_a_key_whose_submitter_died_is_free_when_its_ticket_has_expired(admit, redis, prefix):
    first = await admit(idempotency_key="k")
    await redis.delete(f"{prefix}:ticket:{first.ticket.ticket_id}")
    assert (await admit(idempotency_key="k", request_digest="other")).created


async def test_the_same_call_once_more_after_a_lost_answer_is_the_same_admission(admit, queue):
    ticket = Ticket(ticket_id="x", tenant_id="acme")
    for _ in range(2):
        answer = await admit(ticket=ticket, max_jobs=1, idempotency_key="k")
        assert answer.created
    assert (await queue.counts()).active == 1


async def test_a_burst_of_five_hundred_submits_takes_turns(admit, queue):
    """More calls at once than the client has connections are no fault of Redis."""
    await asyncio.gather(*[admit() for _ in range(500)])
    assert (await queue.counts()).active == 500


async def test_a_ticket_over_four_kilobytes_is_refused(admit, left):
    ticket = Ticket(ticket_id="x", tenant_id="acme", callback_url="https://a.b/" + "c" * 4096)
    with pytest.raises(RequestError) as caught:
        await admit(ticket=ticket)
    assert caught.value.code == "TICKET_TOO_LARGE"
    assert await left() == []


async def test_an_expired_place_is_free_again(admit, redis, prefix, queue):
    first = await admit(max_jobs=1)
    await redis.zadd(f"{prefix}:active", {first.ticket.ticket_id: time.time() - 1})
    await redis.zadd(f"{prefix}:active:acme", {first.ticket.ticket_id: time.time() - 1})
    assert (await queue.counts()).active == 0
    assert (await admit(max_jobs=1, max_jobs_per_tenant=1)).created


async def test_a_ticket_without_a_flow_run_frees_its_place_soon(admit, redis, prefix):
    admission = await admit()
    lives_s = await redis.ttl(f"{prefix}:ticket:{admission.ticket.ticket_id}")
    assert 0 < lives_s <= keys.UNBOUND_TTL_S
