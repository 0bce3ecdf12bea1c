"""The help page of the whole program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dedup2d import __version__


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
    console.print("  [cyan]--version[/], [cyan]--debug[/] (show the traceback of an error), ")
    console.print(
        "  [cyan]--install-completion[/] (complete commands in this shell), [cyan]--help[/]"
    )
    console.print(f"\n[dim]{footer}[/]")
