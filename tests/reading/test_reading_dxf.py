"""Each kind of entity becomes the strokes that a CAD system shows."""

import math
import struct

import numpy as np
import pytest
from dxf_by_hand import dxf, length_of, points_of, read_dxf, tags

from dedup2d.errors import DrawingError
from dedup2d.reading import Budget
from dedup2d.reading.budget import Meter
from dedup2d.reading.dxf import read_bytes
from dedup2d.reading.dxf.tags import count_entities

TAU = math.tau
LINE = "0=LINE 8=0 10=0 20=0 11=10 21=5"
CIRCLE = "0=CIRCLE 8=0 10=3 20=4 40=2"


def spline(text):
    return read_dxf(f"0=SPLINE 8=0 {text}")


def test_line_keeps_layer_and_handle():
    drawing = read_dxf("0=LINE 5=2F 8=Kontur 10=0 20=1 11=2 21=3")
    assert drawing.segments.tolist() == [[0, 1, 2, 3]]
    source = drawing.sources[drawing.segment_source[0]]
    assert (source.kind, source.layer, source.handle) == ("LINE", "Kontur", "2F")


def test_all_x_before_all_y_as_old_exports_write():
    assert read_dxf("0=LINE 8=0 10=1 11=3 20=2 21=4").segments.tolist() == [[1, 2, 3, 4]]


def test_circle_and_arc():
    drawing = read_dxf(CIRCLE, "0=ARC 8=0 10=0 20=0 40=1 50=270 51=90")
    np.testing.assert_allclose(drawing.arcs[0], [3, 4, 2, 0, TAU])
    np.testing.assert_allclose(drawing.arcs[1, 4] - drawing.arcs[1, 3], math.pi)


def test_extrusion_from_below_mirrors_x():
    arc = read_dxf("0=ARC 8=0 10=5 20=0 40=1 50=0 51=90 210=0 220=0 230=-1").arcs[0]
    np.testing.assert_allclose(arc, [-5, 0, 1, math.pi / 2, math.pi])


def test_tilted_circle_is_seen_as_an_ellipse():
    """A circle in the plane x = 2, seen from above, is a line of its diameter."""
    drawing = read_dxf("0=CIRCLE 8=0 10=0 20=0 30=2 40=3 210=1 220=0 230=0")
    assert not len(drawing.arcs)
    points = points_of(drawing)
    np.testing.assert_allclose(points[:, 0], 2, atol=1e-12)
    np.testing.assert_allclose([points[:, 1].min(), points[:, 1].max()], [-3, 3], rtol=1e-3)


def test_bulge_is_an_arc_and_closing_edge_is_drawn():
    drawing = read_dxf("0=LWPOLYLINE 8=0 90=3 70=1 10=0 20=0 42=1 10=2 20=0 10=2 20=3")
    np.testing.assert_allclose(drawing.arcs, [[1, 0, 1, math.pi, TAU]])
    assert drawing.segments.tolist() == [[2, 0, 2, 3], [2, 3, 0, 0]]


def test_old_polyline_with_vertices_between_other_entities():
    vertex = "0=VERTEX 8=0 10={} 20={}"
    drawing = read_dxf(
        LINE,
        "0=POLYLINE 8=0 66=1 70=0",
        *(vertex.format(x, 1) for x in range(3)),
        "0=SEQEND",
        "0=POLYLINE 8=0 66=1 70=1",
        *(vertex.format(x, x * x) for x in range(3)),
        "0=SEQEND",
        LINE,
    )
    assert len(drawing.segments) == 1 + 2 + 3 + 1


def test_vertices_of_a_hidden_polyline_do_not_join_the_one_before():
    vertex = "0=VERTEX 8=0 10={} 20=0"
    drawing = read_dxf(
        "0=POLYLINE 8=0 66=1",
        *(vertex.format(x) for x in range(2)),
        "0=SEQEND 0=POLYLINE 8=0 66=1 60=1",
        *(vertex.format(x) for x in range(50, 60)),
        "0=SEQEND",
    )
    assert drawing.segments.tolist() == [[0, 0, 1, 0]]
    assert [f.code for f in drawing.findings] == ["LAYER_HIDDEN"]


def test_polygon_mesh_and_polyface_have_their_edges():
    grid = "0=POLYLINE 8=0 66=1 70=16 71=2 72=3 " + " ".join(
        f"0=VERTEX 8=0 10={x} 20={y} 70=64" for y in range(2) for x in range(3)
    )
    assert length_of(read_dxf(grid, "0=SEQEND")) == pytest.approx(2 * 2 + 3)
    corners = " ".join(f"0=VERTEX 8=0 10={x} 20={y} 70=192" for x, y in ((0, 0), (1, 0), (1, 1)))
    face = "0=VERTEX 8=0 70=128 71=1 72=2 73=-3"
    drawing = read_dxf(f"0=POLYLINE 8=0 66=1 70=64 {corners} {face} 0=SEQEND")
    assert drawing.segments.tolist() == [[0, 0, 1, 0], [1, 0, 1, 1]]


def test_round_ellipse_is_an_arc_and_others_are_curves():
    arc = read_dxf("0=ELLIPSE 8=0 10=1 20=1 11=0 21=2 40=1 41=0 42=1.5707963267948966").arcs
    np.testing.assert_allclose(arc, [[1, 1, 2, math.pi / 2, math.pi]])
    drawing = read_dxf("0=ELLIPSE 8=0 10=0 20=0 11=4 21=0 40=0.5 41=0 42=6.283185307179586")
    x, y = points_of(drawing).T
    np.testing.assert_allclose((x / 4) ** 2 + (y / 2) ** 2, 1, rtol=1e-12)


@pytest.mark.parametrize("weights", ["", "41=1 41=0.5 41=2 41=1 41=1"])
def test_spline_agrees_with_scipy(weights):
    from scipy.interpolate import BSpline  # noqa: PLC0415  # the arbiter of this test

    knots = [0, 0, 0, 0, 0.3, 1, 1, 1, 1]
    control = np.array([(0, 0), (1, 2), (3, 3), (4, -1), (6, 0)], float)
    text = " ".join(f"40={k}" for k in knots) + " " + weights + " "
    text += " ".join(f"10={x} 20={y}" for x, y in control)
    points = points_of(spline(f"70=8 71=3 {text}"))
    w = np.array([float(p[3:]) for p in weights.split()] or [1.0] * 5)
    dense = BSpline(knots, np.column_stack([control * w[:, None], w]), 3)(np.linspace(0, 1, 4001))
    dense = dense[:, :2] / dense[:, 2:]
    gaps = np.hypot(*(points[:, None] - dense[None]).transpose(2, 0, 1)).min(axis=1)
    assert gaps.max() < 2e-3


def test_spline_that_stands_for_an_arc_is_one():
    knots = " ".join(["40=0"] * 4 + ["40=1"] * 4)
    points = "10=10 20=0 10=10 20=5.522847 10=5.522847 20=10 10=0 20=10"
    drawing = read_dxf(f"0=SPLINE 5=7 8=0 70=8 71=3 {knots} {points}")
    np.testing.assert_allclose(drawing.arcs, [[0, 0, 10, 0, math.pi / 2]], atol=1e-2)
    assert drawing.sources[drawing.arc_source[0]].handle == "7"


def test_unclamped_spline_is_drawn_on_its_domain_only():
    """A closed spline of degree 2 whose control points wrap around: ends where it began."""
    control = [(0, 0), (4, 0), (4, 4), (0, 4), (0, 0), (4, 0)]
    text = " ".join(f"40={k}" for k in range(9))
    text += " " + " ".join(f"10={x} 20={y}" for x, y in control)
    drawing = spline(f"70=11 71=2 {text}")
    np.testing.assert_allclose(drawing.curves[0, :2], drawing.curves[-1, 2:], atol=1e-12)


def test_fit_points_are_passed_through():
    fit = np.array([(0, 0), (1, 1), (3, 0), (4, 2)], float)
    points = points_of(spline("70=8 71=3 74=4 " + " ".join(f"11={x} 21={y}" for x, y in fit)))
    assert all(np.hypot(*(points - p).T).min() < 1e-12 for p in fit)


def test_solid_crosses_its_corners_back_and_face_leaves_unseen_edges_out():
    drawing = read_dxf("0=SOLID 8=0 10=0 20=0 11=2 21=0 12=0 22=1 13=2 23=1")
    assert length_of(drawing) == pytest.approx(6)
    face = read_dxf("0=3DFACE 8=0 10=0 20=0 11=2 21=0 12=2 22=1 13=0 23=1 70=5")
    assert face.segments.tolist() == [[2, 0, 2, 1], [0, 1, 0, 0]]


def test_mline_draws_each_of_its_lines():
    vertex = "11={} 21=0 12=1 22=0 13=0 23=1 74=1 41={} 75=0 74=1 41={} 75=0"
    text = " ".join(vertex.format(x, 0.5, -0.5) for x in (0, 10))
    drawing = read_dxf(f"0=MLINE 8=0 71=1 72=2 73=2 {text}")
    assert drawing.segments.tolist() == [[0, 0.5, 10, 0.5], [0, -0.5, 10, -0.5]]


def test_hatch_boundaries_of_every_sort():
    polyline = "92=2 72=1 73=1 93=3 10=0 20=0 42=1 10=2 20=0 42=0 10=2 20=2 42=0 97=0"
    edges = "92=1 93=2 72=1 10=5 20=0 11=7 21=0 72=2 10=6 20=0 40=1 50=0 51=180 73=1 97=0"
    drawing = read_dxf(f"0=HATCH 8=0 10=0 20=0 30=0 2=SOLID 70=1 71=0 91=2 {polyline} {edges} 75=0")
    np.testing.assert_allclose(drawing.arcs, [[1, 0, 1, math.pi, TAU], [6, 0, 1, 0, math.pi]])
    assert len(drawing.segments) == 3


def test_hatch_ellipse_ends_are_angles_so_that_edges_meet():
    edge = "92=1 93=1 72=3 10=0 20=0 11=4 21=0 40=0.25 50=0 51=45 73=1 97=0"
    drawing = read_dxf(f"0=HATCH 8=0 10=0 20=0 30=0 70=1 91=1 {edge} 75=0")
    x, y = drawing.curves[-1, 2:]
    assert x == pytest.approx(y)


BLOCK = "0=BLOCK 2={0} 10={1} 20={2} {3} 0=ENDBLK"


def test_insert_turns_scales_mirrors_and_keeps_circles():
    block = BLOCK.format("A", 1, 0, CIRCLE + " " + LINE)
    insert = "0=INSERT 8=0 2=a 10=100 20=0 41=-2 42=2 50=90"
    drawing = read_dxf(insert, blocks=block)
    np.testing.assert_allclose(drawing.arcs[0, :3], [100 - 8, -4, 4], atol=1e-12)
    assert drawing.sources[drawing.arc_source[0]].kind == "INSERT/CIRCLE"


def test_uneven_scale_makes_circles_curves():
    block = BLOCK.format("A", 0, 0, "0=CIRCLE 8=0 10=0 20=0 40=1")
    drawing = read_dxf("0=INSERT 8=0 2=A 10=0 20=0 41=3 42=1", blocks=block)
    x, y = points_of(drawing).T
    assert not len(drawing.arcs)
    np.testing.assert_allclose((x / 3) ** 2 + y**2, 1, rtol=1e-9)


def test_grid_of_a_turned_insert():
    block = BLOCK.format("A", 0, 0, "0=LINE 8=0 10=0 20=0 11=1 21=0")
    insert = "0=INSERT 8=0 2=A 10=0 20=0 50=90 70=3 71=2 44=10 45=20"
    starts = read_dxf(insert, blocks=block).segments[:, :2]
    expected = [(0, 0), (0, 10), (0, 20), (-20, 0), (-20, 10), (-20, 20)]
    np.testing.assert_allclose(starts, expected, atol=1e-9)


def test_nested_blocks_and_attributes():
    inner = BLOCK.format("I", 0, 0, LINE)
    outer = BLOCK.format("O", 0, 0, "0=INSERT 8=0 2=I 10=1 20=1 0=INSERT 8=0 2=I 10=5 20=1")
    attribute = "0=ATTRIB 8=0 10=3 20=4 40=2.5 1=4711 2=PARTNO 0=SEQEND"
    drawing = read_dxf(f"0=INSERT 8=0 66=1 2=O 10=10 20=0 {attribute}", blocks=f"{inner} {outer}")
    assert drawing.segments.tolist() == [[11, 1, 21, 6], [15, 1, 25, 6]]
    (text,) = drawing.texts
    assert (text.value, text.role, text.tag, text.x) == ("4711", "attribute", "PARTNO", 3)


def test_block_that_contains_itself_is_a_finding():
    block = BLOCK.format("A", 0, 0, LINE + " 0=INSERT 8=0 2=A 10=1 20=1")
    drawing = read_dxf("0=INSERT 8=0 2=A 10=0 20=0", blocks=block)
    assert len(drawing.segments) == 1
    assert "BLOCK_RECURSION" in {f.code for f in drawing.findings}


def test_huge_grid_is_refused_before_it_is_laid_out():
    block = BLOCK.format("A", 0, 0, LINE)
    with pytest.raises(DrawingError) as caught:
        read_dxf("0=INSERT 8=0 2=A 10=0 20=0 70=30000 71=30000 44=1 45=1", blocks=block)
    assert caught.value.code == "TOO_MANY_PRIMITIVES"


def test_dimension_shows_its_block_and_tells_what_it_measures():
    text = "0=MTEXT 8=0 10=5 20=3 40=2.5 1=\\A1;10,00"
    block = BLOCK.format("*D1", 0, 0, f"{LINE} {text}")
    drawing = read_dxf(
        "0=DIMENSION 8=MASS 2=*D1 70=32 10=0 20=3 13=0 23=0 14=10 24=0 50=0", blocks=block
    )
    (said,) = drawing.texts
    assert (said.value, said.role, said.measured) == ("10,00", "dimension", 10.0)
    assert drawing.sources[drawing.segment_source[0]].kind == "DIMENSION/LINE"


def test_layers_that_are_off_or_frozen_are_not_read():
    layer = "0=LAYER 2={} 70={} 62={}"
    tables = " ".join((layer.format("OFF", 0, -7), layer.format("ICE", 1, 7)))
    off, ice = LINE.replace("8=0", "8=off"), LINE.replace("8=0", "8=ICE")
    drawing = read_dxf(LINE, off, ice, tables=tables)
    assert len(drawing.segments) == 1
    assert [(f.code, f.count) for f in drawing.findings] == [("LAYER_HIDDEN", 2)]


def test_paper_space_is_read_only_where_model_space_is_empty():
    paper = "0=LINE 8=0 67=1 10=0 20=0 11=7 21=7"
    assert read_dxf(LINE, paper).segments.tolist() == [[0, 0, 10, 5]]
    other = BLOCK.format("*Paper_Space0", 0, 0, LINE)
    drawing = read_dxf(paper, blocks=other)
    assert len(drawing.segments) == 2
    assert drawing.sheet_names == ("Paper", "*Paper_Space0")
    assert drawing.segments[1, 0] > 7


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("%%c12_H7", "⌀12_H7"),
        ("45%%d_%%p0.1", "45°_±0.1"),
        ("%%uUnder%%u", "Under"),
        ("M\\U+00E4rz", "März"),
    ],
)
def test_escapes_of_a_text(raw, plain):
    assert read_dxf(f"0=TEXT 8=0 10=0 20=0 40=3 1={raw}").texts[0].value == plain


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("{\\fArial|b0;Bold}\\Ptwo", "Bold\ntwo"),
        ("\\A1;\\H0.7x;\\S+0.1^-0.2;", "+0.1/-0.2"),
        ("a\\~b\\\\c\\{d\\}", "a b\\c{d}"),
        ("\\pi0,l2;item", "item"),
    ],
)
def test_formatting_of_an_mtext(raw, plain):
    assert read_dxf(f"0=MTEXT 8=0 10=0 20=0 40=3 1={raw}").texts[0].value == plain


@pytest.mark.parametrize(
    ("page", "encoding", "text"),
    [
        ("ANSI_936", "gbk", "法兰"),
        ("ANSI_1251", "cp1251", "Фланец"),
        ("ANSI_932", "cp932", "図面"),
        ("ANSI_1252", "utf-8", "Maße"),
    ],
)
def test_code_page_of_the_header(page, encoding, text):
    data = dxf("0=TEXT 8=0 10=0 20=0 40=3 1=@@", header=f"9=$DWGCODEPAGE 3={page}")
    drawing = read_bytes(data.replace(b"@@", text.encode(encoding)), Meter(Budget()))
    assert drawing.texts[0].value == text


def test_units_of_the_header():
    assert read_dxf(LINE, header="9=$INSUNITS 70=1").unit_mm == 25.4
    assert read_dxf(LINE, header="9=$INSUNITS 70=0").unit_mm is None


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\n"])
def test_line_endings(ending):
    data = dxf(LINE, CIRCLE).replace(b"\n", ending.encode())
    assert read_bytes(data, Meter(Budget())).primitive_count == 2


def test_utf16_and_byte_order_marks():
    text = dxf(LINE).decode()
    for data in (text.encode("utf-16"), text.encode("utf-8-sig")):
        assert read_bytes(data, Meter(Budget())).primitive_count == 1


@pytest.mark.parametrize("wide", [True, False])
def test_binary_dxf_of_both_ages(wide):
    def tag(code, value):
        head = struct.pack("<H", code) if wide else bytes([code])
        return head + (struct.pack("<d", value) if code >= 10 else value.encode() + b"\0")

    line = [(0, "LINE"), (8, "0"), (10, 1.0), (20, 2.0), (11, 3.5), (21, 4.0)]
    pairs = [(0, "SECTION"), (2, "ENTITIES"), *line, (0, "ENDSEC"), (0, "EOF")]
    data = b"AutoCAD Binary DXF\r\n\x1a\0" + b"".join(tag(*pair) for pair in pairs)
    assert read_bytes(data, Meter(Budget())).segments.tolist() == [[1, 2, 3.5, 4]]
    with pytest.raises(DrawingError) as caught:
        read_bytes(data[:-30], Meter(Budget()))
    assert caught.value.code == "TRUNCATED_DRAWING"


def test_cut_behind_the_geometry_is_a_finding():
    data = dxf(LINE).removesuffix(b"0\nEOF\n") + tags("0=SECTION 2=OBJECTS 0=DICTIONARY").encode()
    drawing = read_bytes(data, Meter(Budget()))
    assert [f.code for f in drawing.findings] == ["STRUCTURE_RECOVERED"]


def test_stray_lines_are_passed_over():
    data = dxf(LINE, CIRCLE).replace(b"0\nCIRCLE", b"  \nstray\n0\nCIRCLE")
    drawing = read_bytes(data, Meter(Budget()))
    assert drawing.primitive_count == 2
    assert "STRUCTURE_RECOVERED" in {f.code for f in drawing.findings}


def test_numbers_that_are_none_and_debris_are_findings():
    drawing = read_dxf(
        LINE,
        "0=LINE 8=0 10=x 20=0 11=1 21=1",
        "0=LINE 8=0 10=0 20=0 11=1e30 21=1",
        "0=LINE 8=0 10=1 20=1 11=1 21=1",
        "0=LINE 8=0 10=1,5 20=0 11=2,5 21=0",
    )
    assert drawing.segments.tolist() == [[0, 0, 10, 5], [1.5, 0, 2.5, 0]]
    assert {f.code: f.count for f in drawing.findings} == {
        "COORDINATE_OUT_OF_RANGE": 2,
        "ZERO_LENGTH_SKIPPED": 1,
    }


def test_unknown_entities_are_counted():
    drawing = read_dxf(LINE, "0=ACME_WIDGET 8=0 10=1", "0=ACME_WIDGET 8=0 10=1")
    assert [(f.code, f.count) for f in drawing.findings] == [("ENTITY_SKIPPED", 2)]


def test_entities_are_counted_ahead():
    data = dxf(LINE, CIRCLE, LINE)
    assert count_entities(data) == 5  # with ENDSEC and EOF; layers and zeros are no entities
    assert count_entities(data.replace(b"\n", b"\r\n")) == 5


def test_same_bytes_give_the_same_drawing():
    from dedup2d.drawing.codec import to_bytes  # noqa: PLC0415  # only here

    block = BLOCK.format("A", 0, 0, f"{CIRCLE} {LINE}")
    made = [read_dxf(LINE, "0=INSERT 8=0 2=A 10=0 20=0", blocks=block) for _ in range(2)]
    assert to_bytes(made[0]) == to_bytes(made[1])


def test_spline_with_a_wrong_number_of_knots_is_drawn():
    """ezdxf leaves it out; the control polygon says well enough where it is."""
    drawing = read_dxf("0=SPLINE 8=0 70=8 71=2 40=0 40=1 10=0 20=0 10=5 20=5 10=10 20=0")
    assert drawing.curves[0, :2].tolist() == [0, 0]
    assert drawing.curves[-1, 2:].tolist() == [10, 0]


def test_file_without_version_has_closed_lwpolylines():
    """ezdxf takes such a file for R12 and drops the flag."""
    square = "0=LWPOLYLINE 8=0 90=4 70=1 10=0 20=0 10=3 20=0 10=3 20=3 10=0 20=3"
    assert length_of(read_dxf(square)) == pytest.approx(12)


def test_ellipse_that_ends_where_it_starts_but_for_rounding_is_whole():
    ellipse = "0=ELLIPSE 8=0 10=0 20=0 11=5 21=0 40=0.5 41=0 42="
    whole = length_of(read_dxf(ellipse + "6.283185307179586"))
    assert length_of(read_dxf(ellipse + "3.552713678800501e-15")) == pytest.approx(whole)
