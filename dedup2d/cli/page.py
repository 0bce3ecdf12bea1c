"""The help page of the whole program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dedup2d import __version__

OPTIONS: Final = {
    "--version": "Show the version.",
    "--debug": "Show the traceback of an error; stands before the command.",
    "--install-completion": "Let this shell complete commands and options.",
    "--help": "Show this page; after a command, all about that command.",
}


def show(
    chapters: Mapping[str, Mapping[str, tuple[str, str]]],
    examples: Sequence[tuple[str, str]],
    footer: str,
) -> None:
    """Print usage, the commands by chapter, and examples that can be pasted."""
    console = Console(highlight=False)
    console.print(f"[bold]dedup2d[/] {__version__}: is this 2D drawing in the vault already?\n")
    console.print(
        "[bold]Usage:[/] dedup2d COMMAND ...   ([cyan]dedup2d COMMAND --help[/] explains)"
    )
    width = max(len(name) for commands in chapters.values() for name in commands)
    for chapter, commands in chapters.items():
        console.print(f"\n[bold]{chapter}[/]")
        grid = Table.grid(padding=(0, 2))
        grid.add_column(width=width + 2, justify="left", no_wrap=True)
        grid.add_column()
        for name, (_module, line) in commands.items():
            grid.add_row(Text(f"  {name}", style="cyan"), line)
        console.print(grid)
    console.print("\n[bold]Examples[/]")
    for said, command in examples:
        if said:
            console.print(f"  [dim]{said}[/]")
        if command:
            console.print(f"    {command}")
    console.print("\n[bold]Options[/]")
    grid = Table.grid(padding=(0, 2))
    for option, line in OPTIONS.items():
        grid.add_row(Text(f"  {option}", style="cyan"), line)
    console.print(grid)
    console.print(f"\n[dim]{footer}[/]")
