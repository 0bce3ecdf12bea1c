"""The embedded matcher from file to report, in real child processes."""

import pytest

from dedup2d.errors import DrawingError
from dedup2d.options import SearchOptions
from dedup2d.report import Relation, Verdict


@pytest.fixture
async def vault(matcher, write_dxf, tmp_path, request):
    """A tenant of its own with three drawings."""
    tenant = request.node.name
    for seed in range(3):
        path = write_dxf(tmp_path / f"part-{seed}.dxf", seed)
        loaded = await matcher.load(path, tmp_path)
        await matcher.add(loaded, tenant=tenant, path=path.name)
    return tenant


async def best(matcher, vault, path, tmp_path, **options):
    loaded = await matcher.load(path, tmp_path)
    return await matcher.search(loaded, SearchOptions(**options), tenant=vault)


async def test_the_same_bytes_are_exact(matcher, vault, tmp_path):
    report = await best(matcher, vault, tmp_path / "part-1.dxf", tmp_path)
    match = report.duplicates[0]
    assert (match.relation, match.similarity, match.match_level) == (Relation.EXACT, 1.0, 1)
    assert match.file_name == "part-1.dxf"
    assert report.query.primitives == 20


async def test_a_turned_file_is_the_same_and_a_duplicate(matcher, vault, write_dxf, tmp_path):
    report = await best(matcher, vault, write_dxf(tmp_path / "q.dxf", 2, turn=0.5), tmp_path)
    match = report.duplicates[0]
    assert (match.relation, match.verdict) == (Relation.SAME, Verdict.DUPLICATE)
    assert match.path == "part-2.dxf"


@pytest.mark.parametrize(
    ("change", "relation"),
    [
        ({"hole": 2.0}, Relation.REVISION),
        ({"text": "PART 8"}, Relation.REVISION),
        ({"mirrored": True}, Relation.VARIANT),
    ],
)
async def test_what_must_not_be_merged_is_similar(
    matcher, vault, write_dxf, tmp_path, *, change, relation
):
    report = await best(matcher, vault, write_dxf(tmp_path / "q.dxf", 0, **change), tmp_path)
    assert not report.duplicates
    assert (report.similar[0].relation, report.similar[0].verdict) == (relation, Verdict.SIMILAR)
    assert report.similar[0].why


async def test_a_stranger_has_no_matches_and_the_stages_are_told(
    matcher, vault, write_dxf, tmp_path
):
    report = await best(matcher, vault, write_dxf(tmp_path / "q.dxf", 99), tmp_path)
    assert report.total_matches == 0
    assert set(report.level_stats) == {"l1", "l2", "l3", "l4"}
    assert {"total_ms", "l1_ms", "l2_ms", "l3_ms", "l4_ms"} <= set(report.timing)


async def test_no_results_wanted_gives_none(matcher, vault, tmp_path):
    report = await best(matcher, vault, tmp_path / "part-1.dxf", tmp_path, max_results=0)
    assert report.success
    assert report.matches == ()


async def test_what_was_removed_is_not_found(matcher, vault, tmp_path):
    listed = await matcher.drawings(tenant=vault)
    assert [d["file_name"] for d in listed] == ["part-0.dxf", "part-1.dxf", "part-2.dxf"]
    assert await matcher.remove(listed[1]["drawing_id"], tenant=vault)
    report = await best(matcher, vault, tmp_path / "part-1.dxf", tmp_path)
    assert not report.duplicates


async def test_an_unreadable_file_is_the_drawings_fault(matcher, tmp_path):
    path = tmp_path / "broken.dxf"
    path.write_bytes(b"no drawing at all")
    with pytest.raises(DrawingError):
        await matcher.load(path, tmp_path)


async def test_health_tells_the_size_of_the_index(matcher, vault):
    health = await matcher.health()
    assert health["status"] == "healthy"
    assert health["indexes"]["tenants"][vault] == 3


async def test_rebuild_says_that_nothing_was_to_do(matcher, vault):
    answer = await matcher.rebuild(tenant=vault)
    assert answer["success"] is True
    assert answer["message"].startswith("0 of 3")
