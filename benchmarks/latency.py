"""How long one job takes, from submit to `completed`, and where the time goes.

    python benchmarks/latency.py [--jobs 100] [--index 1000] [--database postgres]

One worker, embedded stack, one job at a time over HTTP, the client polls every 10 ms. The figures
of the predecessor (its own machine, its own stub matcher) stand beside ours.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "deployments" / "demo"))

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table
from setting_up import add_option, database, index_all
from stack import Stack, running_stack

from dedup2d.samples import generate

KEY = "bench"
TASKS = ("store-file", "enqueue-ref", "load", "dedup", "notify", "cleanup")
PREDECESSOR = ("predecessor", "301", "547")


def run_job(gateway: httpx.Client, path: Path) -> tuple[str, float, float]:
    """Submit and poll; gives the job's id, seconds of the submit and seconds in all."""
    began = time.perf_counter()
    files = {"file": (path.name, path.read_bytes())}
    answer = gateway.post("/search", params={"async": "true"}, files=files).raise_for_status()
    submitted = time.perf_counter() - began
    job_id: str = answer.json()["job_id"]
    while gateway.get(f"/jobs/{job_id}").json()["status"] in {"pending", "in_progress"}:
        time.sleep(0.01)
    return job_id, submitted, time.perf_counter() - began


def moment(text: str) -> float:
    """Seconds of an ISO time."""
    return datetime.fromisoformat(text).timestamp()


def split(prefect: httpx.Client, job_id: str) -> dict[str, float]:
    """Seconds of each part of one job, as Prefect saw it."""
    run: dict[str, Any] = prefect.get(f"/flow_runs/{job_id}").json()
    where = {"flow_runs": {"id": {"any_": [job_id]}}}
    tasks = prefect.post("/task_runs/filter", json=where).json()
    parts = {task["name"]: task["total_run_time"] for task in tasks}
    parts["queue"] = moment(run["start_time"]) - moment(run["created"])
    parts["flow"] = moment(run["end_time"]) - moment(run["start_time"])
    parts["Prefect"] = parts["flow"] - sum(parts.get(name, 0.0) for name in TASKS)
    return parts


def in_ms(values: list[float]) -> tuple[str, str]:
    """Median and 95th percentile, milliseconds."""
    cuts = quantiles(values, n=20, method="inclusive")
    return f"{cuts[9] * 1000:.0f}", f"{cuts[18] * 1000:.0f}"


def measure(stack: Stack, vault: list[Path], queries: list[Path], jobs: int) -> Table:
    """Index the vault, run the jobs, make the table."""
    with stack.client(KEY) as gateway, stack.prefect() as prefect:
        index_all(gateway, vault)
        for path in queries[:5]:
            run_job(gateway, path)
        ran = [run_job(gateway, queries[i % len(queries)]) for i in track(range(jobs))]
        time.sleep(3)  # Prefect writes task runs behind
        parts = [split(prefect, job_id) for job_id, _, _ in ran]
    table = Table("milliseconds", "p50", "p95")
    table.add_row("submit -> completed", *in_ms([total for _, _, total in ran]))
    table.add_row(*PREDECESSOR)
    table.add_row("of which the submit call", *in_ms([submit for _, submit, _ in ran]))
    for name in ("queue", "flow", *TASKS, "Prefect"):
        table.add_row(f"  {name}", *in_ms([part.get(name, 0.0) for part in parts]))
    return table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--index", type=int, default=1000)
    add_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dedup2d-") as folder, ExitStack() as stack:
        generate(Path(folder) / "samples", parts=arguments.index)
        vault = sorted((Path(folder) / "samples" / "vault").glob("*.dxf"))
        environ = {"API_KEYS": KEY} | stack.enter_context(database(arguments.database))
        running = stack.enter_context(running_stack(Path(folder) / "stack", environ))
        table = measure(running, vault, vault[:: max(1, len(vault) // 50)], arguments.jobs)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
