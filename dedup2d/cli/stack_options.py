"""Options that several commands of the stack take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
