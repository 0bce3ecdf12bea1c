"""What a large upload costs in memory: gateway, worker, Redis; local store and S3.

    python benchmarks/upload_memory.py [--megabytes 500]

Prints a table. Resident memory is sampled every 20 ms while the upload runs and until the job has
ended; growth is the peak less the value before.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "deployments" / "demo"))

import httpx
import psutil
import redis
from rich.console import Console
from rich.table import Table
from stack import BUCKET, Stack, running_stack, s3_client, s3_server

MEGABYTE = 1024**2
KEY = "bench"
HEAD = b"0\nSECTION\n2\nENTITIES\n"
COMMENT = b"999\n" + b"x" * 1020 + b"\n"
TAIL = b"0\nLINE\n8\n0\n10\n0.0\n20\n0.0\n11\n50.0\n21\n20.0\n0\nENDSEC\n0\nEOF\n"


def drawing(megabytes: int) -> Iterator[bytes]:
    """A DXF of that size, most of it comments, made while it is sent."""
    yield HEAD
    block = COMMENT * (MEGABYTE // len(COMMENT))
    for _ in range(megabytes):
        yield block
    yield TAIL


def multipart(megabytes: int) -> Iterator[bytes]:
    """The body of the request."""
    yield b'--B\r\nContent-Disposition: form-data; name="file"; filename="large.dxf"\r\n\r\n'
    yield from drawing(megabytes)
    yield b"\r\n--B--\r\n"


class Sampler(threading.Thread):
    """Peak resident memory of some processes."""

    def __init__(self, processes: dict[str, psutil.Process]) -> None:
        super().__init__(daemon=True)
        self._processes = processes
        self.before = {name: p.memory_info().rss for name, p in processes.items()}
        self.peak = dict(self.before)
        self.stopped = threading.Event()

    def run(self) -> None:
        """Sample until stopped."""
        while not self.stopped.wait(0.02):
            for name, process in self._processes.items():
                self.peak[name] = max(self.peak[name], process.memory_info().rss)

    def growth_mb(self, name: str) -> float:
        """Peak less the value before."""
        return (self.peak[name] - self.before[name]) / MEGABYTE


def processes_of(stack: Stack) -> dict[str, psutil.Process]:
    """Gateway and worker, without their children."""
    found = {}
    for child in psutil.Process(stack.process.pid).children():
        for role in ("gateway", "worker"):
            if role in child.cmdline():
                found[role] = child
    return found


def redis_bytes(stack: Stack) -> int:
    """What the keys of all open tickets weigh."""
    socket = str(next(stack.data.rglob("*.sock")))
    with redis.Redis(unix_socket_path=socket) as client:
        keys = [*client.scan_iter("dedup2d:ticket:*"), *client.scan_iter("dedup2d:job:*")]
        return sum(client.memory_usage(key, samples=0) or 0 for key in keys)


def measure(stack: Stack, megabytes: int) -> list[str]:
    """One upload; gives the cells of its row."""
    with stack.client(KEY) as gateway:
        sampler = Sampler(processes_of(stack))
        sampler.start()
        began = time.monotonic()
        answer = gateway.post(
            "/search",
            params={"async": "true"},
            content=multipart(megabytes),
            headers={"Content-Type": "multipart/form-data; boundary=B"},
            timeout=600,
        ).raise_for_status()
        took = time.monotonic() - began
        held = redis_bytes(stack)
        job = wait(gateway, answer.json()["job_id"])
        sampler.stopped.set()
        left = uploads_left(stack)
    outcome = job["status"] + (f" ({str(job['error']).partition(':')[0]})" if job["error"] else "")
    return [
        f"{took:.1f} s",
        f"{sampler.growth_mb('gateway'):.1f} MB",
        f"{sampler.growth_mb('worker'):.1f} MB",
        f"{held} B",
        outcome,
        str(left),
    ]


def uploads_left(stack: Stack) -> int:
    """Files or objects that are still in the file store."""
    if "DEDUP2D_S3_BUCKET" not in stack.environ:
        return sum(path.is_file() for path in (stack.data / "uploads").rglob("*"))
    found = s3_client(stack.environ).list_objects_v2(Bucket=BUCKET, Prefix="dedup2d/uploads/")
    return int(found["KeyCount"])


def wait(gateway: httpx.Client, job_id: str) -> dict[str, str]:
    """Poll to the end."""
    while True:
        job: dict[str, str] = gateway.get(f"/jobs/{job_id}").raise_for_status().json()
        if job["status"] in {"completed", "failed", "canceled"}:
            return job
        time.sleep(0.2)


def main() -> None:
    """Both stores, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=500)
    megabytes = parser.parse_args().megabytes
    table = Table("store", "upload", "gateway +", "worker +", "Redis", "job", "uploads left")
    for store in ("local", "s3"):
        with tempfile.TemporaryDirectory(prefix="dedup2d-") as folder, ExitStack() as stack:
            environ = {"API_KEYS": KEY}
            if store == "s3":
                environ |= stack.enter_context(s3_server(Path(folder)))
            running = stack.enter_context(running_stack(Path(folder) / "stack", environ))
            measure(running, 1)  # warm
            table.add_row(store, *measure(running, megabytes))
    Console(width=120).print(f"{megabytes} MB upload", table)


if __name__ == "__main__":
    main()
