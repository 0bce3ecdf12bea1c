"""``dedup2d init``: what a Prefect server has to know."""

from __future__ import annotations

import typer

from dedup2d.cli.stack_options import require_server
from dedup2d.settings import read_settings


def init() -> None:
    """Register blocks, work pool, deployments, schedules, limits and the zombie automation.

    Talks to the server that PREFECT_API_URL names. Running it again brings everything up to
    date and changes nothing else. 'dedup2d up' does it by itself, but for the automation, which
    SQLite does not bear well; there the worker's leases end what lost its worker.

    [bold]Example[/]

      PREFECT_API_URL=http://prefect.example:4200/api dedup2d init
    """
    from dedup2d.stack.register import run  # noqa: PLC0415  # imports Prefect: --help must not wait

    require_server()
    raise typer.Exit(run(read_settings()))
