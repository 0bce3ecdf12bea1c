"""What Prefect's UI shows of a job: the matches as a table, the best match as a picture."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Mapping, Sequence
from typing import Final

import httpx
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact

from dedup2d.errors import Dedup2DError
from dedup2d.jobs.model import Answer, Job
from dedup2d.matcher import LoadedDrawing, Matcher
from dedup2d.report import Match, Relation, Report
from tasks.policy import MAX_PICTURE_BYTES

logger = logging.getLogger(__name__)

MAX_ROWS = 200
TABLE_KEY = "dedup2d-matches"
PICTURE_KEY = "dedup2d-overlay"
SENTENCES: Final[Mapping[Relation, str]] = {
    Relation.EXACT: "is the same file as",
    Relation.SAME: "is the same drawing as",
    Relation.REVISION: "is a revision of",
    Relation.VARIANT: "is a variant of",
    Relation.CONTAINS: "contains",
    Relation.CONTAINED: "is a part of",
    Relation.SIMILAR: "is similar to",
    Relation.DIFFERENT: "has nothing to do with",
}


async def publish(matcher: Matcher, job: Job, answer: Answer) -> None:
    """A table of all matches, and a page with the overlay of the best one.

    What Prefect refuses to show is logged: its absence is no reason to lose the job.
    """
    try:
        await _publish(matcher, job, answer)
    except httpx.HTTPError as fault:
        logger.warning("job %s has no artifacts: %s", job.job_id, fault)


async def _publish(matcher: Matcher, job: Job, answer: Answer) -> None:
    if not answer.reports:
        return
    rows = [row for report in answer.reports for row in rows_of(report)]
    table = acreate_table_artifact(
        key=TABLE_KEY, table=rows[:MAX_ROWS], description=summary_of(answer.reports)
    )
    best = best_of(answer)
    if best is None:
        await table
    else:
        await asyncio.gather(table, _publish_overlay(matcher, job, *best))


async def _publish_overlay(
    matcher: Matcher, job: Job, drawing: LoadedDrawing, report: Report
) -> None:
    try:
        picture = await matcher.overlay_png(
            drawing, report, tenant=job.tenant_id, max_bytes=MAX_PICTURE_BYTES
        )
    except Dedup2DError:  # no picture is no reason to lose the job
        picture = None
    await acreate_markdown_artifact(
        key=PICTURE_KEY,
        markdown=page_of(report, picture),
        description=f"{drawing.file_name} on {report.matches[0].file_name}",
    )


def rows_of(report: Report) -> list[dict[str, str]]:
    """One row per match; a drawing without any, or with an error, has one row that says so."""
    query = report.query.file_name if report.query else ""
    if report.error is not None:
        return [_row(query, "", report.error.code, "", report.error.message)]
    if not report.matches:
        return [_row(query, "", "no match", "", "nothing like it in the vault")]
    return [
        _row(query, m.file_name, m.relation.value, f"{m.similarity:.3f}", " ".join(m.why))
        for m in report.matches
    ]


def _row(query: str, match: str, relation: str, similarity: str, why: str) -> dict[str, str]:
    return {
        "drawing": query,
        "match": match,
        "relation": relation,
        "similarity": similarity,
        "why": why,
    }


def summary_of(reports: Sequence[Report]) -> str:
    """One line over the table."""
    duplicates = sum(len(report.duplicates) for report in reports)
    similar = sum(len(report.similar) for report in reports)
    return f"{len(reports)} drawing(s): {duplicates} duplicate(s), {similar} similar"


def best_of(answer: Answer) -> tuple[LoadedDrawing, Report] | None:
    """The drawing whose best match is the closest of all."""
    pairs = zip(answer.drawings, answer.reports, strict=True)
    found = [(d.drawing, r) for d, r in pairs if d.drawing is not None and r.matches]
    return max(found, key=lambda pair: pair[1].matches[0].similarity, default=None)


def page_of(report: Report, picture: bytes | None) -> str:
    """Markdown: the picture, then why, then what changed."""
    match = report.matches[0]
    query = report.query.file_name if report.query else "the drawing"
    lines = [
        f"# {_plain(query)} {SENTENCES[match.relation]} {_plain(match.file_name)}",
        (
            f"similarity **{match.similarity:.3f}**, verdict **{match.verdict.value}**, "
            f"turned {match.pose.rotation_deg:.2f} degrees, "
            f"{'mirrored' if match.pose.mirrored else 'not mirrored'}, "
            f"scale {match.pose.scale:.6g}"
        ),
    ]
    if picture is not None:
        encoded = base64.b64encode(picture).decode()
        lines.append(f"![both drawings in one pose](data:image/png;base64,{encoded})")
        lines.append("grey: common; red: only in the match; blue: only in the query")
    lines += [f"- {_plain(sentence)}" for sentence in match.why]
    lines += _changes_of(match)
    return "\n\n".join(lines[:3]) + "\n\n" + "\n".join(lines[3:])


def _changes_of(match: Match) -> list[str]:
    texts = [
        f"- text: {_plain(change.before or 'nothing')} -> {_plain(change.after or 'nothing')}"
        for change in match.changes.texts
    ]
    regions = [
        f"- changed at x {r.min_x:.4g} to {r.max_x:.4g}, y {r.min_y:.4g} to {r.max_y:.4g}: "
        f"{r.added} added, {r.removed} removed"
        for r in match.changes.regions
    ]
    return texts + regions


def _plain(text: str) -> str:
    """Text of a drawing is not markdown: no links, no pictures, no tags, one line."""
    escaped = "".join(f"\\{c}" if c in "\\`*_[]()#!|<>" else c for c in text)
    return " ".join(escaped.split())
