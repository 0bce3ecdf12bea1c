"""From async code, which pushes chunks, to a store's ``put``, which reads in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from dedup2d.fileref import FileRef
from dedup2d.stores.protocol import FileStore, Readable

MAX_BUFFERED: Final = 1024**2  # bytes between the two sides

T = TypeVar("T")


class ReaderGoneError(Exception):
    """Nobody reads the source any more; what the reader raised is the answer."""


class AsyncSource:
    """A ``Readable`` for one thread, fed by one task of the event loop that made it.

    At most ``max_buffered`` bytes and one chunk wait in between: ``feed`` waits while that is
    reached, ``read`` waits while nothing is there. Neither waits for a side that is gone:
    ``fail`` ends the reader, ``abandon`` the feeder.
    """

    def __init__(self, *, max_buffered: int = MAX_BUFFERED) -> None:
        self._loop = asyncio.get_running_loop()
        self._max_buffered = max_buffered
        self._changed = threading.Condition()
        self._room = asyncio.Event()
        self._chunks: deque[memoryview] = deque()
        self._buffered = 0
        self._finished = False
        self._failure: Exception | None = None
        self._abandoned = False

    @property
    def is_full(self) -> bool:
        """The next ``feed`` would wait for the reader."""
        return self._buffered >= self._max_buffered

    async def feed(self, chunk: bytes) -> None:
        """Hand a chunk over; raises ReaderGoneError once the source is abandoned."""
        while chunk:  # an empty one would read as the end
            with self._changed:
                if self._abandoned:
                    raise ReaderGoneError
                if not self.is_full:
                    self._chunks.append(memoryview(chunk))
                    self._buffered += len(chunk)
                    self._changed.notify()
                    return
                self._room.clear()
            await self._room.wait()

    async def finish(self) -> None:
        """Nothing more will come; the reader sees the end after the last chunk."""
        with self._changed:
            self._finished = True
            self._changed.notify()

    def fail(self, error: BaseException) -> None:
        """Nothing more will come, because of ``error``: the reader's next ``read`` raises it.

        An error that is no Exception, such as a cancellation, reaches it as InterruptedError.
        """
        with self._changed:
            if isinstance(error, Exception):
                self._failure = error
            else:
                self._failure = InterruptedError("the upload was interrupted")
            self._changed.notify()

    def abandon(self) -> None:
        """Nobody will read any more; a waiting or coming ``feed`` raises. From any thread."""
        with self._changed:
            self._abandoned = True
            self._chunks.clear()
        self._wake_feeder()

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes (one chunk for -1), b"" at the end; waits in this thread."""
        with self._changed:
            self._changed.wait_for(self._has_something)
            if self._failure is not None:
                raise self._failure
            if not self._chunks:
                return b""
            chunk = self._chunks.popleft()
            if 0 <= size < len(chunk):
                self._chunks.appendleft(chunk[size:])
                chunk = chunk[:size]
            self._buffered -= len(chunk)
        self._wake_feeder()
        return bytes(chunk)

    def _has_something(self) -> bool:
        return bool(self._chunks) or self._finished or self._failure is not None

    def _wake_feeder(self) -> None:
        with suppress(RuntimeError):  # the loop is closed, so nobody waits
            self._loop.call_soon_threadsafe(self._room.set)


async def put_stream(
    store: FileStore,
    chunks: AsyncIterator[bytes],
    *,
    folder: str,
    file_name: str,
    media_type: str = "",
    max_bytes: int | None = None,
) -> FileRef:
    """Put what ``chunks`` gives; errors as ``FileStore.put``, and whatever ``chunks`` raises.

    Memory stays at a few MiB whatever the size. A thread is taken only once ``MAX_BUFFERED``
    bytes or the end have come, so that clients who send slowly or nothing hold none. On
    cancellation or failure nothing is left in the store when the error comes out.
    """
    source = AsyncSource()

    def put() -> FileRef:
        try:
            return store.put(
                source,
                folder=folder,
                file_name=file_name,
                media_type=media_type,
                max_bytes=max_bytes,
            )
        finally:
            source.abandon()

    writing: asyncio.Future[FileRef] | None = None
    try:
        with suppress(ReaderGoneError):  # then the store's own error is the answer
            async for chunk in chunks:
                if writing is None and source.is_full:
                    writing = in_thread(put)
                await source.feed(chunk)
            await source.finish()
        writing = writing or in_thread(put)
        await asyncio.wait({writing})
        return writing.result()
    except BaseException as error:
        source.fail(error)
        if writing is not None:
            await _undo(store, writing)
        raise


async def put_opened(
    store: FileStore,
    opening: Callable[[], AbstractContextManager[Readable]],
    *,
    folder: str,
    file_name: str,
    media_type: str = "",
    max_bytes: int | None = None,
) -> FileRef:
    """Put a blocking source, opened, read and closed in a thread; promises as ``put_stream``."""
    stopped = threading.Event()

    def put() -> FileRef:
        with opening() as source:
            return store.put(
                _Stoppable(source, stopped),
                folder=folder,
                file_name=file_name,
                media_type=media_type,
                max_bytes=max_bytes,
            )

    writing = in_thread(put)
    try:
        await asyncio.wait({writing})
        return writing.result()
    except BaseException:
        stopped.set()
        await _undo(store, writing)
        raise


def in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """``work()`` in a thread of its own.

    Not asyncio's pool: its few threads would all be taken by slow uploads, and then nothing
    else in the process would get one.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - the thread's edge: the awaiting task gets it
            done.set_exception(error)

    threading.Thread(target=run, name="dedup2d-store", daemon=True).start()
    return asyncio.wrap_future(done)


@dataclass(frozen=True, slots=True)
class _Stoppable:
    """A source whose next read fails once ``stopped`` is set."""

    source: Readable
    stopped: threading.Event

    def read(self, size: int = -1, /) -> bytes:
        if self.stopped.is_set():
            raise InterruptedError("the copy was interrupted")
        return self.source.read(size)


async def _undo(store: FileStore, writing: asyncio.Future[FileRef]) -> None:
    """Wait for the writer, and delete what it has written all the same."""
    await _settled(writing)
    if writing.exception() is None:
        deleting = in_thread(lambda: store.delete(writing.result()))
        await _settled(deleting)
        deleting.exception()  # fetched, so that it is not logged: the sweep will find the file


async def _settled(future: asyncio.Future[Any]) -> None:
    """Wait for the end of ``future`` even if this task is cancelled again meanwhile."""
    while not future.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait({future})
