"""What the gateway holds while it runs, and how it is opened and closed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from dedup2d.errors import RequestError
from dedup2d.gateway.bodies import Health
from dedup2d.gateway.inbox import Inbox
from dedup2d.gateway.turns import Turns
from dedup2d.gateway.watch import JobWatch
from dedup2d.sandbox import ChildPool
from dedup2d.settings import Settings
from dedup2d.stores.build import config_store, direct_store, geometry_store
from dedup2d.stores.direct import LocalDirect, S3Direct
from dedup2d.stores.geometries import GeometryStore
from dedup2d.tenant_config import TenantConfigs

if TYPE_CHECKING:  # importing Prefect takes seconds; building the application needs none of it
    from fastapi import FastAPI, Request
    from prefect.client.orchestration import PrefectClient

    from dedup2d.jobs.service import JobService
    from dedup2d.jobs.services import Services

logger = logging.getLogger(__name__)

COMPARISONS_AT_ONCE: Final = 1  # of geometry JSON; its child starts with the first
RUNS_AT_ONCE: Final = 2  # flow runs created at a time; more only fight over SQLite's one writer


@dataclass(slots=True)
class Examined:
    """The last answer of the health check, shared by all who ask at the same time."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    answer: Health | None = None
    at: float = 0.0  # seconds of the event loop's clock
    asking: asyncio.Task[dict[str, Any]] | None = None  # of the matcher's health
    indexes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gateway:
    """Connections and services of one running gateway."""

    settings: Settings
    services: Services
    jobs: JobService
    prefect: PrefectClient
    inbox: Inbox
    watch: JobWatch
    direct: LocalDirect | S3Direct
    configs: TenantConfigs
    geometries: GeometryStore
    comparing: ChildPool
    examined: Examined = field(default_factory=Examined)
    creating: Turns = field(default_factory=lambda: Turns(RUNS_AT_ONCE))


def gateway_of(request: Request) -> Gateway:
    """The gateway that serves this request."""
    gateway: Gateway = request.app.state.gateway
    return gateway


def lifespan(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Opens everything at start and gives it back at the end; neither server need be up yet."""

    @asynccontextmanager
    async def span(app: FastAPI) -> AsyncIterator[None]:
        async with _open(settings) as gateway:
            app.state.gateway = gateway
            yield

    return span


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Gateway]:
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - see TYPE_CHECKING
    from prefect.settings import get_current_settings  # noqa: PLC0415 - see TYPE_CHECKING

    from dedup2d.jobs.service import JobService  # noqa: PLC0415 - imports Prefect
    from dedup2d.jobs.services import Services  # noqa: PLC0415 - imports the engine

    if get_current_settings().api.url is None:
        # Prefect would start a server of its own, which nobody else could reach.
        raise RequestError("INVALID_SETTING", "PREFECT_API_URL must name the Prefect server.")
    services = await Services.open(settings)
    inbox = Inbox(settings)
    comparing = ChildPool(
        processes=COMPARISONS_AT_ONCE,
        memory_bytes=settings.child_memory_bytes,
        preload=("dedup2d.engine.geometry_pair",),
    )
    configs, geometries, direct = await asyncio.to_thread(
        lambda: (config_store(settings), geometry_store(settings), direct_store(settings))
    )
    try:
        await inbox.clear()
        async with get_client() as client:
            jobs = JobService(services, client)
            yield Gateway(
                settings=settings,
                services=services,
                jobs=jobs,
                prefect=client,
                inbox=inbox,
                watch=JobWatch(jobs.standings),
                direct=direct,
                configs=TenantConfigs(configs),
                geometries=GeometryStore(geometries),
                comparing=comparing,
            )
    finally:
        await comparing.aclose()
        await inbox.aclose()
        await services.aclose()
