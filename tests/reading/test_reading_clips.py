"""Clipped block references (XCLIP): what their boundary cuts off is not there."""

import math

import ezdxf
import numpy as np
import pytest
from dxf_by_hand import dxf, length_of, points_of, tags
from ezdxf.xclip import XClip

from dedup2d.drawing import Text
from dedup2d.reading.budget import Budget, Meter
from dedup2d.reading.clipping import Clip, clipped
from dedup2d.reading.dxf import read_bytes
from dedup2d.reading.dxf.by_ezdxf import read_with_ezdxf
from dedup2d.reading.strokes import Strokes

BLOCK = "0=BLOCK 8=0 2=PART 10={base} 20=0 0=LINE 8=0 10=0 20=1 11=10 21=1 0=CIRCLE 8=0 10=5 20=5 40=4 0=TEXT 8=0 10=1 20=8 40=1 1=IN 0=TEXT 8=0 10=9 20=8 40=1 1=OUT 0=ENDBLK 8=0"
INSERT = "0=INSERT 5=A 102={{ACAD_XDICTIONARY 360=B 102=}} 8=0 2=PART 10={x} 20={y} 50={turn}"
DICTIONARIES = "0=DICTIONARY 5=B 3=ACAD_FILTER 360=C 0=DICTIONARY 5=C 3=SPATIAL 360=D"
SAME = np.eye(3, 4)
SQUARE = Clip(np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]]))


def row(values):
    return " ".join(f"40={value!r}" for value in np.ravel(values).tolist())


def spatial_filter(points, *, block_of_world=SAME, clip_of_world=SAME, on=1):
    drawn = " ".join(f"10={x} 20={y}" for x, y in points)
    return f"0=SPATIAL_FILTER 5=D 70={len(points)} {drawn} 71={on} 72=0 73=0 {row(block_of_world)} {row(clip_of_world)}"


def read(shown, x=0.0, y=0.0, turn=0.0, base=0.0, more=""):
    """One clipped reference; ``shown`` is its filter."""
    insert = INSERT.format(x=x, y=y, turn=turn)
    whole = dxf(insert, blocks=BLOCK.format(base=base)).removesuffix(tags("0=EOF").encode())
    objects = tags(f"0=SECTION 2=OBJECTS {DICTIONARIES} {shown} {more} 0=ENDSEC 0=EOF")
    return read_bytes(whole + objects.encode(), Meter(Budget()))


def test_a_rectangle_shows_what_is_inside():
    drawing = read(spatial_filter([(0, 0), (5, 10)]))
    assert length_of(drawing) == pytest.approx(5 + 4 * math.pi)
    assert points_of(drawing)[:, 0].max() == pytest.approx(5)
    assert [text.value for text in drawing.texts] == ["IN"]


def test_a_polygon_cuts_strokes_to_pieces():
    notched = [(0, 0), (10, 0), (10, 10), (6, 10), (6, 0.5), (4, 0.5), (4, 10), (0, 10)]
    drawing = read(spatial_filter(notched))
    assert sorted(drawing.segments[:, 0].tolist()) == [0, 6]
    assert len(drawing.arcs) == 3
    assert length_of(drawing) == pytest.approx(8 + 8 * (math.pi - 2 * math.asin(1 / 4)))


def test_a_filter_that_is_switched_off_shows_all():
    assert length_of(read(spatial_filter([(0, 0), (5, 10)], on=0))) == pytest.approx(
        10 + 8 * math.pi
    )


def test_the_boundary_goes_with_the_block_since_it_was_clipped():
    """Clipped where it was at (100, 0); since then it was moved, turned, and its base point counts."""
    was_at = np.column_stack([np.eye(3), [-100.0, 0.0, 0.0]])
    boundary = spatial_filter([(100, 0), (105, 10)], block_of_world=was_at)
    drawing = read(boundary, x=3, y=-7, turn=90, base=2)
    assert length_of(drawing) == pytest.approx(5 + 4 * math.pi)
    low, high = points_of(drawing).min(axis=0), points_of(drawing).max(axis=0)
    assert low == pytest.approx([-6, -9])
    assert high == pytest.approx([2, -4])


def test_a_rectangle_in_a_turned_plane():
    turn = np.array([[0.0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 1, 0]])  # its x is the world's y
    drawing = read(spatial_filter([(0, -5), (10, 0)], clip_of_world=turn))
    assert length_of(drawing) == pytest.approx(5 + 4 * math.pi)
    assert points_of(drawing)[:, 0].max() == pytest.approx(5)


def test_an_inverted_clip_shows_what_is_outside_its_hole():
    mark = "102={ACAD_XDICTIONARY 360=E 102=}"
    boundary = spatial_filter([(-1, -1), (11, 11)]).replace("5=D", f"5=D {mark}")
    record = "0=DICTIONARY 5=E 3=ACAD_XREC_ROUNDTRIP 360=F 0=XRECORD 5=F 102=ACAD_INVERTEDCLIP_ROUNDTRIP 10=4 20=0 10=6 20=2 102=ACAD_INVERTEDCLIP_ROUNDTRIP_COMPARE 10=0 20=0 10=9 20=9"
    drawing = read(boundary, more=record)
    hidden = 2 * 4 * math.asin(1 / 4)  # of the circle's lower end
    assert length_of(drawing) == pytest.approx(8 + 8 * math.pi - hidden)


@pytest.mark.parametrize(
    "shown",
    [
        spatial_filter([(0, 0)]),
        spatial_filter([(0, 0), (5, 10)], clip_of_world=np.zeros((3, 4))),
        spatial_filter([(0, 0), (5, 10)]).replace("40=1.0", "40=x"),
        "0=SPATIAL_FILTER 5=D 71=1",
    ],
)
def test_a_broken_filter_shows_all(shown):
    assert length_of(read(shown)) == pytest.approx(10 + 8 * math.pi)


def test_ezdxf_shows_the_same(tmp_path):
    document = ezdxf.new()
    block = document.blocks.new("PART", base_point=(1, 2))
    block.add_circle((5, 5), 4)
    block.add_lwpolyline([(0, 0), (9, 1, 0.5), (8, 9), (1, 7)], close=True)
    block.add_ellipse((5, 5), (4, 1), 0.4)
    hatch = block.add_hatch()
    hatch.set_pattern_fill("ANSI31", scale=0.2)
    hatch.paths.add_polyline_path([(1, 1), (8, 1), (8, 8), (1, 8)])
    block.add_solid([(3, 2), (6, 2), (3, 6)])
    block.add_solid([(6, 2), (3, 6), (6, 6)])  # filled as one
    space = document.modelspace()
    for x, turn in ((0, 0), (30, 40)):
        insert = space.add_blockref("PART", (x, 5), {"rotation": turn, "xscale": 2, "yscale": 2})
        XClip(insert).set_block_clipping_path([(2, 1), (7, 2), (6, 8), (4, 3), (2, 7)])
    path = tmp_path / "clipped.dxf"
    document.saveas(path)
    ours = read_bytes(path.read_bytes(), Meter(Budget()))
    theirs = read_with_ezdxf(path, Meter(Budget()))
    assert length_of(ours) == pytest.approx(length_of(theirs), rel=1e-3)
    assert points_of(ours).min(axis=0) == pytest.approx(points_of(theirs).min(axis=0), abs=0.01)
    for beside in ("hatching", "seams"):
        lines = [getattr(drawing, beside) for drawing in (ours, theirs)]
        ink = [np.hypot(*(some[:, 2:] - some[:, :2]).T).sum() for some in lines]
        assert ink[0] == pytest.approx(ink[1], rel=1e-3)
        assert ink[0] > 1


@pytest.mark.parametrize("is_inverted", [False, True])
def test_a_stroke_on_the_border_is_shown(is_inverted):
    side = np.array([[0.0, 0, 10, 0], [-5, 10, 5, 10]])
    shown = clipped(Strokes.straight(side, np.arange(2)), Clip(SQUARE.polygon, is_inverted))
    assert shown.segments[0].tolist() == side[0].tolist()
    assert shown.segments[1].tolist() == [-5, 10, 5, 10] if is_inverted else [0, 10, 5, 10]


def test_many_strokes_are_cut_as_each_of_them_is():
    rng = np.random.default_rng(3)
    lines = rng.uniform(-10, 20, (3000, 4))
    hexagon = Clip(np.array([[5 + 5 * math.cos(t), 5 + 5 * math.sin(t)] for t in range(6)]))
    texts = tuple(Text("T", *at) for at in rng.uniform(-5, 15, (50, 2)).tolist())
    whole = clipped(Strokes(segments=lines, segment_owner=np.arange(3000), texts=texts), hexagon)
    each = [clipped(Strokes.straight(lines[k : k + 1], np.array([k])), hexagon) for k in range(99)]
    some = whole.segments[whole.segment_owner < 99]
    assert some == pytest.approx(np.concatenate([one.segments for one in each]))
    assert 0 < len(whole.texts) < 50
