"""Entities that put a block in place: INSERT, the dimensions, ACAD_TABLE; and MULTILEADER."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from dedup2d.drawing import Text, no_segments
from dedup2d.drawing.model import Floats
from dedup2d.reading.blocks import Grid, Placement
from dedup2d.reading.dxf.encoding import plain_mtext
from dedup2d.reading.dxf.group import Group
from dedup2d.reading.dxf.ocs import axes
from dedup2d.reading.dxf.splines import fitted
from dedup2d.reading.dxf.tags import number, whole
from dedup2d.reading.dxf.texts import measured
from dedup2d.reading.geometry import chain
from dedup2d.reading.strokes import Strokes, joined


def inserts(group: Group) -> list[tuple[int, Placement]]:
    """Row and placement of each INSERT."""
    names = names_of(group)
    scale = np.column_stack([group.number(code, 1.0) for code in (41, 42)])
    scale[scale == 0] = 1.0
    frames = axes(group.normal())[:, :2]
    turned = frames[:, :, :2] @ _rotations(np.radians(group.number(50)))
    matrices = turned * scale[:, None, :]
    shifts = np.einsum("nij,nj->ni", frames, group.point(10))
    steps = np.column_stack([group.number(44), group.number(45)])
    counts = np.maximum(np.column_stack([group.flags(70), group.flags(71)]), 1)
    usable = np.isfinite(matrices).all(axis=(1, 2)) & np.isfinite(shifts).all(axis=1)
    usable &= np.isfinite(steps).all(axis=1)
    found: list[tuple[int, Placement]] = []
    for k, row in enumerate(group.rows.tolist()):
        if not names[k] or not usable[k]:
            continue
        columns, rows = counts[k].tolist()
        grid = None
        if columns * rows > 1:
            across, up = turned[k, :, 0] * steps[k, 0], turned[k, :, 1] * steps[k, 1]
            grid = Grid(columns, rows, across, up)
        found.append((row, Placement(names[k], matrices[k], shifts[k], grid)))
    return found


def _rotations(angles: Floats) -> Floats:
    """(n, 2, 2) rotation matrices for (n,) radians."""
    cos, sin = np.cos(angles), np.sin(angles)
    return np.stack([np.stack([cos, -sin], axis=1), np.stack([sin, cos], axis=1)], axis=1)


def dimensions(group: Group) -> list[tuple[int, Placement]]:
    """Row and placement of each dimension's own block; its point 12 moves the block."""
    shift = group.point(12)
    values = measured(group)
    return [
        (row, replace(placement, role="dimension", measured=value))
        for (row, placement), value in zip(
            _placed(group, np.where(np.isfinite(shift), shift, 0.0)[:, :2]), values, strict=True
        )
        if placement.block
    ]


def tables(group: Group) -> list[tuple[int, Placement]]:
    """Row and placement of each ACAD_TABLE's block."""
    placed = _placed(group, group.point(10)[:, :2])
    return [(row, placement) for row, placement in placed if placement.block]


def _placed(group: Group, shift: Floats) -> list[tuple[int, Placement]]:
    names = names_of(group)
    return [
        (row, Placement(names[k], np.eye(2), shift[k])) for k, row in enumerate(group.rows.tolist())
    ]


def names_of(group: Group) -> list[str]:
    """The lower-case name of the block that each entity refers to."""
    document = group.document
    names = [""] * len(group.rows)
    for at in np.flatnonzero(group.codes == 2)[::-1].tolist():  # noqa: PLR2004  # group code
        names[int(group.entity[at])] = document.decoder(
            document.tags.values[int(group.places[at])]
        ).lower()
    return names


class _LeaderContext:
    """Follows the nested context data of one MULTILEADER, tag by tag."""

    def __init__(self) -> None:
        self._lines: list[tuple[list[Point], Point, Point]] = []
        self.text: Any = b""
        self.anchor = (0.0, 0.0)
        self.height = 0.0
        self.kind = 1  # 0 no leader lines, 1 straight, 2 splines
        self.has_dogleg = False
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
        elif code == 41:  # noqa: PLR2004  # group code of the text's height
            self.height = number(value)
        elif code == 22:  # noqa: PLR2004  # group code of the text's y
            self.anchor = (self._x, number(value))

    def edges(self) -> Floats:
        """(n, 4) the leader lines, each to its landing and along its dogleg."""
        found = [no_segments()]
        for points, landing, end in self._lines:
            line = [*points, *([landing] if self.has_dogleg or self.kind == _SPLINE else []), end]
            table = np.array(line[:-1] if self.kind == _SPLINE else line)
            if self.kind == _SPLINE:
                table = fitted(table, _UNKNOWN, _UNKNOWN)
            if self.kind:
                found.append(chain(table))
        return np.concatenate(found)


Point = tuple[float, float]
_SPLINE = 2
_UNKNOWN = np.array([np.nan, np.nan])
_OPENING = frozenset({b"CONTEXT_DATA{", b"LEADER{", b"LEADER_LINE{"})


def multileaders(group: Group) -> tuple[Strokes, list[tuple[int, Text]]]:
    """MULTILEADER: its leader lines to their landings, and its text."""
    parts, found = [], []
    decode = group.document.decoder.verbatim
    for k, (row, items) in enumerate(group.items()):
        context = _LeaderContext()
        for code, value in items:
            context.take(code, value)
        edges = context.edges()
        owner = np.full(len(edges), k)
        is_free = context.kind == _SPLINE
        parts.append(Strokes.free(edges, owner) if is_free else Strokes.straight(edges, owner))
        text = Text(
            plain_mtext(decode(context.text)),
            *context.anchor,
            context.height,
            layer=group.document.layer(row),
        )
        found.append((row, text))
    return joined(parts), found
