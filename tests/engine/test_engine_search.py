"""A search in this process: what the report says, and what does not stop it."""

import dataclasses
import sqlite3

import numpy as np
import pytest

from dedup2d.drawing.model import Drawing, Text
from dedup2d.engine.overlays import compare_drawings
from dedup2d.engine.search import SearchQuery, search
from dedup2d.engine.vault import Vault
from dedup2d.index.catalogue import FILE_NAME
from dedup2d.index.index import NewDrawing
from dedup2d.matching.fingerprint import fingerprint
from dedup2d.options import SearchOptions
from dedup2d.report import Relation


def strokes(seed):
    return Drawing(segments=np.random.default_rng(seed).uniform(0, 90, (25, 4)), format="dxf")


@pytest.fixture
def vault(tmp_path):
    found = Vault(tmp_path)
    found.index.add(
        NewDrawing("t", f"{k:064x}", f"{k}.dxf", fingerprint(strokes(k))) for k in range(4)
    )
    yield found
    found.index.close()


def asked(vault, drawing, **how):
    return search(vault, SearchQuery(drawing, "q.dxf", ""), SearchOptions(), tenant="t", **how)


def test_a_damaged_candidate_is_left_out_and_named(vault, tmp_path):
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        db.execute("UPDATE geometry SET strokes = x'00' WHERE number = 1")
    db.close()
    report = asked(vault, strokes(0))
    assert report.success
    assert any(w.startswith("candidate_failed:") for w in report.warnings)
    assert asked(vault, strokes(2)).duplicates[0].file_name == "2.dxf"


def test_without_time_nothing_is_verified_and_that_is_said(vault):
    report = asked(vault, strokes(0), limit_s=0.0)
    assert report.total_matches == 0
    assert any(w.startswith("not_verified_in_time:") for w in report.warnings)


def test_a_query_without_strokes_is_answered_with_a_warning(vault):
    report = asked(vault, Drawing())
    assert report.success
    assert "query_without_strokes" in report.warnings


def test_the_same_search_twice_gives_the_same_matches(vault):
    assert asked(vault, strokes(3)).matches == asked(vault, strokes(3)).matches


@pytest.mark.parametrize("numbers", [(10, 11), (11, 10)])
def test_of_equal_geometry_the_one_with_the_same_words_comes_first(vault, numbers):
    for number, word in zip(numbers, ("STEEL", "BRASS"), strict=True):
        worded = dataclasses.replace(strokes(9), texts=(Text(word, 5.0, 5.0, 3.0),))
        vault.index.add([NewDrawing("t", f"{number:064x}", f"{word}.dxf", fingerprint(worded))])
    mirrored = strokes(9).segments * [-1, 1, -1, 1]
    query = Drawing(segments=mirrored, texts=(Text("BRASS", -5.0, 5.0, 3.0),), format="dxf")
    found = asked(vault, query).matches
    assert [(m.file_name, m.relation) for m in found] == [
        ("BRASS.dxf", Relation.VARIANT),
        ("STEEL.dxf", Relation.VARIANT),
    ]


def test_an_overlay_splits_strokes_into_common_added_and_removed():
    before = strokes(8)
    after = dataclasses.replace(before, segments=before.segments[1:] + 100)
    comparison, overlay = compare_drawings(after, before, ("new", "old"))
    assert comparison.relation is Relation.REVISION
    assert (len(overlay.common.segments), len(overlay.removed.segments)) == (24, 1)
    (removed,) = np.sort(overlay.removed.segments.reshape(-1, 2, 2), axis=1)
    (lost,) = np.sort(before.segments[:1].reshape(-1, 2, 2) + 100, axis=1)
    assert np.allclose(removed, lost, atol=1e-4)


def test_the_same_bytes_with_other_geometry_are_compared_by_it(vault):
    """A worker that had verified a drawing went on comparing what it had been."""
    assert asked(vault, strokes(0)).duplicates
    vault.index.add([NewDrawing("t", f"{0:064x}", "0.dxf", fingerprint(strokes(9)))])
    assert asked(vault, strokes(9)).duplicates[0].file_name == "0.dxf"
    assert not asked(vault, strokes(0)).duplicates


def test_a_vault_that_has_grown_is_judged_as_one_that_is_opened_anew(vault, tmp_path):
    """A warm worker kept what it had verified with the weights of the smaller vault."""
    (before,) = (e for e in vault.index.entries("t") if e.file_name == "0.dxf")
    assert vault.subject(before, tenant="t").prepared.weights is None
    vault.index.add(
        NewDrawing("t", f"{k:064x}", f"{k}.dxf", fingerprint(strokes(k))) for k in range(4, 120)
    )
    anew = Vault(tmp_path)
    warm, cold = (v.subject(before, tenant="t").prepared.weights for v in (vault, anew))
    anew.index.close()
    assert cold is not None
    assert np.array_equal(warm, cold)
