"""A sender that is killed: somebody else goes on with the same delivery, nothing is lost."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hook_receiver import SILENCE, HookReceiver, status

from dedup2d.net.guard import AddressGuard
from dedup2d.settings import Settings, read_settings
from dedup2d.tickets.connect import connect
from dedup2d.tickets.deliveries import DeliveryLedger
from dedup2d.tickets.embedded import EmbeddedRedis
from dedup2d.webhooks.sender import WebhookSender

SENDER = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from test_webhooks_kill import deliver, settings_at
asyncio.run(deliver(settings_at(Path(sys.argv[2])), sys.argv[3]))
"""
CLAIM_S = 3


def settings_at(data: Path) -> Settings:
    return read_settings({}, data_dir=data).model_copy(
        update={
            "callback_allow_http": True,
            "callback_block_private": False,
            "callback_backoff_base_s": 0.01,
        }
    )


async def deliver(settings: Settings, url: str):
    """Claim, deliver, record, as the pipeline does; None where somebody else has the claim."""
    redis = connect(settings)
    ledger = DeliveryLedger(redis, prefix="kill", ttl_s=600, claim_s=CLAIM_S)
    sender = WebhookSender(settings, AddressGuard(settings))
    try:
        claimed = await ledger.claim("job-1", "completed")
        if claimed is None:
            return None
        delivery = await sender.deliver(
            claimed.delivery_id,
            url,
            job_id="job-1",
            tenant_id="acme",
            body=b"{}",
            attempts_before=claimed.attempts,
            progress=ledger.record,
        )
        await ledger.record(delivery)
        return delivery
    finally:
        await sender.aclose()
        await redis.aclose()


@pytest.fixture
async def settings() -> AsyncIterator[Settings]:
    with tempfile.TemporaryDirectory(prefix="dedup2d-hooks-") as folder:
        server = EmbeddedRedis(Path(folder))
        await asyncio.to_thread(server.start)
        yield settings_at(Path(folder))
        await asyncio.to_thread(server.stop)


async def test_kill_9_between_attempt_and_record_repeats_the_same_delivery(
    hook: HookReceiver, settings: Settings
):
    hook.answers = [status(503), SILENCE, status(200)]
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", textwrap.dedent(SENDER), here, settings.data_dir, hook.url]
    process = await asyncio.create_subprocess_exec(*command)
    await hook.silent.wait()  # the receiver has the second attempt, nobody has its end
    process.send_signal(signal.SIGKILL)
    await process.wait()

    assert await deliver(settings, hook.url) is None
    await asyncio.sleep(CLAIM_S)
    delivery = await deliver(settings, hook.url)
    assert delivery.status == "success"
    assert delivery.attempts == 2  # the first was recorded, the second was not
    assert len({got.headers["X-Dedup-Delivery-Id"] for got in hook.received}) == 1
    assert len(hook.received) == 3
    assert await deliver(settings, hook.url) is None
