"""Starts the real parts that demo, tests and benchmarks run against, and ends them again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
import httpx
from receiver import free_port

ROOT: Final = Path(__file__).parents[2]
READY_S: Final = 240
STOP_S: Final = 120
PATIENCE_S: Final = 150
BUCKET: Final = "dedup2d-demo"


class NotReadyError(RuntimeError):
    """Something did not come up in time."""


class PatientTransport(httpx.HTTPTransport):
    """Asks again after a 503, as the answer says: Prefect's SQLite may be busy for a minute."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The first answer that is not a 503, or the last one within ``PATIENCE_S``."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            response = super().handle_request(request)
            busy = response.status_code == httpx.codes.SERVICE_UNAVAILABLE
            if not busy or time.monotonic() > deadline:
                return response
            response.close()
            time.sleep(float(response.headers.get("Retry-After", 0.25)))


@dataclass(frozen=True, slots=True)
class Stack:
    """A running ``dedup2d up``."""

    data: Path
    port: int
    prefect_port: int
    environ: Mapping[str, str]
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Base address of the dedup endpoints."""
        return f"http://127.0.0.1:{self.port}/api/v1/dedup/2d"

    @property
    def prefect_api(self) -> str:
        """Prefect's API."""
        return f"http://127.0.0.1:{self.prefect_port}/api"

    def prefect(self) -> httpx.Client:
        """A client of Prefect's API."""
        return httpx.Client(base_url=self.prefect_api, transport=PatientTransport(), timeout=60)

    def client(self, key: str) -> httpx.Client:
        """A client of the gateway with this API key."""
        return httpx.Client(
            base_url=self.url,
            headers={"X-API-Key": key},
            transport=PatientTransport(),
            timeout=120,
        )


@contextmanager
def running_stack(data: Path, environ: Mapping[str, str], *, workers: int = 1) -> Iterator[Stack]:
    """``dedup2d up`` on free ports, until ready; ended by the signal that Ctrl-C sends."""
    data.mkdir(parents=True, exist_ok=True)
    port, prefect_port = free_port(), free_port()
    options = {"data": data, "port": port, "prefect-port": prefect_port, "workers": workers}
    given = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "dedup2d.cli", "up", *given]
    log = data / "up.log"
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "DEDUP2D_"))}
    with log.open("wb") as out:
        up = subprocess.Popen(  # noqa: S603 - our own command
            command, env=clean | dict(environ), stdout=out, stderr=out, cwd=ROOT
        )
    stack = Stack(data, port, prefect_port, environ, up)
    try:
        _wait(lambda: up.poll() is not None or _is_ok(f"{stack.url}/health"), READY_S, log)
        if up.poll() is not None:
            raise NotReadyError(log.read_text()[-4000:])
        yield stack
    finally:
        if up.poll() is None:
            up.send_signal(signal.SIGINT)
        up.wait(STOP_S)


@contextmanager
def s3_server(data: Path) -> Iterator[dict[str, str]]:
    """A moto server with a bucket; gives the settings that point at it."""
    data.mkdir(parents=True, exist_ok=True)
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    with (data / "moto.log").open("wb") as log:
        moto = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - our own command
    try:
        _wait(lambda: _is_ok(f"{endpoint}/moto-api/data.json"), 60, data / "moto.log")
        settings = {
            "DEDUP2D_FILE_STORAGE": "s3",
            "DEDUP2D_S3_BUCKET": BUCKET,
            "DEDUP2D_S3_ENDPOINT": endpoint,
            "DEDUP2D_S3_REGION": "us-east-1",
            "DEDUP2D_S3_ACCESS_KEY": "demo",
            "DEDUP2D_S3_SECRET_KEY": "demo",
        }
        s3_client(settings).create_bucket(Bucket=BUCKET)
        yield settings
    finally:
        moto.terminate()
        moto.wait()


def s3_client(settings: Mapping[str, str]) -> Any:
    """A boto3 client of that server."""
    return boto3.client(
        "s3",
        endpoint_url=settings["DEDUP2D_S3_ENDPOINT"],
        region_name=settings["DEDUP2D_S3_REGION"],
        aws_access_key_id=settings["DEDUP2D_S3_ACCESS_KEY"],
        aws_secret_access_key=settings["DEDUP2D_S3_SECRET_KEY"],
    )


def _is_ok(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _wait(condition: Callable[[], bool], seconds: float, log: Path) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise NotReadyError(f"not ready after {seconds:g} s\n{log.read_text()[-4000:]}")
        time.sleep(0.2)
