"""``dedup2d diff``: two drawings, what changed from one to the other, and a picture of it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import uuid4

import typer
from rich.console import Console

from dedup2d.cli.local import load
from dedup2d.cli.tables import COLOURS, pose_words, show_text_changes
from dedup2d.cli.terminal import shown, text_of, write_json
from dedup2d.engine.embedded import PRELOAD, EmbeddedMatcher
from dedup2d.errors import DrawingError, RequestError
from dedup2d.matcher import LoadedDrawing
from dedup2d.report import Changes, Pose, Relation
from dedup2d.sandbox.pool import ChildPool
from dedup2d.settings import Settings, read_settings

FORMATS: Final = (".png", ".svg", ".dxf")
SHOWN_REGIONS: Final = 12
THEY_DIFFER: Final = 1


def diff(
    old: Annotated[Path, typer.Argument(metavar="A", help="The old drawing.", show_default=False)],
    new: Annotated[Path, typer.Argument(metavar="B", help="The new drawing.", show_default=False)],
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Picture to write: .png, .svg or .dxf; else A-B.png in this folder.",
            show_default=False,
        ),
    ] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 when they are not the same.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Lay two drawings over each other, however they are placed, turned or saved, and compare.

    Says how B relates to A, where it lies, what was added and removed, and which texts changed;
    and draws both in the frame of B: what they share is grey, what only B has is blue, what only A
    has is red, changed places are circled. DXF output has a layer for each, to be opened in CAD.

    [bold]Examples[/]

      dedup2d diff rev-a.dxf rev-b.dxf                      writes rev-a-rev-b.png

      dedup2d diff rev-a.dxf rev-b.pdf -o changes.svg       any two formats that can be read

      dedup2d diff part.dxf scan.png -o changes.dxf --json  for machines: relation, pose, changes

      dedup2d diff a.dxf b.dxf --exit-code && echo "the same"
    """
    target = out or Path(f"{old.stem}-{new.stem}.png")
    if target.suffix.lower() not in FORMATS:
        raise RequestError("UNKNOWN_FORMAT", f"{target.name}: write .png, .svg or .dxf.")
    if not target.absolute().parent.is_dir():
        raise RequestError("FOLDER_NOT_FOUND", f"There is no folder {target.absolute().parent}.")
    if any(path.exists() and target.exists() and path.samefile(target) for path in (old, new)):
        raise RequestError("OUTPUT_IS_INPUT", f"{target.name} is one of the drawings.")
    answer = asyncio.run(_compare(old, new, target, read_settings()))
    if as_json:
        paths = {"old": text_of(old), "new": text_of(new), "output": text_of(target)}
        write_json(paths | answer)
    else:
        _show(Console(highlight=False), old, new, target, answer)
    if exit_code and answer["relation"] not in {Relation.EXACT, Relation.SAME}:
        raise typer.Exit(THEY_DIFFER)


async def _compare(old: Path, new: Path, target: Path, settings: Settings) -> dict[str, Any]:
    """The comparison as JSON; the picture is at ``target`` then."""
    with tempfile.TemporaryDirectory(prefix="dedup2d-") as scratch:
        folder = Path(scratch)
        async with ChildPool(
            processes=2, memory_bytes=settings.child_memory_bytes, preload=PRELOAD
        ) as pool:
            matcher = EmbeddedMatcher(settings, pool=pool)
            a, b = await _load_both(matcher, old, new, folder)
            out = folder / f"overlay{target.suffix.lower()}"
            payload = {
                "old": str(a.drawing_path),
                "new": str(b.drawing_path),
                "names": [*_names(new, old)],
                "same_bytes": a.file_hash == b.file_hash,
                "out": str(out),
            }
            task = "dedup2d.cli.comparing:compare"
            answer = await pool.run(task, payload, timeout_s=settings.match_timeout_s)
        _put(out, target)
    return answer


async def _load_both(
    matcher: EmbeddedMatcher, old: Path, new: Path, folder: Path
) -> list[LoadedDrawing]:
    """Both drawings, read at the same time. Raises DrawingError that names the file."""

    async def named(path: Path) -> LoadedDrawing:
        try:
            return await load(matcher, path, folder)
        except DrawingError as error:
            raise DrawingError(error.code, f"{text_of(path)}: {error.message}") from error

    done = await asyncio.gather(named(old), named(new), return_exceptions=True)
    drawings = []
    for result in done:
        if isinstance(result, BaseException):
            raise result
        drawings.append(result)
    return drawings


def _names(new: Path, old: Path) -> tuple[str, str]:
    """What the picture calls them: file names, after as many folders as tell them apart."""
    ours, theirs = new.absolute().parts, old.absolute().parts
    for count in range(1, min(len(ours), len(theirs))):
        one, other = "/".join(ours[-count:]), "/".join(theirs[-count:])
        if one != other:
            return text_of(one), text_of(other)
    return text_of(new), text_of(old)


def _put(source: Path, target: Path) -> None:
    """Move the finished picture to its name, which no half picture ever has."""
    near = target.with_name(f".{uuid4().hex}{target.suffix}")
    try:
        shutil.copyfile(source, near)
        near.replace(target)
    except OSError as error:
        reason = f"{text_of(target)}: {error.strerror or 'cannot be written'}."
        raise RequestError("OUTPUT_UNWRITABLE", reason) from error
    finally:
        near.unlink(missing_ok=True)


def _show(console: Console, old: Path, new: Path, target: Path, answer: dict[str, Any]) -> None:
    relation = Relation(answer["relation"])
    pose = pose_words(Pose.model_validate(answer["pose"]))
    changes = Changes.model_validate(answer["changes"])
    console.print(f"[bold]{shown(old)}[/] -> [bold]{shown(new)}[/]")
    console.print(
        f"  [{COLOURS[relation]}]{relation}[/]  similarity {answer['similarity']:.3f}"
        f"{f'  {pose}' if pose else ''}"
    )
    for sentence in answer["why"]:
        console.print(f"  [dim]{shown(sentence)}[/]")
    for region in changes.regions[:SHOWN_REGIONS]:
        console.print(
            f"  +{region.added} -{region.removed}  [dim]in {region.min_x:.4g}, {region.min_y:.4g}"
            f" to {region.max_x:.4g}, {region.max_y:.4g}[/]"
        )
    if len(changes.regions) > SHOWN_REGIONS:
        console.print(f"  [dim]and {len(changes.regions) - SHOWN_REGIONS} more places[/]")
    show_text_changes(console, changes.texts)
    console.print(f"  picture: {shown(target)}")
