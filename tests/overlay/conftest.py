"""A small overlay: a plate whose hole moved and whose text changed."""

from dataclasses import replace

import numpy as np
import pytest

from dedup2d.overlay.model import Overlay, Strokes
from dedup2d.report import Pose, Region, Relation, TextChange

CIRCLE = [0.0, 2 * np.pi]


@pytest.fixture
def overlay() -> Overlay:
    plate = [[0, 0, 200, 0], [200, 0, 200, 100], [200, 100, 0, 100], [0, 100, 0, 0]]
    return Overlay(
        query_name="plate-B.dxf",
        match_name="plate-A.dxf",
        relation=Relation.REVISION,
        similarity=0.973,
        pose=Pose(),
        common=Strokes(np.array(plate, np.float64), np.array([[20, 20, 5, 0, np.pi / 2]])),
        added=Strokes(arcs=np.array([[130.0, 50, 6, *CIRCLE]])),
        removed=Strokes(arcs=np.array([[120.0, 50, 6, *CIRCLE]])),
        regions=(Region(min_x=114, min_y=44, max_x=136, max_y=56, added=1, removed=1),),
        text_changes=(TextChange(before="Ø12", after="Ø14", x=130, y=60),),
        unit_mm=1.0,
    )


@pytest.fixture
def hostile(overlay: Overlay) -> Overlay:
    """Names and texts of someone who wants to break out."""
    evil = '<script>alert("1")</script>&\n\x00\u202e%%c' + "x" * 500
    return replace(
        overlay,
        query_name=evil,
        match_name="图纸\ud800.dxf",
        text_changes=(TextChange(before=evil, after=None, x=float("nan"), y=float("inf")),),
        added=Strokes(np.array([[np.nan, 0, 1, 1], [0, 0, np.inf, 1]])),
        regions=(Region(min_x=float("nan"), min_y=0, max_x=1, max_y=1),),
    )


@pytest.fixture
def empty() -> Overlay:
    return Overlay("", "", Relation.DIFFERENT, 0.0, Pose(), Strokes(), Strokes(), Strokes())
