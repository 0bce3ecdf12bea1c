"""PDF, SVG and DWG give the same strokes as the drawing that they were made of."""

import io
import math

import ezdwg
import numpy as np
import pypdfium2 as pdfium
import pytest
from dxf_by_hand import length_of
from PIL import Image, ImageDraw

from dedup2d.errors import DrawingError
from dedup2d.reading import Budget, read
from dedup2d.reading.bezier import beziers
from dedup2d.reading.geometry import spline_points

KAPPA = 0.5522847498307936


def pdf(content, rotate=0, pages=1, resources=b""):
    """A PDF whose pages of 400 x 300 points all have this content stream."""
    kids = b" ".join(b"%d 0 R" % (4 + k) for k in range(pages))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages),
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
    ]
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 300]/Rotate %d/Contents 3 0 R"
        b"/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>%s>>>>"
    )
    objects += [page % (rotate, resources)] * pages
    out = b"%PDF-1.7\n"
    for number, body in enumerate(objects, 1):
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    return out + b"trailer<</Root 1 0 R/Size %d>>\n%%%%EOF" % (len(objects) + 1)


def circle(x, y, r):
    k = KAPPA * r
    return (
        f"{x + r} {y} m {x + r} {y + k} {x + k} {y + r} {x} {y + r} c "
        f"{x - k} {y + r} {x - r} {y + k} {x - r} {y} c "
        f"{x - r} {y - k} {x - k} {y - r} {x} {y - r} c "
        f"{x + k} {y - r} {x + r} {y - k} {x + r} {y} c S "
    ).encode()


def read_as(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    return read(tmp_path / name)


def test_pdf_paths_are_strokes_and_circles_are_arcs(tmp_path):
    content = b"1 0 0 1 10 20 cm 0 0 100 50 re S " + circle(50, 25, 10)
    drawing = read_as(tmp_path, "a.pdf", pdf(content))
    assert drawing.unit_mm == pytest.approx(25.4 / 72)
    assert length_of(drawing) == pytest.approx(300 + math.tau * 10, rel=1e-3)
    np.testing.assert_allclose(drawing.arcs[:, :3], [[60, 45, 10]] * 4, atol=1e-2)
    assert drawing.segments.min(axis=0)[0] == pytest.approx(10)


def test_pdf_page_is_turned_as_it_is_shown(tmp_path):
    drawing = read_as(tmp_path, "a.pdf", pdf(b"10 20 m 110 20 l S", rotate=90))
    np.testing.assert_allclose(drawing.segments, [[20, 390, 20, 290]])


def test_pdf_clip_path_cuts_off_what_a_viewport_does_not_show(tmp_path):
    window = b"q 100 100 50 50 re W n "
    strokes = b"0 120 m 400 120 l S 0 0 m 400 0 l S 90 90 m 90 200 l S " + circle(300, 200, 20)
    drawing = read_as(tmp_path, "a.pdf", pdf(window + strokes + b"Q 0 290 m 400 290 l S"))
    np.testing.assert_allclose(drawing.segments, [[100, 120, 150, 120], [0, 290, 400, 290]])
    assert len(drawing.arcs) == 0
    assert {f.code: f.count for f in drawing.findings} == {"CLIPPED": 4}


def test_pdf_text_has_its_place_and_turn(tmp_path):
    content = b"0 0 9 9 re S BT /F 12 Tf 0 1 -1 0 50 60 Tm (M8 x 1) Tj ET"
    (text,) = read_as(tmp_path, "a.pdf", pdf(content)).texts
    assert (text.value, text.x, text.y, text.height) == ("M8 x 1", 50, 60, 12)
    assert text.rotation_deg == pytest.approx(90)


def test_pdf_pieces_of_a_text_are_joined(tmp_path):
    content = b"0 0 9 9 re S BT /F 10 Tf 20 20 Td (Flan) Tj (ge) Tj 80 0 Td (other) Tj ET"
    drawing = read_as(tmp_path, "a.pdf", pdf(content))
    assert [text.value for text in drawing.texts] == ["Flange", "other"]


def test_pdf_white_and_invisible_paths_are_not_drawn(tmp_path):
    content = b"1 g 0 0 400 300 re f 0 g 10 10 20 20 re n 50 50 60 60 re f"
    assert length_of(read_as(tmp_path, "a.pdf", pdf(content))) == pytest.approx(240)


def test_pdf_pages_lie_side_by_side(tmp_path):
    drawing = read_as(tmp_path, "a.pdf", pdf(b"0 0 100 50 re S", pages=3))
    assert drawing.sheet_names == ("Page 1", "Page 2", "Page 3")
    assert drawing.segments[:, [0, 2]].max() == pytest.approx(320)


def test_pdf_page_that_is_an_image_is_read_as_a_scan(tmp_path):
    page = Image.new("L", (1200, 900), 255)
    ImageDraw.Draw(page).rectangle((200, 200, 1000, 700), outline=0, width=4)
    out = io.BytesIO()
    page.save(out, "PDF", resolution=200)
    drawing = read_as(tmp_path, "a.pdf", out.getvalue())
    assert drawing.is_raster
    assert length_of(drawing) == pytest.approx(2 * (800 + 500) * 72 / 200, rel=0.02)
    assert drawing.tolerance == pytest.approx(72 / 200)


def test_pdf_page_without_height_is_no_scan(tmp_path):
    data = pdf(b"").replace(b"[0 0 400 300]", b"[0 0 400 300]/CropBox[0 400 400 600]")
    with pytest.raises(DrawingError) as caught:
        read_as(tmp_path, "a.pdf", data)
    assert caught.value.code == "EMPTY_DRAWING"


def test_damaged_pdf_is_refused(tmp_path):
    with pytest.raises(DrawingError) as caught:
        read_as(tmp_path, "a.pdf", b"%PDF-1.7\nrubbish")
    assert caught.value.code == "BROKEN_DRAWING"


def test_huge_pdf_scan_is_refused_by_its_size(tmp_path):
    out = io.BytesIO()
    Image.new("1", (4000, 4000), 0).save(out, "PDF", resolution=20)
    (tmp_path / "a.pdf").write_bytes(out.getvalue())
    with pytest.raises(DrawingError) as caught:
        read(tmp_path / "a.pdf", Budget(max_pixels=50_000_000))
    assert caught.value.code == "TOO_MANY_PIXELS"


def svg(body, size='width="100mm" height="80mm" viewBox="0 0 100 80"'):
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{body}</svg>'.encode()


def test_svg_shapes_are_strokes_in_physical_units(tmp_path):
    body = (
        '<g transform="translate(10 10)"><circle cx="20" cy="20" r="5" stroke="black"/>'
        '<rect width="30" height="20" fill="none" stroke="red"/></g><line x2="9" stroke="red"/>'
    )
    drawing = read_as(tmp_path, "a.svg", svg(body))
    mm = drawing.unit_mm
    assert length_of(drawing) * mm == pytest.approx(math.tau * 5 + 100 + 9, rel=1e-6)
    np.testing.assert_allclose(drawing.arcs[0, :3] * mm, [30, -30, 5], rtol=1e-6)


@pytest.mark.parametrize(
    ("d", "length", "arcs"),
    [
        ("M0 0 A 10 10 0 0 1 20 0", math.pi * 10, 1),
        ("M0 0 A 10 10 0 0 0 20 0", math.pi * 10, 1),
        ("M0 0 h10 v10 h-10 z", 40, 0),
        ("M0 0 Q 5 0 10 0", 10, 0),
    ],
)
def test_svg_path_commands(tmp_path, d, length, arcs):
    data = svg(f'<path d="{d}" stroke="black" fill="none"/>', size="")
    drawing = read_as(tmp_path, "a.svg", data)
    assert length_of(drawing) == pytest.approx(length, rel=1e-6)
    assert len(drawing.arcs) == arcs
    assert drawing.unit_mm is None


def test_svg_arcs_bend_to_the_right_side(tmp_path):
    data = svg('<path d="M0 0 A 10 10 0 0 1 20 0" stroke="black"/>', size="")
    (x, y, _, start, end) = read_as(tmp_path, "a.svg", data).arcs[0]
    middle = y + 10 * math.sin((start + end) / 2)
    assert (x, middle) == pytest.approx((10, 10))  # sweep flag 1 goes over the top


def test_svg_text_and_hidden_things(tmp_path):
    body = (
        '<text x="5" y="7" font-size="4">R12</text><line x2="9" y2="9" stroke="black"/>'
        '<rect width="9" height="9" fill="#ffffff"/><defs><rect width="5" height="5"/></defs>'
    )
    drawing = read_as(tmp_path, "a.svg", svg(body, size=""))
    assert [(t.value, t.x, t.y) for t in drawing.texts] == [("R12", 5, -7)]
    assert len(drawing.segments) == 1


@pytest.mark.parametrize("body", ["<path d=", '<circle r="x" stroke="red"/></g>'])
def test_damaged_svg_is_refused(tmp_path, body):
    with pytest.raises(DrawingError) as caught:
        read_as(tmp_path, "a.svg", svg(body))
    assert caught.value.code == "BROKEN_DRAWING"


def test_dwg_reads_what_was_written(tmp_path):
    made = ezdwg.new()
    model = made.modelspace()
    model.add_line((0, 0), (10, 5))
    model.add_circle((3, 4), 2)
    model.add_arc((0, 0), 5, 10, 100)
    model.add_text("M8", insert=(1, 2), height=3)
    made.save(str(tmp_path / "a.dwg"))
    drawing = read(tmp_path / "a.dwg")
    assert drawing.segments.tolist() == [[0, 0, 10, 5]]
    np.testing.assert_allclose(drawing.arcs[:, 2], [2, 5])
    assert [(t.value, t.x, t.y, t.height) for t in drawing.texts] == [("M8", 1, 2, 3)]


def test_damaged_dwg_is_refused(tmp_path):
    with pytest.raises(DrawingError) as caught:
        read_as(tmp_path, "a.dwg", b"AC1032" + bytes(range(256)) * 8)
    assert caught.value.code == "BROKEN_DRAWING"


def test_bezier_that_is_no_circle_stays_a_curve():
    found = beziers(np.array([[(0, 0), (0, 3), (4, 3), (9, 0)]], float))
    assert (len(found.segments), len(found.arcs)) == (0, 0)
    assert len(found.curves) > 5


def test_flat_piece_of_a_spline_is_no_arc():
    """It keeps to a circle within a thousandth of the radius, as every flat curve does."""
    control = np.array([[(0, 0), (10, 1), (20, 1.5), (30, 1.2)]], float)
    assert len(beziers(control).arcs) == 0


def test_short_arcs_are_arcs():
    """Each with the handles that CAD systems give it, written with three digits."""
    for degrees in (15, 45, 90):
        t = math.radians(degrees)
        k = 4 / 3 * math.tan(t / 4)
        cos, sin = math.cos(t), math.sin(t)
        control = 50 * np.array([[(1, 0), (1, k), (cos + k * sin, sin - k * cos), (cos, sin)]])
        found = beziers(control.round(3), rounding=0.01)
        np.testing.assert_allclose(found.arcs, [[0, 0, 50, 0, t]], atol=0.06)


def test_spline_plotted_as_beziers_gives_the_points_of_the_spline(tmp_path):
    """So that a plot and its DXF agree to rounding, not only to the chords of both."""
    control = np.array([(0, 0), (30, 90), (70, -40), (100, 20)], float)
    spline = spline_points(3, (0.0,) * 4 + (1.0,) * 4, control)
    content = b"0 0 m 30 90 70 -40 100 20 c S"
    drawing = read_as(tmp_path, "a.pdf", pdf(content))
    np.testing.assert_allclose(drawing.curves[:, :2], spline[:-1], atol=1e-4)


def test_pdf_forms_in_forms_are_put_in_place(tmp_path):
    form = (
        b"<</Type/XObject/Subtype/Form/BBox[-999 -999 999 999]/Matrix[%s]"
        b"/Resources<</XObject<</G %s>>>>/Length %d>>stream\n%s\nendstream"
    )
    outer = form % (b"2 0 0 2 10 0", b"6 0 R", 5, b"/G Do")
    inner = form % (b"1 0 0 1 0 5", b"6 0 R", 17, b"0 0 m 10 0 l S   ")
    page = pdf(b"q 1 0 0 1 100 100 cm /F0 Do Q", resources=b"/XObject<</F0 5 0 R>>")
    body = b"5 0 obj\n%s\nendobj\n6 0 obj\n%s\nendobj\ntrailer" % (outer, inner)
    drawing = read_as(tmp_path, "a.pdf", page.replace(b"trailer", body))
    np.testing.assert_allclose(drawing.segments, [[110, 110, 130, 110]])


def test_straight_bezier_is_a_segment():
    found = beziers(np.array([[(0, 0), (1, 1), (2, 2), (3, 3)]], float))
    assert found.segments.tolist() == [[0, 0, 3, 3]]


def test_pdfium_is_left_without_open_documents(tmp_path):
    read_as(tmp_path, "a.pdf", pdf(b"0 0 9 9 re S"))
    document = pdfium.PdfDocument(tmp_path / "a.pdf")
    assert len(document) == 1
    document.close()
