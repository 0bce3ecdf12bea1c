"""Overlays as PNG, SVG and DXF."""

import io
import xml.etree.ElementTree as ET
from dataclasses import replace

import cv2
import ezdxf
import numpy as np
import pytest

from dedup2d.overlay import layout
from dedup2d.overlay.contact import render_contact_sheet
from dedup2d.overlay.dxf import render_dxf
from dedup2d.overlay.model import Overlay, Strokes, Tile
from dedup2d.overlay.png import render_png
from dedup2d.overlay.svg import render_svg
from dedup2d.report import Relation

SVG = "{http://www.w3.org/2000/svg}"


def pixels_of(png: bytes, colour: str) -> np.ndarray:
    """(n, 2) x, y of the pixels of about this colour."""
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR).astype(int)
    wanted = [int(colour[i : i + 2], 16) for i in (5, 3, 1)]
    return np.argwhere(np.abs(image - wanted).max(axis=2) < 24)[:, ::-1]


def test_png_is_small_and_as_large_as_asked_for(overlay: Overlay) -> None:
    png = render_png(overlay)
    assert cv2.imdecode(np.frombuffer(png, np.uint8), 0).shape == (900, 1200)
    assert len(png) < 30_000


@pytest.mark.parametrize("colour", [layout.ADDED, layout.REMOVED, layout.RING])
def test_png_shows_each_colour_where_the_change_is(overlay: Overlay, colour: str) -> None:
    """Blue, red and the ring are seen around the moved hole, between header and legend."""
    page = layout.page_for(overlay, 1200, 900)
    found = pixels_of(render_png(overlay), colour)
    inside = found[(found[:, 1] > page.header) & (found[:, 1] < page.height - page.footer)]
    middle = page.pixels(np.array([[125.0, 50.0]]))[0]
    assert len(inside) > 100
    assert np.abs(inside - middle).max() < 120


def test_png_is_readable_at_half_the_size(overlay: Overlay) -> None:
    """A 600 pixel picture keeps the whole legend."""
    small = pixels_of(render_png(overlay, width=600, height=450), layout.REMOVED)
    assert (small[:, 1] > 420).any()


def test_what_was_removed_is_seen_through_what_was_added(overlay: Overlay) -> None:
    """A line that moved by less than its own width was only blue, as if nothing had been there."""
    moved = replace(overlay, removed=overlay.added, common=Strokes(), regions=(), text_changes=())
    page = layout.page_for(moved, 1200, 900)
    for colour in (layout.REMOVED, layout.ADDED):
        found = pixels_of(render_png(moved), colour)[:, 1]
        assert ((found > page.header) & (found < page.height - page.footer)).sum() > 300


@pytest.mark.parametrize("size", [(320, 240), (2000, 700), (1, 1)])
def test_any_size_can_be_drawn(overlay: Overlay, size: tuple[int, int]) -> None:
    png = render_png(overlay, width=size[0], height=size[1])
    assert cv2.imdecode(np.frombuffer(png, np.uint8), 0).shape == size[::-1]


@pytest.mark.parametrize("relation", list(Relation))
def test_every_relation_can_be_drawn(overlay: Overlay, relation: Relation) -> None:
    chosen = replace(overlay, relation=relation)
    assert render_png(chosen).startswith(b"\x89PNG")
    assert relation.value in render_svg(chosen)


def test_empty_overlay_is_a_picture_too(empty: Overlay) -> None:
    assert render_png(empty).startswith(b"\x89PNG")
    assert "nothing to draw" in render_svg(empty)
    assert render_dxf(empty)


def test_hostile_content_stays_text(hostile: Overlay) -> None:
    """Names cannot break out of the SVG, and what is not finite is left out."""
    root = ET.fromstring(render_svg(hostile))
    assert not list(root.iter(f"{SVG}script"))
    assert render_png(hostile).startswith(b"\x89PNG")
    document = ezdxf.read(io.StringIO(render_dxf(hostile).decode()))
    assert not document.audit().errors


def test_svg_keeps_arcs_and_explains_itself(overlay: Overlay) -> None:
    """Arcs are arc commands; changes have tooltips; nothing outside is referred to."""
    svg = render_svg(overlay)
    root = ET.fromstring(svg)
    titles = {title.text for title in root.iter(f"{SVG}title")}
    texts = {text.text for text in root.iter(f"{SVG}text")}
    assert {"Change 1: 1 added, 1 removed", "only in plate-B.dxf"} <= titles
    assert {"Ø12 → Ø14", "revision 97.3 %"} <= texts
    assert any("A" in path.get("d", "") for path in root.iter(f"{SVG}path"))
    assert "href" not in svg
    assert "url(" not in svg


def test_svg_arc_runs_the_short_way_round(overlay: Overlay) -> None:
    """A quarter arc ends where it ends, on the side of its centre that it should."""
    page = layout.page_for(overlay, 1200, 900)
    (ax, ay), (bx, by) = page.pixels(np.array([[25.0, 20.0], [20.0, 25.0]])).round(2)
    assert f"M{ax:g} {ay:g}A" in render_svg(overlay)
    assert f"0 0 0 {bx:g} {by:g}" in render_svg(overlay)


def test_contact_sheet_has_every_tile_and_the_same_bytes_each_time(overlay: Overlay) -> None:
    """Five tiles in rows of two: the last row is filled up with paper."""
    tiles = [Tile(f"Pair {number}", overlay) for number in range(5)]
    png = render_contact_sheet(tiles, columns=2, width=300, height=200)
    high, wide, _ = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR).shape
    assert wide == 2 * 300 + 6
    assert high == 3 * (200 + 42) + 2 * 6 + 30
    added = pixels_of(png, layout.ADDED)
    below = high - 30  # the legend
    rows = {(x // 306, y // 248) for x, y in added.tolist() if y < below}
    assert rows == {(0, 0), (1, 0), (0, 1), (1, 1), (0, 2)}
    assert png == render_contact_sheet(tiles, columns=2, width=300, height=200)


def test_dxf_has_a_layer_for_each_role(overlay: Overlay) -> None:
    document = ezdxf.read(io.StringIO(render_dxf(overlay).decode()))
    space = document.modelspace()
    kinds = {layer: [e.dxftype() for e in space if e.dxf.layer == layer] for layer in (
        "COMMON", "ADDED", "REMOVED", "CHANGES")}  # fmt: skip
    assert sorted(kinds["COMMON"]) == ["ARC", *["LINE"] * 4]
    assert kinds["ADDED"] == kinds["REMOVED"] == ["CIRCLE"]
    assert sorted(kinds["CHANGES"]) == ["LWPOLYLINE", "TEXT", "TEXT"]
    assert document.units == 4
    assert not document.audit().errors


def test_the_same_overlay_gives_the_same_bytes(overlay: Overlay) -> None:
    assert render_png(overlay) == render_png(overlay)
    assert render_svg(overlay) == render_svg(overlay)
    assert render_dxf(overlay) == render_dxf(overlay)
