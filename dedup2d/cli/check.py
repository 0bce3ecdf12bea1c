"""``dedup2d check``: ask the index of a vault about drawings, without any server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from dedup2d.cli.local import (
    IndexOption,
    JsonOption,
    TenantOption,
    in_order,
    loaded,
    local_settings,
    matcher_of,
)
from dedup2d.cli.tables import Tally, show_report
from dedup2d.cli.terminal import screen, text_of, write_json
from dedup2d.engine import EmbeddedMatcher
from dedup2d.errors import DrawingError, RequestError
from dedup2d.jobs.model import DEFAULT_TENANT
from dedup2d.options import Mode, SearchOptions, resolve_options
from dedup2d.report import Query, Report, ReportError, Verdict
from dedup2d.settings import Settings

DUPLICATE_FOUND = 1

TopOption = Annotated[
    int, typer.Option("--top", metavar="N", min=0, max=1000, help="Matches per drawing.")
]
PresetOption = Annotated[
    str | None,
    typer.Option(
        help="strict (the default), version (meant for revisions) or loose.", show_default=False
    ),
]
ModeOption = Annotated[
    Mode | None,
    typer.Option(
        help="How much work a search may do: balanced unless told otherwise.", show_default=False
    ),
]
ThresholdOption = Annotated[
    float | None,
    typer.Option(
        metavar="0..1",
        min=0,
        max=1,
        help="Similarity below which a merely similar drawing is not reported (preset: 0.80).",
        show_default=False,
    ),
]
ExitCodeOption = Annotated[
    bool, typer.Option("--exit-code", help="Exit with 1 when a duplicate was found.")
]


def check(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Drawings to ask about.", show_default=False),
    ],
    *,
    index: IndexOption = None,
    top: TopOption = 10,
    preset: PresetOption = None,
    mode: ModeOption = None,
    threshold: ThresholdOption = None,
    exit_code: ExitCodeOption = False,
    tenant: TenantOption = DEFAULT_TENANT,
    as_json: JsonOption = False,
) -> None:
    """Say for each FILE which drawings of the vault it has to do with, and how.

    A line per match, best first: relation, similarity, verdict, path. Below it, what lays FILE
    onto that drawing (turned, mirrored, scaled), and what differs: +3 -1 strokes are three that
    only FILE has and one that only the vault's drawing has.

    [bold]Relations[/], from closest to loosest: exact (same bytes), same (same geometry, however
    saved, placed or turned), revision (local changes), variant (mirrored or scaled), contains
    (the vault's drawing is a part of FILE), contained (FILE is a part of it), similar (related
    shapes; shown with --preset version or a lower --threshold). Only exact and same are duplicates.

    [bold]Examples[/]

      dedup2d check part.dxf --index vault

      dedup2d check incoming/*.dxf incoming/*.pdf --index vault --top 1

      dedup2d check new.dxf --index vault --exit-code || echo "we have that one"

      dedup2d check *.dxf --index vault --json | jq -r '.query.path, .matches[0].path'

    To see what differs from the best match: dedup2d diff MATCH FILE.
    """
    options = _options(preset, mode, top, threshold)
    settings = local_settings(index, must_exist=True)
    if asyncio.run(_check(files, settings, options, tenant=tenant, as_json=as_json)) and exit_code:
        raise typer.Exit(DUPLICATE_FOUND)


def _options(
    preset: str | None, mode: Mode | None, top: int, threshold: float | None
) -> SearchOptions:
    given: dict[str, Any] = {"max_results": top}
    if mode is not None:
        given["mode"] = mode
    if threshold is not None:
        duplicate = resolve_options({}, preset=preset).duplicate_threshold
        given["similar_threshold"] = threshold
        given["duplicate_threshold"] = max(duplicate, threshold)  # they must be in order
    return resolve_options(given, preset=preset)


async def _check(
    files: list[Path], settings: Settings, options: SearchOptions, *, tenant: str, as_json: bool
) -> bool:
    """Print the reports in the order of the files; True where one has a duplicate."""
    found, tally = False, Tally()
    async with matcher_of(settings) as matcher:
        with screen("checking", len(files), as_json=as_json) as out:

            async def ask(path: Path) -> Report:
                return await report_on(matcher, path, options, tenant=tenant)

            async for report in in_order(files, ask):
                found |= any(match.verdict is Verdict.DUPLICATE for match in report.matches)
                if as_json:
                    write_json(as_object(report))
                else:
                    show_report(out.console, report, findings=len(files) == 1)
                    tally.add(report)
                out.advance()
            if len(files) > 1 and not as_json:
                tally.show(out.console)
    return found


async def report_on(
    matcher: EmbeddedMatcher, path: Path, options: SearchOptions, *, tenant: str
) -> Report:
    """The answer for one file; what cannot be read has an error instead of matches."""
    try:
        async with loaded(matcher, path) as drawing:
            report = await matcher.search(drawing, options, tenant=tenant)
    except (DrawingError, RequestError) as error:
        report = Report(
            success=False,
            error=ReportError(code=error.code, message=error.message),
            query=Query(file_name=text_of(path.name)),
        )
    query = report.query or Query(file_name=text_of(path.name))
    return report.model_copy(update={"query": query.model_copy(update={"path": text_of(path)})})


def as_object(report: Report) -> dict[str, Any]:
    """The line of one drawing: ``query`` and ``matches`` first, then the report's own fields."""
    fields = report.model_dump(mode="json")
    query = fields.pop("query")
    return {"query": query, "matches": fields["duplicates"] + fields["similar"]} | fields
