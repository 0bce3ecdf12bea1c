"""Whatever the bytes: a drawing or a DrawingError, nothing else."""

import contextlib
import io

import ezdxf
import numpy as np
import pytest
from dxf_by_hand import dxf, read_dxf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedup2d.errors import DrawingError
from dedup2d.reading import Budget, read
from dedup2d.reading.budget import Meter
from dedup2d.reading.dxf.by_ezdxf import read_with_ezdxf

BLOCKS = "0=BLOCK 2=A 10=1 20=0 0=CIRCLE 8=0 10=3 20=4 40=2 0=ENDBLK"
WHOLE = dxf(
    "0=LINE 5=1 8=0 10=0 20=0 11=10 21=5",
    "0=ARC 8=0 10=0 20=0 40=1 50=270 51=90 210=0 220=0.5 230=-1",
    "0=LWPOLYLINE 8=0 90=3 70=1 10=0 20=0 42=1 10=2 20=0 10=2 20=3",
    "0=POLYLINE 8=0 66=1 70=16 71=1 72=2 0=VERTEX 8=0 10=1 20=1 0=VERTEX 8=0 10=2 20=1 0=SEQEND",
    "0=ELLIPSE 8=0 10=0 20=0 11=4 21=0 40=0.5 41=0 42=6.28",
    "0=SPLINE 8=0 70=8 71=2 40=0 40=0 40=0 40=1 40=1 40=1 10=0 20=0 10=1 20=2 10=3 20=0",
    "0=HATCH 8=0 10=0 20=0 30=0 91=1 92=1 93=1 72=3 10=0 20=0 11=4 21=0 40=0.2 50=0 51=45 73=1",
    "0=INSERT 8=0 2=A 10=5 20=5 41=2 42=1 50=30 70=2 71=2 44=9 45=9",
    "0=DIMENSION 8=0 2=A 70=32 13=0 23=0 14=10 24=0",
    "0=MTEXT 8=0 10=1 20=1 40=2 1={\\H2;a}\\Pb 0=TEXT 8=0 10=1 20=1 40=2 1=%%c5",
    "0=MESH 8=0 92=3 10=0 20=0 10=1 20=0 10=1 20=1 93=4 90=3 90=0 90=1 90=2",
    blocks=BLOCKS,
    tables="0=LAYER 2=0 70=0 62=7",
    header="9=$INSUNITS 70=4",
)
LINES = WHOLE.split(b"\n")
ODD = st.sampled_from(
    [b"", b"nan", b"inf", b"-inf", b"1e308", b"-1", b"99999999999", b"0", b"\xff\xfe", b"INSERT"]
)


def is_sound(drawing):
    numbers = np.concatenate([drawing.segments.ravel(), drawing.arcs.ravel()])
    assert np.isfinite(numbers).all()
    assert len(drawing.segments) == len(drawing.segment_source)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, len(LINES) - 1), ODD), min_size=1, max_size=8))
def test_dxf_with_odd_values(tmp_path_factory, changes):
    lines = list(LINES)
    for place, value in changes:
        lines[place] = value
    path = tmp_path_factory.getbasetemp() / "odd.dxf"
    path.write_bytes(b"\n".join(lines))
    with contextlib.suppress(DrawingError):
        is_sound(read(path, Budget(max_seconds=10)))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_dxf_with_lines_cut_out_or_moved(tmp_path_factory, data):
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 5))):
        low, high = sorted(data.draw(st.tuples(*[st.integers(0, len(lines))] * 2)))
        piece, lines[low:high] = lines[low:high], []
        at = data.draw(st.integers(0, len(lines)))
        lines[at:at] = piece * data.draw(st.integers(0, 2))
    path = tmp_path_factory.getbasetemp() / "moved.dxf"
    path.write_bytes(b"\n".join(lines))
    with contextlib.suppress(DrawingError):
        is_sound(read(path, Budget(max_seconds=10)))


@settings(deadline=None)
@given(
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"%PDF-1.7", b"AC1027"]),
    st.binary(),
)
def test_rubbish_behind_a_known_beginning(tmp_path_factory, magic, rubbish):
    path = tmp_path_factory.getbasetemp() / "rubbish"
    path.write_bytes(magic + rubbish)
    with pytest.raises(DrawingError):
        read(path)


@pytest.mark.parametrize(
    "entity",
    [
        "0=ELLIPSE 8=0 10=0 20=0 11=4 21=0 40=0.5 41=-1e11 42=6.28",
        "0=ARC 8=0 10=0 20=0 40=1 50=nan 51=90 210=1 220=1 230=1",
        "0=MESH 8=0 10=0 20=0 93=1 90=nan",
        "0=MULTILEADER 8=0 170=nan 300=CONTEXT_DATA{ 301=}",
        "0=LWPOLYLINE 8=0 90=2 70=1e308 10=0 20=0 10=1 20=1",
        "0=DIMENSION 8=0 2=A 70=0 50=inf 13=0 23=0 14=1 24=1",
    ],
)
def test_numbers_that_once_broke_the_reader(entity):
    """Each was found by mutating real drawings."""
    with np.errstate(all="ignore"):
        is_sound(read_dxf("0=LINE 8=0 10=0 20=0 11=10 21=5", entity))


@pytest.mark.parametrize(
    "spline",
    [
        "10=0 20=0 10=-9e303 20=5 10=9 20=0 10=12 20=3",
        "10=0 20=0 10=3 20=5 10=9 20=0 10=12 20=3 41=1 41=-1 41=1 41=-1",
    ],
)
def test_ezdxf_is_not_asked_to_flatten_what_never_gets_flat(tmp_path, spline):
    """It halved such splines for ever; found by mutating binary DXF, which falls back to it."""
    knots = " ".join(["40=0"] * 4 + ["40=1"] * 4)
    path = tmp_path / "a.dxf"
    path.write_bytes(
        dxf(f"0=SPLINE 5=A1 100=AcDbEntity 8=0 100=AcDbSpline 70=8 71=3 {knots} {spline}")
    )
    with np.errstate(all="ignore"):
        is_sound(read_with_ezdxf(path, Meter(Budget())))


def test_ezdxf_finds_no_model_space(tmp_path):
    """It loads such a file and raises a KeyError when model space is asked for."""
    text = io.StringIO()
    ezdxf.new().write(text)
    path = tmp_path / "a.dxf"
    path.write_text(text.getvalue().replace("Model\n", "Modex\n"))
    with pytest.raises(DrawingError) as caught:
        read_with_ezdxf(path, Meter(Budget()))
    assert caught.value.code == "BROKEN_DRAWING"


def test_table_without_a_head_is_left_to_the_recovery(tmp_path):
    """ezdxf ended in a StopIteration."""
    path = tmp_path / "a.dxf"
    line = "0=LINE 8=0 10=0 20=0 11=1 21=1"
    path.write_bytes(dxf(line, tables="0=TABLE 2=LTYPE 0=ENDTAB 0=ENDTAB"))
    assert len(read_with_ezdxf(path, Meter(Budget())).segments) == 1
