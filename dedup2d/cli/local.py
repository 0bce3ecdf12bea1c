"""The embedded matcher on this machine, for the commands that need no server."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Final, TypeVar
from uuid import uuid4

import typer

from dedup2d.cli.terminal import text_of
from dedup2d.engine import EmbeddedMatcher
from dedup2d.errors import DrawingError, RequestError
from dedup2d.matcher import LoadedDrawing
from dedup2d.settings import Settings, read_settings

INDEX_FILE: Final = "vault.sqlite3"  # dedup2d.index.catalogue, which takes long to import
AHEAD: Final = 4  # files in work per core, so that a slow one at the head stops nobody
Item = TypeVar("Item")
Result = TypeVar("Result")

IndexOption = Annotated[
    Path | None,
    typer.Option(
        "--index",
        metavar="DIR",
        help="Folder of the vault's index; else DEDUP2D_INDEX_DIR, or index in the data folder.",
        show_default=False,
    ),
]
TenantOption = Annotated[
    str, typer.Option("--tenant", help="Whose vault, where a stack's tenants share the index.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="JSON Lines on stdout, one object per line, for machines.")
]


def local_settings(index: Path | None, *, must_exist: bool) -> Settings:
    """The settings with the index folder that the call names.

    Raises RequestError ``INDEX_NOT_FOUND`` where there must be an index and is none.
    """
    settings = read_settings() if index is None else read_settings(index_dir=index)
    if must_exist and not (settings.index_path / INDEX_FILE).is_file():
        raise RequestError(
            "INDEX_NOT_FOUND",
            f"There is no index in {text_of(settings.index_path)}; 'dedup2d index add' makes one.",
        )
    return settings


@asynccontextmanager
async def matcher_of(settings: Settings) -> AsyncIterator[EmbeddedMatcher]:
    """The embedded matcher with its child processes, which end with the block."""
    matcher = EmbeddedMatcher(settings)
    try:
        yield matcher
    finally:
        await matcher.aclose()


@asynccontextmanager
async def loaded(matcher: EmbeddedMatcher, path: Path) -> AsyncIterator[LoadedDrawing]:
    """The drawing at ``path``, its scratch files gone after the block. Raises as ``load``."""
    with tempfile.TemporaryDirectory(prefix="dedup2d-") as scratch:
        yield await load(matcher, path, Path(scratch))


async def load(matcher: EmbeddedMatcher, path: Path, scratch: Path) -> LoadedDrawing:
    """The drawing at ``path``, read in a child process.

    Raises DrawingError for what cannot be read: ``FILE_MISSING``, ``NOT_A_FILE``,
    ``FILE_UNREADABLE``, and the reader's own codes.
    """
    check_readable(path)
    try:
        drawing = await matcher.load(_in_unicode(path, scratch), scratch)
    except OSError as error:  # it vanished since, or the disk fails
        raise _unreadable(error) from error
    return drawing.model_copy(update={"file_name": text_of(path.name)})


def _in_unicode(path: Path, scratch: Path) -> Path:
    """``path``, or a link to it where its bytes are no Unicode, which JSON cannot bear."""
    if text_of(path) == str(path):
        return path.absolute()
    link = scratch / f"{uuid4().hex}{text_of(path.suffix)}"
    link.symlink_to(path.absolute())
    return link


def check_readable(path: Path) -> None:
    """Raise DrawingError unless ``path`` is a file that this process may read."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:  # a folder that may not be entered, a name too long
        raise _unreadable(error) from error
    if not path.exists():
        raise DrawingError("FILE_MISSING", "There is no such file.")
    if not path.is_file():
        raise DrawingError("NOT_A_FILE", "This is a folder or a device, not a file.")
    if not os.access(path, os.R_OK):
        raise DrawingError("FILE_UNREADABLE", "This file may not be read by this user.")


def _unreadable(error: OSError) -> DrawingError:
    reason = error.strerror or "the system gives no reason"
    return DrawingError("FILE_UNREADABLE", f"This file cannot be read: {reason}.")


async def in_order(
    items: Iterable[Item], work: Callable[[Item], Awaitable[Result]]
) -> AsyncIterator[Result]:
    """Do ``work`` on several items at a time; give the results in the order of the items."""
    width = AHEAD * (os.cpu_count() or 1)
    running: deque[asyncio.Future[Result]] = deque()
    try:
        for item in items:
            running.append(asyncio.ensure_future(work(item)))
            if len(running) >= width:
                yield await running.popleft()
        while running:
            yield await running.popleft()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
