"""Geometry JSON of the predecessor as drawings."""

import math

import numpy as np
import pytest

from dedup2d.engine.geometry_json import MOST_ENTITIES, drawing_from_geometry
from dedup2d.errors import DrawingError
from dedup2d.gateway import geometry


def test_lines_arcs_and_polylines_become_strokes():
    drawing = drawing_from_geometry(
        {
            "entities": [
                {"type": "LINE", "start": [0, 0], "end": [10, 0]},
                {"type": "CIRCLE", "center": [5, 5], "radius": 2},
                {"type": "ARC", "center": [0, 0], "radius": 1, "start_angle": 350, "end_angle": 10},
                {"type": "LWPOLYLINE", "points": [[0, 0], [1, 0], [1, 1]], "closed": True},
                {"type": "TEXT", "text": "M8"},
            ]
        }
    )
    assert len(drawing.segments) == 4
    assert drawing.arcs[1, 4] - drawing.arcs[1, 3] == pytest.approx(math.radians(20))
    assert [t.value for t in drawing.texts] == ["M8"]


def test_a_block_is_placed_turned_and_scaled():
    drawing = drawing_from_geometry(
        {
            "entities": [
                {"type": "INSERT", "block": "B", "insert": [10, 0], "scale": [2, 2], "rotation": 90}
            ],
            "blocks": {"B": {"entities": [{"type": "LINE", "start": [1, 0], "end": [2, 0]}]}},
        }
    )
    assert np.allclose(drawing.segments, [[10, 2, 10, 4]])


def test_a_spline_runs_from_its_first_to_its_last_point():
    points = [[0, 0], [1, 3], [4, 3], [5, 0], [9, 1]]
    drawing = drawing_from_geometry(
        {"entities": [{"type": "SPLINE", "control_points": points, "degree": 3}]}
    )
    assert np.allclose(drawing.curves[0, :2], points[0])
    assert np.allclose(drawing.curves[-1, 2:], points[-1])


def test_what_is_not_read_is_counted():
    drawing = drawing_from_geometry({"entities": [{"type": "WIPEOUT"}, {"type": "LINE"}, 7]})
    assert [(f.code, f.count) for f in drawing.findings] == [("ENTITY_SKIPPED", 1)] * 3


@pytest.mark.parametrize("document", [[], 3, None, {"entities": "all"}])
def test_what_is_no_document_is_refused(document):
    with pytest.raises(DrawingError) as caught:
        drawing_from_geometry(document)
    assert caught.value.code == "GEOMETRY_INVALID"


def test_the_gateway_refuses_what_the_engine_would():
    """Its check imports nothing of the engine, which takes a while."""
    assert geometry.MOST_ENTITIES == MOST_ENTITIES
