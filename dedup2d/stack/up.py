"""``dedup2d up``: the whole stack on one machine, everything below one folder.

Redis, Prefect's server, gateway and workers are processes of their own; this one starts them,
keeps them alive and ends them in order. It imports neither Prefect nor the gateway.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

import httpx
from rich.console import Console

from dedup2d.errors import RequestError, ServiceError
from dedup2d.settings import Settings
from dedup2d.stack.processes import Service
from dedup2d.tickets.embedded import EmbeddedRedis

READY_S: Final = 180.0  # a fresh server on a busy machine migrates its database first
LOOK_S: Final = 0.25
PROFILES: Final = Path(__file__).parents[2] / "deployments" / "server"
DATABASE: Final = "PREFECT_SERVER_DATABASE_CONNECTION_URL"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where things answer."""

    host: str
    port: int
    prefect_port: int

    @property
    def gateway(self) -> str:
        """Base address of the gateway."""
        return f"http://{_reachable(self.host)}:{self.port}"

    @property
    def prefect(self) -> str:
        """Prefect's UI."""
        return f"http://127.0.0.1:{self.prefect_port}"


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound


def run(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    prefect_port: int = 4200,
    workers: int = 1,
) -> int:
    """Start everything, print the addresses when ready, serve until Ctrl-C or SIGTERM.

    Gives 0 after an orderly end. Raises RequestError for a port that is taken and ServiceError
    when the stack does not become ready.
    """
    at = Addresses(host, port, prefect_port)
    for wanted_host, wanted in ((host, port), ("127.0.0.1", prefect_port)):
        _check_free(wanted_host, wanted)
    data = settings.data_dir.absolute()
    (data / "logs").mkdir(parents=True, exist_ok=True)
    stopped = _signals()
    redis = None if settings.redis_url else EmbeddedRedis(data)
    services: list[Service] = []
    console = Console(stderr=True)
    try:
        redis_url = settings.redis_url or (redis.start() if redis else "")
        environ = environment(data, at, redis_url=redis_url)
        services += plan(data, at, environ, workers=workers)
        for service in services:
            service.start()
        if _wait_ready(at, services, console, stopped):
            _announce(console, at, data)
        _watch(services, redis, console, stopped)
    finally:
        console.print("stopping ...")
        for service in reversed(services):
            service.stop()
        if redis is not None:
            redis.stop()
    return 0


def _signals() -> list[int]:
    """A list that fills when somebody asks us to stop."""
    stopped: list[int] = []

    def ask_to_stop(number: int, _frame: FrameType | None) -> None:
        stopped.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask_to_stop)
    return stopped


def _watch(
    services: list[Service], redis: EmbeddedRedis | None, console: Console, stopped: list[int]
) -> None:
    while not stopped:
        time.sleep(LOOK_S)
        told = [service.keep_alive() for service in services]
        if redis is not None:
            told.append(_keep_redis_alive(redis))
        for sentence in filter(None, told):
            console.print(sentence, style="yellow")


def _keep_redis_alive(redis: EmbeddedRedis) -> str | None:
    """As ``Service.keep_alive``, for the one process that is not our child."""
    if redis.is_running:
        return None
    try:
        redis.start()
    except ServiceError as error:
        return error.message
    return "redis ended and was started again"


def environment(data: Path, at: Addresses, *, redis_url: str) -> dict[str, str]:
    """What the processes see: ours below ``data``, the server's profile, then what was set."""
    on_postgres = os.environ.get(DATABASE, "").startswith("postgresql")
    profile = PROFILES / ("postgres.env" if on_postgres else "sqlite.env")
    own = read_profile(profile) | {
        "PREFECT_HOME": str(data / "prefect"),
        "PREFECT_API_URL": f"{at.prefect}/api",
        "PREFECT_SERVER_UI_API_URL": f"{at.prefect}/api",
        "DEDUP2D_DATA_DIR": str(data),
        "DEDUP2D_REDIS_URL": redis_url,
        "PYTHONUNBUFFERED": "1",
    }
    forced = {"PREFECT_API_URL", "PREFECT_SERVER_UI_API_URL", "DEDUP2D_DATA_DIR"}
    given = {k: v for k, v in os.environ.items() if k not in forced}
    return own | given | {"DEDUP2D_REDIS_URL": redis_url}


def read_profile(path: Path) -> dict[str, str]:
    """``KEY=VALUE`` lines of an env file; comments and empty lines are passed over."""
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {key.strip(): value.strip() for key, _, value in pairs}


def plan(data: Path, at: Addresses, environ: dict[str, str], *, workers: int) -> list[Service]:
    """The processes in starting order; all may start at once, each waits for what it needs."""
    ours = [sys.executable, "-m", "dedup2d.cli"]
    commands = {
        "prefect-server": [
            *(sys.executable, "-m", "dedup2d.stack.prefect_server"),
            *("--host", "127.0.0.1", "--port", str(at.prefect_port)),
        ],
        "gateway": [*ours, "gateway", "--host", at.host, "--port", str(at.port)],
        "worker-1": [*ours, "worker", "--init"],
    }
    for number in range(2, workers + 1):
        commands[f"worker-{number}"] = [*ours, "worker"]
    return [
        Service(name=name, command=command, environ=environ, log=data / "logs" / f"{name}.log")
        for name, command in commands.items()
    ]


def _check_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise RequestError(
                "PORT_TAKEN", f"Port {port} of {host} is taken; choose another one."
            ) from error


def _wait_ready(
    at: Addresses, services: list[Service], console: Console, stopped: list[int]
) -> bool:
    """True when the gateway's health is good, False when asked to stop before."""
    url = f"{at.gateway}/api/v1/dedup/2d/health"
    deadline = time.monotonic() + READY_S
    with console.status("starting Redis, Prefect, gateway and worker ..."), httpx.Client() as http:
        while not stopped:
            try:
                if http.get(url, timeout=5).status_code == httpx.codes.OK:
                    return True
            except httpx.HTTPError:
                pass  # not up yet
            for service in services:
                service.keep_alive()
            if time.monotonic() > deadline:
                tails = "\n".join(f"--- {s.name}\n{s.last_lines()}" for s in services)
                raise ServiceError("stack", f"Not ready after {READY_S:g} s.\n{tails}")
            time.sleep(LOOK_S)
    return False


def _announce(console: Console, at: Addresses, data: Path) -> None:
    console.print("[bold green]ready[/]")
    console.print(f"  gateway     {at.gateway}/docs")
    console.print(f"  Prefect UI  {at.prefect}")
    console.print(f"  data        {data}")
    console.print("Ctrl-C ends it.")
