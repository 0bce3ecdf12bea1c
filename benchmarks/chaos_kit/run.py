"""One chaos run: a real stack, a stream of jobs, kills, quiet, and what is wrong then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx
import redis
from receiver import Receiver
from stack import BUCKET, Stack, running_stack, s3_client

from chaos_kit.checks import TERMINAL, Told, Violation, violations_of
from chaos_kit.jobs import Stream
from chaos_kit.kills import Kill, Killer, connect
from chaos_kit.s3 import switched_s3
from dedup2d.samples import generate

KEY: Final = "chaos"
RETENTION_S: Final = 30  # of uploads whose gateway died before their job was made
ENVIRON: Final = {
    "API_KEYS": KEY,
    "DEDUP2D_CALLBACK_HMAC_SECRET": "chaos",
    "DEDUP2D_CALLBACK_ALLOW_HTTP": "1",
    "DEDUP2D_CALLBACK_BLOCK_PRIVATE_NETWORKS": "0",
    "DEDUP2D_FILE_STORAGE_RETENTION_SECONDS": str(RETENTION_S),
    "DEDUP2D_ASYNC_TTL_SECONDS": "60",  # tickets without a job are gone after that
}
QUIET_S: Final = 600.0  # for everything that was begun to end
WAVE: Final = 8  # kills; the jobs of a wave come at once, so that most kills hit some
RECEIVER_S: Final = 0.3  # to take a webhook; long enough to be killed meanwhile
SWEEP_EVERY_S: Final = 15.0
Histories = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Options:
    """What a run does."""

    jobs: int
    kills: int
    store: str
    seed: int
    pause_s: float = 3.0  # between kills, on average
    outage_s: float = 0.0
    quiet_s: float = QUIET_S


@dataclass
class Result:
    """What was seen, and what is wrong with it."""

    stream: Stream
    kills: list[Kill]
    outages: list[str]
    told: list[Told]
    histories: Histories
    violations: list[Violation] = field(default_factory=list)
    seconds: float = 0.0
    quiet_after_s: float = 0.0


def run(
    options: Options, folder: Path, tell: Callable[[str], None], tick: Callable[[int, int], None]
) -> Result:
    """Start everything below ``folder``, do it, check it. ``tick(jobs ended, kills)`` is progress."""
    with ExitStack() as parts:
        environ, s3 = dict(ENVIRON), None
        if options.store == "s3":
            switched = parts.enter_context(switched_s3(folder))
            environ, s3 = environ | switched.settings, switched.away
        receiver = parts.enter_context(Receiver(pause_s=RECEIVER_S))
        stack = parts.enter_context(running_stack(folder / "stack", environ, workers=2))
        generate(folder / "samples", parts=8)
        index_vault(stack, folder / "samples" / "vault")
        killer = Killer(
            stack, options.seed, options.kills, options.pause_s, options.outage_s, tell, s3
        )
        stream = Stream(
            stack,
            KEY,
            folder / "samples" / "queries",
            receiver.url,
            options.seed,
            options.jobs,
            lambda n: n < options.jobs * (len(killer.kills) // WAVE + 1) * WAVE / options.kills,
        )
        began = time.monotonic()
        carry_out(stream, killer, tick)
        killed = time.monotonic()
        quiet = wait_for_quiet(stack, stream, receiver, killed + options.quiet_s)
        result = Result(
            stream=stream,
            kills=killer.kills,
            outages=killer.outages,
            told=[Told.of(received) for received in receiver.deliveries],
            histories=histories_of(stack),
            seconds=time.monotonic() - began,
            quiet_after_s=time.monotonic() - killed,
        )
        stream.stopped.set()
        stream.look_again()
        result.violations = violations(result)
        if not quiet:
            result.violations += [
                Violation("nothing is left", "", what) for what in left_behind(stack)
            ]
        return result


def carry_out(stream: Stream, killer: Killer, tick: Callable[[int, int], None]) -> None:
    """Submit and kill until both are done."""
    threads = [*stream.threads(), threading.Thread(target=killer.run, daemon=True)]
    for thread in threads:
        thread.start()
    while threads[-1].is_alive() or not stream.all_accepted:
        tick(sum(job.has_ended for job in stream.jobs), len(killer.kills))
        time.sleep(0.5)


def wait_for_quiet(stack: Stack, stream: Stream, receiver: Receiver, deadline: float) -> bool:
    """Sweep until every job has ended, every receiver was told, and nothing is left."""
    swept = 0.0
    while time.monotonic() < deadline:
        if time.monotonic() - swept > SWEEP_EVERY_S:
            swept = time.monotonic()
            sweep(stack)
        told = {received.job_id for received in list(receiver.deliveries)}
        if not stream.open_jobs and told >= {job.job_id for job in stream.jobs}:
            with suppress(redis.RedisError, httpx.HTTPError):
                if not left_behind(stack):
                    return True
        time.sleep(1)
    return False


def sweep(stack: Stack) -> None:
    """Let Prefect run ``collect-garbage`` now."""
    with suppress(httpx.HTTPError), stack.prefect() as api:
        found = api.get("/deployments/name/collect-garbage/collect-garbage").json()
        api.post(f"/deployments/{found['id']}/create_flow_run", json={})


def violations(result: Result) -> list[Violation]:
    """Of each accepted job, and of runs that nobody was told to be accepted."""
    found: list[Violation] = []
    for job in result.stream.jobs:
        states = result.histories.get(job.job_id)
        if not states:
            found.append(Violation("one terminal state", job.job_id, "Prefect has no such run"))
            continue
        told = [one for one in result.told if one.job_id == job.job_id]
        found += violations_of(job, states, told, result.kills)
    found += [
        Violation("one terminal state", run_id, f"was not accepted, and is {states[-1]['name']}")
        for run_id, states in result.histories.items()
        if states[-1]["type"] not in TERMINAL
    ]
    return found


def histories_of(stack: Stack) -> Histories:
    """The states of every job's run, oldest first, with ``at`` as Unix time."""
    with stack.prefect() as api:
        return {run_id: history_of(api, run_id) for run_id in run_ids(api)}


def history_of(api: httpx.Client, run_id: str) -> list[dict[str, Any]]:
    """The states of one run, oldest first."""
    states = api.get("/flow_run_states/", params={"flow_run_id": run_id}).json()
    for state in states:
        state["at"] = datetime.fromisoformat(state["timestamp"]).timestamp()
    return sorted(states, key=lambda state: state["at"])


def run_ids(api: httpx.Client) -> Iterator[str]:
    """Every run of the flow ``dedup-job``."""
    page, offset = 200, 0
    where = {"flows": {"name": {"any_": ["dedup-job"]}}, "limit": page, "sort": "ID_DESC"}
    while True:
        runs = api.post("/flow_runs/filter", json=where | {"offset": offset}).json()
        yield from (run["id"] for run in runs)
        if len(runs) < page:
            return
        offset += page


def left_behind(stack: Stack) -> list[str]:
    """Uploads, local copies and tickets that nobody cleaned up."""
    if stack.environ.get("DEDUP2D_FILE_STORAGE") == "s3":
        listed = s3_client(stack.environ).list_objects_v2(Bucket=BUCKET, Prefix="dedup2d/uploads")
        files = [item["Key"] for item in listed.get("Contents", [])]
    else:
        files = [str(path) for path in (stack.data / "uploads").rglob("*") if path.is_file()]
    files += [str(path) for path in (stack.data / "scratch").rglob("*")]
    with connect(stack) as client:
        tickets = [key.decode() for key in client.scan_iter("dedup2d:ticket:*")]
    return files + tickets


def index_vault(stack: Stack, vault: Path) -> None:
    """The drawings that the jobs are compared with."""
    with stack.client(KEY) as gateway:
        for path in sorted(vault.glob("*.dxf")):
            files = {"file": (path.name, path.read_bytes())}
            gateway.post("/index/add", files=files).raise_for_status()
