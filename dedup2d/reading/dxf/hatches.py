"""HATCH and MPOLYGON: their boundaries; the pattern's lines say nothing about the part."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from dedup2d.drawing.model import Floats
from dedup2d.reading.dxf.group import Group
from dedup2d.reading.dxf.ocs import to_world
from dedup2d.reading.dxf.splines import fitted
from dedup2d.reading.dxf.tags import number
from dedup2d.reading.geometry import TAU, bulged_chain, chain, ellipse_points, spline_points
from dedup2d.reading.strokes import Strokes, joined

_POLYLINE: Final = 2


class _Cursor:
    """Reads the tags of one hatch in order. Raises IndexError at their end."""

    def __init__(self, items: list[tuple[int, Any]]) -> None:
        self._items = items
        self._at = 0

    def until(self, code: int) -> float:
        """The value of the next tag with ``code``; stands behind it then."""
        while self._items[self._at][0] != code:
            self._at += 1
        self._at += 1
        return number(self._items[self._at - 1][1])

    def count(self, code: int) -> int:
        """The same as a count."""
        value = self.until(code)
        if not 0 <= value <= len(self._items):
            raise IndexError("a count that cannot be")
        return int(value)

    def optional(self, code: int, default: float) -> float:
        """The value of the tag that stands here if it has ``code``."""
        if self._at < len(self._items) and self._items[self._at][0] == code:
            return self.until(code)
        return default

    def point(self, code: int) -> tuple[float, float]:
        """The point whose x has ``code``."""
        return self.until(code), self.until(code + 10)


def hatches(group: Group) -> Strokes:
    """Boundary paths, owned by indices into the group's rows."""
    parts = []
    for k, (_, items) in enumerate(group.items()):
        for strokes in _boundary(_Cursor(items)):
            owner = np.full(len(strokes.segments), k)
            arc_owner = np.full(len(strokes.arcs), k)
            curve_owner = np.full(len(strokes.curves), k)
            parts.append(
                Strokes(
                    strokes.segments, owner, strokes.arcs, arc_owner, strokes.curves, curve_owner
                )
            )
    if not parts:
        return Strokes()
    return to_world(joined(parts), group.normal(), group.number(30))


def _boundary(cursor: _Cursor) -> list[Strokes]:
    """Strokes of all paths; of a hatch that breaks off, those before the break."""
    found: list[Strokes] = []
    try:
        for _ in range(cursor.count(91)):
            flags = int(cursor.until(92))
            if flags & _POLYLINE:
                found.append(_polyline(cursor))
            else:
                found.extend(_edge(cursor) for _ in range(cursor.count(93)))
    except (IndexError, ValueError, OverflowError):
        pass
    return found


def _polyline(cursor: _Cursor) -> Strokes:
    cursor.until(72)
    is_closed = bool(cursor.optional(73, 1.0))
    rows = []
    for _ in range(cursor.count(93)):
        x, y = cursor.point(10)
        rows.append((x, y, cursor.optional(42, 0.0)))
    table = np.array(rows).reshape(-1, 3)
    segments, arcs = bulged_chain(table[:, :2], table[:, 2], closed=is_closed)
    return Strokes(segments=segments, arcs=arcs)


def _edge(cursor: _Cursor) -> Strokes:
    kind = int(cursor.until(72))
    return _EDGES.get(kind, _nothing)(cursor)


def _nothing(_: _Cursor) -> Strokes:
    return Strokes()


def _line(cursor: _Cursor) -> Strokes:
    return Strokes(segments=np.array([[*cursor.point(10), *cursor.point(11)]]))


def _arc(cursor: _Cursor) -> Strokes:
    x, y = cursor.point(10)
    radius = cursor.until(40)
    start, end = _span(cursor)
    return Strokes(arcs=np.array([[x, y, radius, start, end]]))


def _span(cursor: _Cursor) -> tuple[float, float]:
    """Start and end angle (radians), counter-clockwise; clockwise edges count the other way."""
    start, end = math.radians(cursor.until(50)), math.radians(cursor.until(51))
    if not cursor.optional(73, 1.0):
        start, end = -end, -start
    return start, start + ((end - start) % TAU or TAU)


def _ellipse(cursor: _Cursor) -> Strokes:
    centre, major = np.array(cursor.point(10)), np.array(cursor.point(11))
    ratio = cursor.until(40)
    minor = np.array([-major[1], major[0]]) * ratio
    start, end = (_parameter(angle, ratio) for angle in _span(cursor))
    return Strokes(curves=chain(ellipse_points(centre, major, minor, start, end)))


def _parameter(angle: float, ratio: float) -> float:
    """The ellipse's parameter at an angle as seen from the centre, in the same turn.

    Unlike an ELLIPSE's, a hatch edge's ends are angles: only so its edges meet.
    """
    turns = round(angle / TAU)
    inside = angle - turns * TAU
    return turns * TAU + math.atan2(math.sin(inside), math.cos(inside) * ratio)


def _spline(cursor: _Cursor) -> Strokes:
    degree = int(cursor.until(94))
    is_rational = bool(cursor.until(73))
    cursor.until(74)
    knots, controls = cursor.count(95), cursor.count(96)
    values = tuple(cursor.until(40) for _ in range(knots))
    points, weights = [], []
    for _ in range(controls):
        points.append(cursor.point(10))
        if is_rational:
            weights.append(cursor.optional(42, 1.0))
    through = [cursor.point(11) for _ in range(int(cursor.optional(97, 0.0)))]
    table: Floats = np.array(points).reshape(-1, 2)
    if len(table) > 1:
        weight = np.array(weights) if is_rational else None
        return Strokes(curves=chain(spline_points(degree, values, table, weight)))
    unknown = np.array([np.nan, np.nan])
    return Strokes(curves=chain(fitted(np.array(through).reshape(-1, 2), unknown, unknown)))


_EDGES: Final[dict[int, Callable[[_Cursor], Strokes]]] = {
    1: _line,
    2: _arc,
    3: _ellipse,
    4: _spline,
}
