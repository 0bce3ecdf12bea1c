"""Many clients at once: what they are answered, how soon, and what it costs the gateway.

    python benchmarks/load.py [--clients 50] [--seconds 60] [--half 200] [--database postgres]

Each client uploads drawings of 10 KB to 20 MB as jobs, one after the other, with a pause of about
a second in between, and comes back when a 429 says so. Then ``--half`` connections begin an upload
and fall silent: others must go on being served, and nothing may be left on disk.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "deployments" / "demo"))

import httpx
from rich.console import Console
from rich.table import Table
from setting_up import add_option, database
from stack import Stack, running_stack
from upload_memory import COMMENT, HEAD, TAIL, Sampler, processes_of

KB, MB = 1024, 1024**2
TENANTS = [f"bench-{number}" for number in range(5)]
KINDS = {  # share of uploads, bytes
    "small": (0.7, (10 * KB, 100 * KB)),
    "medium": (0.25, (100 * KB, 2 * MB)),
    "large": (0.05, (2 * MB, 20 * MB)),
}
PAUSE_S = (0.5, 1.5)
SETTLE_S = 20
console = Console(width=100)
DRAIN_S = 180


@dataclass
class Tally:
    """What all clients saw."""

    statuses: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})


def drawing(size: int) -> bytes:
    """A DXF of about this size, most of it comments."""
    return HEAD + COMMENT * (size // len(COMMENT)) + TAIL


async def client(stack: Stack, key: str, until: float, tally: Tally) -> None:
    """Upload, pause, upload, until it is time."""
    kinds, shares = list(KINDS), [share for share, _ in KINDS.values()]
    headers = {"X-API-Key": key}
    async with httpx.AsyncClient(base_url=stack.url, headers=headers, timeout=120) as gateway:
        await asyncio.sleep(random.uniform(0, PAUSE_S[1]))
        while time.monotonic() < until:
            (kind,) = random.choices(kinds, shares)
            body = drawing(random.randint(*KINDS[kind][1]))
            began = time.perf_counter()
            wait = random.uniform(*PAUSE_S)
            try:
                answer = await gateway.post(
                    "/search", params={"async": "true"}, files={"file": ("part.dxf", body)}
                )
            except httpx.HTTPError as error:
                tally.statuses[type(error).__name__] += 1
            else:
                tally.statuses[str(answer.status_code)] += 1
                if answer.is_success:
                    tally.seconds[kind].append(time.perf_counter() - began)
                elif answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
                    wait *= float(answer.headers["Retry-After"])
            await asyncio.sleep(wait)


async def crowd(stack: Stack, clients: int, seconds: float) -> Tally:
    """All clients at once."""
    tally = Tally()
    until = time.monotonic() + seconds
    await asyncio.gather(
        *(client(stack, TENANTS[n % len(TENANTS)], until, tally) for n in range(clients))
    )
    return tally


async def half_upload(stack: Stack, key: str) -> asyncio.StreamWriter:
    """A connection that has sent the beginning of a file and says nothing more."""
    at = urlsplit(stack.url)
    _, writer = await asyncio.open_connection(at.hostname, at.port)
    lines = [
        f"POST {at.path}/search?async=true HTTP/1.1",
        f"Host: {at.netloc}",
        f"X-API-Key: {key}",
        f"Content-Length: {10 * MB}",
        "Content-Type: multipart/form-data; boundary=B",
    ]
    part = '--B\r\nContent-Disposition: form-data; name="file"; filename="half.dxf"\r\n\r\n'
    writer.write("\r\n".join([*lines, "", part]).encode() + drawing(64 * KB))
    await writer.drain()
    return writer


async def silence(stack: Stack, connections: int) -> tuple[list[float], int]:
    """Seconds of submits while so many uploads hang, and what lies in the store afterwards."""
    hanging = [await half_upload(stack, TENANTS[0]) for _ in range(connections)]
    took = []
    async with httpx.AsyncClient(base_url=stack.url, timeout=60) as gateway:
        for _ in range(20):
            began = time.perf_counter()
            answer = await gateway.post(
                "/search",
                params={"async": "true"},
                files={"file": ("part.dxf", drawing(20 * KB))},
                headers={"X-API-Key": TENANTS[1]},
            )
            answer.raise_for_status()
            took.append(time.perf_counter() - began)
    for writer in hanging:
        writer.transport.abort()
    return took, await left_after(stack)


async def left_after(stack: Stack) -> int:
    """Files in the store once every job has had time to end."""
    deadline = time.monotonic() + SETTLE_S
    while (left := files_left(stack)) and time.monotonic() < deadline:  # noqa: ASYNC110 - a folder
        await asyncio.sleep(0.5)
    return left


def files_left(stack: Stack) -> int:
    """Files and parts of uploads."""
    return sum(len(files) for _, _, files in os.walk(stack.data / "uploads"))  # folders vanish


def drain(stack: Stack) -> float:
    """Seconds until the last upload's job has ended."""
    began = time.monotonic()
    while files_left(stack) and time.monotonic() - began < DRAIN_S:
        time.sleep(0.5)
    return time.monotonic() - began


def in_ms(values: list[float]) -> list[str]:
    """How many, median and 95th percentile."""
    if len(values) < 2:
        return [str(len(values)), "", ""]
    cuts = quantiles(values, n=20, method="inclusive")
    return [str(len(values)), f"{cuts[9] * 1000:.0f}", f"{cuts[18] * 1000:.0f}"]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--half", type=int, default=200)
    add_option(parser)
    arguments = parser.parse_args()
    environ = {
        "API_KEYS": ",".join(TENANTS),
        "DEDUP2D_ASYNC_MAX_JOBS": str(arguments.half + 200),  # half uploads hold places too
    }
    with (
        tempfile.TemporaryDirectory(prefix="dedup2d-") as folder,
        database(arguments.database) as chosen,
        running_stack(Path(folder) / "stack", environ | chosen) as stack,
    ):
        asyncio.run(crowd(stack, 2, 5))  # warm
        sampler = Sampler(processes_of(stack))
        sampler.start()
        tally = asyncio.run(crowd(stack, arguments.clients, arguments.seconds))
        growth = sampler.growth_mb("gateway")
        before = sampler.before["gateway"] / MB
        show(tally, growth, before)
        console.print(f"last job ended {drain(stack):.0f} s after the load")
        hung, left = asyncio.run(silence(stack, arguments.half))
        sampler.stopped.set()
        _, p50, p95 = in_ms(hung)
    console.print(f"{arguments.half} uploads hang: submits p50 {p50} ms, p95 {p95} ms")
    console.print(f"files left behind: {left}")


def show(tally: Tally, growth: float, before: float) -> None:
    """What the clients saw, and what it cost."""
    table = Table("submit, accepted", "count", "p50 ms", "p95 ms")
    for kind, (_, (low, high)) in KINDS.items():
        table.add_row(f"{kind}, {low // KB} to {high // KB} KB", *in_ms(tally.seconds[kind]))
    console.print(table)
    console.print(f"answers: {dict(sorted(tally.statuses.items()))}")
    console.print(f"gateway: {before:.0f} MB, at most {growth:+.0f} MB under load")


if __name__ == "__main__":
    main()
