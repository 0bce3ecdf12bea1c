"""Leaders and dimensions: what they draw, and what they say."""

import numpy as np
import pytest
from dxf_by_hand import length_of, read_dxf

LEADER = (
    "0=MULTILEADER 8=0 300=CONTEXT_DATA{ 140={size} 302=LEADER{ 10=0 20=0 11=1 21=0 40=8"
    " 304=LEADER_LINE{ 10=-30 20=-40 305=} 303=} 301=} 170=1 291=1{arrow}"
)


def leader(size, arrow=""):
    return read_dxf(LEADER.replace("{size}", str(size)).replace("{arrow}", arrow))


def test_multileader_has_a_closed_arrowhead_from_where_its_line_starts():
    drawing = leader(6)
    line, arrow = drawing.segments, drawing.curves
    tail = np.array([-30, -40]) + 6 * np.array([0.6, 0.8])
    np.testing.assert_allclose(line[0], [*tail, 0, 0])
    np.testing.assert_allclose(arrow[:, 2:][1:].mean(axis=0) * 2 - [-30, -40], arrow[1, 2:])
    assert np.hypot(*(arrow[1, 2:] - arrow[1, :2])) == pytest.approx(2)
    assert length_of(drawing) == pytest.approx(44 + 8 + 2 + 2 * np.hypot(6, 1))


@pytest.mark.parametrize(("size", "arrow"), [(26, ""), (6, " 342=1F"), (0, "")])
def test_multileader_without_a_closed_arrowhead_has_its_whole_line(size, arrow):
    assert length_of(leader(size, arrow)) == pytest.approx(50 + 8)


def test_null_handle_is_the_closed_arrowhead():
    assert len(leader(6, " 342=0").curves) == 3


LINE = "0=LEADER 8=0 3=ISO 71=1 10=0 20=0 10=30 20=40"
STYLE = "0=TABLE 2=DIMSTYLE 0=DIMSTYLE 2=ISO 40=2 41=3{block} 0=ENDTAB"


def test_leader_has_the_arrowhead_of_its_style():
    drawing = read_dxf(LINE, tables=STYLE.replace("{block}", ""))
    assert len(drawing.segments) == 1
    assert length_of(drawing) == pytest.approx(50 + 2 + 2 * np.hypot(6, 1))


def test_leader_has_the_size_that_it_says_itself_or_no_arrowhead():
    own = " 1001=ACAD 1000=DSTYLE 1002={ 1070=41 1040=1.5 1002=}"
    drawing = read_dxf(LINE + own, tables=STYLE.replace("{block}", ""))
    assert length_of(drawing) == pytest.approx(50 + 1 + 2 * np.hypot(3, 0.5))
    assert length_of(read_dxf(LINE.replace("71=1", "71=0"))) == pytest.approx(50)


def test_leader_shows_the_block_of_its_arrowhead():
    record = "0=TABLE 2=BLOCK_RECORD 0=BLOCK_RECORD 5=1F 2=TICK 0=ENDTAB"
    block = "0=BLOCK 2=TICK 10=0 20=0 0=LINE 8=0 10=0 20=-1 11=0 21=1 0=ENDBLK"
    tables = STYLE.replace("{block}", " 341=1F") + " " + record
    drawing = read_dxf(LINE, tables=tables, blocks=block)
    tick = drawing.segments[1]
    np.testing.assert_allclose(sorted(tick), [-4.8, -3.6, 3.6, 4.8])
