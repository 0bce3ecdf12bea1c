"""The page that PNG and SVG share."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup2d.overlay.layout import extents, fitting_height, page_for
from dedup2d.overlay.model import Overlay, Strokes
from dedup2d.overlay.wording import columns_of, in_lines, in_words, plain
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
    pose = Pose(rotation_deg=323, scale=25.4)
    told = page_for(replace(overlay, pose=pose), 1200, 900).details
    assert told.startswith("turned 37° clockwise  ·  in other units, by 25.4")
    variant = replace(overlay, pose=pose, relation=Relation.VARIANT)
    assert "scaled by 25.4" in page_for(variant, 1200, 900).details


@pytest.mark.parametrize(
    ("degrees", "told"),
    [
        (0, ("mirrored top to bottom",)),
        (180, ("mirrored left to right",)),
        (90, ("mirrored", "turned 90° counter-clockwise")),
    ],
)
def test_mirroring_is_told_as_a_person_sees_it(degrees: float, told: tuple[str, ...]) -> None:
    """Every mirroring is one of y and a turn; nobody thinks of left and right that way."""
    assert Pose(rotation_deg=degrees, mirrored=True).words == told


def test_names_are_cut_so_that_they_stay_apart(overlay: Overlay) -> None:
    """Two long names that begin and end alike were the same name in the legend."""
    names = (f"100mm-Flange{which}-Drawing-of-1998.pdf" for which in ("Top", "Bottom"))
    query, match = names
    page = page_for(replace(overlay, query_name=query, match_name=match), 1200, 900)
    said = [words for words, _ in page.legend]
    assert "Top" in said[1]
    assert "Bottom" in said[2]


def test_texts_are_cut_so_that_the_change_is_seen() -> None:
    """The difference was in what the dots stood for."""
    change = TextChange(before=f"{'MACHINE ALL ' * 4}R3", after=f"{'MACHINE ALL ' * 4}R5 OVER")
    before, after = in_lines(change, 24)
    assert before.endswith("R3")
    assert "R5" in after
    assert max(map(columns_of, (before, after))) <= 24


def test_legend_names_only_what_is_drawn(overlay: Overlay) -> None:
    alike = replace(overlay, added=Strokes(), removed=Strokes(), relation=Relation.SAME)
    assert [words for words, _ in page_for(alike, 1200, 900).legend] == ["common"]


@pytest.mark.parametrize("size", [(300, 20), (300, 150), (30, 400)])
def test_page_is_as_high_as_its_drawing_needs(overlay: Overlay, size: tuple[int, int]) -> None:
    """Neither a flat nor a tall drawing leaves more than half of its page empty for nothing."""
    strokes = Strokes(np.array([[0.0, 0, *size]]))
    bare = replace(overlay, common=strokes, added=Strokes(), removed=Strokes(), text_changes=())
    height = fitting_height(bare, 1200)
    page = page_for(bare, 1200, height)
    assert 540 <= height <= 1080
    x0, y0, x1, y1 = page.area
    assert page.scale == pytest.approx(min((x1 - x0) / size[0], (y1 - y0) / size[1]))


def test_ring_does_not_cut_the_corners_of_its_region(overlay: Overlay) -> None:
    """Round corners larger than the margin ran through the frame that they surround."""
    region = overlay.regions[0].model_copy(update={"min_x": 20, "max_x": 180, "max_y": 90})
    (ring,) = page_for(replace(overlay, regions=(region,)), 1200, 900).rings
    inset = 10 - ring.radius  # from the centre of the corner's arc, towards the region's corner
    assert np.hypot(inset, inset) < ring.radius


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
