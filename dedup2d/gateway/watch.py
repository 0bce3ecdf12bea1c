"""Many listeners, few questions: how jobs stand, asked once for all who wait for them.

Who waits for a job (a search without ``async``, a long poll, a stream of events) listens here.
One task asks Prefect about all watched jobs together, soon after somebody came and then at
growing intervals; it ends when nobody listens any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from dedup2d.errors import ServiceError
from dedup2d.jobs.model import Standing

logger = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 0.05
PAUSE_FACTOR: Final = 1.4
LONGEST_PAUSE_S: Final = 1.0
BATCH: Final = 150  # jobs in one question

Ask: TypeAlias = Callable[[Sequence[str]], Awaitable[Mapping[str, Standing]]]
"""How these jobs stand; one that is gone is left out. Raises ServiceError."""


@dataclass(slots=True, eq=False)
class _Watched:
    """One job, and who waits for it."""

    due: float  # when it is asked about, seconds of the event loop's clock
    pause_s: float = FIRST_PAUSE_S
    listeners: int = 0
    standing: Standing | None = None
    gone: bool = False  # Prefect does not know it any more
    told: asyncio.Event = field(default_factory=asyncio.Event)  # replaced whenever it is set

    def tell(self) -> None:
        """Wake everybody who waits."""
        self.told.set()
        self.told = asyncio.Event()


class Listener:
    """One who waits for a job."""

    def __init__(self, watch: JobWatch, watched: _Watched) -> None:
        self._watch = watch
        self._watched = watched
        self._seen: Standing | None = None

    @property
    def is_over(self) -> bool:
        """Nothing more will be told: the job is gone, or the gateway stops."""
        return self._watched.gone or self._watch.stopped

    async def news(self, timeout_s: float) -> Standing | None:
        """The next standing that differs from the last one given here.

        None after ``timeout_s`` seconds, and at once where ``is_over``.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._watched.standing in {None, self._seen} and not self.is_over:
                    await self._watched.told.wait()
        if self._watched.standing == self._seen:
            return None
        self._seen = self._watched.standing
        return self._seen

    async def end(self, timeout_s: float) -> Standing | None:
        """The terminal standing; None as ``news``."""
        clock = asyncio.get_running_loop()
        deadline = clock.time() + timeout_s
        while (left := deadline - clock.time()) > 0 and not self.is_over:
            news = await self.news(left)
            if news is not None and news.status.is_terminal:
                return news
        return None


class JobWatch:
    """All jobs that somebody waits for in this gateway; ``ask`` is one question about many."""

    def __init__(self, ask: Ask) -> None:
        self.stopped = False
        self._ask = ask
        self._watched: dict[str, _Watched] = {}
        self._asking: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()

    @asynccontextmanager
    async def listen(self, job_id: str) -> AsyncIterator[Listener]:
        """Watch the job inside the block. Whether the tenant may see it is the caller's to check."""
        now = asyncio.get_running_loop().time()
        watched = self._watched.setdefault(job_id, _Watched(due=now))
        watched.listeners += 1
        watched.pause_s = FIRST_PAUSE_S
        watched.due = min(watched.due, now + FIRST_PAUSE_S)
        self._wake.set()
        if self._asking is None:
            self._asking = asyncio.create_task(self._keep_asking())
        try:
            yield Listener(self, watched)
        finally:
            watched.listeners -= 1
            if not watched.listeners and self._watched.get(job_id) is watched:
                del self._watched[job_id]
            if not self._watched and self._asking is not None:
                self._asking.cancel()
                self._asking = None

    def stop(self) -> None:
        """Send everybody home: the gateway is going to end."""
        self.stopped = True
        for watched in self._watched.values():
            watched.tell()

    async def _keep_asking(self) -> None:
        clock = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            await self._look(clock.time() + FIRST_PAUSE_S)
            await asyncio.sleep(FIRST_PAUSE_S)  # who comes meanwhile is asked about together
            first = min((w.due for w in self._watched.values()), default=float("inf"))
            with suppress(TimeoutError):
                async with asyncio.timeout_at(first):
                    await self._wake.wait()

    async def _look(self, until: float) -> None:
        """Ask about every job that is due by then."""
        due = [job_id for job_id, watched in self._watched.items() if watched.due <= until]
        for start in range(0, len(due), BATCH):
            batch = due[start : start + BATCH]
            found: Mapping[str, Standing] | None = None
            try:
                found = await self._ask(batch)
            except ServiceError as error:  # the jobs are safe; asking again costs nothing
                logger.warning("%d jobs cannot be looked at just now: %s", len(batch), error)
            except Exception:
                # The edge of one look: those who wait must not wait for a task that died.
                logger.exception("%d jobs cannot be looked at", len(batch))
            for job_id in batch:
                self._take_in(job_id, found)

    def _take_in(self, job_id: str, found: Mapping[str, Standing] | None) -> None:
        """``found`` is None where nobody answered."""
        watched = self._watched.get(job_id)
        if watched is None:
            return
        watched.due = asyncio.get_running_loop().time() + watched.pause_s
        watched.pause_s = min(watched.pause_s * PAUSE_FACTOR, LONGEST_PAUSE_S)
        if found is None:
            return
        standing = found.get(job_id)
        if standing is None:
            watched.gone = True
            watched.tell()
        elif standing != watched.standing:
            watched.standing = standing
            watched.pause_s = FIRST_PAUSE_S if standing.status.is_terminal else watched.pause_s
            watched.tell()
