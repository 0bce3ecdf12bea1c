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
