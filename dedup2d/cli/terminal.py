"""What the commands share on the way out: JSON Lines, tables, progress."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)


class Screen:
    """Prints what a command has to say, above the progress bar where there is one."""

    def __init__(self, console: Console, progress: Progress | None, total: int) -> None:
        self.console = console
        self._progress = progress
        self._task = progress.add_task("", total=total) if progress else None

    def advance(self) -> None:
        """One of the ``total`` is done."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task)


def write_json(value: Any) -> None:
    """One JSON object on a line of stdout, out at once; ASCII, so no locale can spoil it."""
    sys.stdout.write(json.dumps(value, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def text_of(name: object) -> str:
    """A file's name or path as Unicode; bytes that are none become an escape in words."""
    return str(name).encode("utf-8", "backslashreplace").decode()


def shown(name: object) -> str:
    """``name`` for rich: nothing in it is markup, a control sequence or unprintable."""
    return escape("".join(char if char.isprintable() else "\ufffd" for char in text_of(name)))


@contextmanager
def screen(doing: str, total: int, *, as_json: bool) -> Iterator[Screen]:
    """Results go to stdout; progress goes to stderr when that is a terminal.

    JSON on a terminal comes without a bar: the two would mix.
    """
    to_terminal = sys.stdout.isatty()
    if total < 2 or not sys.stderr.isatty() or (as_json and to_terminal):  # noqa: PLR2004  # a bar over one is none
        yield Screen(Console(highlight=False), None, total)
        return
    columns = (
        TextColumn(doing),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
    )
    bar = Console(stderr=True, highlight=False)
    with Progress(*columns, console=bar, transient=True, redirect_stdout=False) as progress:
        # On one terminal the tables must go through the bar's console, which keeps them apart.
        yield Screen(bar if to_terminal else Console(highlight=False), progress, total)
