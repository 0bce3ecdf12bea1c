"""``dedup2d worker``: runs jobs."""

from __future__ import annotations

from typing import Annotated

import typer

from dedup2d.cli.stack_options import require_server
from dedup2d.settings import read_settings


def worker(
    *,
    name: Annotated[
        str | None,
        typer.Option(help="Name in Prefect's UI; else host and process.", show_default=False),
    ] = None,
    pool: Annotated[
        str | None,
        typer.Option(help="Work pool to serve; else DEDUP2D_WORK_POOL.", show_default=False),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Jobs at a time; else DEDUP2D_WORKER_MAX_JOBS.",
            show_default=False,
        ),
    ] = None,
    init: Annotated[
        bool, typer.Option("--init", help="Register blocks, work pool and deployments first.")
    ] = False,
) -> None:
    """Serve the work pool until Ctrl-C or SIGTERM; running jobs get 30 s to finish.

    Run one on each machine that should work. They need the same Prefect server
    (PREFECT_API_URL), Redis (DEDUP2D_REDIS_URL), file store and index.

    [bold]Example[/]

      dedup2d worker --name press-shop-1 --limit 4
    """
    from dedup2d.worker.main import run  # noqa: PLC0415  # imports Prefect: --help must not wait

    require_server()
    settings = read_settings() if pool is None else read_settings(work_pool=pool)
    raise typer.Exit(run(settings, name=name, limit=limit, init=init))
