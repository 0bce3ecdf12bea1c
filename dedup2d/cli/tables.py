"""How reports look to people."""

from __future__ import annotations

from collections import Counter
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from dedup2d.cli.terminal import shown
from dedup2d.report import Changes, Match, Pose, Query, Relation, Report, TextChange, Verdict

COLOURS: Final = {
    Relation.EXACT: "bold red",
    Relation.SAME: "red",
    Relation.REVISION: "yellow",
    Relation.VARIANT: "magenta",
    Relation.CONTAINS: "blue",
    Relation.CONTAINED: "blue",
    Relation.SIMILAR: "cyan",
    Relation.DIFFERENT: "dim",
}
ANSWERS: Final = {
    Verdict.DUPLICATE.value: "with a duplicate",
    Verdict.SIMILAR.value: "with something similar",
    "unknown": "not in the vault",
    "unreadable": "that cannot be read",
}
SHOWN_TEXTS: Final = 8
SHOWN_FINDINGS: Final = 5


def show_report(console: Console, report: Report, *, findings: bool = True) -> None:
    """The drawing, its matches best first, and what was odd about its file."""
    query = report.query or Query(file_name="")
    name = shown(query.path or query.file_name)
    if report.error is not None:
        console.print(f"[bold]{name}[/]  [red]{report.error.code}[/]")
        console.print(Padding(shown(report.error.message), (0, 0, 0, 2)))
        return
    size = f"{query.format}, {query.primitives} primitives, {query.texts} texts".lstrip(", ")
    if not report.matches:
        console.print(f"[bold]{name}[/]  [green]not in the vault[/]  [dim]{size}[/]")
    else:
        console.print(f"[bold]{name}[/]  [dim]{size}[/]")
        console.print(match_table(report.matches))
    if findings:
        _show_findings(console, query)
    for warning in report.warnings:
        if words := warning_words(warning):
            console.print(f"  [yellow]{shown(words)}[/]")


def _show_findings(console: Console, query: Query) -> None:
    for finding in query.findings[:SHOWN_FINDINGS]:
        times = f" ({finding.count} times)" if finding.count > 1 else ""
        console.print(f"  [dim]{finding.code}: {shown(finding.message)}{times}[/]")
    if len(query.findings) > SHOWN_FINDINGS:
        console.print(f"  [dim]and {len(query.findings) - SHOWN_FINDINGS} more findings[/]")


class Tally:
    """Counts the answers of one call, for the lines at its end."""

    def __init__(self) -> None:
        self._answers: Counter[str] = Counter()
        self._findings: Counter[str] = Counter()

    def add(self, report: Report) -> None:
        """Count what became of one drawing, and what was odd about its file."""
        best = report.matches[0].verdict if report.matches else None
        answer = "unreadable" if report.error else str(best or "unknown")
        self._answers[answer] += 1
        findings = report.query.findings if report.query else ()
        self._findings.update({f"{finding.code}: {finding.message}" for finding in findings})

    def show(self, console: Console) -> None:
        """How many of what kind; and each finding once, with the number of drawings it is in."""
        told = [f"{self._answers[answer]} {words}" for answer, words in ANSWERS.items()
                if self._answers[answer]]  # fmt: skip
        console.print(f"\n[bold]{self._answers.total()} drawings[/]: {', '.join(told)}")
        for finding, drawings in self._findings.most_common(SHOWN_FINDINGS):
            console.print(f"  [dim]{shown(finding)} (in {drawings} of them)[/]")
        if len(self._findings) > SHOWN_FINDINGS:
            rest = len(self._findings) - SHOWN_FINDINGS
            console.print(f"  [dim]and {rest} more findings, which --json lists[/]")


def match_table(matches: tuple[Match, ...]) -> Table:
    """A row per match: relation, similarity, verdict, path and below it pose and changes."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True, min_width=2 + max(map(len, Relation)))  # one below the other,
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True, min_width=max(map(len, Verdict)))  # in the next table too
    table.add_column(overflow="fold", ratio=1)
    for match in matches:
        how = "; ".join(filter(None, (pose_words(match.pose), change_words(match.changes))))
        path = shown(match.path or match.file_name)
        table.add_row(
            f"  [{COLOURS[match.relation]}]{match.relation}[/]",
            f"{match.similarity:.3f}",
            match.verdict.value,
            f"{path}\n[dim]{how}[/]" if how else path,
        )
    return table


def warning_words(warning: str) -> str:
    """A coded warning for people; empty for counters that only say that all went well."""
    code, _, value = warning.partition(":")
    if code == "precision_verified":
        return ""
    if code == "index_outdated":
        return f"{value} drawings were indexed by an older algorithm and not searched: 'dedup2d index rebuild'"
    if code == "query_without_strokes":
        return "the drawing has no strokes that could be compared"
    return warning


def pose_words(pose: Pose) -> str:
    """What turns the query into the match; empty where they lie alike."""
    return ", ".join(pose.words)


def change_words(changes: Changes) -> str:
    """Counts of what was added and removed, places and texts; empty where nothing was."""
    words = []
    if changes.added or changes.removed:
        words.append(f"+{changes.added} -{changes.removed} strokes")
    if changes.regions:
        count = len(changes.regions)
        words.append(f"{count} place" + "s" * (count > 1))
    if changes.texts:
        count = len(changes.texts)
        words.append(f"{count} text" + "s" * (count > 1))
    return ", ".join(words)


def show_text_changes(console: Console, texts: tuple[TextChange, ...]) -> None:
    """The first texts that differ, before and after."""
    for text in texts[:SHOWN_TEXTS]:
        place = f"[dim]at {text.x:.4g}, {text.y:.4g}[/]"
        before = "" if text.before is None else f"[red]{shown(text.before)}[/]"
        after = "" if text.after is None else f"[green]{shown(text.after)}[/]"
        arrow = " -> " if before and after else ""
        sign = "text" if arrow else ("text gone" if before else "new text")
        console.print(f"  {sign}  {before}{arrow}{after}  {place}")
    if len(texts) > SHOWN_TEXTS:
        console.print(f"  [dim]and {len(texts) - SHOWN_TEXTS} more texts[/]")
