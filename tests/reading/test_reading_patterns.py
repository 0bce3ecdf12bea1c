"""Pattern lines of hatches: read beside the strokes, as they are seen on paper."""

import ezdxf
import numpy as np
import pytest
from dxf_by_hand import read_dxf

from dedup2d.reading.budget import Budget, Meter
from dedup2d.reading.dxf import read_bytes
from dedup2d.reading.dxf.by_ezdxf import read_with_ezdxf
from dedup2d.reading.patterns import MOST_LINES, LineFamily, TooManyLinesError, pattern_lines

SQUARE = "92=1 93=4 72=1 10=0 20=0 11=8 21=0 72=1 10=8 20=0 11=8 21=8 72=1 10=8 20=8 11=0 21=8 72=1 10=0 20=8 11=0 21=0"
ISLAND = "92=18 72=0 73=1 93=4 10=2 20=2 10=6 20=2 10=6 20=6 10=2 20=6"
LEVEL = "78=1 53=0 43=0 44=0.5 45=0 46={step} 79=0"
UNIT = LEVEL.format(step=1)


def hatch(*paths, pattern=UNIT, style=0, more=""):
    return f"0=HATCH 8=0 2=LEVEL 70=0 {more} 91={len(paths)} {' '.join(paths)} 75={style} 76=1 {pattern}"


def edges(*corners):
    return np.array([[*a, *b] for a, b in zip(corners, [*corners[1:], corners[0]], strict=True)])


def length(lines):
    return float(np.hypot(*(lines[:, 2:] - lines[:, :2]).T).sum())


def middle(lines):
    """The centre of gravity of the ink."""
    weight = np.hypot(*(lines[:, 2:] - lines[:, :2]).T)
    return (lines.reshape(-1, 2, 2).mean(axis=1) * weight[:, None]).sum(axis=0) / weight.sum()


def test_lines_end_at_the_boundary_and_are_no_strokes():
    drawing = read_dxf(hatch(SQUARE))
    assert len(drawing.segments) == 4
    levels = sorted(drawing.hatching[:, 1].tolist())
    assert levels == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]
    assert length(drawing.hatching) == pytest.approx(64)
    assert not drawing.findings


@pytest.mark.parametrize(("style", "total"), [(0, 64 - 16), (1, 64 - 16), (2, 64)])
def test_islands_are_left_out_but_where_the_style_ignores_them(style, total):
    drawing = read_dxf(hatch(SQUARE, ISLAND, style=style))
    assert length(drawing.hatching) == pytest.approx(total)


def test_dashes_begin_at_the_lines_own_base_point():
    pattern = "78=1 53=0 43=0 44=0.5 45=1 46=1 79=2 49=1 49=-3"
    lines = read_dxf(hatch(SQUARE, pattern=pattern)).hatching
    starts = {y: sorted(x for x, at, *_ in lines.tolist() if at == y) for y in (0.5, 1.5, 3.5)}
    assert starts == {0.5: [0, 4], 1.5: [1, 5], 3.5: [3, 7]}


def test_dots_are_no_lines():
    pattern = "78=1 53=0 43=0 44=0 45=0 46=1 79=2 49=0 49=-1"
    assert not len(read_dxf(hatch(SQUARE, pattern=pattern)).hatching)


def test_hatches_in_blocks_go_where_the_block_goes():
    block = f"0=BLOCK 8=0 2=PART 10=1 20=0 {hatch(SQUARE)} 0=ENDBLK 8=0"
    insert = "0=INSERT 8=0 2=PART 10=100 20=0 41=2 42=2 50=90"
    lines = read_dxf(insert, blocks=block).hatching
    assert length(lines) == pytest.approx(128)
    assert np.ptp(lines[:, [0, 2]], axis=1) == pytest.approx(np.zeros(8), abs=1e-9)
    assert lines[:, [1, 3]].min() == pytest.approx(-2)
    grid = read_dxf(insert + " 70=2 71=3 44=50 45=50", blocks=block)
    assert len(grid.hatching) == 6 * 8


def test_a_hatch_from_below_is_mirrored():
    lines = read_dxf(hatch(SQUARE, more="210=0 220=0 230=-1")).hatching
    assert lines[:, [0, 2]].min() == pytest.approx(-8)


def test_a_dense_pattern_is_left_out_with_a_finding():
    dense = read_dxf(hatch(SQUARE, pattern=LEVEL.format(step=8 / (MOST_LINES + 2))))
    assert not len(dense.hatching)
    assert [f.code for f in dense.findings] == ["HATCHING_TOO_DENSE"]


def test_of_many_hatches_the_densest_go_without():
    block = f"0=BLOCK 8=0 2=DENSE 10=0 20=0 {hatch(SQUARE, pattern=LEVEL.format(step=0.002))} 0=ENDBLK 8=0"
    inserts = [f"0=INSERT 8=0 2=DENSE 10={x} 20=0" for x in range(0, 100, 10)]
    drawing = read_dxf(hatch(SQUARE), *inserts, blocks=block)
    assert len(drawing.hatching) == 8
    assert [f.code for f in drawing.findings] == ["HATCHING_TOO_DENSE"]


@pytest.mark.parametrize("dashes", [[-1e-12, 1e-12], [1e-9]])
def test_dashes_without_end_are_refused_before_they_are_laid_out(dashes):
    family = LineFamily(0.0, np.zeros(2), np.array([0.0, 1.0]), np.array(dashes))
    with pytest.raises(TooManyLinesError):
        pattern_lines(edges((0, 0), (1e6, 0), (1e6, 9), (0, 9)), [family])


@pytest.mark.parametrize(
    "pattern", ["78=1 53=0", "78=999999999", "78=1 53=x 43=0 44=0 45=0 46=1 79=0"]
)
def test_a_broken_pattern_leaves_the_boundary(pattern):
    drawing = read_dxf(hatch(SQUARE, pattern=pattern))
    assert len(drawing.segments) == 4
    assert not len(drawing.hatching)


def test_lines_that_never_leave_their_place_are_too_many():
    family = LineFamily(0.0, np.zeros(2), np.array([1.0, 0.0]), np.empty(0))
    with pytest.raises(TooManyLinesError):
        pattern_lines(edges((0, 0), (8, 0), (8, 8), (0, 8)), [family])


@pytest.mark.parametrize("name", ["ANSI31", "ANSI37", "BRICK", "HONEY", "AR-CONC", "DASH"])
def test_patterns_agree_with_ezdxf(name, tmp_path):
    document = ezdxf.new()
    shown = document.modelspace().add_hatch()
    shown.set_pattern_fill(name, scale=2.0, angle=17)
    shown.paths.add_polyline_path([(0, 0), (90, 5, 0.4), (70, 60), (10, 40)], is_closed=True)
    shown.paths.add_edge_path(flags=16).add_arc((45, 25), 12, 0, 360)
    path = tmp_path / "hatch.dxf"
    document.saveas(path)
    ours = read_bytes(path.read_bytes(), Meter(Budget())).hatching
    theirs = read_with_ezdxf(path, Meter(Budget())).hatching
    assert length(ours) == pytest.approx(length(theirs), rel=2e-3)
    assert middle(ours) == pytest.approx(middle(theirs), abs=0.1)
