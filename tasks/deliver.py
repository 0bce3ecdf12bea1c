"""deliver: webhooks that are due again leave the house."""

from __future__ import annotations

import asyncio

from prefect import task
from prefect.logging import get_run_logger

from dedup2d.jobs.opening import services
from tasks.policy import DELIVERING_S, RETRIES


@task(name="deliver", task_run_name="deliver", **RETRIES)
async def deliver() -> int:
    """Give how many deliveries were tried."""
    courier = (await services()).courier
    clock = asyncio.get_running_loop()
    deadline, tried = clock.time() + DELIVERING_S, 0
    while clock.time() < deadline and (started := await courier.send_due()):
        await courier.settle()
        tried += started
    get_run_logger().info("%d webhook(s) tried", tried)
    return tried
