"""What Prefect's UI shows of a job."""

from dedup2d.report import Match, Query, Relation, Report, ReportError, Verdict
from tasks.artifacts import page_of, rows_of


def report(**changes: object) -> Report:
    match = Match(
        drawing_id="d",
        file_hash="0" * 64,
        file_name="<script>alert(1)</script>.dxf",
        similarity=0.97,
        confidence=0.9,
        match_level=4,
        verdict=Verdict.SIMILAR,
        relation=Relation.REVISION,
        why=("One hole moved.", "2 texts differ."),
    )
    values: dict[str, object] = {"similar": (match,), "query": Query(file_name="a[x](y).dxf")}
    return Report.model_validate(values | changes)


def test_row_names_the_match_and_why() -> None:
    (row,) = rows_of(report())
    assert (row["relation"], row["similarity"], row["why"]) == (
        "revision",
        "0.970",
        "One hole moved. 2 texts differ.",
    )


def test_drawing_without_a_match_and_a_refused_one_have_a_row_each() -> None:
    assert rows_of(report(similar=()))[0]["relation"] == "no match"
    refused = report(similar=(), error=ReportError(code="EMPTY_DRAWING", message="Nothing in it."))
    assert rows_of(refused)[0]["relation"] == "EMPTY_DRAWING"


def test_names_of_drawings_are_no_markup() -> None:
    page = page_of(report(), None)
    assert "<script>" not in page
    assert "[x](y)" not in page
    assert page.startswith("# a\\[x\\]\\(y\\).dxf is a revision of ")


def test_picture_is_inside_the_page() -> None:
    assert "![both drawings in one pose](data:image/png;base64,UE5H)" in page_of(report(), b"PNG")
