"""TEXT, MTEXT, ATTRIB and TOLERANCE with their anchors; what a DIMENSION measures."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from dedup2d.drawing import Text
from dedup2d.reading.dxf.document import Document
from dedup2d.reading.dxf.encoding import plain_mtext, plain_text
from dedup2d.reading.dxf.group import Group
from dedup2d.reading.dxf.ocs import points_to_world
from dedup2d.reading.dxf.tags import number

DIMENSION_SORT: Final = 7  # the bits of code 70 that tell the sort
ANGULAR: Final = frozenset({2, 5})
_LINEAR, _ALIGNED, _DIAMETER, _RADIUS = 0, 1, 3, 4


def texts(group: Group) -> list[tuple[int, Text]]:
    """Row and Text of each TEXT, ATTRIB, MTEXT or TOLERANCE."""
    document = group.document
    anchors = group.point(10)
    in_plane = np.array(
        [document.kinds[k] in {"TEXT", "ATTRIB"} for k in document.kind[group.rows]]
    )
    normals = np.where(in_plane[:, None], group.normal(), np.array([0.0, 0.0, 1.0]))
    seen = points_to_world(anchors, normals)
    heights = group.number(40)
    found = []
    for k, (row, items) in enumerate(group.items()):
        kind = document.kinds[document.kind[row]]
        value, tag = _value(document, kind, items)
        text = Text(
            value=value,
            x=float(seen[k, 0]),
            y=float(seen[k, 1]),
            height=float(np.nan_to_num(heights[k])),
            rotation_deg=_rotation(kind, items),
            role="attribute" if kind == "ATTRIB" else "text",
            tag=tag,
            layer=document.layer(row),
        )
        found.append((row, text))
    return found


def _value(document: Document, kind: str, items: list[tuple[int, Any]]) -> tuple[str, str]:
    decode = document.decoder
    if kind in {"MTEXT", "TOLERANCE"}:
        raw = "".join(decode.verbatim(value) for code, value in items if code in {1, 3})
        return plain_mtext(raw), ""
    value = next((decode(v) for code, v in items if code == 1), "")
    tag = next((decode(v) for code, v in items if code == 2), "") if kind == "ATTRIB" else ""  # noqa: PLR2004
    return plain_text(value), tag


def _rotation(kind: str, items: list[tuple[int, Any]]) -> float:
    """Degrees, counter-clockwise; an MTEXT may give a direction instead."""
    first: dict[int, float] = {}
    for code, value in items:
        if code in {11, 21, 50}:
            first.setdefault(code, number(value))
    if kind == "MTEXT" and 50 not in first and 11 in first:  # noqa: PLR2004  # group codes
        angle = math.degrees(math.atan2(first.get(21, 0.0), first[11]))
    else:
        angle = first.get(50, 0.0)
    return angle % 360.0 if math.isfinite(angle) else 0.0


def measured(group: Group) -> list[float | None]:
    """What each DIMENSION measures: drawing units, or degrees for angles; None if unknown."""
    sort = group.flags(70) & DIMENSION_SORT
    stored = np.where(group.has(42), group.number(42), np.nan)
    points = {code: group.point(code)[:, :2] for code in (10, 13, 14, 15, 16)}
    angle = np.radians(group.number(50))
    values: list[float | None] = []
    for k in range(len(group.rows)):
        at = {code: column[k] for code, column in points.items()}
        value = _from_points(int(sort[k]), at, float(angle[k]))
        if int(sort[k]) not in ANGULAR and np.isfinite(stored[k]) and stored[k] >= 0:
            value = float(stored[k])
        elif value is None and np.isfinite(stored[k]):
            value = math.degrees(stored[k])
        values.append(value if value is not None and math.isfinite(value) else None)
    return values


def _from_points(sort: int, at: dict[int, Any], angle: float) -> float | None:
    if sort == _LINEAR:
        span = at[14] - at[13]
        return float(abs(span @ np.array([np.cos(angle), np.sin(angle)])))
    if sort == _ALIGNED:
        return float(np.hypot(*(at[14] - at[13])))
    if sort in {_DIAMETER, _RADIUS}:
        return float(np.hypot(*(at[15] - at[10])))
    if sort == 5:  # noqa: PLR2004  # angle at a vertex through two points
        return _between(at[13] - at[15], at[14] - at[15], at[10] - at[15])
    return None


def _between(first: Any, second: Any, inside: Any) -> float:
    """Degrees from ``first`` to ``second`` on the side where ``inside`` lies."""
    a, b, c = (math.atan2(v[1], v[0]) for v in (first, second, inside))
    sweep = (b - a) % math.tau
    if (c - a) % math.tau > sweep:
        sweep = math.tau - sweep
    return math.degrees(sweep)
