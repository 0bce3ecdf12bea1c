"""What a benchmark needs before it measures: Prefect's database, an indexed vault.

The database is SQLite, as ``dedup2d up`` has it, or a PostgreSQL to throw away.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from receiver import free_port
from rich.progress import track

DATABASES: Final = ("sqlite", "postgres")
NOBODY: Final = "nobody"  # PostgreSQL refuses to run as root
START_S: Final = 60.0
AT_ONCE: Final = 4  # drawings that are sent at a time


def add_option(parser: argparse.ArgumentParser) -> None:
    """``--database``, the same for every benchmark."""
    parser.add_argument("--database", choices=DATABASES, default="sqlite")


def index_all(gateway: httpx.Client, paths: list[Path]) -> None:
    """Add drawings to the vault over HTTP."""

    def add(path: Path) -> None:
        files = {"file": (path.name, path.read_bytes())}
        gateway.post("/index/add", files=files).raise_for_status()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(track(pool.map(add, paths), description="indexing", total=len(paths)))


@contextmanager
def database(kind: str) -> Iterator[dict[str, str]]:
    """The settings that make a stack use it. Ends the program where PostgreSQL is not installed."""
    if kind == "sqlite":
        yield {}
        return
    if shutil.which("initdb") is None or shutil.which("postgres") is None:
        sys.exit("Skipped: initdb and postgres are not on the PATH.")
    with tempfile.TemporaryDirectory(prefix="dedup2d-postgres-") as folder, _server(folder) as port:
        url = f"postgresql+asyncpg://postgres@127.0.0.1:{port}/postgres"
        yield {"PREFECT_SERVER_DATABASE_CONNECTION_URL": url}


@contextmanager
def _server(folder: str) -> Iterator[int]:
    data, port = Path(folder) / "data", free_port()
    user = NOBODY if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    _run(["initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"], user)
    options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
    command = ["postgres", "-D", str(data)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    with (Path(folder) / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, user=user, cwd=folder)
    try:
        deadline = time.monotonic() + START_S
        while "ready to accept connections" not in (Path(folder) / "log").read_text():
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit(
                    f"PostgreSQL does not start:\n{(Path(folder) / 'log').read_text()[-2000:]}"
                )
            time.sleep(0.1)
        yield port
    finally:
        server.send_signal(signal.SIGINT)  # "fast" shutdown: sessions are ended
        server.wait()


def _run(command: list[str], user: str | None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, user=user, cwd="/", check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stderr[-2000:]}")
