"""MULTILEADER: leader lines with their landings and arrowheads, and the text."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from dedup2d.drawing import Text, no_segments
from dedup2d.drawing.model import Floats
from dedup2d.reading.dxf.encoding import plain_mtext
from dedup2d.reading.dxf.group import Group
from dedup2d.reading.dxf.leaders import HALF_WIDTH
from dedup2d.reading.dxf.splines import fitted
from dedup2d.reading.dxf.tags import number, whole
from dedup2d.reading.geometry import chain
from dedup2d.reading.strokes import Strokes, joined

Point = tuple[float, float]

_SPLINE: Final = 2
_UNKNOWN: Final = np.array([np.nan, np.nan])
_OPENING: Final = frozenset({b"CONTEXT_DATA{", b"LEADER{", b"LEADER_LINE{"})


class _LeaderContext:
    """Follows the nested context data of one MULTILEADER, tag by tag."""

    def __init__(self) -> None:
        self._lines: list[tuple[list[Point], Point, Point]] = []
        self.text: Any = b""
        self.anchor = (0.0, 0.0)
        self.height = 0.0
        self.kind = 1  # 0 no leader lines, 1 straight, 2 splines
        self.has_dogleg = False
        self.has_other_arrow = False
        self.arrow_size = 0.0
        self._inside: list[bytes] = []
        self._points: list[Point] = []
        self._landing: dict[int, float] = {}
        self._x = 0.0

    def take(self, code: int, value: Any) -> None:
        """The next tag."""
        if isinstance(value, bytes) and value.strip() in _OPENING:
            self._inside.append(value.strip())
            self._points = []
        elif code in {301, 303, 305} and self._inside:
            self._close(self._inside.pop())
        elif self._inside:
            self._in_context(code, value)
        elif code == 170:  # noqa: PLR2004  # group code of the sort of leader lines
            self.kind = whole(value)
        elif code == 291:  # noqa: PLR2004  # group code: whether there is a dogleg
            self.has_dogleg = bool(whole(value))
        elif code == 342:  # noqa: PLR2004  # group code of the arrowhead's block
            self.has_other_arrow = value.strip(b" 0\r") != b"" if isinstance(value, bytes) else True

    def _close(self, part: bytes) -> None:
        if part == b"LEADER_LINE{":
            at = self._landing
            landing = (at.get(10, 0.0), at.get(20, 0.0))
            x, y, length = at.get(11, 1.0), at.get(21, 0.0), at.get(40, 0.0)
            size = math.hypot(x, y) or 1.0
            end = (landing[0] + x / size * length, landing[1] + y / size * length)
            self._lines.append((self._points, landing, end))
        elif part == b"LEADER{":
            self._landing = {}

    def _in_context(self, code: int, value: Any) -> None:
        part = self._inside[-1]
        if part == b"LEADER{":
            if code in {10, 20, 11, 21, 40}:
                self._landing[code] = number(value)
        elif code in {10, 12}:
            self._x = number(value)
        elif part == b"LEADER_LINE{":
            if code == 20:  # noqa: PLR2004  # group code of y
                self._points.append((self._x, number(value)))
        elif code == 304:  # noqa: PLR2004  # group code of the text
            self.text = value
        elif code == 140:  # noqa: PLR2004  # group code of the arrowhead's size
            self.arrow_size = number(value)
        elif code == 41:  # noqa: PLR2004  # group code of the text's height
            self.height = number(value)
        elif code == 22:  # noqa: PLR2004  # group code of the text's y
            self.anchor = (self._x, number(value))

    def drawn(self) -> tuple[Floats, Floats]:
        """(n, 4) the leader lines, each to its landing and along its dogleg; (m, 4) arrowheads."""
        lines, arrows = [no_segments()], [no_segments()]
        for points, landing, end in self._lines if self.kind else ():
            if self.kind == _SPLINE:
                table = np.array([*points, landing])
            else:
                table = np.array([*points, *([landing] if self.has_dogleg else []), end])
            if not self.has_other_arrow:
                table, arrow = _with_arrow(table, self.arrow_size)
                arrows.append(arrow)
            lines.append(chain(_smooth(table) if self.kind == _SPLINE else table))
        return np.concatenate(lines), np.concatenate(arrows)


def _smooth(points: Floats) -> Floats:
    return fitted(points, _UNKNOWN, _UNKNOWN)


def _with_arrow(points: Floats, size: float) -> tuple[Floats, Floats]:
    """The line from the end of its closed arrowhead on, and the arrowhead's three edges.

    AutoCAD leaves it out where the first piece is not twice as long as the arrowhead.
    """
    if len(points) < 2:  # noqa: PLR2004  # no direction
        return points, no_segments()
    tip = points[0]
    ahead = points[1] - tip
    length = float(np.hypot(*ahead))
    if not 0 < 2 * size < length < math.inf:
        return points, no_segments()
    along = ahead / length * size
    across = np.array([-along[1], along[0]]) * HALF_WIDTH
    corners = np.array([tip, tip + along + across, tip + along - across])
    return np.concatenate([[tip + along], points[1:]]), chain(corners, closed=True)


def multileaders(group: Group) -> tuple[Strokes, list[tuple[int, Text]]]:
    """MULTILEADER: its leader lines, closed arrowheads, and its text."""
    parts, found = [], []
    decode = group.document.decoder.verbatim
    for k, (row, items) in enumerate(group.items()):
        context = _LeaderContext()
        for code, value in items:
            context.take(code, value)
        edges, arrows = context.drawn()
        owner = np.full(len(edges), k)
        is_free = context.kind == _SPLINE
        parts.append(Strokes.free(edges, owner) if is_free else Strokes.straight(edges, owner))
        # free: every program draws an arrowhead a little wider or narrower
        parts.append(Strokes.free(arrows, np.full(len(arrows), k)))
        text = Text(
            plain_mtext(decode(context.text)),
            *context.anchor,
            context.height,
            layer=group.document.layer(row),
        )
        found.append((row, text))
    return joined(parts), found
