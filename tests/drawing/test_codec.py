"""A drawing survives its stored form, and anything else is refused."""

import contextlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup2d.drawing import Drawing, Finding, Source, Text
from dedup2d.drawing.codec import from_bytes, load, save, to_bytes
from dedup2d.errors import DrawingError


def sample():
    return Drawing(
        segments=np.array([[0, 0, 1, 1], [math.pi, -1e-300, 1e300, 5]], float),
        arcs=np.array([[0, 0, 2, 0, math.tau]], float),
        segment_source=np.array([0, 1], np.int32),
        arc_source=np.array([1], np.int32),
        sources=(Source("LINE", "Maße", "1F"), Source("INSERT/CIRCLE")),
        texts=(Text("⌀12 H7", 1, 2, 3.5, 90, "dimension", "", 12.0, "DIM"),),
        unit_mm=25.4,
        sheet_names=("Model",),
        findings=(Finding("ENTITY_SKIPPED", "OLE2FRAME is not read.", 2),),
        format="dxf",
        tolerance=0.5,
    )


def test_drawing_survives(tmp_path):
    save(sample(), tmp_path / "a.drawing")
    read = load(tmp_path / "a.drawing")
    assert to_bytes(read) == to_bytes(sample())
    assert (read.texts, read.sources) == (sample().texts, sample().sources)
    np.testing.assert_array_equal(read.segments, sample().segments)
    assert [p.name for p in tmp_path.iterdir()] == ["a.drawing"]


def test_empty_drawing_survives():
    assert from_bytes(to_bytes(Drawing())).primitive_count == 0


@given(st.integers(0, 3000))
def test_truncated_bytes_are_refused(length):
    data = to_bytes(sample())
    with pytest.raises(DrawingError, match="damaged"):
        from_bytes(data[: min(length, len(data) - 1)])


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused(data):
    with pytest.raises(DrawingError, match="damaged"):
        from_bytes(data)


@given(st.integers(0, 2600), st.integers(1, 255))
def test_an_altered_byte_never_gives_another_drawing(position, change):
    data = bytearray(to_bytes(sample()))
    data[position % len(data)] ^= change
    with contextlib.suppress(DrawingError):
        assert to_bytes(from_bytes(bytes(data))) == to_bytes(sample())
