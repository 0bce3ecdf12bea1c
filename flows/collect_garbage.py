"""collect-garbage: ends jobs that nobody ended, and deletes files that no live job needs."""

from __future__ import annotations

from prefect import flow, get_client
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Completed

from dedup2d.jobs.opening import services
from dedup2d.jobs.sweep import collect
from flows.endings import uploads_of_run


@flow(name="collect-garbage", persist_result=False)
async def collect_garbage(
    execute: bool = False,
) -> State[None]:
    """Close ended jobs whose cleanup was lost, delete orphaned uploads and expired results.

    Args:
        execute: Off: only count what would be done
    """
    async with get_client() as client:
        counts = await collect(await services(), client, execute=execute, uploads_of=uploads_of_run)
    get_run_logger().info("%s", counts.model_dump_json())
    return Completed(message=f"{counts.closed} closed, {counts.deleted} deleted")
