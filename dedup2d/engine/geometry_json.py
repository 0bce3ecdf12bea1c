"""Geometry JSON, version 2 (the predecessor's exchange format), as a Drawing.

Entities: LINE, CIRCLE, ARC (degrees), LWPOLYLINE and POLYLINE, ELLIPSE, SPLINE, TEXT, MTEXT,
DIMENSION, LEADER; an INSERT brings the entities of its block along. Other types are counted in a
finding.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from dedup2d.drawing.model import Drawing, Finding, Floats, Source, Text
from dedup2d.errors import DrawingError
from dedup2d.matching.shape import Complexes, Shape
from dedup2d.matching.similarity import Similarity

CURVE_PIECES: Final = 64
MOST_ENTITIES: Final = 500_000
LARGEST: Final = 1e12  # coordinates and radii beyond it leave no digits for a drawing
HIGHEST_DEGREE: Final = 25  # what CAD programs write; de Boor's recursion takes its square
DEEPEST: Final = 8

_Entity = Mapping[str, Any]


@dataclass
class _Collected:
    segments: list[Floats] = field(default_factory=list)
    arcs: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    curves: list[Floats] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    entities: int = 0


def drawing_from_geometry(document: Any) -> Drawing:
    """The Drawing that a geometry document describes.

    Raises DrawingError ``GEOMETRY_INVALID`` for what is no such document, and
    ``GEOMETRY_TOO_LARGE`` beyond half a million entities.
    """
    entities = document.get("entities") or [] if isinstance(document, dict) else None
    if not isinstance(entities, list):
        raise DrawingError(
            "GEOMETRY_INVALID", "The geometry JSON must be an object with a list of entities."
        )
    found = _Collected()
    blocks = document.get("blocks")
    _collect(entities, blocks if isinstance(blocks, dict) else {}, found, 0)
    if not found.texts:
        content = document.get("text_content")
        values = content if isinstance(content, list) else []
        found.texts += [Text(str(value), 0.0, 0.0) for value in values if isinstance(value, str)]
    findings = tuple(
        Finding("ENTITY_SKIPPED", f"{kind} is not read from geometry JSON.", count)
        for kind, count in sorted(found.skipped.items())
    )
    return _drawing(found, findings)


def _drawing(found: _Collected, findings: tuple[Finding, ...]) -> Drawing:
    segments = np.concatenate([*found.segments, np.empty((0, 4))])
    curves = np.concatenate([*found.curves, np.empty((0, 4))])
    arcs = np.array(found.arcs, np.float64).reshape(-1, 5)
    return Drawing(
        segments=segments,
        arcs=arcs,
        curves=curves,
        segment_source=np.zeros(len(segments), np.int32),
        arc_source=np.zeros(len(arcs), np.int32),
        curve_source=np.zeros(len(curves), np.int32),
        sources=(Source("GEOMETRY_JSON"),),
        texts=tuple(found.texts),
        findings=findings,
        format="geometry-json",
    )


def _collect(entities: list[Any], blocks: _Entity, found: _Collected, depth: int) -> None:
    for entity in entities:
        found.entities += 1
        if found.entities > MOST_ENTITIES:
            raise DrawingError(
                "GEOMETRY_TOO_LARGE", f"The geometry JSON has more than {MOST_ENTITIES} entities."
            )
        kind = str(entity.get("type", "?")).upper() if isinstance(entity, dict) else "?"
        try:
            if kind == "INSERT" and depth < DEEPEST:
                _insert(entity, blocks, found, depth)
            elif kind in _READERS:
                _READERS[kind](entity, found)
            else:
                found.skipped[kind] += 1
        except (LookupError, TypeError, ValueError, ArithmeticError):
            found.skipped[kind] += 1


def _insert(entity: _Entity, blocks: _Entity, found: _Collected, depth: int) -> None:
    block = blocks.get(str(entity.get("block")))
    parts = entity.get("block_entities")
    if not parts and isinstance(block, dict):
        parts = block.get("entities")
    if not isinstance(parts, list):
        found.skipped["INSERT"] += 1
        return
    inner = _Collected(entities=found.entities)
    _collect(parts, blocks, inner, depth + 1)
    sx, sy = (_number(v) for v in (entity.get("scale") or (1.0, 1.0))[:2])
    if not sx or abs(abs(sx) - abs(sy)) > 1e-9 * max(abs(sx), abs(sy)):
        found.skipped["INSERT"] += 1  # circles would become ellipses
        return
    turn = math.radians(_number(entity.get("rotation", 0.0))) + (math.pi if sx < 0 else 0.0)
    place = Similarity(
        abs(sx) * complex(math.cos(turn), math.sin(turn)),
        _point(entity["insert"]),
        mirrored=sx * sy < 0,
    )
    _place(inner, place, found)


def _place(inner: _Collected, place: Similarity, found: _Collected) -> None:
    arcs = np.array(inner.arcs, np.float64).reshape(-1, 5)
    empty = np.empty((0, 4))
    moved = place.move(Shape(np.concatenate([*inner.segments, empty]), arcs))
    found.segments.append(moved.segments)
    found.arcs += [tuple(row) for row in moved.arcs.tolist()]
    found.curves.append(place.move(Shape(np.concatenate([*inner.curves, empty]))).segments)
    for text in inner.texts:
        at = place.at(complex(text.x, text.y))
        found.texts.append(Text(text.value, at.real, at.imag, role=text.role))
    found.skipped += inner.skipped
    found.entities = inner.entities


def _number(value: Any) -> float:
    number = float(value)
    if not abs(number) < LARGEST:
        raise ValueError(value)
    return number


def _point(value: Any) -> complex:
    return complex(_number(value[0]), _number(value[1]))


def _path(points: Complexes) -> Floats:
    return np.column_stack([points[:-1].real, points[:-1].imag, points[1:].real, points[1:].imag])


def _line(entity: _Entity, found: _Collected) -> None:
    found.segments.append(_path(np.array([_point(entity["start"]), _point(entity["end"])])))


def _radius(entity: _Entity) -> float:
    radius = _number(entity["radius"])
    if radius <= 0:
        raise ValueError(radius)
    return radius


def _circle(entity: _Entity, found: _Collected) -> None:
    centre = _point(entity["center"])
    found.arcs.append((centre.real, centre.imag, _radius(entity), 0.0, math.tau))


def _arc(entity: _Entity, found: _Collected) -> None:
    centre = _point(entity["center"])
    start = math.radians(_number(entity["start_angle"]))
    span = (math.radians(_number(entity["end_angle"])) - start) % math.tau or math.tau
    radius = _radius(entity)
    found.arcs.append((centre.real, centre.imag, radius, start % math.tau, start % math.tau + span))


def _polyline(entity: _Entity, found: _Collected) -> None:
    points = [_point(p) for p in entity.get("points") or entity["vertices"]]
    if entity.get("closed"):
        points.append(points[0])
    found.segments.append(_path(np.array(points)))


def _ellipse(entity: _Entity, found: _Collected) -> None:
    centre, major = _point(entity["center"]), _point(entity["major"])
    start = _number(entity.get("start_param", 0.0))
    end = _number(entity.get("end_param", math.tau))
    if end <= start:
        end += math.tau
    t = np.linspace(start, end, CURVE_PIECES + 1)
    minor = 1j * major * _number(entity["ratio"])
    found.curves.append(_path(centre + major * np.cos(t) + minor * np.sin(t)))


def _spline(entity: _Entity, found: _Collected) -> None:
    """A clamped uniform B-spline by de Boor's recursion: knots are not part of the format."""
    control = np.array([_point(p) for p in entity["control_points"]])
    degree = min(int(entity.get("degree") or 3), len(control) - 1)
    if not 1 <= degree <= HIGHEST_DEGREE:
        raise ValueError(degree)
    inner = np.arange(1, len(control) - degree)
    last = len(control) - degree
    knots = np.concatenate([np.zeros(degree + 1), inner, np.full(degree + 1, last)]).astype(float)
    t = np.linspace(0, last, CURVE_PIECES + 1)
    span = np.clip(np.searchsorted(knots, t, "right") - 1, degree, len(control) - 1)
    d = np.stack([control[span - degree + j] for j in range(degree + 1)])
    for level in range(1, degree + 1):
        for j in range(degree, level - 1, -1):
            low = knots[span - degree + j]
            share = (t - low) / (knots[span + j - level + 1] - low)
            d[j] = (1 - share) * d[j - 1] + share * d[j]
    found.curves.append(_path(d[degree]))


def _text(entity: _Entity, found: _Collected) -> None:
    at = _point(entity.get("insert") or entity.get("position") or (0.0, 0.0))
    found.texts.append(Text(str(entity["text"]), at.real, at.imag))


def _dimension(entity: _Entity, found: _Collected) -> None:
    value = entity.get("value")
    measured = _number(value) if isinstance(value, int | float) else None
    text = str(entity.get("text") or ("" if measured is None else f"{measured:g}"))
    found.texts.append(Text(text, 0.0, 0.0, role="dimension", measured=measured))


_READERS: Final[dict[str, Callable[[_Entity, _Collected], None]]] = {
    "LINE": _line,
    "CIRCLE": _circle,
    "ARC": _arc,
    "LWPOLYLINE": _polyline,
    "POLYLINE": _polyline,
    "LEADER": _polyline,
    "ELLIPSE": _ellipse,
    "SPLINE": _spline,
    "TEXT": _text,
    "MTEXT": _text,
    "DIMENSION": _dimension,
}
