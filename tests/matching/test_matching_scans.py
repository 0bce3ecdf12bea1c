"""Scans against the drawings that were scanned, with their tolerance of about a pixel."""

import dataclasses

import cv2
import pytest
from matching_kit import plate

from dedup2d.matching.compare import compare
from dedup2d.matching.fingerprint import fingerprint
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
