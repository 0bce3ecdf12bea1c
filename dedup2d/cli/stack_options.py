"""Options that several commands of the stack take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dedup2d.errors import RequestError

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Folder for everything that is written; else DEDUP2D_DATA_DIR, or ./data.",
        show_default=False,
    ),
]
HostOption = Annotated[
    str, typer.Option("--host", help="Address to listen on; 0.0.0.0 for every interface.")
]
PortOption = Annotated[
    int, typer.Option("--port", min=1, max=65535, help="Port of the HTTP interface.")
]


def require_server() -> None:
    """Raise RequestError unless a Prefect server is named.

    Without a name Prefect would start a temporary server of its own, which nobody else knows.
    """
    from prefect.settings import get_current_settings  # noqa: PLC0415  # --help must not wait

    if get_current_settings().api.url is None:
        raise RequestError(
            "INVALID_SETTING",
            "PREFECT_API_URL must name the Prefect server; that of 'dedup2d up' is "
            "http://127.0.0.1:4200/api.",
        )
