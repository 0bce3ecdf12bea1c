"""``dedup2d gc``: one sweep by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from dedup2d.cli.stack_options import DataOption, require_server
from dedup2d.cli.terminal import write_json
from dedup2d.settings import read_settings

if TYPE_CHECKING:
    from dedup2d.jobs.sweep import SweepCounts

SOMETHING_FAILED = 1


def gc(
    *,
    data: DataOption = None,
    execute: Annotated[
        bool, typer.Option("--execute", help="Really do it; without, only look.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Find what ended or lost jobs left behind: uploads, tickets, unsent webhooks, old results.

    Files of a living job are never touched. The deployment collect-garbage does the same on a
    schedule.

    [bold]Examples[/]

      dedup2d gc

      dedup2d gc --execute --json
    """
    from dedup2d.jobs.sweep import run  # noqa: PLC0415  # imports Prefect: --help must not wait

    require_server()
    settings = read_settings() if data is None else read_settings(data_dir=data)
    counts = run(settings, execute=execute)
    if as_json:
        write_json(counts.model_dump(mode="json"))
    else:
        _show(counts)
    if counts.failed:
        raise typer.Exit(SOMETHING_FAILED)


def _show(counts: SweepCounts) -> None:
    console = Console(highlight=False)
    did = "" if counts.executed else "would be "
    console.print(f"{counts.closed:6} ended jobs {did}closed")
    console.print(f"{counts.deleted:6} lost uploads {did}deleted")
    console.print(f"{counts.results_deleted:6} expired results {did}deleted")
    if counts.webhooks_found:
        console.print(f"{counts.webhooks_found:6} webhooks that Redis had lost go on")
    console.print(f"{counts.kept:6} uploads and tickets of living or young jobs stay")
    if counts.failed:
        console.print(f"[red]{counts.failed} failed[/]; the log above says why")
    if not counts.executed:
        console.print("[dim]Nothing was changed; 'dedup2d gc --execute' does it.[/]")
