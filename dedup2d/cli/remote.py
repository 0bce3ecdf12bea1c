"""Options of the commands that talk to a running stack."""

from __future__ import annotations

from typing import Annotated

import typer

from dedup2d.client.client import DEFAULT_URL

UrlOption = Annotated[
    str, typer.Option("--url", envvar="DEDUP2D_URL", help="Address of the HTTP interface.")
]
KeyOption = Annotated[
    str | None,
    typer.Option("--api-key", envvar="DEDUP2D_API_KEY", help="Your API key.", show_default=False),
]
JobArgument = Annotated[
    str, typer.Argument(metavar="JOB", help="The job's id.", show_default=False)
]
ObjectOption = Annotated[bool, typer.Option("--json", help="JSON Lines on stdout, for machines.")]

__all__ = ["DEFAULT_URL", "JobArgument", "KeyOption", "ObjectOption", "UrlOption"]
