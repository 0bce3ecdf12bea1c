"""Long-lived child processes that do the CPU work, so that none of it can hurt the parent."""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Any, Final, Self

from dedup2d.errors import DrawingError, ServiceError
from dedup2d.sandbox.process import ChildDiedError, ChildProcess
from dedup2d.sandbox.wire import raised

START_TIMEOUT_S: Final = 60.0

# Last words of C++, Python and Rust code that ran into the limit on the address space.
_OUT_OF_MEMORY: Final = ("bad_alloc", "MemoryError", "memory allocation of")

_LOG = logging.getLogger(__name__)


def _of_memory(died: ChildDiedError) -> bool:
    return any(words in str(died) for words in _OUT_OF_MEMORY)


class ChildPool:
    """At most ``processes`` children, started when first needed, reused while they are well.

    Each child may use ``memory_bytes`` of address space; it imports ``preload`` (module names)
    before its first task. A pool belongs to one event loop.
    """

    def __init__(self, *, processes: int, memory_bytes: int, preload: tuple[str, ...] = ()) -> None:
        self._memory_bytes = memory_bytes
        self._preload = preload
        self._slots = asyncio.Semaphore(processes)
        self._idle: list[ChildProcess] = []
        self._busy: set[ChildProcess] = set()
        self._reapers: set[asyncio.Task[None]] = set()
        self._closed = False

    async def run(self, task: str, payload: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """Run ``task`` ("package.module:function", dict to JSON-able dict) in a child.

        ``timeout_s`` counts from the start of the task, not while waiting for a free child.
        Errors of the task's own kind (Dedup2DError) are raised as they are; else DrawingError:
        ``TIME_LIMIT``, ``MEMORY_LIMIT``, ``OUTPUT_LIMIT``, ``READER_CRASHED`` (two children died),
        ``READ_FAILED`` (any other exception; its traceback goes to the log). Cancelling kills
        the child at once. ServiceError ``SANDBOX_UNAVAILABLE``: no child could be started.
        """
        async with self._slots:
            try:
                answer = await self._once(task, payload, timeout_s)
            except ChildDiedError as first:
                answer = await self._again(task, payload, timeout_s, first)
        if "error" in answer:
            if trace := answer["error"].get("traceback"):
                _LOG.error("%s failed in a child process:\n%s", task, trace)
            raise raised(answer["error"])
        value: dict[str, Any] = answer["value"]
        return value

    async def _again(
        self, task: str, payload: dict[str, Any], timeout_s: float, first: ChildDiedError
    ) -> dict[str, Any]:
        """Only who kills a second child is to blame; the first may have died of something else."""
        died = first
        if not self._closed and not _of_memory(first):
            _LOG.warning("A child process died in %s, another tries again: %s", task, first)
            try:
                return await self._once(task, payload, timeout_s)
            except ChildDiedError as second:
                died = second
        _LOG.error("A child process died in %s: %s", task, died)
        if _of_memory(died):
            raise raised({"class": "MemoryError"}) from died
        raise DrawingError(
            "READER_CRASHED", "The drawing made the reading process crash."
        ) from died

    async def _once(self, task: str, payload: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """The answer of one child. Raises ChildDiedError, DrawingError ``TIME_LIMIT``."""
        if self._closed:
            raise ServiceError("sandbox", "The pool of child processes is closed.")
        child = await self._take()
        well = False
        try:
            async with asyncio.timeout(timeout_s):
                answer = await child.call(task, payload)
            well = answer.get("error", {}).get("class") != "MemoryError"
        except TimeoutError:
            raise DrawingError(
                "TIME_LIMIT", f"The drawing took longer than the limit of {timeout_s:g} seconds."
            ) from None
        finally:
            self._busy.discard(child)
            if well and not self._closed:
                self._idle.append(child)
            else:
                self._end(child)
        return answer

    async def _take(self) -> ChildProcess:
        while self._idle:
            child = self._idle.pop()
            if child.is_alive:
                self._busy.add(child)
                return child
            self._end(child)
        return await self._start()

    async def _start(self) -> ChildProcess:
        try:
            child = ChildProcess(memory_bytes=self._memory_bytes, preload=self._preload)
        except OSError as error:
            raise ServiceError("sandbox", "A child process could not be started.") from error
        self._busy.add(child)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await child.ready()
        except BaseException as error:
            self._busy.discard(child)
            self._end(child)
            if isinstance(error, ChildDiedError | TimeoutError):
                _LOG.error("A child process did not start: %s", error)
                raise ServiceError("sandbox", "A child process did not start.") from error
            raise
        return child

    def _end(self, child: ChildProcess) -> None:
        child.kill()
        child.close()
        if child.is_alive:
            reaper = asyncio.get_running_loop().create_task(child.reaped())
            self._reapers.add(reaper)
            reaper.add_done_callback(self._reapers.discard)

    async def aclose(self) -> None:
        """Kill every child, also those at work (their callers get ``READER_CRASHED``)."""
        self._closed = True
        for child in self._busy:
            child.kill()
        while self._idle:
            self._end(self._idle.pop())
        while self._busy:  # noqa: ASYNC110  # their own tasks see them end
            await asyncio.sleep(0.005)
        await asyncio.gather(*self._reapers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()
