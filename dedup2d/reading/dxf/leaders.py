"""LEADER: its line, and the arrowhead that its dimension style or the leader itself names."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from dedup2d.drawing.model import Floats
from dedup2d.reading.blocks import Placement
from dedup2d.reading.dxf.document import Document
from dedup2d.reading.dxf.group import Group
from dedup2d.reading.dxf.splines import fitted
from dedup2d.reading.dxf.tags import number, whole
from dedup2d.reading.geometry import chain
from dedup2d.reading.strokes import Strokes, joined

HALF_WIDTH: Final = 1 / 6  # of the length of the closed, filled arrowhead
CLOSED: Final = ""  # the arrowhead that no block is named for

_SIZE, _SCALE, _BLOCK = 41, 40, 341  # DIMASZ, DIMSCALE, DIMLDRBLK as group codes
_STANDARD_SIZE: Final = 0.18
_SPLINE: Final = 1


@dataclass(frozen=True, slots=True)
class _Arrow:
    """Length and block of an arrowhead; ``block`` is None where it is not known."""

    length: float
    block: str | None


def leaders(group: Group) -> Strokes:
    """Lines or curves, and closed arrowheads, owned by indices into the group's rows."""
    parts = []
    kinds, shown = group.flags(72), _arrows(group)
    for k, points in enumerate(_points(group)):
        if len(points) < 2:  # noqa: PLR2004  # no direction
            continue
        if kinds[k] == _SPLINE:
            parts.append(Strokes.free(chain(_smooth(points)), k))
        else:
            edges = chain(points)
            parts.append(Strokes.straight(edges, np.full(len(edges), k)))
        arrow = shown[k]
        if arrow is not None and arrow.block == CLOSED:
            parts.append(Strokes.free(_closed(points, arrow.length), k))
    return joined(parts)


def arrow_blocks(group: Group) -> list[tuple[int, Placement]]:
    """Row and placement of each arrowhead that is a block."""
    found = []
    shown = _arrows(group)
    for k, points in enumerate(_points(group)):
        arrow = shown[k]
        if arrow is None or not arrow.block or not _fits(points, arrow.length):
            continue
        x, y = (points[0] - points[1]) / np.hypot(*(points[0] - points[1])) * arrow.length
        placement = Placement(arrow.block, np.array([[x, -y], [y, x]]), points[0])
        found.append((int(group.rows[k]), placement))
    return found


def _points(group: Group) -> list[Floats]:
    vertices, entity = group.vertices(10)
    first = np.searchsorted(entity, np.arange(len(group.rows) + 1))
    return [vertices[first[k] : first[k + 1]] for k in range(len(group.rows))]


def _smooth(points: Floats) -> Floats:
    return fitted(points, points[1] - points[0], points[-1] - points[-2])


def _fits(points: Floats, length: float) -> bool:
    """AutoCAD leaves out an arrowhead if the first piece is not twice as long."""
    if len(points) < 2:  # noqa: PLR2004  # no direction
        return False
    return 0 < 2 * length < float(np.hypot(*(points[1] - points[0]))) < math.inf


def _closed(points: Floats, length: float) -> Floats:
    """(3, 4) edges of the filled arrowhead; free, as programs draw it a little otherwise."""
    if not _fits(points, length):
        return np.empty((0, 4))
    along = (points[1] - points[0]) / np.hypot(*(points[1] - points[0])) * length
    across = np.array([-along[1], along[0]]) * HALF_WIDTH
    corners = np.array([points[0], points[0] + along + across, points[0] + along - across])
    return chain(corners, closed=True)


def _arrows(group: Group) -> list[_Arrow | None]:
    """The arrowhead of each leader, None where it has none."""
    document = group.document
    styles, blocks = _styles(document), _block_names(document)
    has_arrow = group.flags(71) != 0
    has_arrow |= ~group.has(71)
    found: list[_Arrow | None] = []
    for k, (_, items) in enumerate(group.items()):
        if not has_arrow[k]:
            found.append(None)
            continue
        style = next((document.decoder(v).lower() for code, v in items if code == 3), "")  # noqa: PLR2004
        values = styles.get(style, {}) | _overrides(items)
        length = number(values.get(_SIZE, _STANDARD_SIZE)) * (
            number(values.get(_SCALE, 1.0)) or 1.0
        )
        handle = document.decoder(values.get(_BLOCK, b"")).lstrip("0").lower()
        found.append(_Arrow(length, blocks.get(handle) if handle else CLOSED))
    return found


def _styles(document: Document) -> dict[str, dict[int, Any]]:
    """What dimension styles say of arrowheads, by lower-case name."""
    found: dict[str, dict[int, Any]] = {}
    for items in _rows(document, "DIMSTYLE"):
        name = next((document.decoder(v).lower() for code, v in items if code == 2), "")  # noqa: PLR2004
        found[name] = {code: value for code, value in items if code in {_SIZE, _SCALE, _BLOCK}}
    return found


def _overrides(items: list[tuple[int, Any]]) -> dict[int, Any]:
    """What the leader itself says instead: 1070 names a variable, its value follows."""
    found = {}
    for (code, name), (_, value) in pairwise(items):
        if code == 1070 and (variable := whole(name)) in {_SIZE, _SCALE, _BLOCK}:  # noqa: PLR2004
            found[variable] = value
    return found


def _block_names(document: Document) -> dict[str, str]:
    """Lower-case names of blocks by their record's handle."""
    found = {}
    for items in _rows(document, "BLOCK_RECORD"):
        said = {code: document.decoder(value).lower() for code, value in items if code in {2, 5}}
        if said.get(2) in document.blocks:
            found[said.get(5, "").lstrip("0")] = said[2]
    return found


def _rows(document: Document, kind: str) -> list[list[tuple[int, Any]]]:
    if kind not in document.kinds:
        return []
    rows = np.flatnonzero(document.kind == document.kinds.index(kind))
    return [items for _, items in Group(document, rows).items()]
