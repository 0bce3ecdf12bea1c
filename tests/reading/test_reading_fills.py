"""Filled areas and hatching that programs without HATCH wrote as SOLIDs and lines."""

import numpy as np
import pytest
from dxf_by_hand import length_of, read_dxf

TRIANGLES = (
    "0=SOLID 8=0 10=0 20=0 11=4 21=0 12=4 22=3 13=4 23=3",
    "0=SOLID 8=0 10=0 20=0 11=4 21=3 12=0 22=3 13=0 23=3",
)
OUTLINE = "0=LWPOLYLINE 8=0 90=4 70=1 10=0 20=0 10=8 20=0 10=8 20=8 10=0 20=8"


def block_of_lines(*lines, name="*U7", at="10=0 20=0"):
    """A block of (x0, y0, x1, y1) lines and the INSERT that shows it."""
    drawn = " ".join(f"0=LINE 8=0 10={a} 20={b} 11={c} 21={d}" for a, b, c, d in lines)
    block = f"0=BLOCK 8=0 2={name} 10=0 20=0 {drawn} 0=ENDBLK 8=0"
    return block, f"0=INSERT 8=0 2={name} {at}"


def hatching(gap=0.0):
    """Level lines across the outline, one unit apart, perhaps with a gap in each."""
    middle = 4 - gap / 2, 4 + gap / 2
    whole = [(0, y, 8, y) for y in range(1, 8)]
    return (
        [(0, y, middle[0], y) for y in range(1, 8)] + [(middle[1], y, 8, y) for y in range(1, 8)]
        if gap
        else whole
    )


def test_no_edge_is_seen_between_two_filled_faces():
    drawing = read_dxf(*TRIANGLES)
    assert length_of(drawing) == pytest.approx(14)
    assert len(drawing.curves) == 4
    assert sorted(drawing.seams.tolist()) == [[0, 0, 4, 3], [4, 3, 0, 0]]


def test_seams_go_where_their_block_goes():
    block = f"0=BLOCK 8=0 2=AREA 10=0 20=0 {' '.join(TRIANGLES)} 0=ENDBLK 8=0"
    drawing = read_dxf("0=INSERT 8=0 2=AREA 10=10 20=0", blocks=block)
    assert sorted(drawing.seams.tolist()) == [[10, 0, 14, 3], [14, 3, 10, 0]]


def test_a_face_that_was_drawn_twice_is_seen_still():
    assert length_of(read_dxf(TRIANGLES[0], TRIANGLES[0])) == pytest.approx(24)


@pytest.mark.parametrize("gap", [0.0, 2.0])
def test_pattern_lines_in_an_outline_are_no_strokes(gap):
    block, insert = block_of_lines(*hatching(gap))
    drawing = read_dxf(OUTLINE, insert, blocks=block)
    assert len(drawing.segments) == 4
    assert len(drawing.hatching) == len(hatching(gap))
    assert [f.code for f in drawing.findings] == ["HATCHING_SKIPPED"]


@pytest.mark.parametrize(
    ("outline", "more"),
    [
        ("0=LINE 8=0 10=0 20=0 11=8 21=0", {}),
        (OUTLINE, {"name": "RUNGS"}),
        (OUTLINE, {"at": "10=0.5 20=0"}),
    ],
)
def test_lines_without_an_outline_or_in_a_named_or_moved_block_are_drawn(outline, more):
    block, insert = block_of_lines(*hatching(), **more)
    drawing = read_dxf(outline, insert, blocks=block)
    assert len(drawing.hatching) == 0
    assert len(drawing.segments) > 7


def test_a_fraction_behind_a_number_is_set_off():
    drawing = read_dxf(r"0=MTEXT 8=0 10=0 20=0 40=3 1=6'-10{\H0.7x;\S1#2;}", OUTLINE)
    assert [text.value for text in drawing.texts] == ["6'-10 1/2"]
    assert np.isfinite(drawing.segments).all()
