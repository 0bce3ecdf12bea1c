from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from dedup2d.tickets.deliveries import DeliveryLedger, new_delivery
from dedup2d.tickets.model import LoggedAttempt

URL = "https://plm.example/hooks/dedup"
DAY_S = 86400
ATTEMPT = LoggedAttempt(at=datetime(2026, 1, 1, tzinfo=UTC), duration_s=0.1, http_status=503)


class Ledger(DeliveryLedger):
    """With a claim that says what most tests ask for."""

    async def begin(self, job_id: str = "job", url: str = URL):
        claimed = await self.claim(new_delivery(job_id, tenant_id="acme", url=url))
        return claimed and claimed[0]


@pytest.fixture
def ledger(redis, prefix):
    return Ledger(redis, prefix=prefix, ttl_s=600, claim_s=0.2)


@pytest.fixture
def clock():
    return [1_700_000_000.0]


@pytest.fixture
def timed(redis, prefix, clock):
    """A ledger whose time a test sets; receivers are switched off after five days."""
    return Ledger(
        redis, prefix=prefix, ttl_s=600, disable_after_s=5 * DAY_S, clock=lambda: clock[0]
    )


def later(delivery, clock, seconds: float):
    due = datetime.fromtimestamp(clock[0] + seconds, UTC)
    attempts = delivery.attempts + 1
    return delivery.model_copy(update={"attempts": attempts, "next_attempt_at": due})


async def test_of_twenty_senders_at_once_one_may_send(ledger):
    claims = await asyncio.gather(*[ledger.begin() for _ in range(20)])
    assert sum(claim is not None for claim in claims) == 1


async def test_a_claimed_job_cannot_be_notified_of_another_end(ledger):
    """The predecessor sent `completed` and then `canceled` for one job (A3)."""
    assert await ledger.begin()
    assert await ledger.begin() is None


@pytest.mark.parametrize("status", ["success", "failed", "skipped"])
async def test_a_delivery_that_ended_is_never_claimed_again(ledger, status):
    claimed = await ledger.begin()
    ended = claimed.model_copy(update={"status": status, "attempts": 2})
    await ledger.record(ended)
    await asyncio.sleep(0.3)
    assert await ledger.begin() is None
    assert await ledger.of_job("job") == ended
    assert await ledger.due(10) == []


async def test_a_dead_senders_claim_is_taken_over_with_its_id_and_attempts(timed, clock):
    first = await timed.begin()
    await timed.record(later(first, clock, 5), ATTEMPT)
    clock[0] += 5
    assert await timed.begin()
    assert await timed.begin() is None
    clock[0] += 120
    second = await timed.begin()
    assert (second.delivery_id, second.attempts) == (first.delivery_id, 1)


async def test_what_is_tried_again_later_is_nobodys_until_then(timed, clock):
    """A hook that runs after the first attempt must not repeat it."""
    await timed.record(later(await timed.begin(), clock, 300), ATTEMPT)
    assert await timed.begin() is None
    assert await timed.due(10) == []
    clock[0] += 301
    (due,) = await timed.due(10)
    assert (await timed.take(due))[0].attempts == 1
    assert await timed.due(10) == []


async def test_due_deliveries_come_in_order_and_can_be_passed_over(timed, clock):
    for number in range(5):
        await timed.record(later(await timed.begin(f"job-{number}"), clock, 10 - number), ATTEMPT)
    clock[0] += 60
    assert [d.job_id for d in await timed.due(3)] == ["job-4", "job-3", "job-2"]
    assert [d.job_id for d in await timed.due(3, skip=3)] == ["job-1", "job-0"]


async def test_an_accepted_delivery_stays_accepted(ledger):
    """A sender that was taken over may report its failure late."""
    claimed = await ledger.begin()
    accepted = claimed.model_copy(
        update={"status": "success", "finished_at": datetime(2026, 1, 1, tzinfo=UTC)}
    )
    await ledger.record(accepted)
    await ledger.record(claimed.model_copy(update={"status": "failed"}))
    assert await ledger.of_job("job") == accepted


async def test_the_id_is_made_of_the_job_so_that_it_survives_lost_data(ledger, redis, prefix):
    first = await ledger.begin()
    await redis.delete(f"{prefix}:delivery:job", f"{prefix}:deliveries:due")
    again = await ledger.begin()
    other = await ledger.begin("job-2")
    assert again.delivery_id == first.delivery_id != other.delivery_id


async def test_a_job_that_nobody_notified_has_no_delivery(ledger):
    assert await ledger.of_job("job") is None
    assert await ledger.take(new_delivery("job", tenant_id="acme", url=URL)) is None


async def test_every_attempt_is_in_the_log(ledger):
    claimed = await ledger.begin()
    second = ATTEMPT.model_copy(update={"http_status": None, "error": "Nobody answered."})
    due = {"next_attempt_at": datetime.now(UTC) + timedelta(seconds=5)}
    await ledger.record(claimed.model_copy(update=due), ATTEMPT)
    await ledger.record(claimed.model_copy(update={"status": "failed"}), second)
    assert await ledger.log("job") == [ATTEMPT, second]
    assert await ledger.log("other") == []


async def test_the_log_has_an_end(ledger):
    claimed = await ledger.begin()
    for _ in range(130):
        await ledger.record(claimed.model_copy(update={"status": "failed"}), ATTEMPT)
    assert len(await ledger.log("job")) == 100


async def test_what_ended_can_be_scheduled_again(timed, clock):
    claimed = await timed.begin()
    await timed.record(claimed.model_copy(update={"status": "success"}), ATTEMPT)
    now = datetime.fromtimestamp(clock[0], UTC)
    await timed.schedule(claimed.model_copy(update={"next_attempt_at": now, "replayed": True}))
    (due,) = await timed.due(10)
    assert due.replayed
    assert (await timed.take(due))[0].delivery_id == claimed.delivery_id


async def test_a_receiver_that_fails_for_days_is_switched_off_once(timed, clock):
    told = []
    for number in range(14):
        claimed = await timed.begin(f"job-{number}", f"{URL}?job={number}")
        told.append(await timed.record(claimed.model_copy(update={"status": "failed"}), ATTEMPT))
        clock[0] += DAY_S / 2
    assert told.index(True) == 10  # five days after the first
    assert sum(told) == 1
    _, is_off = await timed.claim(new_delivery("x", tenant_id="acme", url=f"{URL}/other"))
    assert is_off
    for tenant, url in (("beta", URL), ("acme", "https://mes.example/")):
        _, is_off = await timed.claim(new_delivery(tenant + url, tenant_id=tenant, url=url))
        assert not is_off


async def test_two_failures_with_days_between_them_switch_nothing_off(timed, clock):
    for number in range(2):
        claimed = await timed.begin(f"job-{number}")
        failed = claimed.model_copy(update={"status": "failed"})
        assert not await timed.record(failed, ATTEMPT)
        clock[0] += 9 * DAY_S


async def test_one_acceptance_clears_a_receivers_record(timed, clock):
    for number in range(40):
        claimed = await timed.begin(f"job-{number}")
        status = "success" if number % 9 == 8 else "failed"
        assert not await timed.record(claimed.model_copy(update={"status": status}), ATTEMPT)
        clock[0] += DAY_S / 2


async def test_the_ledgers_keys_expire_after_they_were_last_due(ledger, redis, prefix):
    claimed = await ledger.begin()
    assert 0 < await redis.ttl(f"{prefix}:delivery:job") <= 600
    due = {"next_attempt_at": datetime.now(UTC) + timedelta(days=1)}
    await ledger.record(claimed.model_copy(update=due), ATTEMPT)
    await ledger.begin("job-2")
    for key in ("delivery:job", "delivery:job:log", "deliveries:due"):
        assert DAY_S < await redis.ttl(f"{prefix}:{key}") <= DAY_S + 601
    keys = [key async for key in redis.scan_iter(f"{prefix}:*")]
    assert all([await redis.ttl(key) > 0 for key in keys])
