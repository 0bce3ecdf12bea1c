"""A stream of jobs over HTTP, by clients that try again, and what they saw of each job."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    from stack import Stack

GOOD: Final = ("resaved.dxf", "rotated.dxf", "revision.dxf", "mirrored.dxf", "unrelated.dxf")
KINDS: Final[Mapping[str, int]] = {"good": 14, "batch": 2, "broken": 2, "canceled": 2}
ENDED: Final = frozenset({"completed", "failed", "canceled"})
CLIENTS: Final = 4
AT_ONCE: Final = 24  # jobs that have not ended; kills then hit something
PAUSE_S: Final = 0.25
CANCEL_WITHIN_S: Final = 5.0  # some wait still, some run, some have ended
REQUEST_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look at a job showed; ``status`` is ``lost`` where the gateway knows no such job."""

    at: float
    status: str
    has_result: bool
    error: str


@dataclass
class Job:
    """One job that the gateway accepted, and each change that was seen of it."""

    kind: str
    job_id: str
    accepted_at: float
    seen: list[Seen] = field(default_factory=list)

    @property
    def last(self) -> Seen | None:
        """The newest look."""
        return self.seen[-1] if self.seen else None

    @property
    def has_ended(self) -> bool:
        """It was seen in a terminal state."""
        return self.last is not None and self.last.status in ENDED


@dataclass
class Stream:
    """Submits ``total`` jobs and watches them; ``may_start(n)`` says whether the n-th may begin."""

    stack: Stack
    key: str
    queries: Path
    callback_url: str
    seed: int
    total: int
    may_start: Callable[[int], bool]
    jobs: list[Job] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    _begun: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def open_jobs(self) -> list[Job]:
        """Accepted, and not seen to end."""
        return [job for job in list(self.jobs) if not job.has_ended]

    @property
    def all_accepted(self) -> bool:
        """Every job of the stream has its id."""
        return len(self.jobs) >= self.total

    def threads(self) -> list[threading.Thread]:
        """Clients and a watcher, not yet started."""
        targets = [
            lambda n=n: self._submit_all(random.Random(f"{self.seed}-{n}")) for n in range(CLIENTS)
        ]
        return [threading.Thread(target=t, daemon=True) for t in [*targets, self._watch]]

    def _next(self) -> bool:
        """Take the turn to begin one more job; False when all have begun."""
        while not self.stopped.is_set():
            with self._lock:
                if self._begun >= self.total:
                    return False
                if self.may_start(self._begun) and len(self.open_jobs) < AT_ONCE:
                    self._begun += 1
                    return True
            time.sleep(PAUSE_S)
        return False

    def _submit_all(self, dice: random.Random) -> None:
        with self._client() as http:
            while self._next():
                kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
                job_id = self._submit(http, kind, dice)
                if job_id is None:
                    return
                job = Job(kind, job_id, time.time())
                self.jobs.append(job)
                if kind == "canceled":
                    time.sleep(dice.uniform(0, CANCEL_WITHIN_S))
                    self._ask(http, "POST", f"/jobs/{job_id}/cancel")

    def _submit(self, http: httpx.Client, kind: str, dice: random.Random) -> str | None:
        """The id of an accepted job, however often one has to ask; None when stopped."""
        names = (
            ["broken.dxf"] if kind == "broken" else dice.sample(GOOD, 3 if kind == "batch" else 1)
        )
        files = [("file", (name, (self.queries / name).read_bytes())) for name in names]
        answer = self._ask(
            http,
            "POST",
            "/search",
            params={"async": "true", "callback_url": self.callback_url},
            headers={"Idempotency-Key": uuid.UUID(int=dice.getrandbits(128)).hex},
            files=files,
        )
        return None if answer is None else str(answer.json()["job_id"])

    def _ask(
        self, http: httpx.Client, method: str, path: str, **request: Any
    ) -> httpx.Response | None:
        """The first answer that is a success; None when the stream is stopped before."""
        while not self.stopped.is_set():
            try:
                answer = http.request(method, path, **request)
                if answer.is_success:
                    return answer
            except httpx.HTTPError:
                pass  # the gateway is just being killed
            time.sleep(PAUSE_S)
        return None

    def _watch(self) -> None:
        with self._client() as http:
            while not self.stopped.is_set():
                for job in self.open_jobs:
                    self._look(http, job)
                time.sleep(0.05)

    def look_again(self) -> None:
        """One more look at every job, also at those that have ended."""
        with self._client() as http:
            for job in self.jobs:
                self._look(http, job)

    def _look(self, http: httpx.Client, job: Job) -> None:
        try:
            answer = http.get(f"/jobs/{job.job_id}")
        except httpx.HTTPError:
            return
        if answer.status_code == httpx.codes.NOT_FOUND:
            now = Seen(time.time(), "lost", has_result=False, error="")
        elif answer.is_success:
            said = answer.json()
            now = Seen(time.time(), said["status"], said["result"] is not None, said["error"] or "")
        else:
            return
        if job.last is None or job.last.status != now.status or now.status in ENDED:
            job.seen.append(now)

    def _client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.stack.url, headers={"X-API-Key": self.key}, timeout=REQUEST_S
        )
