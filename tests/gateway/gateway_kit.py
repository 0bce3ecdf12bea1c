"""A real gateway process on a real Prefect server, a real Redis and a folder.

Between the gateway and Prefect stands a relay, so that a test can take the server away. No
worker runs: a test ends a job itself, through Prefect's API, where it needs one ended.
"""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from dedup2d.gateway.auth import tenant_id_of
from dedup2d.jobs.model import JobStatus, Outcome
from dedup2d.jobs.outcomes import keep_outcome
from dedup2d.stores.local import LocalStore

PROFILE = Path(__file__).parents[2] / "deployments" / "server" / "sqlite.env"
PER_TENANT = 5
MAX_UPLOAD = 200 * 1024**2
KEYS = [f"key-{number}" for number in range(400)]
ADMIN = "admin-token"
READY_S = 180
API = "/api/v1/dedup"
DRAWING = b"0\nSECTION\n2\nENTITIES\n0\nLINE\n0\nENDSEC\n0\nEOF\n"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url, statuses, *, process=None, log=None):
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url).status_code in statuses:
                return
        if process is not None and process.poll() is not None:
            pytest.fail(f"it ended: {log.read_text()[-3000:]}")
        time.sleep(0.1)
    pytest.fail(f"{url} does not answer: {log.read_text()[-3000:]}")


@contextlib.contextmanager
def running(command, env, log):
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=os.environ | env, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@dataclass
class Prefect:
    """The server's REST API, as a worker would use it."""

    port: int
    http: httpx.Client = field(init=False)

    def __post_init__(self):
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}/api", timeout=30)

    def post(self, path, body):
        for _ in range(40):
            answer = self.http.post(path, json=body)
            if answer.status_code != 503:  # its database was locked
                break
            time.sleep(0.25)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def register(self):
        flow = self.post("/flows/", {"name": "dedup-job"})["id"]
        self.post("/work_pools/", {"name": "dedup2d", "type": "process"})
        deployment = {"name": "dedup-job", "flow_id": flow, "work_pool_name": "dedup2d"}
        self.post("/deployments/", deployment)

    def beat(self):
        self.post("/work_pools/dedup2d/workers/heartbeat", {"name": "w1"})

    def run(self, job_id):
        return self.http.get(f"/flow_runs/{job_id}").json()

    def runs_of(self, tenant):
        where = {"flow_runs": {"tags": {"all_": [f"tenant:{tenant}"]}}}
        return self.post("/flow_runs/filter", where)

    def set_state(self, job_id, kind, message=""):
        state = {"type": kind, "message": message}
        self.post(f"/flow_runs/{job_id}/set_state", {"state": state, "force": True})


class Relay:
    """Forwards a port until it is told to refuse."""

    def __init__(self, target):
        self._target = target
        self.port = free_port()
        self._server = None
        self._writers = set()

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def stop(self):
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        self._writers -= {writer, far_writer}

    async def _pump(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@dataclass
class Client:
    """One tenant."""

    key: str
    base: str
    data: Path
    http: httpx.AsyncClient
    bucket: Any = None  # a client of S3, where the files lie there

    def stored(self, ref):
        """The bytes that a reference points to."""
        if self.bucket is None:
            return (self.data / "uploads" / ref["path"]).read_bytes()
        return self.bucket.get_object(Bucket=ref["bucket"], Key=ref["key"])["Body"].read()

    @property
    def tenant(self):
        return tenant_id_of(self.key.encode())

    async def search(self, file=("part.dxf", DRAWING), *, headers=None, extra=(), **query):
        files = [("file", file), *extra]
        return await self.http.post(
            f"{API}/2d/search", params=query, files=files, headers=headers or {}
        )

    async def submit(self, **query):
        answer = await self.search(**{"async": "true"} | query)
        assert answer.status_code == 200, answer.text
        return answer.json()["job_id"]

    @property
    def uploads(self):
        """Every file and folder below the upload store."""
        return sorted(
            str(p.relative_to(self.data / "uploads")) for p in (self.data / "uploads").rglob("*")
        )

    async def end(self, prefect, job_id, kind="COMPLETED", *, result=None, message=""):
        """What a worker does at the end of a job."""
        if kind == "COMPLETED":
            outcome = Outcome(
                job_id=job_id, tenant_id=self.tenant, status=JobStatus.COMPLETED, result=result
            )
            await keep_outcome(LocalStore(self.data / "results"), outcome)
        await asyncio.to_thread(prefect.set_state, job_id, kind, message)


@dataclass
class Process:
    """A gateway process."""

    base: str
    process: subprocess.Popen
    log: Path

    @property
    def rss(self):
        return psutil.Process(self.process.pid).memory_info().rss


@contextlib.contextmanager
def gateway_process(data, prefect_port, log, **env):
    port = free_port()
    env = {
        "DEDUP2D_DATA_DIR": str(data),
        "DEDUP2D_ASYNC_MAX_JOBS": "1000",
        "DEDUP2D_TENANT_MAX_JOBS": str(PER_TENANT),
        "DEDUP2D_MAX_UPLOAD_BYTES": str(MAX_UPLOAD),
        "PREFECT_API_URL": f"http://127.0.0.1:{prefect_port}/api",
        "PREFECT_HOME": str(data / "prefect-home"),
    } | env
    code = (
        "from dedup2d.gateway.serve import serve; from dedup2d.settings import read_settings;"
        f"serve(read_settings(), '127.0.0.1', {port})"
    )
    with running([sys.executable, "-c", code], env, log) as process:
        base = f"http://127.0.0.1:{port}"
        wait_for(f"{base}/", {200}, process=process, log=log)
        yield Process(base, process, log)


_unused = itertools.count()


@contextlib.asynccontextmanager
async def tenant_client(gateway, data):
    key = KEYS[next(_unused)]
    headers = {"X-API-Key": key}
    async with httpx.AsyncClient(base_url=gateway.base, headers=headers, timeout=60) as http:
        yield Client(key, gateway.base, data, http)


def detail(answer, status):
    """The error's detail, after a look at the status."""
    assert answer.status_code == status, answer.text
    return json.loads(answer.content)["detail"]
