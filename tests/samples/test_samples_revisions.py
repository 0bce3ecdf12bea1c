"""Revisions, and the ways in which a drawing is saved."""

from pathlib import Path

import numpy as np
import pytest

from dedup2d.reading import read
from dedup2d.samples import KINDS, Kind, family, plan
from dedup2d.samples.dxf import Saving, dxf_text, exploded
from dedup2d.samples.parts import drawn, title_for
from dedup2d.samples.plan import Group, Label, extents
from dedup2d.samples.revisions import (
    Change,
    changed_boxes,
    changed_texts,
    revised,
    with_text,
)
from dedup2d.samples.sheet import retitled

POSSIBLE = (
    (Kind.PLATE, Change.HOLE_MOVED),
    (Kind.PLATE, Change.CHAMFER),
    (Kind.BRACKET, Change.HOLE_ADDED),
    (Kind.BRACKET, Change.SLOT_ADDED),
    (Kind.FLANGE, Change.HOLE_RESIZED),
    (Kind.FLANGE, Change.HOLE_ADDED),
    (Kind.SHAFT, Change.CHAMFER),
    (Kind.GASKET, Change.HOLE_RESIZED),
    (Kind.BLANK, Change.SLOT_ADDED),
)
WAYS = (
    Saving("R12"),
    Saving("R2000", exploded=True, shuffled_by=1, layer_prefix="X-"),
    Saving("R2018"),
)


@pytest.mark.parametrize(("kind", "change"), POSSIBLE)
def test_strokes_of_two_editions_differ_in_the_named_boxes_only(kind: Kind, change: Change) -> None:
    """Each stroke that only one edition has lies in one of the boxes."""
    part = family(kind, 12)
    title = title_for(kind, 12)
    old, new = drawn(part, title=title), drawn(revised(part, change), title=title, first=part)
    boxes = changed_boxes(old, new)
    assert boxes
    pieces = [{p for e in p_ for p in exploded(e) if not isinstance(p, Label)} for p_ in (old, new)]
    for piece in pieces[0] ^ pieces[1]:
        at = extents([piece])
        assert any(
            b.min_x <= at.min_x
            and at.max_x <= b.max_x
            and b.min_y <= at.min_y
            and at.max_y <= b.max_y
            for b in boxes
        )


def test_change_that_a_family_cannot_have_is_refused() -> None:
    with pytest.raises(ValueError, match="no slot added for Shaft"):
        revised(family("shaft", 1), Change.SLOT_ADDED)


def test_typed_over_dimension_changes_one_text_and_no_stroke() -> None:
    flange = plan("flange", 3, frame=True)
    fit = next(t for t in (getattr(e, "text", "") for e in flange) if t.endswith("H7"))
    bore = next(e.label.value for e in flange if getattr(e, "text", "") == fit)
    typed = with_text(flange, bore, "Ø99")
    assert not changed_boxes(flange, typed)
    assert [(c.before, c.after) for c in changed_texts(flange, typed)] == [(bore, "Ø99")]


def test_next_revision_of_a_title_block_keeps_its_cells() -> None:
    sheet = plan("plate", 3, frame=True)
    block = next(e for e in sheet if isinstance(e, Group) and e.name == "TITLE_BLOCK")
    tags = {m.tag: m.value for m in block.members if isinstance(m, Label) and m.tag}
    newer = retitled(block, REVISION="C").members
    assert {m.tag: m.value for m in newer if isinstance(m, Label) and m.tag} == tags | {
        "REVISION": "C"
    }


@pytest.mark.parametrize("saving", WAYS, ids=lambda saving: saving.version)
@pytest.mark.parametrize("kind", KINDS)
def test_every_way_of_saving_keeps_size_and_circles(
    kind: str, saving: Saving, tmp_path: Path
) -> None:
    """Versions, exploding and shuffling change the file, not the drawing."""
    part = plan(kind, 6, frame=False)
    path = tmp_path / "saved.dxf"
    path.write_bytes(dxf_text(part, saving).encode("cp1252" if saving in WAYS[:2] else "utf-8"))
    drawing, box = read(path), extents(e for e in part if not isinstance(e, Label))
    low = drawing.segments.reshape(-1, 2).min(axis=0)
    assert low[1] == pytest.approx(min(box.min_y, low[1]), abs=1e-6)
    radii = sorted(p.radius for e in part for p in exploded(e) if hasattr(p, "radius"))
    circles = np.unique(drawing.arcs[:, 2].round(6))
    assert set(np.round(np.unique(radii), 6)) == set(circles)


def test_inch_file_measures_the_same(tmp_path: Path) -> None:
    """Its unit is the inch, its numbers are smaller, its dimensions show inches."""
    path = tmp_path / "inch.dxf"
    path.write_text(dxf_text(plan("shaft", 6, frame=False), Saving(inches=True)), "utf-8")
    metric = tmp_path / "metric.dxf"
    metric.write_text(dxf_text(plan("shaft", 6, frame=False)), "utf-8")
    inch, mm = read(path), read(metric)
    assert inch.unit_mm == 25.4
    np.testing.assert_allclose(np.sort(inch.arcs[:, 2]) * 25.4, np.sort(mm.arcs[:, 2]))
    shown = [t for t in inch.texts if t.role == "dimension" and t.value.replace(".", "").isdigit()]
    assert shown
    assert all(float(t.value) == pytest.approx(t.measured, abs=0.006) for t in shown)
