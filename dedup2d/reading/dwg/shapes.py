"""ezdwg's entities of fixed form as segments, arcs and curve pieces.

Each function takes an entity's values and gives ((n, 4) segments, (m, 5) arcs, (k, 4) curves)
and the height above the entity's plane.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing import no_arcs, no_segments
from dedup2d.drawing.model import Floats
from dedup2d.reading.bezier import beziers, is_bezier
from dedup2d.reading.dxf.meshes import grid_edges, polyface_edges
from dedup2d.reading.dxf.splines import fitted
from dedup2d.reading.geometry import (
    TAU,
    bulged_chain,
    chain,
    ellipse_points,
    round_ellipse,
    spline_points,
    without_zero_length,
)
from dedup2d.reading.patterns import LineFamily, pattern_lines

Values = Mapping[str, Any]
Shape = tuple[tuple[Floats, Floats, Floats], float]

_UNKNOWN: Final = np.array([np.nan, np.nan])
_INT16: Final = 1 << 16
_LARGEST_BEND: Final = math.radians(25)  # between two chords of one arc
_ALIKE: Final = 1.5  # lengths of two such chords


def _straight(segments: Floats, height: float = 0.0) -> Shape:
    return (segments, no_arcs(), no_segments()), height


def _points(values: Values, name: str = "points") -> Floats:
    rows = [(*point, 0.0, 0.0)[:3] for point in values.get(name) or ()]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def _line(values: Values) -> Shape:
    ends = [*values["start"][:2], *values["end"][:2]]
    return _straight(np.array([ends], dtype=np.float64))


def _circle(values: Values) -> Shape:
    x, y, z = (*values["center"], 0.0)[:3]
    arc = np.array([[x, y, abs(values["radius"]), 0.0, TAU]])
    return (no_segments(), arc, no_segments()), z


def _arc(values: Values) -> Shape:
    x, y, z = (*values["center"], 0.0)[:3]
    start, end = math.radians(values["start_angle"]), math.radians(values["end_angle"])
    end = start + ((end - start) % TAU or TAU)
    return (no_segments(), np.array([[x, y, abs(values["radius"]), start, end]]), no_segments()), z


def _lwpolyline(values: Values) -> Shape:
    points = _points(values)
    bulges = np.zeros(len(points))
    given = list(values.get("bulges") or ())[: len(points)]
    bulges[: len(given)] = given
    is_closed = bool(values.get("closed"))
    segments, arcs = bulged_chain(points[:, :2], bulges, closed=is_closed)
    height = values.get("elevation")
    if height is None:
        height = points[0, 2] if len(points) else 0.0
    return (segments, arcs, no_segments()), float(height)


def _polyline_3d(values: Values) -> Shape:
    points = _points(values)[:, :2]
    return _straight(without_zero_length(chain(points, closed=bool(values.get("closed")))))


def _polyface(values: Values) -> Shape:
    points = _points(values, "vertices")[:, :2]
    faces = np.array([(*face, 0, 0, 0, 0)[:4] for face in values["faces"]], np.int64).reshape(-1, 4)
    faces = np.where(faces >= _INT16 // 2, faces - _INT16, faces)  # signed, stored unsigned
    table = np.concatenate([points, np.zeros((len(faces), 2))])
    flags = np.concatenate([np.full(len(points), 192), np.full(len(faces), 128)])
    corners = np.concatenate([np.zeros((len(points), 4), np.int64), faces])
    return _straight(polyface_edges(table, flags, corners))


def _mesh(values: Values) -> Shape:
    points = _points(values, "points" if values.get("points") else "vertices")[:, :2]
    size = int(values.get("m_vertex_count") or 0), int(values.get("n_vertex_count") or 0)
    return _straight(grid_edges(points, size, int(values.get("flags") or 0)))


def _face(values: Values) -> Shape:
    points = _points(values)[:, :2]
    edges = chain(points, closed=True)
    unseen = int(values.get("invisible_edge_flags") or 0)
    drawn = (unseen >> np.arange(len(edges)) & 1) == 0
    return _straight(without_zero_length(edges[drawn]))


def _solid(values: Values) -> Shape:
    points = _points(values)
    order = [0, 1, 3, 2] if len(points) > 3 else list(range(len(points)))  # noqa: PLR2004
    height = float(points[0, 2]) if len(points) else 0.0
    return _straight(without_zero_length(chain(points[order, :2], closed=True)), height)


def _ellipse(values: Values) -> Shape:
    centre, major = np.array(values["center"]), np.array(values["major_axis"])
    normal = np.array(values.get("extrusion") or (0.0, 0.0, 1.0))
    size = float(np.linalg.norm(normal)) or 1.0
    minor = np.cross(normal / size, major) * values["axis_ratio"]
    start, end = float(values["start_angle"]), float(values["end_angle"])
    arc = round_ellipse(centre[:2], major[:2], minor[:2], start, end)
    if arc is not None:
        return (no_segments(), arc, no_segments()), 0.0
    points = ellipse_points(centre[:2], major[:2], minor[:2], start, end)
    return (no_segments(), no_arcs(), chain(points)), 0.0


def _spline(values: Values) -> Shape:
    control = _points(values, "control_points")[:, :2]
    if len(control) > 1:
        weights = np.array(values.get("weights") or (), dtype=np.float64)
        is_rational = len(weights) == len(control) and bool((weights > 0).all())
        knots = tuple(float(knot) for knot in values.get("knots") or ())
        degree = int(values.get("degree") or 3)
        if not is_rational and is_bezier(degree, np.array(knots), len(control)):
            bent = beziers(control[None])
            return (bent.segments, bent.arcs, bent.curves), 0.0
        points = spline_points(degree, knots, control, weights if is_rational else None)
    else:
        through = _points(values, "fit_points")[:, :2]
        if len(through) < 2:  # noqa: PLR2004  # nothing to join
            return _straight(no_segments())
        points = fitted(through, _UNKNOWN, _UNKNOWN, closed=bool(values.get("closed")))
    return (no_segments(), no_arcs(), chain(points)), 0.0


def _mline(values: Values) -> Shape:
    """The base line moved along the mitres; ezdwg does not give each element's offset."""
    points = _points(values)[:, :2]
    mitres = _points(values, "miter_directions")[:, :2]
    count = max(int(values.get("line_count") or 1), 1)
    scale = float(values.get("scale") or 1.0)
    top = {0: 0.0, 1: 0.5, 2: 1.0}.get(int(values.get("justification") or 0), 0.0)
    along = _points(values, "vertex_directions")[:, :2]
    if len(mitres) != len(points) or len(along) != len(points):
        return _straight(chain(points, closed=bool(values.get("closed"))))
    # A mitre is longer than the offset where the line turns: 1 / cos of half the turn.
    lean = np.abs(along[:, 0] * mitres[:, 1] - along[:, 1] * mitres[:, 0])
    reach = mitres / np.maximum(lean, 1e-6)[:, None]
    offsets = [(top - (k / max(count - 1, 1))) * scale for k in range(count)]
    is_closed = bool(values.get("closed"))
    lines = [chain(points + offset * reach, closed=is_closed) for offset in offsets]
    return _straight(np.concatenate(lines))


def _hatch(values: Values) -> Shape:
    """Boundaries; ezdwg gives their arcs as chords, which are told by the way they bend."""
    found = [no_segments()]
    bent = [no_segments()]
    for boundary in values.get("paths") or ():
        points = _points(boundary)[:, :2]
        edges = without_zero_length(chain(points, closed=bool(boundary.get("closed"))))
        is_chord = _chords(edges)
        found.append(edges[~is_chord])
        bent.append(edges[is_chord])
    strokes = np.concatenate(found), no_arcs(), np.concatenate(bent)
    return strokes, float(values.get("elevation") or 0.0)


def hatch_pattern(values: Values) -> Floats:
    """(h, 4) the pattern lines of a HATCH. Raises TooManyLinesError."""
    paths = values.get("paths") or ()
    edges = [chain(_points(path)[:, :2], closed=True) for path in paths]
    families = [
        LineFamily(
            math.radians(line["angle"]),
            np.array(line["base"], np.float64),
            np.array(line["offset"], np.float64),
            np.array(line["dashes"], np.float64),
        )
        for line in values.get("pattern_lines") or ()
        if not values.get("solid_fill")
    ]
    return pattern_lines(np.concatenate([no_segments(), *edges]), families)


def _chords(edges: Floats) -> NDArray[np.bool_]:
    """(n,) which edges of a ring lie among three that are alike and bend a little, one way."""
    if len(edges) < 4:  # noqa: PLR2004  # too few to tell
        return np.zeros(len(edges), bool)
    along = np.arctan2(edges[:, 3] - edges[:, 1], edges[:, 2] - edges[:, 0])
    turn = np.remainder(np.roll(along, -1) - along + math.pi, TAU) - math.pi  # at each end
    length = np.hypot(*(edges[:, 2:] - edges[:, :2]).T)
    ratio = np.roll(length, -1) / length
    is_bend = (np.abs(turn) > 1e-4) & (np.abs(turn) < _LARGEST_BEND)  # noqa: PLR2004  # radians
    is_bend &= (ratio > 1 / _ALIKE) & (ratio < _ALIKE)
    alike = is_bend & np.roll(is_bend, -1) & (turn * np.roll(turn, -1) > 0)  # of the next edge
    return np.asarray(alike | np.roll(alike, 1) | np.roll(alike, 2))


SHAPES: Final[dict[str, Callable[[Values], Shape]]] = {
    "LINE": _line,
    "CIRCLE": _circle,
    "ARC": _arc,
    "LWPOLYLINE": _lwpolyline,
    "POLYLINE_2D": _lwpolyline,
    "POLYLINE_3D": _polyline_3d,
    "POLYLINE_PFACE": _polyface,
    "POLYLINE_MESH": _mesh,
    "3DFACE": _face,
    "SOLID": _solid,
    "TRACE": _solid,
    "ELLIPSE": _ellipse,
    "SPLINE": _spline,
    "LEADER": _polyline_3d,
    "MLINE": _mline,
    "HATCH": _hatch,
}
