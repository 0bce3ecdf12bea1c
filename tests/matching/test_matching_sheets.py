"""Frames and title blocks must not speak for what they surround."""

import pytest

from dedup2d.matching.compare import compare
from dedup2d.matching.fingerprint import fingerprint
from dedup2d.report import Relation
from dedup2d.samples import KINDS, drawing
from dedup2d.samples import mutations as mutate


@pytest.mark.parametrize("kind", KINDS[:4])
def test_the_same_drawing_on_another_sheet_is_a_revision(kind):
    other = mutate.add_frame(drawing(kind, 3, frame=False), 77)
    other = other.then(lambda sheet: mutate.resave(sheet, 5)).drawing
    found = compare(fingerprint(drawing(kind, 3, frame=True)), fingerprint(other))
    assert found.relation is Relation.REVISION


@pytest.mark.parametrize("kind", KINDS)
def test_other_parts_of_one_family_on_equal_sheets_are_no_revisions(kind):
    one, other = (fingerprint(drawing(kind, seed, frame=True)) for seed in (11, 12))
    assert compare(one, other).relation in {Relation.SIMILAR, Relation.DIFFERENT}


def test_a_large_drawing_beside_a_small_one_is_a_part_of_the_sheet():
    large = drawing(KINDS[3], 5, frame=False)
    for seed in range(1, 12):
        more = mutate.move(drawing(KINDS[seed % len(KINDS)], seed, frame=False), 0, 600 * seed)
        large = mutate.joined(large, more.drawing)
    small = mutate.move(drawing(KINDS[4], 9, frame=False), -3000, 0).drawing
    found = compare(fingerprint(mutate.joined(large, small)), fingerprint(large))
    assert found.relation is Relation.CONTAINS
