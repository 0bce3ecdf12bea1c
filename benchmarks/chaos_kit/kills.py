"""Kills processes of a running stack at random moments, and takes its services away for a while."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import psutil
import redis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stack import Stack

WEIGHTS: Final[Mapping[str, int]] = {
    "child": 8,
    "worker": 6,
    "gateway": 4,
    "redis": 3,
    "prefect": 2,
    "redis and its data": 1,
}
MARKS: Final[Mapping[str, str]] = {  # what the command line of a process has
    "worker": "worker",
    "gateway": "gateway",
    "prefect": "dedup2d.stack.prefect_server",
}
GROWN_S: Final[Mapping[str, float]] = {"worker": 15.0, "gateway": 10.0, "prefect": 30.0}
"""Younger ones are spared: killing what is not up yet only makes one long outage."""
CHILD_MARK: Final = "dedup2d.sandbox.child"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Kill:
    """One process that was ended by SIGKILL; ``at`` is Unix time."""

    kind: str
    pid: int
    at: float


@dataclass
class Killer:
    """Kills ``total`` processes, ``pause_s`` seconds apart on average, in an order set by the seed.

    After each quarter of the kills one service is away for ``outage_s`` seconds; the store
    answers 503 while ``s3`` is set.
    """

    stack: Stack
    seed: int
    total: int
    pause_s: float
    outage_s: float
    tell: Say
    s3: threading.Event | None = None
    kills: list[Kill] = field(default_factory=list)
    outages: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Kill until all are done or ``stopped``."""
        dice = random.Random(self.seed)
        due = {self.total // 4: "redis", self.total // 2: "prefect"}
        if self.s3 is not None:
            due[3 * self.total // 4] = "s3"
        while len(self.kills) < self.total:
            if self.stopped.wait(dice.uniform(0.2, 1.8) * self.pause_s):
                return
            kind = dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            self._kill(kind, dice)
            if (gone := due.pop(len(self.kills), None)) and self.outage_s:
                self._take_away(gone)

    def _kill(self, kind: str, dice: random.Random) -> None:
        found = [p for p in processes(self.stack, kind) if _age_s(p) > GROWN_S.get(kind, 0)]
        if not found:
            return
        process = dice.choice(found)
        if kind == "redis and its data":
            flush(self.stack)
        with suppress(psutil.NoSuchProcess):
            process.kill()
            self.kills.append(Kill(kind, process.pid, time.time()))
            self.tell(f"{len(self.kills):4} killed {kind} {process.pid}")

    def _take_away(self, kind: str) -> None:
        self.tell(f"     {kind} is away for {self.outage_s:g} s")
        self.outages.append(kind)
        if kind == "s3" and self.s3 is not None:
            self.s3.set()
            self.stopped.wait(self.outage_s)
            self.s3.clear()
            return
        with away(self.stack, kind):
            self.stopped.wait(self.outage_s)


@contextmanager
def away(stack: Stack, kind: str) -> Iterator[None]:
    """A service that is not there: killed, while who would start it again stands still."""
    stack.process.send_signal(signal.SIGSTOP)
    try:
        for process in processes(stack, kind):
            process.kill()
        yield
    finally:
        stack.process.send_signal(signal.SIGCONT)


def processes(stack: Stack, kind: str) -> list[psutil.Process]:
    """The processes of one kind that live just now, by process id."""
    if kind.startswith("redis"):
        return _redis(stack)
    with suppress(psutil.NoSuchProcess):
        ours = psutil.Process(stack.process.pid).children()
        if kind == "child":
            workers = [p for p in ours if _has(p, MARKS["worker"])]
            found = [c for w in workers for c in w.children() if _has(c, CHILD_MARK)]
        else:
            found = [p for p in ours if _has(p, MARKS[kind])]
        return sorted(found, key=lambda process: process.pid)
    return []


def _redis(stack: Stack) -> list[psutil.Process]:
    with suppress(OSError, ValueError, psutil.NoSuchProcess):
        process = psutil.Process(int((stack.data / "redis" / "redis.pid").read_text()))
        if "redis-server" in process.name() and process.status() != psutil.STATUS_ZOMBIE:
            return [process]
    return []


def _age_s(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        return time.time() - process.create_time()
    return 0.0


def _has(process: psutil.Process, mark: str) -> bool:
    with suppress(psutil.NoSuchProcess):
        return mark in process.cmdline()
    return False


def flush(stack: Stack) -> None:
    """All data of the stack's Redis is gone."""
    with suppress(redis.RedisError), connect(stack) as client:
        client.flushall()


def connect(stack: Stack) -> redis.Redis:
    """A client of the stack's Redis."""
    socket = next(stack.data.rglob("*.sock"), stack.data / "redis" / "redis.sock")
    return redis.Redis(unix_socket_path=str(socket))
