from __future__ import annotations

import asyncio
import time

from dedup2d.tickets.model import Bell
from dedup2d.tickets.queue import TicketQueue


def runs(*jobs: str) -> list[Bell]:
    return [Bell(kind="run", job_id=job) for job in jobs]


async def test_a_waiting_worker_is_woken_at_once(queue):
    waiting = asyncio.create_task(queue.bells("w", block_s=2))
    await asyncio.sleep(0.1)
    started = time.monotonic()
    await queue.ring(Bell(kind="run", job_id="a"))
    assert await waiting == runs("a")
    assert time.monotonic() - started < 0.5


async def test_nothing_rings_and_the_worker_comes_back_in_time(queue):
    started = time.monotonic()
    assert await queue.bells("w", block_s=0.2) == []
    assert 0.1 < time.monotonic() - started < 1.5


async def test_a_bell_that_rang_before_any_worker_came_is_heard(queue):
    await queue.ring(Bell(kind="run", job_id="early"))
    assert await queue.bells("w", block_s=0) == runs("early")


async def test_each_run_bell_goes_to_one_worker(redis, prefix, queue):
    other = TicketQueue(redis, prefix=prefix, ttl_s=3600)
    for n in range(40):
        await queue.ring(Bell(kind="run", job_id=str(n)))
    heard: list[str] = []
    while len(heard) < 40:
        answers = await asyncio.gather(queue.bells("a", block_s=0), other.bells("b", block_s=0))
        heard += [bell.job_id for bells in answers for bell in bells]
    assert sorted(heard, key=int) == [str(n) for n in range(40)]


async def test_every_worker_hears_a_cancellation(redis, prefix, queue):
    other = TicketQueue(redis, prefix=prefix, ttl_s=3600)
    waiting = [
        asyncio.create_task(queue.bells("a", block_s=2)),
        asyncio.create_task(other.bells("b", block_s=2)),
    ]
    await asyncio.sleep(0.2)
    await queue.ring(Bell(kind="cancel", job_id="x"))
    assert await asyncio.gather(*waiting) == [[Bell(kind="cancel", job_id="x")]] * 2


async def test_a_cancellation_between_two_calls_is_not_missed(queue):
    await queue.bells("w", block_s=0)
    await queue.ring(Bell(kind="run", job_id="a"))
    await queue.ring(Bell(kind="cancel", job_id="x"))
    assert await queue.bells("w", block_s=0) == [Bell(kind="cancel", job_id="x"), *runs("a")]


async def test_a_busy_doorbell_does_not_drown_a_cancellation(queue):
    await queue.bells("w", block_s=0)
    for n in range(100):
        await queue.ring(Bell(kind="run", job_id=str(n)))
    await queue.ring(Bell(kind="cancel", job_id="x"))
    assert (await queue.bells("w", block_s=0))[0] == Bell(kind="cancel", job_id="x")


async def test_a_new_worker_does_not_hear_old_cancellations(queue):
    await queue.ring(Bell(kind="cancel", job_id="old"))
    assert await queue.bells("w", block_s=0) == []


async def test_bells_are_heard_again_after_redis_lost_its_data(queue, redis, prefix):
    await queue.bells("w", block_s=0)
    await redis.delete(f"{prefix}:bells:run", f"{prefix}:bells:cancel")
    await queue.ring(Bell(kind="run", job_id="a"))
    await queue.ring(Bell(kind="cancel", job_id="x"))
    assert await queue.bells("w", block_s=0) == [Bell(kind="cancel", job_id="x"), *runs("a")]


async def test_a_worker_that_waits_while_redis_loses_its_data_hears_the_next_bell(
    queue, redis, prefix
):
    await queue.bells("w", block_s=0)
    waiting = asyncio.create_task(queue.bells("w", block_s=2))
    await asyncio.sleep(0.1)
    await redis.delete(f"{prefix}:bells:run")
    await queue.ring(Bell(kind="run", job_id="a"))
    assert await waiting == runs("a")


async def test_the_streams_stay_short(queue, redis, prefix):
    for n in range(1500):
        await queue.ring(Bell(kind="run", job_id=str(n)))
    assert await redis.xlen(f"{prefix}:bells:run") < 1200


async def test_a_cancelled_wait_leaves_the_client_usable(queue):
    waiting = asyncio.create_task(queue.bells("w", block_s=2))
    await asyncio.sleep(0.1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await queue.ring(Bell(kind="run", job_id="a"))
    assert await queue.bells("w", block_s=0) == runs("a")
