"""Mutators keep the truth about what they did."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup2d.drawing.model import Drawing
from dedup2d.report import Pose
from dedup2d.samples import KINDS, drawing
from dedup2d.samples.edits import (
    add_hole,
    add_slot,
    chamfer,
    change_text,
    move_hole,
    remove_hole,
    resize_hole,
)
from dedup2d.samples.mutations import (
    Mutation,
    add_frame,
    crop,
    diagonal,
    mirror,
    move,
    moved_by,
    on_sheet,
    resave,
    rotate,
    scale,
)
from dedup2d.samples.plan import Arc, Label, Motion, Path, extents
from dedup2d.samples.raster import extents_of, rasterise

EDITS = (move_hole, resize_hole, add_hole, remove_hole, add_slot, chamfer)


@pytest.fixture(scope="module")
def plate() -> Drawing:
    return drawing("plate", 3, frame=False)


def ink(d: Drawing) -> float:
    lines = np.hypot(*(d.segments[:, 2:] - d.segments[:, :2]).T).sum()
    return float(lines + (d.arcs[:, 2] * (d.arcs[:, 4] - d.arcs[:, 3])).sum())


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 360), st.floats(-1e3, 1e3), st.booleans(), st.floats(0.04, 30))
def test_pose_lays_a_mutation_onto_its_original(
    degrees: float, shift: float, mirrored: bool, factor: float
) -> None:
    """However moved, turned, mirrored and scaled: the pose brings every stroke back."""
    original = drawing("blank", 2, frame=False)
    mutation = rotate(original, degrees).then(lambda d: move(d, shift, -2 * shift))
    if mirrored:
        mutation = mutation.then(mirror)
    mutation = mutation.then(lambda d: scale(d, factor))
    back = moved_by(mutation.drawing, Motion.of(mutation.pose))
    np.testing.assert_allclose(back.segments, original.segments, atol=1e-6)
    np.testing.assert_allclose(back.arcs[:, :3], original.arcs[:, :3], atol=1e-6)
    assert mutation.pose.mirrored is mirrored


@pytest.mark.parametrize("kind", KINDS)
def test_resaving_changes_no_ink_but_that_of_duplicates(kind: str) -> None:
    original = drawing(kind, 4, frame=True)
    saved = resave(original, 1)
    assert saved.drawing.primitive_count > original.primitive_count
    box, moved = extents_of(original), extents_of(saved.drawing)
    assert moved[2] - moved[0] == pytest.approx(box[2] - box[0])
    assert ink(saved.drawing) >= ink(original) - 1e-6


@pytest.mark.parametrize("edit", EDITS)
def test_edits_change_strokes_inside_their_box_only(plate: Drawing, edit) -> None:
    """Whatever is in one drawing only lies in the box that the truth names."""
    mutation: Mutation = edit(plate, 8)
    (box,) = mutation.boxes
    before = {tuple(arc) for arc in plate.arcs.round(9)}
    after = {tuple(arc) for arc in mutation.drawing.arcs.round(9)}
    for x, y, r, *_ in before ^ after:
        assert box.min_x - 1e-6 <= x - r
        assert x + r <= box.max_x + 1e-6
        assert box.min_y - 1e-6 <= y - r
        assert y + r <= box.max_y + 1e-6
    assert box.added or box.removed


def test_edit_box_travels_with_the_drawing(plate: Drawing) -> None:
    """A revision that is turned afterwards is circled where the hole is then."""
    mutation = add_hole(plate, 1)
    x, y, r = mutation.drawing.arcs[-1, :3]
    turned = mutation.then(lambda d: rotate(d, 90))
    (box,) = turned.boxes
    assert (box.min_x, box.max_y) == pytest.approx((-y - r, x + r))


def test_changed_text_changes_no_stroke(plate: Drawing) -> None:
    changed = change_text(plate, 1).drawing
    assert changed.segments is plate.segments
    assert sum(a != b for a, b in zip(plate.texts, changed.texts, strict=True)) == 1


def test_unit_change_keeps_the_real_size(plate: Drawing) -> None:
    inches = scale(plate, 1 / 25.4, unit_mm=25.4).drawing
    assert diagonal(inches) * 25.4 == pytest.approx(diagonal(plate))
    assert inches.unit_mm == 25.4


def test_sheet_and_frame_hold_the_whole_part(plate: Drawing) -> None:
    others = (drawing("flange", 1, frame=False), drawing("shaft", 1, frame=False))
    for mutation in (on_sheet(plate, others, 2), add_frame(plate, 2)):
        back = moved_by(mutation.drawing, Motion.of(mutation.pose))
        there = {tuple(s) for s in back.segments.round(6) + 0.0}
        assert {tuple(s) for s in plate.segments.round(6) + 0.0} <= there


def test_crop_keeps_a_part(plate: Drawing) -> None:
    kept = crop(plate, 0.6, 3).drawing
    assert 0 < kept.primitive_count < plate.primitive_count


def test_drawings_without_circles_say_so(plate: Drawing) -> None:
    bare = replace(plate, arcs=plate.arcs[:0], arc_source=plate.arc_source[:0])
    with pytest.raises(ValueError, match="no circle"):
        move_hole(bare, 1)


def test_scan_is_a_grey_page_with_ink(plate: Drawing) -> None:
    page = rasterise(plate, longer_side_px=800, skew_deg=2, noise=8, seed=1)
    assert max(page.shape) == 800
    assert 0.002 < (page < 100).mean() < 0.2


def test_mirrored_text_stays_readable() -> None:
    """A label is never mirrored or upside down, and its middle goes where the mirror puts it."""
    label = Label("Ø12 H7", 10 + 5j, 3.5, rotation_deg=30)
    turned = label.placed(Motion.of(Pose(mirrored=True, rotation_deg=200)))
    assert -90 < turned.rotation_deg <= 90
    middle = sum(label.points()) / 4
    assert sum(turned.points()) / 4 == pytest.approx(
        Motion.of(Pose(mirrored=True, rotation_deg=200))(middle)
    )


def test_mirrored_bulges_turn_the_other_way() -> None:
    """A half-round end stays on its side of the slot when the part is mirrored."""
    path = Path(((0j, 0.0), (10 + 0j, 1.0), (10 + 4j, 0.0), (4j, 1.0)))
    box = extents([path.placed(Motion(mirrored=True))])
    assert (box.min_x, box.max_x) == pytest.approx((-2, 12))


def test_mirrored_arc_covers_the_mirrored_angles() -> None:
    arc = Arc(0, 5, 0.2, 1.2).placed(Motion(mirrored=True))
    assert (arc.start, arc.end) == pytest.approx((math.tau - 1.2, math.tau - 0.2))
