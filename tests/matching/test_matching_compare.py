"""How two drawings relate, by what was done to one of them."""

import dataclasses
import math

import numpy as np
import pytest
from matching_kit import box, circle, drawing, moved, plate, saved_again

from dedup2d.drawing.model import Drawing, Text
from dedup2d.matching.compare import compare
from dedup2d.matching.fingerprint import fingerprint
from dedup2d.report import Relation


def related(query, match):
    return compare(fingerprint(query), fingerprint(match))


def joined(*drawings):
    return drawing(
        np.concatenate([d.segments for d in drawings]),
        np.concatenate([d.arcs for d in drawings]),
        [t for d in drawings for t in d.texts],
    )


@pytest.mark.parametrize("turn", [0.0, 0.3, math.pi / 2, 4.0])
@pytest.mark.parametrize("scale", [1.0, 25.4, 1 / 25.4])
def test_a_resaved_turned_drawing_in_other_units_is_the_same(part, turn, scale):
    again = moved(saved_again(part), turn=turn, scale=scale, shift=300 - 70j)
    found = related(again, part)
    assert found.relation is Relation.SAME
    assert found.similarity >= 0.99
    assert found.pose.scale == pytest.approx(1 / scale, rel=1e-5)
    off = found.pose.rotation_deg + math.degrees(turn)
    assert (off + 180) % 360 - 180 == pytest.approx(0, abs=1e-2)


@pytest.mark.parametrize(("scale", "mirrored"), [(1.0, True), (1.7, False), (0.4, True)])
def test_mirrored_or_scaled_is_a_variant_with_its_pose(part, scale, mirrored):
    found = related(moved(part, turn=0.4, scale=scale, mirrored=mirrored), part)
    assert found.relation is Relation.VARIANT
    assert found.pose.mirrored is mirrored
    assert found.pose.scale == pytest.approx(1 / scale, rel=1e-6)


def test_a_moved_hole_is_a_revision_and_its_place_is_shown(part):
    arcs = part.arcs.copy()
    arcs[4, 0] += 0.5
    found = related(dataclasses.replace(part, arcs=arcs), part)
    assert found.relation is Relation.REVISION
    assert (found.changes.added, found.changes.removed) == (1, 1)
    (region,) = found.changes.regions
    x, y, r = arcs[4, :3]
    assert region.min_x == pytest.approx(x - 0.5 - r, abs=0.3)
    assert (region.max_x, region.max_y) == pytest.approx((x + r, y + r), abs=0.3)


@pytest.mark.parametrize("longer", [0.2, 5.0])
def test_one_longer_line_is_a_revision(part, longer):
    segments = part.segments.copy()
    segments[10, 2] += longer
    assert related(dataclasses.replace(part, segments=segments), part).relation is Relation.REVISION


def test_another_text_is_a_revision_with_both_texts_said(part):
    texts = (part.texts[0], Text("1.4301", 30, 10, height=3.5))
    found = related(dataclasses.replace(part, texts=texts), part)
    assert found.relation is Relation.REVISION
    (change,) = found.changes.texts
    assert (change.before, change.after) == ("S235JR", "1.4301")
    assert not found.changes.regions


def test_moved_texts_and_other_spaces_change_nothing(part):
    texts = (Text(" PART  7", 60, 33), Text("S235JR", 0, 0))
    assert related(dataclasses.replace(part, texts=texts), part).relation is Relation.SAME


def test_a_dimension_in_other_units_is_no_change(part):
    shown = dataclasses.replace(part, texts=(Text("50.8", 0, 0, role="dimension", measured=50.8),))
    inches = moved(part, scale=1 / 25.4)
    inches = dataclasses.replace(inches, texts=(Text("2", 0, 0, role="dimension", measured=2.0),))
    assert related(inches, shown).relation is Relation.SAME


def test_a_part_on_a_sheet_is_contained_and_the_sheet_contains_it(part):
    others = [moved(plate(k), turn=k, shift=complex(300 * k, 250)) for k in (11, 12, 13)]
    sheet = joined(moved(part, turn=1.0, shift=-200j), *others)
    assert related(part, sheet).relation is Relation.CONTAINED
    assert related(sheet, part).relation is Relation.CONTAINS


def test_a_frame_makes_it_contain_the_drawing(part):
    frame = drawing(box(-60, -60, 420, 297) + box(-50, -50, 400, 277) + box(170, -50, 180, 56))
    found = related(joined(part, frame), part)
    assert found.relation in (Relation.CONTAINS, Relation.REVISION)


def test_drawings_of_one_family_are_not_the_same():
    relations = {related(plate(a), plate(a + 20)).relation for a in range(20)}
    assert not relations & {Relation.SAME, Relation.VARIANT}


def test_both_orders_say_the_same(part):
    arcs = part.arcs.copy()
    arcs[4, 0] += 2
    changed = moved(dataclasses.replace(part, arcs=arcs), turn=0.7, scale=2.0, mirrored=True)
    there, back = related(changed, part), related(part, changed)
    assert there.relation is back.relation
    assert there.similarity == back.similarity
    assert (there.changes.added, there.changes.removed) == (
        back.changes.removed,
        back.changes.added,
    )
    assert there.transform.inverse().a == pytest.approx(back.transform.a)


@pytest.mark.parametrize(
    "few",
    [
        drawing([(0, 0, 10, 0)]),
        drawing(box(0, 0, 20, 10)),
        drawing([], [circle(0, 0, 5)]),
        drawing(box(0, 0, 20, 10), [circle(5, 5, 2)]),
    ],
)
def test_a_handful_of_strokes_is_never_the_same_by_turning_or_scaling(few):
    assert related(few, few).relation is Relation.SAME
    for other in (moved(few, scale=25.4), moved(few, scale=3.0)):
        found = related(other, few)
        assert found.relation is Relation.SIMILAR
        assert any("Too little evidence" in sentence for sentence in found.why)


def test_an_empty_drawing_is_different_from_everything(part):
    assert related(Drawing(), part).relation is Relation.DIFFERENT
    assert related(part, Drawing()).relation is Relation.DIFFERENT
    assert related(Drawing(), Drawing()).relation is Relation.DIFFERENT


def test_drawings_without_strokes_are_similar_by_equal_texts():
    note = Drawing(texts=(Text("General tolerances ISO 2768-m", 0, 0),))
    assert related(note, note).relation is Relation.SIMILAR


def test_a_drawing_that_is_there_whole_among_many_specks_is_a_part():
    r = np.random.default_rng(1)
    specks = [(x, y, x + 0.3, y + 0.2) for x, y in r.uniform(10, 80, (60, 2))]
    found = related(joined(plate(4), drawing(specks)), plate(4))
    assert found.relation is Relation.CONTAINS
    assert related(plate(4), joined(plate(4), drawing(specks))).relation is Relation.CONTAINED


@pytest.mark.parametrize("seed", range(6))
def test_short_level_strokes_in_a_stack_do_not_slide(seed):
    r = np.random.default_rng(seed)
    pieces = [(0.03 * k, 0.2 * y, 0.03 * k + 0.03, 0.2 * y) for y in range(20) for k in range(3)]
    stack = drawing([(0, 0.2 * y, 0.09, 0.2 * y) for y in range(20)])
    noisy = moved(drawing(pieces + r.normal(0, 3.8e-6, (60, 4))), turn=0.1 * seed)
    assert related(noisy, stack).relation is Relation.SAME


def test_a_site_plan_far_from_the_origin_is_the_same_there():
    """In millimetres, UTM coordinates are 5e9: they are a place, not damage."""
    near = plate(1)
    far = moved(near, shift=5e8 + 5.4e9j)
    debris = np.array([[0.0, 0.0, 1.0, 1.0]])
    far = dataclasses.replace(far, segments=np.concatenate([far.segments, debris]))
    assert compare(fingerprint(near), fingerprint(far)).relation is Relation.SAME
