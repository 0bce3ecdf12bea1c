"""The parent's side of one child process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from typing import Any, Final

from dedup2d.sandbox.wire import MAX_ANSWER_BYTES, decode, encode

_CHUNK: Final = 256 * 1024
# -P: a json.py in the working folder must not be imported instead of the library's.
_COMMAND: Final = (
    *(sys.executable, "-P", "-X", "faulthandler", "-W", "ignore"),
    *("-m", "dedup2d.sandbox.child"),
)


class ChildDiedError(Exception):
    """The child ended instead of answering; its last words are the message."""


class ChildProcess:
    """One started child: ``call`` it, one call at a time, or ``kill`` it. Never blocks.

    The socket is registered with an event loop only while a call waits, so a child may serve
    one loop after another.
    """

    def __init__(self, *, memory_bytes: int, preload: tuple[str, ...]) -> None:
        mine, its = socket.socketpair()
        last_words, stderr = os.pipe()
        lifeline, alive = os.pipe()  # alive: closed with us, whatever ends us
        # Full pipe: further words of a babbling library are lost, instead of blocking it.
        os.set_blocking(stderr, False)
        os.set_blocking(last_words, False)
        mine.setblocking(False)
        self._channel = mine
        self._last_words = last_words
        self._descriptors: tuple[int, ...] = (last_words, alive)
        try:
            self._process = subprocess.Popen(  # noqa: S603  # our interpreter, our module
                [*_COMMAND, *map(str, (its.fileno(), lifeline, memory_bytes)), *preload],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                pass_fds=(its.fileno(), lifeline),
                start_new_session=True,
            )
        except BaseException:
            self.close()
            raise
        finally:
            its.close()
            os.close(stderr)
            os.close(lifeline)

    @property
    def pid(self) -> int:
        """The child's process id, which is its process group too."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """False as soon as the child ended, for whatever reason."""
        return self._process.poll() is None

    async def ready(self) -> None:
        """Return when the child has imported what it should. Raises ChildDiedError."""
        await self._line()

    async def call(self, task: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send one task and return the child's answer. Raises ChildDiedError."""
        request = encode({"task": task, "payload": payload})
        try:
            await asyncio.get_running_loop().sock_sendall(self._channel, request)
        except OSError as error:
            raise ChildDiedError(self._words()) from error
        return decode(await self._line())

    async def _line(self) -> bytes:
        loop = asyncio.get_running_loop()
        received = bytearray()
        while not received.endswith(b"\n"):
            try:
                chunk = await loop.sock_recv(self._channel, _CHUNK)
            except OSError as error:
                raise ChildDiedError(self._words()) from error
            if not chunk or len(received) > MAX_ANSWER_BYTES:
                raise ChildDiedError(self._words())
            received += chunk
        return bytes(received)

    def _words(self) -> str:
        try:
            return os.read(self._last_words, 65536).decode(errors="replace")
        except BlockingIOError:
            return ""

    def kill(self) -> None:
        """End the child and its process group now; a waiting call gets ChildDiedError."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.is_alive:
                os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Give back the descriptors; only when no call waits."""
        self._channel.close()
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = ()

    async def reaped(self) -> None:
        """Return when the killed child has left the process table."""
        while self.is_alive:  # noqa: ASYNC110  # waitpid has no event that works in every loop
            await asyncio.sleep(0.005)
