"""A plan as the Drawing that reading its file would give."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dedup2d.drawing.model import Drawing, Source, Text
from dedup2d.samples.plan import (
    Arc,
    Dimension,
    DimensionKind,
    Entity,
    Group,
    Hatch,
    Label,
    Line,
    Path,
    Plan,
    Solid,
)


def strokes(plan: Plan, *, unit_mm: float = 1.0) -> Drawing:
    """Segments, arcs and texts of a plan in drawing units of ``unit_mm`` millimetres each.

    Hatches give their boundaries: their lines say nothing more.
    """
    sources: dict[Source, int] = {}
    segments: list[tuple[float, float, float, float]] = []
    arcs: list[tuple[float, float, float, float, float]] = []
    owners: tuple[list[int], list[int]] = ([], [])
    texts: list[Text] = []
    for source, item in _items(plan):
        if isinstance(item, Text):
            texts.append(item)
            continue
        number = sources.setdefault(source, len(sources))
        if isinstance(item, Line):
            segments.append((item.a.real, item.a.imag, item.b.real, item.b.imag))
            owners[0].append(number)
        else:
            arcs.append((item.center.real, item.center.imag, item.radius, item.start, item.end))
            owners[1].append(number)
    return Drawing(
        segments=np.array(segments, np.float64).reshape(-1, 4),
        arcs=np.array(arcs, np.float64).reshape(-1, 5),
        segment_source=np.array(owners[0], np.int32),
        arc_source=np.array(owners[1], np.int32),
        sources=tuple(sources),
        texts=tuple(texts),
        unit_mm=unit_mm,
        sheet_names=("Model",),
        format="dxf",
    )


def _items(plan: Plan) -> Iterator[tuple[Source, Line | Arc | Text]]:
    for entity in plan:
        if isinstance(entity, Group):
            for member in entity.members:
                yield from _pieces(member, "INSERT/")
        else:
            yield from _pieces(entity, "")


def _pieces(entity: Entity, within: str) -> Iterator[tuple[Source, Line | Arc | Text]]:
    layer = str(entity.layer)
    match entity:
        case Line():
            yield Source(f"{within}LINE", layer), entity
        case Arc():
            kind = "CIRCLE" if entity.is_circle else "ARC"
            yield Source(f"{within}{kind}", layer), entity
        case Path():
            source = Source(f"{within}LWPOLYLINE", layer)
            yield from ((source, stroke) for stroke in entity.strokes())
        case Solid():
            source = Source(f"{within}SOLID", layer)
            yield from ((source, edge) for edge in _edges(entity))
        case Label():
            yield Source(f"{within}TEXT", layer), _text(entity)
        case Dimension():
            yield from _dimension(entity)
        case Hatch():
            source = Source(f"{within}HATCH", layer)
            for path in entity.boundaries:
                yield from ((source, stroke) for stroke in path.strokes())
        case Group():  # a block within a block: no sample has one
            return


def _dimension(dimension: Dimension) -> Iterator[tuple[Source, Line | Arc | Text]]:
    for stroke in dimension.strokes:
        yield from _pieces(stroke, "DIMENSION/")
    label = dimension.label
    yield (
        Source("DIMENSION", str(dimension.layer)),
        Text(
            label.value,
            label.at.real,
            label.at.imag,
            label.height,
            label.rotation_deg,
            role="dimension",
            measured=dimension.measured,
            tag="" if dimension.kind is DimensionKind.LINEAR else str(dimension.kind),
            layer=str(dimension.layer),
        ),
    )


def _edges(solid: Solid) -> Iterator[Line]:
    a, b, c = solid.corners
    for start, end in ((a, b), (b, c), (c, a)):
        yield Line(start, end, solid.layer)


def _text(label: Label) -> Text:
    return Text(
        label.value,
        label.at.real,
        label.at.imag,
        label.height,
        label.rotation_deg,
        role="attribute" if label.tag else "text",
        tag=label.tag,
        layer=str(label.layer),
    )
