"""A delivery over days, under a clock that the test sets; nothing is lost, nothing told twice."""

from __future__ import annotations

import asyncio
import shutil
from itertools import pairwise

import pytest
from courier_kit import DAY_S, NOW, Post
from hook_receiver import HANG_UP, SILENCE, HookReceiver, status

from dedup2d.jobs.courier import HEAD_START_S, PER_RECEIVER
from dedup2d.jobs.model import JobStatus, Outcome
from dedup2d.jobs.outcomes import read_undelivered
from dedup2d.webhooks.schedule import STANDARD_S, Schedule
from dedup2d.webhooks.signature import verify


async def test_what_is_accepted_at_once_leaves_nothing_behind(post: Post, hook: HookReceiver):
    delivery = await post.announce(hook.url)
    assert (delivery.status, delivery.attempts, delivery.http_status) == ("success", 1, 200)
    assert delivery.finished_at is not None
    assert await post.ledger.of_job("job-1") == delivery
    assert post.undelivered == set()
    assert await post.announce(hook.url) is None
    assert len(hook.received) == 1


async def test_the_standard_schedule_tries_ten_times_over_three_days(post, hook):
    hook.answers = [status(503)]
    delivery = await post.announce(hook.url)
    assert delivery.status == "pending"
    ended = await post.run()
    assert (ended.status, ended.attempts, ended.http_status) == ("failed", 10, 503)
    log = await post.ledger.log("job-1")
    times = [attempt.at.timestamp() for attempt in log]
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits == list(STANDARD_S)
    assert times[-1] - NOW == sum(STANDARD_S) > 3 * DAY_S
    assert post.undelivered == set()


async def test_with_the_shortest_jitter_the_standard_schedule_is_longer_than_a_day(post, hook):
    post.pick = min
    hook.answers = [status(500)]
    await post.announce(hook.url)
    await post.run()
    assert post.now - NOW == sum(STANDARD_S) / 2 > DAY_S


async def test_id_and_body_are_fixed_and_the_signature_is_fresh(post, hook):
    hook.answers = [status(503), HANG_UP, status(429), status(200)]
    await post.announce(hook.url)
    assert (await post.run()).status == "success"
    assert len({(got.headers["webhook-id"], got.body) for got in hook.received}) == 1
    signatures = [got.headers["X-Dedup-Signature"] for got in hook.received]
    assert len(set(signatures)) == 4
    assert [s.partition(",")[0] for s in signatures] == [
        f"t={round(NOW + passed)}" for passed in (0, 5, 305, 2105)
    ]
    assert verify("s", signatures[-1], "job-1", hook.received[-1].body, now=post.now)


async def test_a_long_retry_after_is_waited_for_up_to_a_day(post, hook):
    hook.answers = [status(503, Retry_After="7200"), status(503, Retry_After="999999999")]
    first = await post.announce(hook.url)
    assert first.next_attempt_at.timestamp() == NOW + 7200
    post.now += 7199
    assert await post.send_due() == 0
    post.now += 2
    assert await post.send_due() == 1
    second = await post.ledger.of_job("job-1")
    assert second.next_attempt_at.timestamp() == post.now + DAY_S


@pytest.mark.parametrize("code", [410, 301, 400])
async def test_gone_redirects_and_refusals_end_it(post, hook, code):
    hook.answers = [status(code, Location="/elsewhere", Retry_After="5")]
    delivery = await post.announce(hook.url)
    assert (delivery.status, delivery.attempts, delivery.http_status) == ("failed", 1, code)
    post.now += 9 * DAY_S
    assert await post.send_due() == 0
    assert len(hook.received) == 1


async def test_the_predecessors_three_quick_tries(hook_data, tmp_path, hook):
    quick = Post(hook_data, tmp_path, callback_max_attempts=3)
    hook.answers = [status(503)]
    await quick.announce(hook.url)
    ended = await quick.run()
    assert (ended.status, ended.attempts) == ("failed", 3)
    assert quick.now - NOW == 1 + 2
    await quick.aclose()


async def test_a_slow_receiver_does_not_hold_up_the_job(hook_data, tmp_path, hook):
    slow = Post(hook_data, tmp_path, callback_timeout_s=60)
    hook.answers = [SILENCE]
    began = asyncio.get_running_loop().time()
    delivery = await slow.announce(hook.url)
    assert delivery.status == "pending"
    assert HEAD_START_S - 0.1 < asyncio.get_running_loop().time() - began < HEAD_START_S + 10
    hook.closing.set()  # it hangs up, long after the job went on
    await slow.courier.settle()
    assert (await slow.ledger.of_job("job-1")).attempts == 1
    await slow.aclose()


async def test_a_silent_receiver_does_not_hold_up_the_others(post, hook):
    """What is due at one receiver takes some of the room, never all."""
    hook.answers = [status(503)]
    for number in range(20):
        await post.announce(hook.url, f"job-{number}")
    other = f"http://localhost:{hook.port}/hook"
    await post.announce(other, "job-other")
    hook.answers = [SILENCE]
    post.now += 60
    assert await post.courier.send_due() == PER_RECEIVER + 1
    assert await post.courier.send_due() == 0
    hook.closing.set()
    await post.courier.settle()


async def test_lost_redis_data_are_found_again_in_the_result_store(post, hook):
    hook.answers = [status(503), status(503), status(200)]
    await post.announce(hook.url)
    post.now += 5
    await post.send_due()
    before = await post.ledger.of_job("job-1")
    await post.forget()
    post.now += DAY_S
    assert await post.send_due() == 0

    assert post.undelivered == {"job-1"}
    assert await post.courier.recover(post.undelivered) == 1
    assert await post.ledger.of_job("job-1") == before
    assert await post.courier.recover(post.undelivered) == 0
    assert await post.send_due() == 1
    delivery = await post.ledger.of_job("job-1")
    assert (delivery.status, delivery.attempts) == ("success", 3)
    assert len({got.headers["webhook-id"] for got in hook.received}) == 1
    assert post.undelivered == set()


async def test_without_redis_the_webhook_waits_in_the_result_store(hook_data, tmp_path, hook):
    """The job ends as it would; the sweep brings its webhook back when Redis is."""
    deaf = Post(hook_data, tmp_path, redis_url="redis://127.0.0.1:1/0")
    waiting = await deaf.announce(hook.url)
    assert waiting.status == "pending"
    assert hook.received == []
    await deaf.aclose()
    post = Post(hook_data, tmp_path)
    assert await post.courier.recover(post.undelivered) == 1
    assert (await post.run()).status == "success"
    assert post.undelivered == set()
    await post.aclose()


async def test_a_kept_delivery_that_the_ledger_knows_to_have_ended_is_let_go(post, hook):
    """A sender that was killed between record and clearing up."""
    hook.answers = [status(503), status(200)]
    await post.announce(hook.url)
    kept = post.results._root / "undelivered-job-1"
    shutil.copytree(kept, post.results._root / "copy")
    await post.run()
    (post.results._root / "copy").rename(kept)
    assert await post.courier.recover(post.undelivered) == 0
    assert post.undelivered == set()
    assert len(hook.received) == 2


async def test_an_outcome_that_is_gone_ends_the_delivery(post, hook):
    hook.answers = [status(503)]
    await post.announce(hook.url)
    post.results.delete_folder("job-1")
    ended = await post.run()
    assert (ended.status, ended.attempts) == ("failed", 1)
    assert "not kept" in ended.last_error


async def test_a_receiver_that_fails_for_days_is_switched_off_with_an_event(post, hook):
    hook.answers = [status(500)]
    for day in range(7):
        await post.announce(hook.url, f"job-{day}")
        post.now += 1
        await post.send_due()
        post.now += DAY_S
    assert [told.receiver for told in post.told] == [f"http://127.0.0.1:{hook.port}"]
    seen = len(hook.received)
    fresh = await post.announce(hook.url, "job-late")
    assert (fresh.status, fresh.attempts) == ("skipped", 0)
    assert "switched off" in fresh.last_error
    while await post.send_due():
        post.now += DAY_S
    assert len(hook.received) == seen
    assert (await post.ledger.of_job("job-0")).status == "failed"
    assert post.undelivered == set()


async def test_a_replay_goes_to_a_receiver_that_is_off_and_switches_it_on(post, hook):
    hook.answers = [status(500)]
    for number in range(12):
        await post.announce(hook.url, f"job-{number}")
        post.now += DAY_S
    skipped = await post.announce(hook.url, "job-late")
    hook.answers = [status(200)]
    await post.courier.replay(skipped)
    assert (await post.run("job-late")).status == "success"
    assert (await post.announce(hook.url, "job-later")).status == "success"


async def test_a_replay_is_the_same_delivery_from_the_start(post, hook):
    hook.answers = [status(410), status(503), status(200)]
    failed = await post.announce(hook.url)
    again = await post.courier.replay(failed)
    assert (again.status, again.attempts, again.delivery_id) == ("pending", 0, failed.delivery_id)
    assert await read_undelivered(post.results, "job-1") == again
    ended = await post.run()
    assert (ended.status, ended.attempts) == ("success", 2)
    assert len({(got.headers["webhook-id"], got.body) for got in hook.received}) == 1
    assert len(await post.ledger.log("job-1")) == 3
    assert post.undelivered == set()


async def test_an_outcome_that_no_json_can_tell_ends_its_delivery_and_not_its_job(post, hook):
    broken = Outcome(
        job_id="job-1", tenant_id="acme", status=JobStatus.COMPLETED, result={"n": float("nan")}
    )
    delivery = await post.courier.announce(broken, hook.url)
    assert delivery.status == "failed"
    assert hook.received == []


@pytest.mark.parametrize(
    ("changes", "waits"),
    [
        ({}, STANDARD_S),
        ({"callback_schedule": "standard", "callback_max_attempts": 2}, STANDARD_S),
        ({"callback_schedule": "quick"}, (1, 2)),
        ({"callback_max_attempts": 6}, (1, 2, 4, 8, 10)),
        ({"callback_backoff_base_s": 0.5}, (0.5, 1)),
        ({"callback_schedule": "1, 60,3600"}, (1, 60, 3600)),
    ],
)
def test_the_settings_name_the_schedule(hook_data, tmp_path, changes, waits):
    settings = Post(hook_data, tmp_path, **changes).settings
    assert Schedule.from_settings(settings).waits_s == waits


def test_waits_are_drawn_between_half_and_all_of_the_schedules():
    schedule = Schedule((1, 60))
    assert schedule.wait_s(2, 0, lambda low, high: (low + high) / 2) == 45
    assert schedule.wait_s(2, 55, lambda low, high: low) == 55
    assert schedule.wait_s(3, 0, max) is None
