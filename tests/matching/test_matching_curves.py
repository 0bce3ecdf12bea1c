"""A free curve is the same whatever polygon a program makes of it."""

from dataclasses import replace

import numpy as np
from matching_kit import plate

from dedup2d.drawing.model import Drawing
from dedup2d.matching.compare import compare
from dedup2d.matching.fingerprint import fingerprint
from dedup2d.report import Relation
from dedup2d.samples.mutations import joined


def wave(pieces, *, height=9.0, straight=False):
    """A sine above the plate: pieces of a free curve, or lines where it was exported so."""
    x = np.linspace(0, 80, pieces + 1)
    points = np.column_stack([x, 150 + height * np.sin(x / 9)])
    strokes = np.hstack([points[:-1], points[1:]])
    owner = np.zeros(pieces, np.int32)
    if straight:
        return Drawing(segments=strokes, segment_source=owner)
    return Drawing(curves=strokes, curve_source=owner)


def with_plate(curve):
    return fingerprint(joined(plate(5), curve))


def test_a_curve_that_was_exported_as_lines_is_the_same():
    found = compare(with_plate(wave(90, straight=True)), with_plate(wave(400)))
    assert found.relation is Relation.SAME


def test_a_curve_that_was_bent_is_a_change():
    found = compare(with_plate(wave(400, height=9.5)), with_plate(wave(400)))
    assert found.relation is not Relation.SAME
    assert found.changes.added


def test_lines_in_place_of_lines_are_held_to_exactness():
    found = compare(with_plate(wave(90, straight=True)), with_plate(wave(70, straight=True)))
    assert found.relation is Relation.REVISION


def test_coarse_chords_that_end_on_a_curve_are_the_same():
    found = compare(with_plate(wave(30, straight=True)), with_plate(wave(400)))
    assert found.relation is Relation.SAME


def test_coarse_chords_that_end_elsewhere_are_a_change():
    found = compare(with_plate(wave(30, height=9.5, straight=True)), with_plate(wave(400)))
    assert found.relation is not Relation.SAME


def test_hatching_and_its_outline_are_the_same_area():
    lines = np.array([[0, y, 30.0, y] for y in np.arange(201.0, 220.0, 2.0)])
    corners = np.array([[0, 200.0], [30, 200], [30, 220], [0, 220]])
    edges = np.hstack([corners, np.roll(corners, -1, axis=0)])
    shaded, outlined = (
        with_plate(Drawing(segments=s, segment_source=np.zeros(len(s), np.int32)))
        for s in (lines, edges)
    )
    assert compare(shaded, outlined).relation is Relation.SAME
    assert compare(outlined, shaded).relation is Relation.SAME
    wider = edges + np.array([0, 0, 6, 0]) * (edges[:, 2:3] > 0)
    other = with_plate(Drawing(segments=wider, segment_source=np.zeros(4, np.int32)))
    assert compare(shaded, other).relation is not Relation.SAME


def test_lines_on_hatching_that_the_other_left_out_are_the_same():
    lines = np.array([[x, 200.0, x + 8.0, 208.0] for x in range(0, 80, 4)])
    outline = Drawing(segments=np.array([[0, 200.0, 84, 200], [8, 208, 84, 208]]))
    outline = replace(outline, segment_source=np.zeros(2, np.int32))
    exploded = joined(outline, Drawing(segments=lines, segment_source=np.zeros(20, np.int32)))
    kept = with_plate(replace(outline, hatching=lines))
    assert compare(with_plate(exploded), kept).relation is Relation.SAME
    assert compare(kept, with_plate(exploded)).relation is Relation.SAME
    assert compare(kept, with_plate(outline)).relation is Relation.SAME
