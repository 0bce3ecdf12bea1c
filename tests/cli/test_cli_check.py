"""The contract for machines of ``index`` and ``check``, on the real command line."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Run, json_lines

from dedup2d.samples import Truth


@pytest.fixture(scope="module")
def answers(drawings: Path, vault: Path, dedup2d: Run) -> list[dict[str, Any]]:
    """Every sample query, checked in one call."""
    queries = sorted((drawings / "queries").iterdir())
    done = dedup2d("check", *queries, "--index", vault, "--json", "--top", "3")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return json_lines(done.stdout)


@pytest.fixture(scope="module")
def truth(drawings: Path) -> Truth:
    """What is true about the samples."""
    return Truth.model_validate_json((drawings / "truth.json").read_text("utf-8"))


def test_one_object_per_file_in_the_given_order(answers: list[Any], drawings: Path) -> None:
    given = [str(path) for path in sorted((drawings / "queries").iterdir())]
    assert [answer["query"]["path"] for answer in answers] == given


def test_each_match_has_the_fields_that_machines_rely_on(answers: list[Any]) -> None:
    matches = [match for answer in answers for match in answer["matches"]]
    assert len(matches) > 5
    for match in matches:
        assert {"path", "similarity", "relation", "verdict", "pose", "changes"} <= match.keys()
        assert {"rotation_deg", "mirrored", "scale"} <= match["pose"].keys()
        assert {"added", "removed", "regions"} <= match["changes"].keys()
        assert {"drawing_id", "file_hash", "file_name", "confidence", "levels"} <= match.keys()


def test_each_object_has_the_fields_of_a_report(answers: list[Any]) -> None:
    fields = {"success", "total_matches", "duplicates", "similar", "final_level", "timing"}
    fields |= {"level_stats", "warnings", "error"}
    assert all(fields <= answer.keys() for answer in answers)


def test_matches_are_best_first_and_at_most_n(answers: list[Any]) -> None:
    for answer in answers:
        ranks = [(m["verdict"] != "duplicate", -m["similarity"]) for m in answer["matches"]]
        assert ranks == sorted(ranks)
        assert len(ranks) <= 3
        assert answer["matches"] == answer["duplicates"] + answer["similar"]


def test_a_file_that_cannot_be_read_has_a_code_and_a_sentence(answers: list[Any]) -> None:
    broken = next(a for a in answers if a["query"]["path"].endswith("broken.dxf"))
    assert broken["error"]["code"].isupper()
    assert broken["error"]["message"].endswith(".")
    assert broken["matches"] == []


def test_the_best_match_is_the_true_one(answers: list[Any], truth: Truth) -> None:
    for answer in answers:
        fact = truth.of(Path(answer["query"]["path"]).name)
        if fact.vault_file and not fact.file.endswith(".png"):
            assert answer["matches"][0]["path"].endswith(fact.vault_file), fact.file


def test_a_duplicate_gives_status_1_only_when_asked_for(
    answers: list[Any], drawings: Path, vault: Path, dedup2d: Run
) -> None:
    assert any(answer["duplicates"] for answer in answers)  # that call gave 0
    exact = drawings / "queries" / "exact.dxf"
    assert dedup2d("check", exact, "--index", vault, "--exit-code").returncode == 1


def test_no_duplicate_gives_status_0(drawings: Path, vault: Path, dedup2d: Run) -> None:
    unrelated = drawings / "queries" / "unrelated.dxf"
    done = dedup2d("check", unrelated, "--index", vault, "--exit-code")
    assert done.returncode == 0
    assert "not in the vault" in done.stdout


def test_odd_files_are_reported_one_by_one(tmp_path: Path, vault: Path, dedup2d: Run) -> None:
    empty = tmp_path / "[red]empty.dxf"
    empty.touch()
    bytes_name = tmp_path / "caf\udce9.dxf"  # latin-1 on a UTF-8 system
    shutil.copy(empty, bytes_name)
    done = dedup2d(
        "check", tmp_path / "none.dxf", tmp_path, empty, bytes_name, "--index", vault, "--json"
    )
    assert done.returncode == 0, done.stderr
    codes = [answer["error"]["code"] for answer in json_lines(done.stdout)]
    assert codes[:2] == ["FILE_MISSING", "NOT_A_FILE"]
    assert codes[2] == codes[3]


def test_a_file_name_is_shown_as_it_is(tmp_path: Path, vault: Path, dedup2d: Run) -> None:
    names = [tmp_path / "[red]none.dxf", tmp_path / "caf\udce9.dxf"]
    done = dedup2d("check", *names, "--index", vault)
    assert "[red]none.dxf  FILE_MISSING" in done.stdout
    assert "caf\\udce9.dxf  FILE_MISSING" in done.stdout


def test_paths_are_kept_as_given(drawings: Path, tmp_path: Path, dedup2d: Run) -> None:
    part = next((drawings / "vault").glob("*.dxf")).name
    done = dedup2d("index", "add", f"vault/{part}", "--index", tmp_path, "--json", cwd=drawings)
    assert json_lines(done.stdout)[0]["path"] == f"vault/{part}"
    found = dedup2d("check", f"vault/{part}", "--index", tmp_path, "--json", cwd=drawings)
    (answer,) = json_lines(found.stdout)
    assert (answer["query"]["path"], answer["matches"][0]["path"]) == (f"vault/{part}",) * 2
    assert answer["matches"][0]["relation"] == "exact"
