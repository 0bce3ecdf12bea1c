"""HATCH and MPOLYGON: their boundaries, and the lines of their patterns beside them.

The boundary says what is hatched; the lines show it, and say nothing about the part.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from dedup2d.drawing import no_segments
from dedup2d.drawing.model import Floats
from dedup2d.reading.builder import TOO_DENSE, DrawingBuilder
from dedup2d.reading.dxf.group import Group
from dedup2d.reading.dxf.ocs import to_world
from dedup2d.reading.dxf.splines import fitted
from dedup2d.reading.dxf.tags import number
from dedup2d.reading.geometry import (
    TAU,
    bulged_chain,
    chain,
    ellipse_points,
    flatten_arcs,
    spline_points,
)
from dedup2d.reading.patterns import LineFamily, TooManyLinesError, pattern_lines
from dedup2d.reading.strokes import Strokes, joined

_POLYLINE: Final = 2
_EXTERNAL, _TEXT_BOX, _OUTERMOST = 1, 8, 16  # flags of paths
# By style (code 75), the paths that bound the pattern: islands are not hatched, or ignored.
_BOUNDING: Final = {1: _EXTERNAL | _OUTERMOST, 2: _EXTERNAL}


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


@dataclass(frozen=True, slots=True)
class _Path:
    """One boundary: its flags (code 92), and its strokes; ``closing`` (0 or 1, 4) is not drawn."""

    flags: int
    parts: list[Strokes]
    closing: Floats = field(default_factory=no_segments)

    def edges(self) -> Floats:
        """(e, 4) the closed outline as straight pieces."""
        strokes = joined(self.parts)
        chords = flatten_arcs(strokes.arcs)[0]
        return np.concatenate([strokes.segments, chords, strokes.curves, self.closing])


def hatches(group: Group, builder: DrawingBuilder) -> Strokes:
    """Boundary paths, and pattern lines beside them, owned by indices into the group's rows."""
    parts = []
    for k, (_, items) in enumerate(group.items()):
        cursor = _Cursor(items)
        paths = _boundary(cursor)
        lines = _pattern(cursor, paths, builder)
        strokes = joined(part for path in paths for part in path.parts)
        parts.append(
            Strokes(
                segments=strokes.segments,
                segment_owner=np.full(len(strokes.segments), k),
                arcs=strokes.arcs,
                arc_owner=np.full(len(strokes.arcs), k),
                curves=strokes.curves,
                curve_owner=np.full(len(strokes.curves), k),
                beside=lines,
                beside_owner=np.full(len(lines), k),
            )
        )
    if not parts:
        return Strokes()
    return to_world(joined(parts), group.normal(), group.number(30))


def _boundary(cursor: _Cursor) -> list[_Path]:
    """All paths; of a hatch that breaks off, those before the break."""
    found: list[_Path] = []
    try:
        for _ in range(cursor.count(91)):
            flags = int(cursor.until(92))
            if flags & _POLYLINE:
                found.append(_polyline(cursor, flags))
                continue
            path = _Path(flags, [])
            found.append(path)
            for _ in range(cursor.count(93)):
                path.parts.append(_edge(cursor))
    except (IndexError, ValueError, OverflowError):
        pass
    return found


def _pattern(cursor: _Cursor, paths: list[_Path], builder: DrawingBuilder) -> Floats:
    """(h, 4) lines of the pattern; none where it is not said, or is too dense."""
    try:
        style = int(cursor.until(75))
        families = [_family(cursor) for _ in range(cursor.count(78))]
        edges = [path.edges() for path in _filled(paths, style)]
        return pattern_lines(np.concatenate([no_segments(), *edges]), families)
    except TooManyLinesError:
        builder.find("HATCHING_TOO_DENSE", TOO_DENSE)
    except (IndexError, ValueError, OverflowError):
        pass
    return no_segments()


def _filled(paths: list[_Path], style: int) -> list[_Path]:
    """The paths that bound the pattern; all of them where none is marked as external."""
    shown = [path for path in paths if not path.flags & _TEXT_BOX]
    if style not in _BOUNDING:
        return shown
    return [path for path in shown if path.flags & _BOUNDING[style]] or shown


def _family(cursor: _Cursor) -> LineFamily:
    angle = math.radians(cursor.until(53))
    base, offset = (np.array([cursor.until(code), cursor.until(code + 1)]) for code in (43, 45))
    dashes = [cursor.until(49) for _ in range(cursor.count(79))]
    return LineFamily(angle, base, offset, np.array(dashes))


def _polyline(cursor: _Cursor, flags: int) -> _Path:
    cursor.until(72)
    is_closed = bool(cursor.optional(73, 1.0))
    rows = []
    for _ in range(cursor.count(93)):
        x, y = cursor.point(10)
        rows.append((x, y, cursor.optional(42, 0.0)))
    table = np.array(rows).reshape(-1, 3)
    segments, arcs = bulged_chain(table[:, :2], table[:, 2], closed=is_closed)
    closing = no_segments() if is_closed else chain(table[[-1, 0], :2])
    return _Path(flags, [Strokes(segments=segments, arcs=arcs)], closing)


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
