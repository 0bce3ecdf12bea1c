"""How many jobs and how many drawings per second, everything on this machine.

    python benchmarks/throughput.py [--jobs 200] [--batch 1000] [--database postgres]

Single-drawing jobs from several clients at once, each sending its next job when the last has
ended; then one job with many drawings, from the first byte of the upload to the report. The
predecessor's figure (its own machine, its own stub matcher) stands beside ours, and how much of
the machine each process took says what bounds us.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "deployments" / "demo"))

import httpx
import psutil
from rich.console import Console
from rich.table import Table
from setting_up import add_option, database, index_all
from stack import Stack, running_stack

from dedup2d.samples import generate

KEY = "bench"
PREDECESSOR = "15.0"
POLL_S = 0.1
PARTS = ("prefect_server", "gateway", "worker", "sandbox.child", "postgres", "redis-server")
WAITING = frozenset({"pending", "in_progress"})


def run_job(gateway: httpx.Client, paths: list[Path]) -> tuple[str, str]:
    """Submit, poll until it has ended; gives its status and id."""
    files = [("file", (path.name, path.read_bytes())) for path in paths]
    answer = gateway.post("/search", params={"async": "true"}, files=files).raise_for_status()
    job_id: str = answer.json()["job_id"]
    while (status := gateway.get(f"/jobs/{job_id}").json()["status"]) in WAITING:
        time.sleep(POLL_S)
    return status, job_id


def cpu_seconds(stack: Stack) -> dict[str, float]:
    """Of each kind of process of the stack, so far."""
    spent = dict.fromkeys(PARTS, 0.0)
    for process in psutil.process_iter():
        try:
            command = " ".join(process.cmdline())
            mine = (
                str(stack.data) in command or str(stack.port) in command or is_below(process, stack)
            )
            kind = next((part for part in PARTS if part in command), None)
            if kind and (mine or kind == "postgres"):
                times = process.cpu_times()
                spent[kind] += times.user + times.system
        except psutil.Error:
            continue
    return spent


def is_below(process: psutil.Process, stack: Stack) -> bool:
    """Whether the stack started it."""
    return any(parent.pid == stack.process.pid for parent in process.parents())


@contextmanager
def measured(stack: Stack) -> Iterator[Callable[[], tuple[float, str]]]:
    """Seconds that the block took, and which process took how much of a core."""
    before, began = cpu_seconds(stack), time.perf_counter()
    ended: list[tuple[float, str]] = []
    yield lambda: ended[0]
    seconds = time.perf_counter() - began
    after = cpu_seconds(stack)
    shares = {part: (after[part] - before[part]) / seconds for part in PARTS}
    busy = ", ".join(f"{part} {share:.2f}" for part, share in shares.items() if share >= 0.01)
    ended.append((seconds, busy))


def many_jobs(stack: Stack, paths: list[Path], jobs: int, clients: int) -> list[str]:
    """Run single-drawing jobs from several clients; gives a row of the table."""
    with ExitStack() as opened, measured(stack) as spent:
        gateways = [opened.enter_context(stack.client(KEY)) for _ in range(clients)]
        shares = [list(islice(cycle(paths), n, jobs, clients)) for n in range(clients)]

        def serve(number: int) -> list[str]:
            return [run_job(gateways[number], [path])[0] for path in shares[number]]

        with ThreadPoolExecutor(clients) as pool:
            statuses = [status for part in pool.map(serve, range(clients)) for status in part]
    seconds, busy = spent()
    errors = sum(status != "completed" for status in statuses)
    rate = len(statuses) / seconds
    return [f"{jobs} jobs, {clients} clients", f"{rate:.1f} jobs/s", PREDECESSOR, str(errors), busy]


def one_batch(stack: Stack, paths: list[Path], drawings: int) -> list[str]:
    """Run one job with many drawings; gives a row of the table."""
    sent = list(islice(cycle(paths), drawings))
    with stack.client(KEY) as gateway:
        with measured(stack) as spent:
            status, job_id = run_job(gateway, sent)
        result = gateway.get(f"/jobs/{job_id}").json()["result"] or {}
    seconds, busy = spent()
    errors = int(status != "completed") + result.get("failed", 0)
    complete = result.get("drawings") == drawings
    rate = f"{drawings / seconds:.1f} drawings/s" if complete else f"not complete: {status}"
    return [f"one job, {drawings} drawings", rate, "", str(errors), busy]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--batch", type=int, default=1000, help="drawings of the one job; 0: none")
    parser.add_argument("--index", type=int, default=1000)
    add_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dedup2d-") as folder, ExitStack() as stack:
        generate(Path(folder) / "samples", parts=arguments.index)
        vault = sorted((Path(folder) / "samples" / "vault").glob("*.dxf"))
        environ = {"API_KEYS": KEY} | stack.enter_context(database(arguments.database))
        running = stack.enter_context(running_stack(Path(folder) / "stack", environ))
        with running.client(KEY) as gateway:
            index_all(gateway, vault)
            for path in vault[:5]:
                run_job(gateway, [path])
        table = Table("what", arguments.database, "predecessor", "errors", "cores")
        if arguments.jobs:
            table.add_row(*many_jobs(running, vault, arguments.jobs, arguments.clients))
        if arguments.batch:
            table.add_row(*one_batch(running, vault, arguments.batch))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
