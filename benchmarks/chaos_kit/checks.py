"""What must be true when everything is quiet again. Pure functions of what was seen."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from chaos_kit.jobs import ENDED, Job
from chaos_kit.kills import Kill

TERMINAL: Final = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
STATUS: Final[Mapping[str, str]] = {
    "COMPLETED": "completed",
    "FAILED": "failed",
    "CRASHED": "failed",
    "CANCELLED": "canceled",
}
RANK: Final[Mapping[str, int]] = {"pending": 0, "in_progress": 1} | dict.fromkeys(ENDED, 2)
ATTEMPTS: Final = 3  # workers that one job may cost before it is given up
BY_ITSELF: Final = "cancellation timed out"  # Prefect ended it, in whatever state the job was
CLAIMER: Final = re.compile(r"-(\d+)$")  # the process id at the end of a worker's name


@dataclass(frozen=True, slots=True)
class Told:
    """One webhook as the receiver got it."""

    job_id: str
    delivery_id: str
    status: str

    @classmethod
    def of(cls, received: Any) -> Told:
        """From what ``receiver.Receiver`` keeps."""
        status = json.loads(received.body)["status"]
        return cls(received.job_id, received.delivery_id, status)


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must not be."""

    invariant: str
    job_id: str
    what: str


def violations_of(
    job: Job, states: Sequence[Mapping[str, Any]], told: Iterable[Told], kills: Sequence[Kill]
) -> Iterator[Violation]:
    """Everything that is wrong with one job; ``states`` is Prefect's history, oldest first."""

    def bad(invariant: str, what: str) -> Violation:
        return Violation(invariant, job.job_id, what)

    types = [state["type"] for state in states]
    ends = [state for state in types if state in TERMINAL]
    if len(ends) != 1 or types[-1] not in TERMINAL:
        yield bad("one terminal state", " > ".join(state["name"] for state in states))
    final = STATUS.get(types[-1], "")
    if job.last is not None and any(BY_ITSELF in (s["message"] or "") for s in states):
        final = job.last.status
    yield from (bad("status never backwards", what) for what in _steps_back(job))
    if any(look.status == "completed" and not look.has_result for look in job.seen):
        yield bad("completed with a result", "was seen without")
    if job.last is None or job.last.status != final:
        yield bad("status is the state", f"{job.last and job.last.status}, Prefect says {final}")
    yield from (bad("one delivery per end", what) for what in _wrong_deliveries(told, final))
    yield from (bad("one run at a time", what) for what in _taken_from_living(states, kills))
    if reason := _unexpected_end(job, final, types):
        yield bad("the right end", reason)


def _steps_back(job: Job) -> Iterator[str]:
    statuses = [look.status for look in job.seen]
    for before, after in pairwise(statuses):
        same = before == after
        if "lost" in {before, after} or RANK[after] < RANK[before] + (before in ENDED and not same):
            yield f"{before} > {after}"


def _wrong_deliveries(told: Iterable[Told], final: str) -> Iterator[str]:
    got = list(told)
    if not got:
        yield "no webhook came"
        return
    ids = {one.delivery_id for one in got}
    if len(ids) > 1:
        yield f"{len(ids)} delivery ids"
    if wrong := {one.status for one in got} - {final}:
        yield f"the webhook said {', '.join(sorted(wrong))}, the job is {final}"


def _taken_from_living(states: Sequence[Mapping[str, Any]], kills: Sequence[Kill]) -> Iterator[str]:
    """Runs that were given to a second worker although the first one lived."""
    claimer = ""
    for state in states:
        if state["type"] == "PENDING":
            claimer = state["message"] or ""
        if state["name"] == "WorkerLost":
            pid = CLAIMER.search(claimer)
            dead = pid and any(kill.pid == int(pid[1]) and kill.at < state["at"] for kill in kills)
            if not dead:
                yield f"{claimer!r} was not killed"


def _unexpected_end(job: Job, final: str, types: Sequence[str]) -> str:
    error = job.last.error if job.last else ""
    if error.startswith("WORKER_LOST") and types.count("RUNNING") >= ATTEMPTS:
        return ""  # so often killed that it was given up
    allowed = {"canceled": {"canceled", "completed"}, "broken": {"failed"}}
    if final not in allowed.get(job.kind, {"completed"}):
        return f"{job.kind} ended {final} {error}"
    if job.kind == "broken" and not error.startswith("TRUNCATED_DRAWING"):
        return f"broken ended with {error}"
    return ""


def attempts_of(histories: Iterable[Sequence[Mapping[str, Any]]]) -> Counter[int]:
    """How many jobs took how many attempts."""
    return Counter(sum(s["type"] == "RUNNING" for s in states) for states in histories)


def noticed_after_s(
    histories: Iterable[Sequence[Mapping[str, Any]]], kills: Sequence[Kill]
) -> list[float]:
    """Seconds from each worker's kill to the moment its run was given back."""
    seconds = []
    for states in histories:
        claimer = ""
        for state in states:
            if state["type"] == "PENDING":
                claimer = state["message"] or ""
            pid = CLAIMER.search(claimer)
            if state["name"] == "WorkerLost" and pid:
                at = [kill.at for kill in kills if kill.pid == int(pid[1])]
                seconds += [state["at"] - at[-1]] if at else []
    return seconds
