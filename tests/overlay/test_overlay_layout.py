"""The page that PNG and SVG share."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup2d.overlay.layout import columns_of, extents, in_words, page_for, plain
from dedup2d.overlay.model import Overlay, Strokes
from dedup2d.report import Pose, Relation, TextChange


def test_drawing_stays_between_header_footer_and_list(overlay: Overlay) -> None:
    """No stroke runs under the header, the legend or the list of texts."""
    page = page_for(overlay, 1200, 900)
    x0, y0, x1, y1 = extents(overlay.common, overlay.added, overlay.removed)
    px = page.pixels(np.array([[x0, y0], [x1, y1]]))
    assert px[:, 0].min() > 0
    assert px[:, 0].max() < page.panel_x
    assert page.header < px[:, 1].min()
    assert px[:, 1].max() < page.height - page.footer


def test_ring_encloses_its_region(overlay: Overlay) -> None:
    """Each corner of a changed box lies inside its ring."""
    page = page_for(overlay, 1200, 900)
    (ring,) = page.rings
    region = overlay.regions[0]
    corners = page.pixels(np.array([[region.min_x, region.min_y], [region.max_x, region.max_y]]))
    assert (corners[:, 0] > ring.x).all()
    assert (corners[:, 0] < ring.x + ring.width).all()
    assert (corners[:, 1] > ring.y).all()
    assert (corners[:, 1] < ring.y + ring.height).all()


def test_ring_of_a_tiny_change_is_a_circle_that_can_be_seen(overlay: Overlay) -> None:
    tiny = overlay.regions[0].model_copy(update={"min_x": 130, "max_x": 130.01})
    (ring,) = page_for(replace(overlay, regions=(tiny,)), 1200, 900).rings
    assert ring.width >= 36
    assert ring.radius == pytest.approx(min(ring.width, ring.height) / 2)


@given(st.floats(1e-3, 1e6), st.sampled_from([None, 1.0, 25.4]))
def test_scale_bar_is_a_round_length_that_fits(size: float, unit_mm: float | None) -> None:
    """1, 2 or 5 times a power of ten, at most a fifth of the page, true to scale."""
    strokes = Strokes(np.array([[0, 0, size, size / 3]]))
    bare = Overlay("a", "b", Relation.SAME, 1.0, Pose(), strokes, Strokes(), Strokes())
    page = page_for(replace(bare, unit_mm=unit_mm), 1200, 900)
    length, unit = page.bar.label.split()
    assert unit == ("mm" if unit_mm else "units")
    assert f"{float(length):e}"[0] in "125"
    assert page.bar.pixels <= 1200 / 5
    assert page.bar.pixels == pytest.approx(float(length) / (unit_mm or 1) * page.scale, rel=1e-4)


def test_part_is_circled_and_the_rest_is_not(overlay: Overlay) -> None:
    """Where one drawing is a part of the other, the rest is no list of changes."""
    page = page_for(replace(overlay, relation=Relation.CONTAINED), 1200, 900)
    (ring,) = page.rings
    assert ring.number == 0
    assert not page.texts
    assert "plate-B.dxf is a part of plate-A.dxf" in page.details


def test_pose_is_told_in_words(overlay: Overlay) -> None:
    pose = Pose(rotation_deg=37, mirrored=True, scale=25.4)
    page = page_for(replace(overlay, pose=pose), 1200, 900)
    assert page.details.startswith("turned 37°  ·  mirrored  ·  scaled 25.4")


def test_letters_of_neighbouring_texts_do_not_cover_each_other(overlay: Overlay) -> None:
    changes = tuple(TextChange(before=str(i), x=130, y=60) for i in range(4))
    rows = page_for(replace(overlay, text_changes=changes), 1200, 900).texts
    spots = [row.tag for row in rows if row.tag]
    assert len(spots) == len(set(spots)) == 4


def test_long_lists_of_texts_say_how_many_more(overlay: Overlay) -> None:
    changes = tuple(TextChange(after=str(i)) for i in range(300))
    page = page_for(replace(overlay, text_changes=changes), 1200, 900)
    assert len(page.texts) + page.more_texts == 300
    assert page.more_texts > 250


@given(st.text(), st.integers(8, 60))
def test_foreign_texts_fit_their_columns(text: str, columns: int) -> None:
    """No control character is left, and nothing is wider than asked for."""
    shown = plain(text, columns)
    assert columns_of(shown) <= columns
    assert shown.isprintable()


def test_changes_are_told_in_words() -> None:
    assert in_words(TextChange(before="Ø12", after="Ø14")) == "Ø12 → Ø14"
    assert in_words(TextChange(after="Ø14")) == "+ Ø14"
    assert in_words(TextChange(before="Ø12")) == "\N{MINUS SIGN} Ø12"
