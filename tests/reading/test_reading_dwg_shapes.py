"""Shapes of a DWG as ezdwg gives their values."""

import math

import numpy as np
import pytest

from dedup2d.reading.dwg.shapes import SHAPES, hatch_pattern


def test_spline_through_fit_points_only():
    """It was once taken for broken, because its list of control points is empty."""
    fit = [(0.0, 0.0, 0.0), (3.0, 4.0, 0.0)]
    values = {"degree": 3, "control_points": [], "fit_points": fit, "knots": [], "weights": []}
    (_, _, curves), _ = SHAPES["SPLINE"](values)
    assert curves.tolist() == [[0, 0, 3, 4]]


def test_round_ellipse_is_an_arc_as_in_dxf():
    values = {"center": (1, 2, 0), "major_axis": (0, 5, 0), "axis_ratio": 1.0}
    values |= {"start_angle": 0.0, "end_angle": math.tau}
    (_, arcs, curves), _ = SHAPES["ELLIPSE"](values)
    np.testing.assert_allclose(arcs[0, :3], [1, 2, 5])
    assert len(curves) == 0


def ring(*corners):
    return {"paths": [{"closed": True, "points": [(*corner, 0.0) for corner in corners]}]}


@pytest.mark.parametrize(
    "corners",
    [
        [(0, 0), (4, 0), (4, 3), (0, 3)],
        [(0, 0), (9, 0), (10, 0.2), (9, 4), (0, 4)],
        [(math.cos(k * math.tau / 8), math.sin(k * math.tau / 8)) for k in range(8)],
    ],
)
def test_straight_boundary_of_a_hatch_is_segments(corners):
    (segments, _, curves), _ = SHAPES["HATCH"](ring(*corners))
    assert len(segments) == len(corners)
    assert len(curves) == 0


def test_arc_of_a_hatch_boundary_is_pieces_of_a_curve():
    bow = [(math.cos(t), math.sin(t)) for t in np.linspace(0, math.pi, 17)]
    (segments, _, curves), _ = SHAPES["HATCH"](ring(*bow, (-1, -3), (1, -3)))
    assert len(segments) == 3
    assert len(curves) == 16


@pytest.mark.parametrize(("is_solid", "count"), [(False, 4), (True, 0)])
def test_pattern_of_a_hatch(is_solid, count):
    line = {"angle": 90.0, "base": (0.5, 0.0), "offset": (-1.0, 0.0), "dashes": []}
    values = ring((0, 0), (4, 0), (4, 3), (0, 3)) | {"pattern_lines": [line]}
    lines = hatch_pattern(values | {"solid_fill": is_solid})
    assert sorted(lines[:, 0].round(9).tolist()) == [0.5, 1.5, 2.5, 3.5][:count]
    assert hatch_pattern(ring((0, 0), (4, 0), (4, 3), (0, 3))).shape == (0, 4)
