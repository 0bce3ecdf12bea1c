"""Text that a plotter wrote as outlines of glyphs is lettering; other filled shapes are drawn."""

import numpy as np
import pytest
from test_reading_formats import KAPPA, pdf, read_as

OUTLINE = b"0 0 200 100 re S "


def moved(glyph, x, y, size=8):
    return b"q %f 0 0 %f %f %f cm %s Q " % (size, size, x, y, glyph)


def ring(radius):
    k, r = KAPPA * radius, radius
    return (
        b"%f 0 m %f %f %f %f 0 %f c %f %f %f %f %f 0 c %f %f %f %f 0 %f c %f %f %f %f %f 0 c "
        % (
            *(r, r, k, k, r, r, -k, r, -r, k, -r, -r, -k, -k, -r, -r),
            *(k, -r, r, -k, r),
        )
    )


LETTER_O = b"0.7 0 0 1 0 0 cm " + ring(0.5) + ring(0.3) + b"f*"
WASHER = ring(0.5) + ring(0.3) + b"f*"
LETTER_L = b"0 0 m 0.6 0 l 0.6 0.1 l 0.1 0.1 l 0.1 1 l 0 1 l h f"
LETTER_I = b"0 0 0.1 1 re f"
ARROW = b"0 0 m 1 0.17 l 1 -0.17 l h f"
DOT = ring(0.5) + b"f"


def left_out(drawing):
    return {f.code: f.count for f in drawing.findings}.get("LETTERING_SKIPPED", 0)


def test_glyphs_are_counted_and_not_drawn(tmp_path):
    text = b"".join(moved(g, 20 + 8 * n, 30) for n, g in enumerate((LETTER_O, LETTER_L, LETTER_I)))
    drawing = read_as(tmp_path, "a.pdf", pdf(OUTLINE + text))
    assert len(drawing.segments) == 4
    assert len(drawing.arcs) == 0
    assert left_out(drawing) == 4  # a ring in two parts


def test_text_in_one_path_is_lettering(tmp_path):
    drawing = read_as(tmp_path, "a.pdf", pdf(OUTLINE + moved(WASHER[:-2] + LETTER_L, 20, 30)))
    assert left_out(drawing) == 3


@pytest.mark.parametrize("shape", [ARROW, DOT, WASHER, LETTER_I, LETTER_L])
def test_a_shape_by_itself_is_drawn(tmp_path, shape):
    drawing = read_as(tmp_path, "a.pdf", pdf(OUTLINE + moved(shape, 20, 30)))
    assert left_out(drawing) == 0
    assert drawing.primitive_count > 4


def test_arrowhead_beside_a_letter_is_drawn(tmp_path):
    drawing = read_as(
        tmp_path, "a.pdf", pdf(OUTLINE + moved(LETTER_O, 20, 30) + moved(ARROW, 26, 30))
    )
    assert left_out(drawing) == 2
    assert len(drawing.segments) == 7


def test_lonely_figure_is_known_by_the_size_of_other_letters(tmp_path):
    text = b"".join(moved(LETTER_L, 20 + 8 * n, 30) for n in range(5))
    drawing = read_as(tmp_path, "a.pdf", pdf(OUTLINE + text + moved(LETTER_L, 150, 80)))
    assert left_out(drawing) == 6


def test_large_hatch_with_holes_is_drawn(tmp_path):
    drawing = read_as(tmp_path, "a.pdf", pdf(OUTLINE + moved(WASHER, 100, 50, size=60)))
    assert left_out(drawing) == 0
    np.testing.assert_allclose(np.unique(drawing.arcs[:, 2].round(1)), [18, 30])


def test_outline_that_is_stroked_is_drawn(tmp_path):
    stroked = WASHER.replace(b"f*", b"B")
    assert len(read_as(tmp_path, "a.pdf", pdf(OUTLINE + moved(stroked, 20, 30))).arcs) == 8


def test_dot_of_a_plotted_point_is_not_drawn(tmp_path):
    """DXF has no strokes for POINT either; a hole of that size is not filled."""
    dot, hole = ring(0.5) + b"B", ring(0.5) + b"S"
    content = OUTLINE + moved(dot, 20, 30, size=0.6) + moved(hole, 40, 30, size=0.6)
    drawing = read_as(tmp_path, "a.pdf", pdf(content))
    assert len(drawing.arcs) == 4
    assert [(f.code, f.count) for f in drawing.findings] == [("ENTITY_NOT_DRAWN", 1)]
