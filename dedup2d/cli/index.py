"""``dedup2d index``: the drawings of a vault, in a folder that ``check`` asks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from dedup2d.cli.local import (
    IndexOption,
    JsonOption,
    TenantOption,
    in_order,
    loaded,
    local_settings,
    matcher_of,
)
from dedup2d.cli.terminal import Screen, screen, shown, text_of, write_json
from dedup2d.engine import EmbeddedMatcher
from dedup2d.errors import DrawingError, RequestError, ServiceError
from dedup2d.jobs.model import DEFAULT_TENANT
from dedup2d.settings import Settings

# What a folder is searched for; a file that is named is read whatever its suffix.
SUFFIXES: Final = frozenset(
    {".dxf", ".dwg", ".pdf", ".svg", ".png", ".jpg", ".jpeg", ".tif", ".tiff"}
)

MIB: Final = 1024**2

index = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", add_completion=False)

PathArgument = Annotated[
    list[Path],
    typer.Argument(metavar="PATH", help="Drawings, or folders with drawings.", show_default=False),
]


@index.command()
def add(
    paths: PathArgument,
    *,
    index: IndexOption = None,
    tenant: TenantOption = DEFAULT_TENANT,
    as_json: JsonOption = False,
) -> None:
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
    asyncio.run(_add(files, settings, tenant=tenant, as_json=as_json))


def drawings_below(paths: Iterable[Path]) -> Iterator[Path]:
    """The files themselves, and the drawings in the folders, sorted; hidden ones are left out.

    Raises RequestError ``PATH_NOT_FOUND``.
    """
    for path in paths:
        try:
            is_folder, exists = path.is_dir(), path.exists()
        except OSError:  # a folder that may not be entered, a name too long: said by ``load``
            is_folder, exists = False, True
        if is_folder:
            yield from sorted(file for file in path.rglob("*") if _is_drawing(file, path))
        elif exists:
            yield path
        else:
            raise RequestError("PATH_NOT_FOUND", f"There is no {path}.")


def _is_drawing(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return file.suffix.lower() in SUFFIXES and not hidden and file.is_file()


async def _add(files: list[Path], settings: Settings, *, tenant: str, as_json: bool) -> None:
    added = refused = 0
    async with matcher_of(settings) as matcher:
        with screen("indexing", len(files), as_json=as_json) as out:

            async def take(path: Path) -> dict[str, Any]:
                return await _add_one(matcher, path, tenant=tenant)

            async for line in in_order(files, take):
                added += line["error"] is None
                refused += line["error"] is not None
                _show_added(out, line, as_json=as_json)
                out.advance()
    if not as_json:
        out.console.print(
            f"{added} drawings indexed, {refused} refused: {shown(settings.index_path)}"
        )


async def _add_one(matcher: EmbeddedMatcher, path: Path, *, tenant: str) -> dict[str, Any]:
    try:
        async with loaded(matcher, path) as drawing:
            done = await matcher.add(drawing, tenant=tenant, path=text_of(path))
    except (DrawingError, RequestError) as error:
        said = {"code": error.code, "message": error.message}
        return {"path": text_of(path), "success": False, "error": said}
    return {"path": text_of(path)} | done.model_dump(mode="json") | {"error": None}


def _show_added(out: Screen, line: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        write_json(line)
    elif line["error"] is not None:
        error = line["error"]
        out.console.print(
            f"[bold]{shown(line['path'])}[/]  [red]{error['code']}[/]: {shown(error['message'])}"
        )


@index.command()
def remove(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Paths as they were indexed, folders, drawing ids or sha256.",
            show_default=False,
        ),
    ],
    *,
    index: IndexOption = None,
    tenant: TenantOption = DEFAULT_TENANT,
    as_json: JsonOption = False,
) -> None:
    """Take drawings out of the index; a folder takes all that was indexed from below it.

    The files themselves need not exist any more, and are never touched.

    [bold]Example[/]

      dedup2d index remove drawings/vault/old --index vault
    """
    settings = local_settings(index, must_exist=True)
    console = Console(highlight=False)
    done = asyncio.run(_remove(map(text_of, what), settings, tenant=tenant))
    if index is None:  # the gateway's vault, and not another one
        _drop_geometry([d for _, drawings in done for d in drawings], settings, tenant=tenant)
    for name, drawings in done:
        removed = [drawing["path"] for drawing in drawings]
        if as_json:
            write_json({"path": name, "removed": removed})
        else:
            console.print(f"{shown(name)}: {len(removed)} removed")


async def _remove(
    what: Iterable[str], settings: Settings, *, tenant: str
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Each name with the drawings that were removed for it."""
    done = []
    async with matcher_of(settings) as matcher:
        left = await matcher.drawings(tenant=tenant)
        for name in what:
            meant = [drawing for drawing in left if is_meant(drawing, name)]
            for drawing in meant:
                await matcher.remove(drawing["drawing_id"], tenant=tenant)
            left = [drawing for drawing in left if drawing not in meant]
            done.append((name, meant))
    return done


def _drop_geometry(drawings: list[dict[str, Any]], settings: Settings, *, tenant: str) -> None:
    """Delete the geometry JSON that the gateway keeps of them."""
    from dedup2d.stores.build import geometry_store  # noqa: PLC0415 - boto3 takes a while
    from dedup2d.stores.geometries import GeometryStore  # noqa: PLC0415 - with it

    geometries = GeometryStore(geometry_store(settings))
    for drawing in drawings:
        geometries.drop(tenant, drawing["file_hash"])


def is_meant(drawing: dict[str, Any], name: str) -> bool:
    """Whether ``name`` is the drawing's id, its sha256, its path, or a folder above it."""
    path = drawing["path"]
    if name in {drawing["drawing_id"], drawing["file_hash"], path}:
        return True
    if not path:
        return False
    place, meant = Path(path).absolute(), Path(name).absolute()
    return place == meant or meant in place.parents


@index.command("list")
def list_(
    *,
    index: IndexOption = None,
    tenant: TenantOption = DEFAULT_TENANT,
    as_json: JsonOption = False,
) -> None:
    """List the drawings of the index, oldest first.

    [bold]Example[/]

      dedup2d index list --index vault --json | jq -r .path
    """
    settings = local_settings(index, must_exist=True)
    drawings = asyncio.run(_drawings(settings, tenant=tenant))
    if as_json:
        for drawing in drawings:
            write_json(drawing)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("primitives", justify="right", no_wrap=True)
    table.add_column("added (UTC)", no_wrap=True)
    table.add_column("drawing", overflow="fold", ratio=1)
    for drawing in drawings:
        table.add_row(
            str(drawing["primitives"]),
            f"{datetime.fromisoformat(drawing['added_at']):%Y-%m-%d %H:%M}",
            shown(drawing["path"] or drawing["file_name"]),
        )
    Console(highlight=False).print(table if drawings else "[dim]no drawings[/]")


async def _drawings(settings: Settings, *, tenant: str) -> list[dict[str, Any]]:
    async with matcher_of(settings) as matcher:
        return await matcher.drawings(tenant=tenant)


@index.command()
def info(*, index: IndexOption = None, as_json: JsonOption = False) -> None:
    """Say how large the index is, whose drawings it has, and whether it is up to date.

    [bold]Example[/]

      dedup2d index info --index vault
    """
    settings = local_settings(index, must_exist=True)
    facts = asyncio.run(_facts(settings))
    if as_json:
        write_json({"folder": text_of(settings.index_path)} | facts)
        return
    console = Console(highlight=False)
    console.print(f"{shown(settings.index_path)}: {facts['drawings']} drawings")
    for name, count in sorted(facts["tenants"].items()):
        console.print(f"  {shown(name)}: {count}")
    console.print(f"  {facts['bytes'] / MIB:.1f} MiB, algorithm {facts['algorithm_version']}")
    if facts["outdated"]:
        console.print(
            f"  [yellow]{facts['outdated']} were indexed by an older algorithm and are not "
            "found; 'dedup2d index rebuild' brings them up to date[/]"
        )


@index.command()
def rebuild(
    *,
    index: IndexOption = None,
    tenant: TenantOption = DEFAULT_TENANT,
    as_json: JsonOption = False,
) -> None:
    """Bring up to date what an older algorithm indexed; the files are not needed for it.

    [bold]Example[/]

      dedup2d index rebuild --index vault
    """
    settings = local_settings(index, must_exist=True)
    answer = asyncio.run(_rebuild(settings, tenant=tenant))
    if as_json:
        write_json(answer)
    else:
        Console(highlight=False).print(shown(answer["message"]))


async def _rebuild(settings: Settings, *, tenant: str) -> dict[str, Any]:
    async with matcher_of(settings) as matcher:
        return await matcher.rebuild(tenant=tenant)


async def _facts(settings: Settings) -> dict[str, Any]:
    async with matcher_of(settings) as matcher:
        health = await matcher.health()
    if health["status"] != "healthy":
        raise ServiceError("index", health["error"], code="INDEX_UNUSABLE")
    facts: dict[str, Any] = health["indexes"]
    return facts
