"""Adding, removing and listing drawings of an index."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from cli_kit import Run, json_lines

from dedup2d.cli.index import SUFFIXES, drawings_below
from dedup2d.cli.local import INDEX_FILE
from dedup2d.index.catalogue import FILE_NAME
from dedup2d.jobs.model import DEFAULT_TENANT
from dedup2d.stores.geometries import GeometryStore
from dedup2d.stores.local import LocalStore


def test_a_folder_is_searched_with_everything_below_it_in_order(tmp_path: Path) -> None:
    for name in ("b.dxf", "deep/down/a.DXF", "notes.txt", "deep/c.png", ".hidden.dxf"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = [path.relative_to(tmp_path).as_posix() for path in drawings_below([tmp_path])]
    assert found == ["b.dxf", "deep/c.png", "deep/down/a.DXF"]


def test_a_path_that_cannot_be_looked_at_is_passed_over(
    drawings: Path, tmp_path: Path, dedup2d: Run
) -> None:
    one, long = min((drawings / "vault").glob("*.dxf")), tmp_path / ("a" * 300 + ".dxf")
    for command in (["index", "add"], ["check"]):
        done = dedup2d(*command, long, one, "--index", tmp_path / "index", "--json")
        assert done.returncode == 0, done.stderr
        bad, good = json_lines(done.stdout)
        assert bad["error"]["code"] == "FILE_UNREADABLE"
        assert good["error"] is None


def test_a_named_file_is_taken_whatever_its_suffix(tmp_path: Path) -> None:
    odd = tmp_path / "drawing.bak"
    odd.touch()
    assert odd.suffix not in SUFFIXES
    assert list(drawings_below([odd])) == [odd]


def test_the_index_file_is_where_the_engine_puts_it() -> None:
    assert INDEX_FILE == FILE_NAME


def test_what_was_added_is_listed_counted_and_removed(
    drawings: Path, tmp_path: Path, dedup2d: Run
) -> None:
    one, two = sorted((drawings / "vault").glob("*.dxf"))[:2]
    (tmp_path / "sub").mkdir()
    shutil.copy(one, tmp_path / "sub" / "caf\udce9.dxf")  # bytes that are no UTF-8
    index = tmp_path / "index"
    added = dedup2d("index", "add", tmp_path / "sub", two, "--index", index, "--json")
    assert [line["success"] for line in json_lines(added.stdout)] == [True, True]

    removed = dedup2d("index", "remove", "sub", "none", "--index", index, "--json", cwd=tmp_path)
    counts = [len(line["removed"]) for line in json_lines(removed.stdout)]
    assert counts == [1, 0]

    (left,) = json_lines(dedup2d("index", "list", "--index", index, "--json").stdout)
    assert left["path"] == str(two)
    assert two.exists()
    (info,) = json_lines(dedup2d("index", "info", "--index", index, "--json").stdout)
    assert info["drawings"] == 1


def test_kept_geometry_goes_with_its_drawing(drawings: Path, tmp_path: Path, dedup2d: Run) -> None:
    """The gateway's vault is meant where no index is named; it must not claim what is gone."""
    one = min((drawings / "vault").glob("*.dxf"))
    file_hash = hashlib.sha256(one.read_bytes()).hexdigest()
    kept = GeometryStore(LocalStore(tmp_path / "data" / "geometry"))
    document = tmp_path / "g.json"
    document.write_text("{}")
    kept.keep(DEFAULT_TENANT, file_hash, document)
    dedup2d("index", "add", one, cwd=tmp_path)
    dedup2d("index", "remove", file_hash, cwd=tmp_path)
    assert not kept.has(DEFAULT_TENANT, file_hash)


def test_a_drawing_that_cannot_be_read_is_passed_over(tmp_path: Path, dedup2d: Run) -> None:
    (tmp_path / "broken.dxf").write_text("no drawing")
    done = dedup2d("index", "add", tmp_path, "--index", tmp_path / "index", "--json")
    (line,) = json_lines(done.stdout)
    assert done.returncode == 0
    assert line["error"]["code"].isupper()


def test_a_folder_that_cannot_be_made_is_said_once_and_not_of_the_drawings(
    drawings: Path, tmp_path: Path, dedup2d: Run
) -> None:
    (tmp_path / "file").touch()
    done = dedup2d("index", "add", drawings / "vault", "--index", tmp_path / "file" / "index")
    assert done.returncode == 3
    assert "INDEX_UNAVAILABLE" in done.stderr
    assert "READ_FAILED" not in done.stdout


def test_brackets_in_the_folder_are_no_markup(drawings: Path, tmp_path: Path, dedup2d: Run) -> None:
    one = min((drawings / "vault").glob("*.dxf"))
    for call in (["add", one], ["info"]):
        assert "ix[old]" in dedup2d("index", *call, "--index", "ix[old]", cwd=tmp_path).stdout
