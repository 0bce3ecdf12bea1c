"""Two drawings laid over each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_kit import Run, json_lines

from dedup2d.samples import Truth

MAGIC = {"svg": b"<svg", "dxf": b"  0"}


@pytest.fixture(scope="module")
def revision(drawings: Path) -> tuple[Path, Path]:
    """A drawing of the vault and its revision with one more hole."""
    truth = Truth.model_validate_json((drawings / "truth.json").read_text("utf-8"))
    fact = truth.of("revision-hole.dxf")
    assert fact.vault_file
    return drawings / fact.vault_file, drawings / fact.file


@pytest.mark.parametrize("kind", ["svg", "dxf"])
def test_the_changes_are_told_and_drawn(
    revision: tuple[Path, Path], tmp_path: Path, dedup2d: Run, kind: str
) -> None:
    out = tmp_path / f"changes.{kind}"
    done = dedup2d("diff", *revision, "-o", out, "--json", "--exit-code")
    assert done.returncode == 1, done.stderr
    (answer,) = json_lines(done.stdout)
    assert answer["relation"] == "revision"
    assert answer["changes"]["added"] > 0
    assert out.read_bytes().startswith(MAGIC[kind])
    assert list(tmp_path.iterdir()) == [out]


def test_people_get_sentences_and_a_picture_beside_them(
    revision: tuple[Path, Path], tmp_path: Path, dedup2d: Run
) -> None:
    done = dedup2d("diff", *revision, cwd=tmp_path)
    old, new = revision
    assert "revision  similarity" in done.stdout
    assert (tmp_path / f"{old.stem}-{new.stem}.png").stat().st_size > 1000


def test_the_same_drawing_gives_status_0(
    revision: tuple[Path, Path], tmp_path: Path, dedup2d: Run
) -> None:
    old, _ = revision
    done = dedup2d("diff", old, old, "--exit-code", cwd=tmp_path)
    assert done.returncode == 0
    assert "exact  similarity 1.000" in done.stdout


def test_files_of_one_name_are_told_apart_by_their_folders(
    revision: tuple[Path, Path], tmp_path: Path, dedup2d: Run
) -> None:
    """Revisions often have one name in two folders; the legend said the same of both."""
    for folder, drawing in zip(("old", "new"), revision, strict=True):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "part.dxf").write_bytes(drawing.read_bytes())
    done = dedup2d("diff", "old/part.dxf", "new/part.dxf", "-o", "out.svg", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    svg = (tmp_path / "out.svg").read_text()
    assert "new/part.dxf against old/part.dxf" in svg
    assert "only in new/part.dxf" in svg


def test_a_drawing_is_never_replaced_by_the_picture(
    revision: tuple[Path, Path], tmp_path: Path, dedup2d: Run
) -> None:
    old = tmp_path / "old.dxf"
    old.write_bytes(revision[0].read_bytes())
    done = dedup2d("diff", old, revision[1], "-o", old)
    assert done.returncode == 2
    assert "OUTPUT_IS_INPUT" in done.stderr
    assert old.read_bytes() == revision[0].read_bytes()
