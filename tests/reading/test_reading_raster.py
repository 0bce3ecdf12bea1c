"""Images become strokes that lie on the lines that were drawn."""

import math

import cv2
import numpy as np
import pytest
from PIL import Image

from dedup2d.errors import DrawingError
from dedup2d.reading import Budget, read


def plate(width=3):
    """A rectangle with a crossed circle, an arc and a small hole; black on white."""
    image = np.full((800, 1200), 255, np.uint8)
    cv2.rectangle(image, (100, 100), (1100, 700), 0, width)
    cv2.circle(image, (400, 400), 150, 0, width)
    cv2.line(image, (200, 400), (600, 400), 0, width)
    cv2.ellipse(image, (800, 400), (120, 120), 0, 0, 90, 0, width)
    cv2.circle(image, (800, 200), 10, 0, width)
    return image


def length(drawing):
    s, a = drawing.segments, drawing.arcs
    straight = np.hypot(s[:, 2] - s[:, 0], s[:, 3] - s[:, 1]).sum()
    return straight + (a[:, 2] * (a[:, 4] - a[:, 3])).sum()


def nearest_circle(drawing, x, y, radius):
    return np.abs(drawing.arcs[:, :3] - (x, y, radius)).max(axis=1).min()


TRUE_LENGTH = 3200 + 2 * math.pi * 150 + 400 + math.pi / 2 * 120 + 2 * math.pi * 10


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_strokes_lie_on_the_drawn_lines(tmp_path, suffix):
    Image.fromarray(plate()).save(tmp_path / f"a{suffix}")
    drawing = read(tmp_path / f"a{suffix}")
    assert drawing.is_raster
    assert 0.5 < drawing.tolerance < 2
    assert length(drawing) == pytest.approx(TRUE_LENGTH, rel=0.02)
    assert nearest_circle(drawing, 400, 400, 150) < 1.5
    assert nearest_circle(drawing, 800, 400, 120) < 1.5
    corners = drawing.segments.reshape(-1, 2)
    for corner in ((100, 100), (1100, 100), (100, 700), (1100, 700)):
        assert np.hypot(*(corners - corner).T).min() < 3


def test_small_hole_is_no_lettering(tmp_path):
    Image.fromarray(plate()).save(tmp_path / "a.png")
    assert nearest_circle(read(tmp_path / "a.png"), 800, 600, 10) < 1.5


@pytest.mark.parametrize("mode", ["1", "RGB", "RGBA", "P", "I;16", "inverted"])
def test_every_kind_of_pixel_gives_the_same_strokes(tmp_path, mode):
    grey = Image.fromarray(plate())
    if mode == "inverted":
        image = Image.fromarray(255 - plate())
    elif mode == "I;16":
        image = Image.fromarray(plate().astype(np.uint16) * 257)
    elif mode == "RGBA":
        image = Image.merge("LA", (Image.new("L", grey.size, 0), Image.fromarray(255 - plate())))
    else:
        image = grey.convert(mode)
    image.save(tmp_path / "a.png")
    assert length(read(tmp_path / "a.png")) == pytest.approx(TRUE_LENGTH, rel=0.02)


def test_lettering_is_left_out_and_counted(tmp_path):
    image = plate()
    cv2.putText(image, "SECTION", (850, 600), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0, 1)
    Image.fromarray(image).save(tmp_path / "a.png")
    drawing = read(tmp_path / "a.png")
    assert {f.code: f.count for f in drawing.findings}["LETTERING_SKIPPED"] >= 5
    assert length(drawing) == pytest.approx(TRUE_LENGTH, rel=0.02)


def test_pages_of_a_tiff_lie_side_by_side(tmp_path):
    page = Image.fromarray(plate()).convert("1")
    page.save(tmp_path / "a.tiff", save_all=True, append_images=[page], compression="group4")
    drawing = read(tmp_path / "a.tiff")
    assert drawing.sheet_names == ("Page 1", "Page 2")
    assert length(drawing) == pytest.approx(2 * TRUE_LENGTH, rel=0.02)
    assert drawing.segments[:, [0, 2]].max() > 2100


def test_image_with_too_many_pixels_is_refused_from_its_header(tmp_path):
    Image.new("1", (20_000, 20_000), 1).save(tmp_path / "a.png")
    with pytest.raises(DrawingError) as caught:
        read(tmp_path / "a.png")
    assert caught.value.code == "TOO_MANY_PIXELS"


def test_pages_share_the_budget_of_pixels(tmp_path):
    page = Image.fromarray(plate()).convert("1")
    page.save(tmp_path / "a.tiff", save_all=True, append_images=[page] * 5)
    with pytest.raises(DrawingError) as caught:
        read(tmp_path / "a.tiff", Budget(max_pixels=3 * 800 * 1200))
    assert caught.value.code == "TOO_MANY_PIXELS"


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_damaged_image_is_refused(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(plate()).save(path)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(DrawingError) as caught:
        read(path)
    assert caught.value.code in {"TRUNCATED_DRAWING", "BROKEN_DRAWING"}


def test_blank_page_is_an_empty_drawing(tmp_path):
    Image.new("L", (500, 400), 250).save(tmp_path / "a.png")
    with pytest.raises(DrawingError) as caught:
        read(tmp_path / "a.png")
    assert caught.value.code == "EMPTY_DRAWING"


def test_large_scan_is_read_at_a_coarser_pixel(tmp_path):
    big = cv2.resize(plate(), None, fx=6, fy=6, interpolation=cv2.INTER_NEAREST)
    Image.fromarray(big).save(tmp_path / "a.png")
    drawing = read(tmp_path / "a.png")
    assert length(drawing) == pytest.approx(6 * TRUE_LENGTH, rel=0.02)
    assert drawing.tolerance > 1.5


def boxes_and_dashes():
    """The plate with a small box, and a row of dashes that are smaller than letters may be."""
    image = plate()
    cv2.rectangle(image, (1000, 300), (1015, 315), 0, 3)
    for x in range(900, 1050, 30):
        cv2.line(image, (x, 600), (x + 15, 600), 0, 3)
    return image


def test_small_boxes_and_dashes_are_no_lettering(tmp_path):
    Image.fromarray(boxes_and_dashes()).save(tmp_path / "a.png")
    drawing = read(tmp_path / "a.png")
    assert "LETTERING_SKIPPED" not in {f.code for f in drawing.findings}
    assert length(drawing) == pytest.approx(TRUE_LENGTH + 60 + 75, rel=0.01)


def test_a_ring_in_a_word_is_lettering(tmp_path):
    image = plate()
    cv2.putText(image, "KONSOLE", (850, 600), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 0, 2)
    Image.fromarray(image).save(tmp_path / "a.png")
    assert length(read(tmp_path / "a.png")) == pytest.approx(TRUE_LENGTH, rel=0.02)


def test_of_a_filled_area_the_edge_is_left(tmp_path):
    image = plate()
    cv2.rectangle(image, (850, 450), (1000, 600), 0, -1)
    Image.fromarray(image).save(tmp_path / "a.png")
    assert length(read(tmp_path / "a.png")) == pytest.approx(TRUE_LENGTH + 600, rel=0.02)


def test_of_a_halftone_nothing_small_is_left(tmp_path):
    """Boxes that would be kept, but so many cannot be looked at in pairs."""
    tile = np.full((10, 10), 255, np.uint8)
    tile[1:9, 1:9], tile[3:7, 3:7] = 0, 255
    image = np.full((1600, 1700), 255, np.uint8)
    image[20:1520, 20:1520] = np.tile(tile, (150, 150))
    cv2.rectangle(image, (5, 5), (1650, 1580), 0, 3)
    Image.fromarray(image).save(tmp_path / "a.png")
    found = read(tmp_path / "a.png")
    assert {f.code: f.count for f in found.findings}["LETTERING_SKIPPED"] == 150**2
