"""The gateway's process."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from typing import Final

import uvicorn
from fastapi import FastAPI

from dedup2d.errors import RequestError, ServiceError
from dedup2d.gateway.app import create_app
from dedup2d.gateway.auth import is_loopback
from dedup2d.gateway.punctual import punctual
from dedup2d.gateway.state import Gateway
from dedup2d.memory import return_freed_memory
from dedup2d.settings import Settings
from dedup2d.stores.build import tenant_store
from dedup2d.tenants.registry import TenantRegistry

KEEP_ALIVE_S: Final = 30
GRACE_S: Final = 30  # for requests under way when the gateway is told to stop
MAX_HEAD_BYTES: Final = 32 * 1024  # request line and headers
PREFECT_RETRIES: Final = (
    0  # patience.py retries sooner than Prefect's client, whose pauses are seconds
)
PREFECT_TIMEOUT_S: Final = 15.0


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises RequestError ``API_KEYS_NEEDED`` for an open bind."""
    if not settings.api_keys and not _has_tenants(settings):
        if not is_loopback(host):
            raise RequestError(
                "API_KEYS_NEEDED",
                f"Make a key by 'dedup2d tenants add', or set API_KEYS, to serve on {host}; "
                "without keys only 127.0.0.1 is served.",
            )
        sys.stderr.write("There are no API keys: only this machine is served, without keys.\n")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    for name in ("stamina", "python_multipart"):  # what they warn of is answered by us
        logging.getLogger(name).setLevel(logging.ERROR)
    return_freed_memory()
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        http=punctual(min(KEEP_ALIVE_S, settings.upload_idle_s)),
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
    )
    asyncio.run(_run(_Server(config, app)))


class _Server(uvicorn.Server):
    """Sends those home who wait for jobs, before it waits for their requests to end."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        gateway: Gateway = self._app.state.gateway
        gateway.watch.stop()
        await super().shutdown(sockets)


def _has_tenants(settings: Settings) -> bool:
    try:
        return bool(TenantRegistry(tenant_store(settings)).all())
    except ServiceError:  # each request asks again, and none is served before there is an answer
        return True


async def _run(server: uvicorn.Server) -> None:
    from prefect.settings import (  # noqa: PLC0415 - takes seconds
        PREFECT_API_REQUEST_TIMEOUT,
        PREFECT_CLIENT_MAX_RETRIES,
        temporary_settings,
    )

    # Connections inherit the context of the server, and with it these settings.
    updates = {
        PREFECT_CLIENT_MAX_RETRIES: PREFECT_RETRIES,
        PREFECT_API_REQUEST_TIMEOUT: PREFECT_TIMEOUT_S,
    }
    with temporary_settings(updates=updates):
        await server.serve()
