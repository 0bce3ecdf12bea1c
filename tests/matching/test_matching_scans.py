"""Scans against the drawings that were scanned, with their tolerance of about a pixel."""

import dataclasses

import cv2
import numpy as np
import pytest
from matching_kit import box, circle, plate
from matching_kit import drawing as by_hand

from dedup2d.matching.compare import compare
from dedup2d.matching.fingerprint import decode, encode, fingerprint, refreshed, strokes_of
from dedup2d.matching.subject import measured, subject
from dedup2d.reading.budget import Budget
from dedup2d.reading.reader import read
from dedup2d.report import Relation
from dedup2d.samples import KINDS, drawing
from dedup2d.samples import mutations as mutate
from dedup2d.samples.raster import rasterise


@pytest.fixture
def scanned(tmp_path):
    def scan(drawing, **how):
        path = tmp_path / "scan.png"
        cv2.imwrite(str(path), rasterise(drawing, **how))
        return fingerprint(read(path, Budget()))

    return scan


@pytest.mark.parametrize("how", [{}, {"skew_deg": 2.0, "noise": 10.0}])
def test_a_scan_is_the_same_as_its_drawing(scanned, how):
    found = compare(scanned(plate(5), **how), fingerprint(plate(5)))
    assert found.relation is Relation.SAME


@pytest.mark.parametrize("kind", KINDS)
def test_letters_of_a_scan_are_the_texts_of_its_drawing(scanned, kind):
    part = drawing(kind, 4, frame=False)
    found = compare(scanned(part, skew_deg=1.0, noise=8.0), fingerprint(part))
    assert found.changes.added == 0


def test_a_scan_of_a_changed_drawing_is_a_revision(scanned):
    arcs = plate(5).arcs.copy()
    arcs[0, 0] += 6
    changed = dataclasses.replace(plate(5), arcs=arcs)
    found = compare(scanned(changed, skew_deg=1.0, noise=8.0), fingerprint(plate(5)))
    assert found.relation is Relation.REVISION


def test_a_scan_of_another_part_is_not_the_same(scanned):
    found = compare(scanned(plate(6), noise=8.0), fingerprint(plate(5)))
    assert found.relation not in {Relation.SAME, Relation.REVISION}


def test_a_scan_of_a_framed_sheet_contains_the_frameless_drawing_and_knows_it_from_others(scanned):
    parts = [drawing(kind, seed, frame=False) for seed, kind in enumerate(KINDS)]
    sheet = scanned(mutate.add_frame(parts[0], 7).drawing, skew_deg=-2.0, noise=10.0)
    assert compare(sheet, fingerprint(parts[0])).relation is Relation.CONTAINS
    others = [compare(sheet, fingerprint(other)) for other in parts[1:]]
    assert {found.relation for found in others} <= {Relation.SIMILAR, Relation.DIFFERENT}


def test_what_the_border_surrounds_is_most_like_the_frameless_drawing(scanned):
    parts = [drawing(kind, 3, frame=False) for kind in KINDS]
    sheet = scanned(mutate.add_frame(parts[1], 7).drawing, skew_deg=1.5, noise=10.0)
    alike = [float(sheet.inner @ fingerprint(part).inner) for part in parts]
    assert max(alike) == alike[1] > 0.9


def simple(size=1.0):
    """A plate with two holes: six strokes, of ``size`` units."""
    holes = [circle(2 * size, size, size / 2), circle(6 * size, 3 * size, size)]
    return by_hand(box(0, 0, 8 * size, 5 * size), holes)


@pytest.mark.parametrize("size", [10.0, 0.1])
def test_a_scanned_sheet_contains_a_part_of_few_strokes_in_whatever_unit(scanned, size):
    sheet = scanned(mutate.add_frame(simple(20.0), 7).drawing, skew_deg=2.0, noise=10.0)
    part = fingerprint(simple(size))
    assert float(sheet.inner @ part.descriptor) > 0.9
    assert compare(sheet, part).relation is Relation.CONTAINS


def test_lettering_that_is_left_in_the_cells_of_a_border_belongs_to_it():
    frame = [*box(0, 0, 400, 280), *box(10, 10, 380, 260), *box(330, 10, 60, 20)]
    letter, part = box(335, 15, 4, 4), box(100, 100, 120, 80)
    holes = [circle(160, 140, 20), circle(120, 120, 5), circle(200, 120, 5), circle(120, 160, 5)]
    sheet = by_hand(frame + letter + part, holes)
    assert strokes_of(sheet).body.sum() == 8


def test_two_good_matches_of_a_scan_are_not_equal(scanned):
    """Both were cut off at 0.84, so that the name decided which was first."""
    holed = by_hand(box(0, 0, 80, 50), [circle(x, 25, 3) for x in range(10, 80, 10)])
    fewer = by_hand(box(0, 0, 80, 50), [circle(x, 25, 3) for x in range(10, 60, 10)])
    query = scanned(holed, skew_deg=1.0, noise=8.0)
    one, other = (compare(query, fingerprint(found)) for found in (holed, fewer))
    assert one.similarity > other.similarity


def hatched():
    """A plate, its middle hatched at 45 degrees, and the same as paper shows it."""
    plain = by_hand([*box(0, 0, 120, 80), *box(10, 10, 60, 60), *box(80, 20, 30, 15)])
    at = np.arange(12, 130, 5.0)
    low, high = np.maximum(10, at - 70 + 10), np.minimum(70, at)
    lines = np.column_stack([low, at - low + 10, high, at - high + 10])
    lines = lines[low < high]
    paper = dataclasses.replace(plain, segments=np.concatenate([plain.segments, lines]))
    return dataclasses.replace(plain, hatching=lines), paper


@pytest.mark.parametrize("how", [{}, {"skew_deg": 2.0, "noise": 8.0}])
def test_a_scan_of_hatching_is_the_same_as_its_drawing(scanned, how):
    """Only the outline counted, so most ink of the scan was not in the drawing."""
    drawing, paper = hatched()
    query, held = scanned(paper, **how), fingerprint(drawing)
    assert float(query.descriptor @ held.descriptor) > 0.95
    assert compare(query, held).relation is Relation.SAME


def test_lines_of_a_plot_lie_on_hatching_and_seams():
    drawing, paper = hatched()
    seams = dataclasses.replace(drawing, hatching=drawing.seams, seams=drawing.hatching)
    for held in (drawing, seams):
        found = compare(fingerprint(paper), fingerprint(held))
        assert found.relation is Relation.SAME
    assert compare(fingerprint(paper), fingerprint(by_hand(drawing.segments))).changes.added > 0


def test_seams_are_no_ink():
    drawing, _ = hatched()
    seams = dataclasses.replace(drawing, hatching=drawing.seams, seams=drawing.hatching)
    bare = fingerprint(by_hand(drawing.segments))
    assert (fingerprint(seams).descriptor == bare.descriptor).all()
    assert (fingerprint(drawing).descriptor != bare.descriptor).any()


def test_weights_of_strokes_stay_theirs_among_pattern_lines():
    """The print that the fingerprint was made of is weighed anew, with no samples taken again."""
    drawing, _ = hatched()
    plain = measured(by_hand(drawing.segments, [circle(95, 60, 5)], hatching=drawing.hatching))
    weights = np.linspace(0.1, 0.9, plain.prepared.shape.count)
    weighed, afresh = plain.prepared.weighing(weights), subject(plain.fingerprint).prepared
    assert weighed.printed.samples is plain.prepared.printed.samples
    assert (weighed.printed.weighted == afresh.weighing(weights).printed.weighted).all()
    assert weighed.printed.weights[-1] == weights[-1]


def test_what_lies_beside_the_strokes_is_stored():
    drawing, _ = hatched()
    fresh = fingerprint(dataclasses.replace(drawing, seams=drawing.segments[:3]))
    vectors = np.stack([fresh.descriptor, fresh.inner])
    stored = decode(encode(fresh), fresh.signature, vectors, fresh.sketch)
    assert (stored.hatching == fresh.hatching).all()
    assert (stored.seams == fresh.seams).all()
    assert (stored.border == fresh.border).all()
    assert np.allclose(refreshed(stored).descriptor, fresh.descriptor, atol=1e-6)
