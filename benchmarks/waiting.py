"""What a submit costs while thousands of jobs wait: real Redis, gateway and Prefect server.

    python benchmarks/waiting.py [--tickets 5000] [--database postgres]

The work pool is paused, so that nothing is worked off meanwhile. Tickets are admitted and bound as
the gateway does it, and as many flow runs wait in Prefect's queue. The predecessor took 1.7 ms with
an empty queue and 1,022 ms with 5,000 waiting.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parents[1] / "deployments" / "demo"))

import httpx
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table
from setting_up import add_option, database
from stack import Stack, running_stack

from dedup2d.jobs.model import DEFAULT_TENANT, DEPLOYMENT_NAME, TENANT_TAG
from dedup2d.samples import generate
from dedup2d.tickets.connect import connect_url
from dedup2d.tickets.embedded import EmbeddedRedis
from dedup2d.tickets.model import Ticket
from dedup2d.tickets.queue import TicketQueue

KEY = "bench"
POOL = "/work_pools/dedup2d"
BULK = 25  # runs of one request; Prefect takes 100, in one transaction
ALLOWED = 1.5
MANY = {"DEDUP2D_ASYNC_MAX_JOBS": "100000", "DEDUP2D_TENANT_MAX_JOBS": "100000"}


def milliseconds(call: Callable[[], httpx.Response], times: int) -> float:
    """Median of some calls."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call().raise_for_status()
        taken.append(time.perf_counter() - began)
    return median(taken) * 1000


async def admit(url: str, tickets: list[str]) -> None:
    """Give each ticket its place, and a job."""
    redis: Redis = connect_url(url)
    queue = TicketQueue(redis, prefix="dedup2d", ttl_s=3600)
    for ticket_id in tickets:
        ticket = Ticket(ticket_id=ticket_id, tenant_id=DEFAULT_TENANT)
        await queue.admit(ticket, max_jobs=10**6, max_jobs_per_tenant=10**6)
        await queue.bind(ticket_id, str(uuid4()))
    await queue.aclose()


def schedule(prefect: httpx.Client, tickets: list[str]) -> None:
    """Create a flow run for each ticket."""
    found = prefect.get(f"/deployments/name/{DEPLOYMENT_NAME}").raise_for_status().json()
    for start in range(0, len(tickets), BULK):
        runs = [
            {"parameters": {"ticket_id": t}, "tags": [TENANT_TAG + DEFAULT_TENANT]}
            for t in tickets[start : start + BULK]
        ]
        path = f"/deployments/{found['id']}/create_flow_run/bulk"
        prefect.post(path, json=runs).raise_for_status()


def measure(stack: Stack, path: Path, tickets: int, submits: int) -> Table:
    """Submit with nothing waiting, then with much."""
    data = path.read_bytes()
    with stack.client(KEY) as gateway, stack.prefect() as prefect:
        prefect.patch(POOL, json={"is_paused": True}).raise_for_status()

        def submit() -> httpx.Response:
            files = {"file": (path.name, data)}
            return gateway.post("/search", params={"async": "true"}, files=files)

        def look() -> httpx.Response:
            return prefect.post(f"{POOL}/get_scheduled_flow_runs", json={"limit": 20})

        def both() -> tuple[float, float]:
            submitted = milliseconds(submit, submits)
            prefect.patch(POOL, json={"is_paused": False}).raise_for_status()
            looked = milliseconds(look, 5)
            prefect.patch(POOL, json={"is_paused": True}).raise_for_status()
            return submitted, looked

        milliseconds(submit, 5)
        empty = both()
        waiting = [uuid4().hex for _ in range(tickets)]
        asyncio.run(admit(EmbeddedRedis(stack.data).url, waiting))
        schedule(prefect, waiting)
        full = both()
    table = Table("milliseconds, median", "none waiting", f"{tickets} waiting", "ratio", "allowed")
    for name, before, after in zip(("submit", "a worker's look"), empty, full, strict=True):
        ratio = f"{after / before:.2f}"
        allowed = f"{ALLOWED}" if name == "submit" else ""
        table.add_row(name, f"{before:.1f}", f"{after:.1f}", ratio, allowed)
    return table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=5000)
    parser.add_argument("--submits", type=int, default=40)
    add_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dedup2d-") as folder, ExitStack() as stack:
        generate(Path(folder) / "samples", parts=6)
        path, *_ = sorted((Path(folder) / "samples" / "vault").glob("*.dxf"))
        environ = {"API_KEYS": KEY} | MANY | stack.enter_context(database(arguments.database))
        running = stack.enter_context(running_stack(Path(folder) / "stack", environ))
        table = measure(running, path, arguments.tickets, arguments.submits)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
