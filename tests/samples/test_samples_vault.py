"""The generated vault, its queries and the truth about them."""

from pathlib import Path

import numpy as np
import pytest

from dedup2d.errors import DrawingError, RequestError
from dedup2d.reading import read
from dedup2d.report import Relation
from dedup2d.samples import KINDS, Truth, drawing, generate, plan
from dedup2d.samples.dxf import dxf_text

DEMO = ("resaved", "rotated", "revision", "mirrored", "unrelated", "broken")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("made")
    return folder, generate(folder)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        generate(tmp_path / name, seed=3, parts=6)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert len(files) > 12
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_truth_survives_json(made: tuple[Path, Truth]) -> None:
    folder, truth = made
    assert Truth.model_validate_json((folder / "truth.json").read_text("utf-8")) == truth


def test_every_query_has_its_file_and_its_drawing_in_the_vault(made: tuple[Path, Truth]) -> None:
    folder, truth = made
    for query in truth.queries:
        assert (folder / query.file).is_file()
        assert query.vault_file is None or query.vault_file in truth.vault
        assert (query.relation is None) == (query.vault_file is None)


def test_small_vaults_still_have_the_queries_of_the_demo(tmp_path: Path) -> None:
    truth = generate(tmp_path, parts=6)
    sources = [truth.of(f"{name}.dxf").vault_file for name in DEMO]
    related = [source for source in sources if source]
    assert len(related) == len(set(related)) == 4


def test_less_than_one_part_of_each_family_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="at least 6, got 5"):
        generate(tmp_path, parts=5)


def test_broken_file_is_broken_and_all_others_can_be_read(made: tuple[Path, Truth]) -> None:
    folder, truth = made
    for query in truth.queries:
        if query.readable:
            assert read(folder / query.file).primitive_count > 20
        else:
            with pytest.raises(DrawingError):
                read(folder / query.file)


def test_exact_query_is_a_byte_copy(made: tuple[Path, Truth]) -> None:
    folder, truth = made
    exact = truth.of("exact.dxf")
    assert exact.relation is Relation.EXACT
    assert (folder / exact.file).read_bytes() == (folder / str(exact.vault_file)).read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_drawing_is_what_reading_its_dxf_gives(kind: str, tmp_path: Path) -> None:
    """Benchmarks may skip the file: the shortcut has the strokes, texts and units of the file."""
    path = tmp_path / "part.dxf"
    path.write_text(dxf_text(plan(kind, 5, frame=True)), encoding="utf-8")
    fast, real = drawing(kind, 5, frame=True), read(path)
    assert lengths(fast.segments) == pytest.approx(lengths(real.segments), abs=1e-6)
    radii = np.sort(fast.arcs[:, 2]), np.sort(real.arcs[:, 2])
    np.testing.assert_allclose(*radii, atol=1e-9)
    assert sorted(t.value for t in fast.texts) == sorted(t.value for t in real.texts)
    assert fast.unit_mm == real.unit_mm == 1.0


def lengths(segments: np.ndarray) -> float:
    return float(np.hypot(*(segments[:, 2:] - segments[:, :2]).T).sum())


def test_parts_differ_by_seed(made: tuple[Path, Truth]) -> None:
    """No two drawings of a vault are the same file."""
    folder, truth = made
    assert len({(folder / path).read_bytes() for path in truth.vault}) == len(truth.vault)
