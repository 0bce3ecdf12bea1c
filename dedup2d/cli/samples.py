"""``dedup2d samples``: drawings with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dedup2d.cli.terminal import shown
from dedup2d.errors import RequestError
from dedup2d.samples import generate


def samples(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to fill.", show_default=False)
    ],
    *,
    seed: Annotated[int, typer.Option(help="The same seed gives the same drawings.")] = 7,
    parts: Annotated[
        int, typer.Option(metavar="N", min=6, max=100_000, help="Parts in the vault.")
    ] = 24,
) -> None:
    """Generate a vault of realistic drawings, and queries with known truth.

    Flanges, brackets, plates, shafts and sheets with frame and title block; and of some of
    them re-saves, revisions, turned and mirrored copies, scans. What is what is written to
    truth.json.

    [bold]Example[/]

      dedup2d samples drawings --parts 200
    """
    if folder.exists() and not _is_ours(folder):
        raise RequestError("FOLDER_NOT_EMPTY", f"{folder} exists already and is not empty.")
    truth = generate(folder, seed=seed, parts=parts)
    console = Console(highlight=False)
    console.print(f"{len(truth.vault)} drawings in {shown(folder / 'vault')}")
    console.print(f"{len(truth.queries)} queries in {shown(folder / 'queries')}")
    console.print(f"[dim]dedup2d index add {shown(folder / 'vault')} --index vault-index[/]")


def _is_ours(folder: Path) -> bool:
    """Empty, or filled by an earlier call, which the same seed would only repeat."""
    return folder.is_dir() and ((folder / "truth.json").is_file() or not any(folder.iterdir()))
