"""What ``dedup2d init`` does on a Prefect server, as often as one likes.

Blocks, work pool, deployments with their schedules and limits, and the automation that ends
zombie runs.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from pathlib import Path
from typing import Any, Final

import yaml
from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.utilities.callables import parameter_schema

from dedup2d.errors import ServiceError
from dedup2d.settings import Settings
from dedup2d.stack.zombies import ensure_zombie_automation
from dedup2d.worker.engine import load_flow

logger = logging.getLogger(__name__)

PROJECT_FILE: Final = Path(__file__).parents[2] / "prefect.yaml"
BLOCK_MODULE: Final = "blocks"
SERVER_WAIT_S: Final = 120.0


def run(settings: Settings) -> int:
    """Register everything on the server that PREFECT_API_URL names; gives the exit status."""

    async def registered() -> None:
        async with get_client() as client:
            await register(client, settings)
            await ensure_zombie_automation(client)

    asyncio.run(registered())
    return 0


async def register(client: PrefectClient, settings: Settings) -> None:
    """Wait for the server, then bring it up to date. Idempotent. Raises ServiceError.

    Without the automation: each event that it counts is a write, and SQLite's one writer then
    stands still for a minute now and then. A stack on one machine has its leases instead.
    """
    await wait_for_server(client)
    await ensure_work_pool(client, settings.work_pool)
    await register_blocks(client, settings)
    for entry in project_deployments():
        await ensure_deployment(client, entry, pool=settings.work_pool)


async def wait_for_server(client: PrefectClient) -> None:
    """Return when the server is healthy."""
    deadline = asyncio.get_running_loop().time() + SERVER_WAIT_S
    while (failure := await client.api_healthcheck()) is not None:
        if asyncio.get_running_loop().time() > deadline:
            raise ServiceError(
                "prefect", f"The Prefect server at {client.api_url} does not answer."
            ) from failure
        await asyncio.sleep(0.25)


async def ensure_work_pool(client: PrefectClient, name: str) -> None:
    """A pool of type ``process``: the warm worker serves it, and so does Prefect's own."""
    try:
        await client.read_work_pool(name)
    except ObjectNotFound:
        pool = WorkPoolCreate(
            name=name, type="process", description="Jobs of dedup2d; serve it by 'dedup2d worker'."
        )
        try:
            await client.create_work_pool(pool)
        except ObjectAlreadyExists:  # somebody else was quicker
            logger.debug("work pool %s exists", name)


async def register_blocks(client: PrefectClient, settings: Settings) -> None:
    """Our block types, and a default document of the store so that the picker is not empty."""
    module = importlib.import_module(BLOCK_MODULE)
    for name in module.__all__:
        block = getattr(module, name)
        if isinstance(block, type) and issubclass(block, Block):
            await block.register_type_and_schema(client=client)
    if (default := module.default_store(settings)) is not None:
        await default.save("default", overwrite=True, client=client)


def project_deployments() -> list[dict[str, Any]]:
    """The deployments of prefect.yaml, which ``prefect deploy --all`` reads too."""
    project: dict[str, Any] = yaml.safe_load(PROJECT_FILE.read_text("utf-8"))
    entries: list[dict[str, Any]] = project["deployments"]
    return entries


async def ensure_deployment(client: PrefectClient, entry: dict[str, Any], *, pool: str) -> None:
    """Create or update one deployment as prefect.yaml has it."""
    flow = await asyncio.to_thread(load_flow, entry["entrypoint"])
    await client.create_deployment(
        flow_id=await client.create_flow(flow),
        name=entry["name"],
        version=entry.get("version"),
        description=entry.get("description"),
        tags=entry.get("tags", []),
        parameters=entry.get("parameters", {}),
        entrypoint=entry["entrypoint"],
        work_pool_name=pool,
        schedules=[_schedule_of(s) for s in entry.get("schedules", [])],
        concurrency_limit=entry.get("concurrency_limit"),
        parameter_openapi_schema=parameter_schema(flow).model_dump_for_openapi(),
        enforce_parameter_schema=True,
    )


def _schedule_of(entry: dict[str, Any]) -> DeploymentScheduleCreate:
    schedule: CronSchedule | IntervalSchedule
    if "cron" in entry:
        schedule = CronSchedule(cron=entry["cron"], timezone=entry.get("timezone", "UTC"))
    else:
        schedule = IntervalSchedule(interval=entry["interval"])
    return DeploymentScheduleCreate(
        schedule=schedule, active=entry.get("active", True), slug=entry.get("slug")
    )
