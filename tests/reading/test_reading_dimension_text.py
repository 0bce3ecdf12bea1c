"""A dimension whose text states another length than it measures is a finding."""

import pytest
from dxf_by_hand import read_dxf

from dedup2d.reading.dxf.dimension_text import misfits

FITS = [
    ("25", 25.0),
    ("25", 25.4),  # as precise as it is written
    ("25,4", 25.4),
    ("1,250", 1250),
    (".5", 0.5),
    ("<> H7", 30),
    ("25 H7", 25),
    ("%%c20", 20),
    ("%%c20", 10),  # half of it is drawn
    ("R5", 5),
    ("2x%%c10", 10),
    ("3-%%c12", 12),
    ("(20)", 20),
    ("L=45", 45),
    ("5x20=100", 100),
    ("100 0/-0.2", 100),
    (r"{\fArial|b0;\A1;25\H0.7x;\S+0.1^-0.2;}", 25),
    ("4'-0 1/4\"", 48.25),
    (r"4'-0{\H0.5x;\S1/4;}" + '"', 48.25),
    ("1 1/2", 1.5),
    ("d1=33.2/2", 16.6),
    ('1/2"', 12.7),  # in another unit, and says so
    ("1000 mm", 1.0),
]
SAYS_NO_LENGTH = ["", "M8", "M8x1.25", "4 PLACES", "SEE NOTE 3", "H7", "L", "45%%d", "2-M6"]
MISFITS = [
    ("25", 30.0),
    ("25.00", 25.04),
    ("%%c20", 15),
    ("R5", 6),
    ("2x%%c10", 12),
    ("(20)", 21),
    ("L=45", 46),
    ("3/4", 1.0),
    ("10 MIN", 12),
    ("100%%p0.1", 98),
    ("4'-0\"", 49),
]


@pytest.mark.parametrize(("text", "measured"), FITS)
def test_text_that_fits(text, measured):
    assert not misfits(text, measured, factors=(), is_angle=False)


@pytest.mark.parametrize("text", SAYS_NO_LENGTH)
def test_text_that_states_no_length(text):
    assert not misfits(text, 6.647, factors=(), is_angle=False)


@pytest.mark.parametrize(("text", "measured"), MISFITS)
def test_text_that_misfits(text, measured):
    assert misfits(text, measured, factors=(), is_angle=False)


@pytest.mark.parametrize(
    ("text", "degrees", "is_wrong"),
    [
        ("94%%d", 94.4, False),
        ("94%%d30'", 94.5, False),
        ("94%%d", 96, True),
        ("94%%d30'", 94, True),
    ],
)
def test_angles(text, degrees, is_wrong):
    assert misfits(text, degrees, factors=(), is_angle=True) is is_wrong


def test_style_may_multiply_lengths():
    assert not misfits("50", 25.0, factors=(2.0,), is_angle=False)


LINE = "0=LINE 8=0 10=0 20=0 11=30 21=0"
DIMENSION = "0=DIMENSION 8=0 70=0 13=0 23=0 14=30 24=0"


def overridden(drawing):
    return [(f.message, f.count) for f in drawing.findings if f.code == "DIMENSION_OVERRIDDEN"]


def test_finding_names_text_and_measure():
    drawing = read_dxf(LINE, f"{DIMENSION} 1=25", f"{DIMENSION} 1=<>", DIMENSION)
    ((message, count),) = overridden(drawing)
    assert '"25" measures 30' in message
    assert count == 1


@pytest.mark.parametrize(
    ("style", "own", "found"),
    [
        ("144=0.5", "", 0),
        ("144=1", "", 1),
        ("144=1", " 1001=ACAD 1000=DSTYLE 1002={ 1070=144 1040=0.5 1002=}", 0),
    ],
)
def test_factor_of_the_style_or_of_the_dimension_itself(style, own, found):
    tables = f"0=DIMSTYLE 2=Half 70=0 {style}"
    drawing = read_dxf(LINE, f"{DIMENSION} 3=HALF 1=15{own}", tables=tables)
    assert len(overridden(drawing)) == found


def test_dimension_on_a_frozen_layer_is_not_judged():
    frozen = f"{DIMENSION.replace('8=0', '8=Off')} 1=25"
    drawing = read_dxf(LINE, frozen, tables="0=LAYER 2=Off 70=1 62=7")
    assert overridden(drawing) == []
