from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from dedup2d.tickets.deliveries import DeliveryLedger


@pytest.fixture
def ledger(redis, prefix):
    return DeliveryLedger(redis, prefix=prefix, ttl_s=600, claim_s=0.2)


async def test_of_twenty_senders_at_once_one_may_send(ledger):
    claims = await asyncio.gather(*[ledger.claim("job", "completed") for _ in range(20)])
    assert sum(claim is not None for claim in claims) == 1


async def test_a_claimed_job_cannot_be_notified_of_another_end(ledger):
    """The predecessor sent `completed` and then `canceled` for one job (A3)."""
    assert await ledger.claim("job", "completed")
    assert await ledger.claim("job", "canceled") is None


@pytest.mark.parametrize("status", ["success", "failed", "skipped"])
async def test_a_delivery_that_ended_is_never_claimed_again(ledger, status):
    claimed = await ledger.claim("job", "completed")
    ended = claimed.model_copy(update={"status": status, "attempts": 2})
    await ledger.record(ended)
    await asyncio.sleep(0.3)
    assert await ledger.claim("job", "completed") is None
    assert await ledger.of_job("job") == [ended]


async def test_a_dead_senders_claim_is_taken_over_with_its_id_and_attempts(ledger):
    first = await ledger.claim("job", "completed")
    await ledger.record(first.model_copy(update={"attempts": 1, "http_status": 503}))
    assert await ledger.claim("job", "completed") is None
    await asyncio.sleep(0.3)
    second = await ledger.claim("job", "completed")
    assert (second.delivery_id, second.attempts) == (first.delivery_id, 1)


async def test_recording_an_attempt_prolongs_the_claim(ledger):
    claimed = await ledger.claim("job", "completed")
    for _ in range(4):
        await asyncio.sleep(0.1)
        await ledger.record(claimed)
        assert await ledger.claim("job", "completed") is None


async def test_an_accepted_delivery_stays_accepted(ledger):
    """A sender that was taken over may report its failure late."""
    claimed = await ledger.claim("job", "completed")
    accepted = claimed.model_copy(
        update={"status": "success", "finished_at": datetime(2026, 1, 1, tzinfo=UTC)}
    )
    await ledger.record(accepted)
    await ledger.record(claimed.model_copy(update={"status": "failed"}))
    assert await ledger.of_job("job") == [accepted]


async def test_the_id_is_made_of_the_job_so_that_it_survives_lost_data(ledger, redis, prefix):
    first = await ledger.claim("job", "completed")
    await redis.delete(f"{prefix}:delivery:job", f"{prefix}:delivery:job:sender")
    again = await ledger.claim("job", "completed")
    other = await ledger.claim("job-2", "completed")
    assert again.delivery_id == first.delivery_id != other.delivery_id


async def test_a_job_that_nobody_notified_has_no_delivery(ledger):
    assert await ledger.of_job("job") == []


async def test_the_ledgers_keys_expire(ledger, redis, prefix):
    await ledger.record(await ledger.claim("job", "completed"))
    assert 0 < await redis.ttl(f"{prefix}:delivery:job") <= 600
    assert 0 < await redis.pttl(f"{prefix}:delivery:job:sender") <= 200
