"""Revisions as a designer makes them: the part changes, and its whole drawing follows."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

from dedup2d.report import Region, TextChange
from dedup2d.samples.dxf import exploded
from dedup2d.samples.milled import Bracket, Plate
from dedup2d.samples.parts import Part
from dedup2d.samples.plan import Box, Dimension, Entity, Label, Plan, extents
from dedup2d.samples.turned import Flange, Shaft

_NEAR: Final = 4.0  # mm: changed entities this close are one place


class Change(StrEnum):
    """What a revision changes."""

    HOLE_MOVED = "hole moved"
    HOLE_RESIZED = "hole resized"
    HOLE_ADDED = "hole added"
    SLOT_ADDED = "slot added"
    CHAMFER = "chamfer"


def revised(part: Part, change: Change) -> Part:
    """The next edition of a part; raises ValueError where a family has no such feature."""
    match part, change:
        case (Plate(), Change.CHAMFER):
            return replace(part, chamfer=part.corner + 6.0)
        case (Shaft(), Change.CHAMFER):
            return replace(part, chamfer=part.chamfer + 1.0)
        case (Flange(), Change.HOLE_RESIZED):
            return replace(part, bolt=part.bolt + 2.0)
        case (Flange(), Change.HOLE_ADDED):
            return replace(part, pins=(*part.pins, (part.hub * 0.58 * 1j ** (7 / 3), 6.0)))
        case (Flange() | Shaft(), _):
            pass
        case (_, Change.SLOT_ADDED):
            return replace(part, slots=(*part.slots, _slot(part)))
        case (_, Change.HOLE_MOVED | Change.HOLE_RESIZED | Change.HOLE_ADDED):
            return replace(part, holes=_holes(part.holes, change))
    raise ValueError(f"no {change} for {type(part).__name__}")


def _holes(
    holes: tuple[tuple[complex, float], ...], change: Change
) -> tuple[tuple[complex, float], ...]:
    at, size = holes[-1]
    match change:
        case Change.HOLE_MOVED:
            return (*holes[:-1], (at + complex(-5, 3), size))
        case Change.HOLE_RESIZED:
            return (*holes[:-1], (at, size + 2.0))
        case _:
            first = holes[0][0]
            return (*holes, (at + (first - at) * 0.5 + 6j, size))


def _slot(part: Any) -> tuple[complex, float, float, float]:
    if isinstance(part, Bracket):
        return (complex(part.foot * 0.45, part.depth * 0.78), 18.0, 6.0, 0.0)
    return (complex(part.width * 0.3, part.height * 0.62), 22.0, 7.0, 0.0)


def changed_boxes(before: Plan, after: Plan) -> tuple[Region, ...]:
    """Where the strokes of two plans in one frame differ; texts are ``changed_texts``."""
    old, new = _strokes(before), _strokes(after)
    boxes = [(extents([entity]), 1, 0) for entity in sorted(new - old, key=repr)]
    boxes += [(extents([entity]), 0, 1) for entity in sorted(old - new, key=repr)]
    clusters: list[tuple[Box, int, int]] = []
    for box in boxes:
        joined = box
        while near := [other for other in clusters if _close(joined[0], other[0])]:
            clusters = [other for other in clusters if other not in near]
            for other in near:
                joined = _union(joined, other)
        clusters.append(joined)
    return tuple(
        Region(min_x=b.min_x, min_y=b.min_y, max_x=b.max_x, max_y=b.max_y, added=a, removed=r)
        for b, a, r in sorted(clusters, key=repr)
    )


def changed_texts(before: Plan, after: Plan) -> tuple[TextChange, ...]:
    """Texts that only one plan has; those at one place are one change, position from ``after``."""
    old, new = _labels(before), _labels(after)
    return tuple(
        TextChange(before=old.get(at), after=new.get(at), x=at.real, y=at.imag)
        for at in sorted(old.keys() | new.keys(), key=repr)
        if old.get(at) != new.get(at)
    )


def with_text(plan: Plan, before: str, after: str) -> Plan:
    """The plan with one dimension text typed over; nothing else changes."""
    for number, entity in enumerate(plan):
        if isinstance(entity, Dimension) and entity.label.value == before:
            said = replace(entity, text=after, label=replace(entity.label, value=after))
            return (*plan[:number], said, *plan[number + 1 :])
    raise ValueError(f"no dimension says {before!r}")


def _strokes(plan: Plan) -> set[Entity]:
    return {p for entity in plan for p in exploded(entity) if not isinstance(p, Label)}


def _labels(plan: Plan) -> dict[complex, str]:
    pieces = (piece for entity in plan for piece in exploded(entity))
    return {piece.at: piece.value for piece in pieces if isinstance(piece, Label)}


def _close(a: Box, b: Box) -> bool:
    return (
        a.min_x - _NEAR <= b.max_x
        and b.min_x - _NEAR <= a.max_x
        and a.min_y - _NEAR <= b.max_y
        and b.min_y - _NEAR <= a.max_y
    )


def _union(a: tuple[Box, int, int], b: tuple[Box, int, int]) -> tuple[Box, int, int]:
    one, other = a[0], b[0]
    box = Box(
        min(one.min_x, other.min_x),
        min(one.min_y, other.min_y),
        max(one.max_x, other.max_x),
        max(one.max_y, other.max_y),
    )
    return box, a[1] + b[1], a[2] + b[2]
