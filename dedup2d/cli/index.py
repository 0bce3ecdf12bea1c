"""``dedup2d index``: the drawings of a vault, in a folder that ``check`` asks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from dedup2d.cli.local import (
    IndexOption,
    JsonOption,
    in_order,
    loaded,
    local_settings,
    matcher_of,
)
from dedup2d.cli.terminal import Screen, screen
from dedup2d.engine import EmbeddedMatcher
from dedup2d.errors import DrawingError, RequestError
from dedup2d.jobs.model import DEFAULT_TENANT
from dedup2d.settings import Settings

# What a folder is searched for; a file that is named is read whatever its suffix.
SUFFIXES: Final = frozenset(
    {".dxf", ".dwg", ".pdf", ".svg", ".png", ".jpg", ".jpeg", ".tif", ".tiff"}
)

index = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", add_completion=False)

PathArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH...", help="Drawings, or folders with drawings.", show_default=False
    ),
]


@index.command()
def add(paths: PathArgument, *, index: IndexOption = None, as_json: JsonOption = False) -> None:
    """Add drawings; folders are searched with everything below them.

    The index keeps each path as you give it: give absolute paths where you will check from
    elsewhere. A drawing that cannot be read is reported and passed over; the same bytes twice
    are one entry.

    [bold]Examples[/]

      dedup2d index add drawings/vault --index vault

      dedup2d index add /srv/vault --index /srv/index --json > added.jsonl
    """
    settings = local_settings(index, must_exist=False)
    files = list(drawings_below(paths))
    asyncio.run(_add(files, settings, as_json=as_json))


def drawings_below(paths: Iterable[Path]) -> Iterator[Path]:
    """The files themselves, and the drawings in the folders, sorted.

    Raises RequestError ``PATH_NOT_FOUND``.
    """
    for path in paths:
        if path.is_dir():
            inside = (p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
            yield from sorted(inside)
        elif path.exists():
            yield path
        else:
            raise RequestError("PATH_NOT_FOUND", f"There is no {path}.")


async def _add(files: list[Path], settings: Settings, *, as_json: bool) -> None:
    added = refused = 0
    async with matcher_of(settings) as matcher:
        with screen("indexing", len(files), as_json=as_json) as out:
            async for line in in_order(files, lambda path: _add_one(matcher, path)):
                added += line["error"] is None
                refused += line["error"] is not None
                _show_added(out, line, as_json=as_json)
                out.advance()
    if not as_json:
        out.console.print(f"{added} drawings indexed, {refused} refused: {settings.index_path}")


async def _add_one(matcher: EmbeddedMatcher, path: Path) -> dict[str, Any]:
    try:
        async with loaded(matcher, path) as drawing:
            done = await matcher.add(drawing, tenant=DEFAULT_TENANT, path=str(path))
    except (DrawingError, RequestError) as error:
        said = {"code": error.code, "message": error.message}
        return {"path": str(path), "success": False, "error": said}
    return {"path": str(path)} | done.model_dump(mode="json") | {"error": None}


def _show_added(out: Screen, line: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        out.json_line(line)
    elif line["error"] is not None:
        error = line["error"]
        out.console.print(
            f"[bold]{escape(line['path'])}[/]  [red]{error['code']}[/]: {escape(error['message'])}"
        )
