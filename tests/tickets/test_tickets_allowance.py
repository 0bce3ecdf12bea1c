"""What a tenant may do, counted for many gateways at once."""

from __future__ import annotations

import asyncio
import pickle

import pytest

from dedup2d.errors import LimitError
from dedup2d.tickets.allowance import Allowance


@pytest.fixture
def gateways(redis, prefix):
    """Three of them, with one Redis."""
    return [Allowance(redis, prefix=prefix) for _ in range(3)]


async def admitted(calls) -> int:
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert all(answer is None or isinstance(answer, LimitError) for answer in done), done
    return sum(answer is None for answer in done)


async def test_a_seconds_worth_may_come_at_once_and_no_more(gateways):
    calls = [gateways[n % 3].request("acme", 0.01) for n in range(30)]
    assert await admitted(calls) == 1
    began = asyncio.get_running_loop().time()
    calls = [gateways[n % 3].request("beta", 20) for n in range(200)]
    count, took_s = await admitted(calls), asyncio.get_running_loop().time() - began
    assert 20 <= count <= 21 + 20 * took_s


async def test_who_is_refused_is_told_when_to_come_back(gateways):
    await gateways[0].request("acme", 2)
    await gateways[0].request("acme", 2)
    with pytest.raises(LimitError) as refused:
        await gateways[1].request("acme", 2)
    assert 0 < refused.value.retry_after_s <= 0.5
    await asyncio.sleep(refused.value.retry_after_s)
    await gateways[2].request("acme", 2)


async def test_one_tenants_haste_is_not_anothers(gateways):
    await gateways[0].request("acme", 0.01)
    await gateways[0].request("beta", 0.01)


async def test_of_many_uploads_at_once_as_many_fit_as_fit(gateways):
    calls = [gateways[n % 3].upload("acme", 10, 95) for n in range(30)]
    assert await admitted(calls) == 9
    await gateways[0].upload("acme", 5, 95)
    with pytest.raises(LimitError) as refused:
        await gateways[0].upload("acme", 1, 95)
    assert 0 < refused.value.retry_after_s <= 86400


async def test_what_was_too_much_is_given_back(gateways):
    await gateways[0].upload("acme", 90, 95)
    await gateways[1].upload("acme", -60, 95)
    await gateways[2].upload("acme", 65, 95)


async def test_the_counters_expire(gateways, redis, prefix):
    await gateways[0].request("acme", 1)
    await gateways[0].upload("acme", 1, 10)
    keys = [key async for key in redis.scan_iter(f"{prefix}:*")]
    assert len(keys) == 2
    assert all([await redis.pttl(key) > 0 for key in keys])


def test_a_limit_error_survives_pickling():
    error = pickle.loads(pickle.dumps(LimitError("X", "A sentence.", retry_after_s=2.5)))
    assert (error.code, error.message, error.retry_after_s) == ("X", "A sentence.", 2.5)
