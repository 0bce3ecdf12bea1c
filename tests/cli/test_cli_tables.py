"""What ``dedup2d check`` prints for people."""

from __future__ import annotations

import io

from rich.console import Console

from dedup2d.cli.tables import Tally, show_report
from dedup2d.report import (
    FindingInfo,
    Match,
    Pose,
    Query,
    Relation,
    Report,
    ReportError,
    Verdict,
)

ODD = FindingInfo(code="SPECKS_SKIPPED", message="Specks of dirt.", count=4)


def match(relation: Relation, verdict: Verdict) -> Match:
    return Match(
        drawing_id="1",
        file_hash="",
        file_name="old.dxf",
        similarity=0.9,
        confidence=1,
        match_level=4,
        verdict=verdict,
        relation=relation,
        pose=Pose(rotation_deg=323),
    )


def report(name: str, *matches: Match, error: ReportError | None = None) -> Report:
    query = Query(file_name=name, format="dxf", findings=() if error else (ODD,))
    return Report(success=error is None, duplicates=matches, error=error, query=query)


REPORTS = (
    report("a.dxf", match(Relation.SAME, Verdict.DUPLICATE)),
    report("b.dxf", match(Relation.CONTAINED, Verdict.SIMILAR)),
    report("c.dxf"),
    report("d.dxf", error=ReportError(code="EMPTY_FILE", message="Nothing in it.")),
)


def printed(*reports: Report, findings: bool) -> str:
    console, tally = Console(file=io.StringIO(), width=100), Tally()
    for each in reports:
        show_report(console, each, findings=findings)
        tally.add(each)
    tally.show(console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_columns_of_all_drawings_stand_below_each_other() -> None:
    """Each drawing has a table of its own; their columns were where its words ended."""
    lines = printed(*REPORTS, findings=False).splitlines()
    assert len({line.index("old.dxf") for line in lines if "old.dxf" in line}) == 1
    assert lines[2].strip() == "turned 37° clockwise"


def test_many_drawings_are_counted_and_odd_things_said_once() -> None:
    text = printed(*REPORTS, findings=False)
    assert "4 drawings: 1 with a duplicate, 1 with something similar, 1 not in the vault" in text
    assert "1 that cannot be read" in " ".join(text.split())
    assert text.count("SPECKS_SKIPPED") == 1
    assert "(in 3 of them)" in text


def test_one_drawing_has_its_findings_below_it() -> None:
    console = Console(file=io.StringIO(), width=100)
    show_report(console, REPORTS[0])
    assert isinstance(console.file, io.StringIO)
    assert "SPECKS_SKIPPED: Specks of dirt. (4 times)" in console.file.getvalue()
