"""The engine says of every query what is true about it, and where it changed."""

from pathlib import Path

import pytest

from dedup2d.engine.overlays import compare_drawings
from dedup2d.matching.compare import Comparison
from dedup2d.reading import read
from dedup2d.report import Region, Relation
from dedup2d.samples import QueryTruth, generate
from dedup2d.samples.queries import RECIPES

RELATED = [recipe.file for recipe in RECIPES if not recipe.file.startswith(("broken", "unrelated"))]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[QueryTruth, Comparison]]:
    """Each related query against its own drawing of the vault."""
    folder: Path = tmp_path_factory.mktemp("relations")
    truth = generate(folder)
    facts = [truth.of(file) for file in RELATED]
    return {
        file: (
            fact,
            compare_drawings(read(folder / fact.file), read(folder / str(fact.vault_file)))[0],
        )
        for file, fact in zip(RELATED, facts, strict=True)
    }


@pytest.mark.parametrize("file", RELATED)
def test_relation_of_a_query_to_its_drawing_is_the_true_one(file: str, compared) -> None:
    fact, comparison = compared[file]
    if fact.relation is Relation.EXACT:  # bytes decide that, geometry can only say "same"
        assert comparison.relation is Relation.SAME
    else:
        assert comparison.relation in fact.accepted


@pytest.mark.parametrize("file", [file for file in RELATED if file.endswith(".dxf")])
def test_pose_is_the_true_one(file: str, compared) -> None:
    fact, comparison = compared[file]
    turn = abs((comparison.pose.rotation_deg - fact.pose.rotation_deg + 180) % 360 - 180)
    assert turn < 1e-4
    assert comparison.pose.mirrored is fact.pose.mirrored
    assert comparison.pose.scale == pytest.approx(fact.pose.scale, rel=1e-6)
    assert comparison.pose.shift == pytest.approx(fact.pose.shift, abs=1e-3)


@pytest.mark.parametrize("file", [file for file in RELATED if file.startswith("revision")])
def test_regions_are_where_the_part_was_changed(file: str, compared) -> None:
    """Every changed box is met by a region, and no region lies elsewhere."""
    fact, comparison = compared[file]
    regions = comparison.changes.regions
    assert all(any(meet(box, region) for region in regions) for box in fact.boxes)
    assert all(any(meet(box, region) for box in fact.boxes) for region in regions)


def meet(a: Region, b: Region) -> bool:
    return (
        a.min_x - 1 <= b.max_x
        and b.min_x - 1 <= a.max_x
        and a.min_y - 1 <= b.max_y
        and b.min_y - 1 <= a.max_y
    )
