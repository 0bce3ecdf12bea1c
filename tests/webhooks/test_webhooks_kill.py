"""A sender that is killed: somebody else goes on with the same delivery, nothing is lost."""

from __future__ import annotations

import asyncio
import signal
import sys
import textwrap
from pathlib import Path

import pytest
from courier_kit import Post
from hook_receiver import SILENCE, HookReceiver, status

SENDER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from courier_kit import Post

async def send():
    post = Post(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], callback_timeout_s=60)
    if await post.ledger.of_job("job-1") is None:
        await post.announce(sys.argv[5])
    else:
        post.now += 3600
        await post.courier.send_due()
    await post.courier.settle()

asyncio.run(send())
"""


async def killed_while_sending(post: Post, hook: HookReceiver) -> None:
    """Another process sends, and is killed when the receiver has all and has not answered."""
    hook.silent.clear()
    here = str(Path(__file__).parent)
    places = [here, post.settings.data_dir, post.results._root, post.prefix, hook.url]
    command = [sys.executable, "-c", textwrap.dedent(SENDER), *places]
    process = await asyncio.create_subprocess_exec(*command)
    await hook.silent.wait()
    process.send_signal(signal.SIGKILL)
    await process.wait()


async def test_kill_9_between_attempt_and_record_repeats_the_same_delivery(
    hook: HookReceiver, post: Post
):
    hook.answers = [SILENCE, status(200)]
    await killed_while_sending(post, hook)

    assert await post.send_due() == 0  # the dead sender's claim
    post.now += 31
    assert await post.send_due() == 1
    delivery = await post.ledger.of_job("job-1")
    assert (delivery.status, delivery.attempts) == ("success", 1)  # the first was not recorded
    assert len({(got.headers["webhook-id"], got.body) for got in hook.received}) == 1
    assert len(hook.received) == 2
    assert await post.announce(hook.url) is None


async def test_kill_9_at_a_later_attempt_loses_nothing_either(hook: HookReceiver, post: Post):
    hook.answers = [status(503), SILENCE, SILENCE, status(200)]
    await post.announce(hook.url)
    await killed_while_sending(post, hook)
    post.now += 3600 + 31
    assert post.undelivered == {"job-1"}
    assert await post.send_due() == 1  # silent here too: recorded as a failure
    assert (await post.run()).status == "success"
    assert len({(got.headers["webhook-id"], got.body) for got in hook.received}) == 1
    assert len(hook.received) == 4
    assert post.undelivered == set()


@pytest.mark.parametrize("lost", ["ledger", "nothing"])
async def test_kill_9_and_a_lost_ledger_together_lose_nothing_that_failed_once(
    hook: HookReceiver, post: Post, lost: str
):
    hook.answers = [status(503), SILENCE, status(200)]
    await post.announce(hook.url)
    await killed_while_sending(post, hook)
    if lost == "ledger":
        await post.forget()
    post.now += 7200
    assert await post.courier.recover(post.undelivered) == (lost == "ledger")
    assert (await post.run()).status == "success"
    assert len({got.headers["webhook-id"] for got in hook.received}) == 1
