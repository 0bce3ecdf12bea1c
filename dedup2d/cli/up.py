"""``dedup2d up``: the whole stack on one machine."""

from __future__ import annotations

from typing import Annotated

import typer

from dedup2d.cli.stack_options import DataOption, HostOption, PortOption
from dedup2d.settings import read_settings
from dedup2d.stack.up import run


def up(
    *,
    data: DataOption = None,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    prefect_port: Annotated[
        int,
        typer.Option("--prefect-port", min=1, max=65535, help="Port of Prefect's server and UI."),
    ] = 4200,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, help="Worker processes.")
    ] = 1,
) -> None:
    """Start Redis, Prefect's server, the HTTP gateway and workers, and keep them alive.

    Everything that is written goes below the data folder, unless the environment names other
    places (DEDUP2D_REDIS_URL, DEDUP2D_FILE_STORAGE=s3, ...; see docs/environment.md). The
    addresses are printed when all of it is ready. Ctrl-C ends everything in order.

    [bold]Examples[/]

      dedup2d up --data ./data

      dedup2d up --data /srv/dedup2d --port 8080 --prefect-port 4201 --workers 2
    """
    settings = read_settings() if data is None else read_settings(data_dir=data)
    raise typer.Exit(
        run(settings, host=host, port=port, prefect_port=prefect_port, workers=workers)
    )
