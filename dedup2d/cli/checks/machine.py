"""This machine: Python, packages, disk, child processes."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psutil
from packaging.requirements import Requirement

from dedup2d.cli.checks.finding import Finding, fail, ok, warn
from dedup2d.errors import DrawingError, ServiceError
from dedup2d.sandbox import ChildPool
from dedup2d.settings import Settings

OLDEST_PYTHON: Final = (3, 11)
FREE_FAIL_BYTES: Final = 200 * 1024**2
FREE_WARN_BYTES: Final = 2 * 1024**3
PROBE_MEMORY_BYTES: Final = 1024**3
PROBE_TIMEOUT_S: Final = 30.0  # a machine may be busy
GIB: Final = 1024**3


def python(_settings: Settings) -> Iterator[Finding]:
    """The interpreter is new enough."""
    said = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield fail("python", said, "use Python 3.11 or newer")
    else:
        yield ok("python", f"{said}, {os.cpu_count()} cores")


def packages(_settings: Settings) -> Iterator[Finding]:
    """Everything that is required is installed in a version that fits."""
    wrong = []
    for text in requires("dedup2d") or ():
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            wrong.append(f"{requirement.name} {found} is not {requirement.specifier}")
    if wrong:
        yield fail("packages", "; ".join(wrong), "pip install -r requirements.lock")
    else:
        yield ok("packages", f"dedup2d {version('dedup2d')}, prefect {version('prefect')}")
    missing = [name for name in ("flows", "tasks", "blocks") if find_spec(name) is None]
    if missing:
        yield warn(
            "packages",
            f"{', '.join(missing)} cannot be imported here",
            "gateway and worker run from a checkout or the image; check, diff, index work",
        )


def disk(settings: Settings) -> Iterator[Finding]:
    """There is room for what is written."""
    seen: set[int] = set()
    for name, folder in (("data folder", settings.data_dir), ("index", settings.index_path)):
        existing = _existing(folder)
        device = existing.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        if not os.access(existing, os.W_OK):
            yield fail("disk", f"{name}: {existing} may not be written", "change owner or --data")
            continue
        free = shutil.disk_usage(existing).free
        said = f"{name}: {free / GIB:.1f} GiB free at {existing}"
        if free < FREE_FAIL_BYTES:
            yield fail("disk", said, "make room")
        elif free < FREE_WARN_BYTES:
            yield warn("disk", said, "make room soon; uploads and results need it")
        else:
            yield ok("disk", said)


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder


def memory(settings: Settings) -> Iterator[Finding]:
    """The children's limits fit into this machine."""
    total = psutil.virtual_memory().total
    children = settings.worker_processes or os.cpu_count() or 1
    wanted = children * settings.child_memory_bytes
    said = f"{total / GIB:.1f} GiB; {children} children of at most {settings.child_memory_bytes / GIB:.1f} GiB"
    if wanted > total * 2:
        yield warn("memory", said, "lower DEDUP2D_CHILD_MEMORY_BYTES or DEDUP2D_WORKER_PROCESSES")
    else:
        yield ok("memory", said)


async def children(_settings: Settings) -> list[Finding]:
    """A child process starts, works, and dies of its memory limit instead of taking ours."""
    async with ChildPool(processes=1, memory_bytes=PROBE_MEMORY_BYTES) as pool:
        try:
            await pool.run("dedup2d.cli.checks.probe:echo", {}, timeout_s=PROBE_TIMEOUT_S)
        except ServiceError as error:
            return [fail("child process", error.message, "see whether processes may be started")]
        try:
            await pool.run(
                "dedup2d.cli.checks.probe:swallow",
                {"bytes": 2 * PROBE_MEMORY_BYTES},
                timeout_s=PROBE_TIMEOUT_S,
            )
        except DrawingError as error:
            if error.code == "MEMORY_LIMIT":
                return [ok("child process", "starts, works, keeps its memory limit")]
            return [fail("child process", f"{error.code}: {error.message}", "see the log")]
    return [
        warn(
            "child process",
            "starts and works, but its memory limit does not hold",
            "a hostile drawing may take all memory; run on Linux",
        )
    ]


def number_of(text: str) -> tuple[int, ...]:
    """``"7.2.4"`` as numbers, for comparing versions."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])
