"""Writes a plan as a DXF file, as one program or another would save it."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dedup2d.samples.plan import (
    Arc,
    Dimension,
    DimensionKind,
    Entity,
    Group,
    Hatch,
    Label,
    Layer,
    Line,
    Motion,
    Path,
    Plan,
    Solid,
)

if TYPE_CHECKING:
    from ezdxf.document import Drawing as Document

_STYLES: Final = {  # colour index, line type, line weight in 1/100 mm
    Layer.VISIBLE: (7, "CONTINUOUS", 50),
    Layer.HIDDEN: (3, "HIDDEN", 25),
    Layer.CENTER: (1, "CENTER", 18),
    Layer.DIMENSION: (2, "CONTINUOUS", 18),
    Layer.HATCH: (8, "CONTINUOUS", 13),
    Layer.BEND: (6, "PHANTOM", 25),
    Layer.TEXT: (2, "CONTINUOUS", 25),
    Layer.FRAME: (5, "CONTINUOUS", 35),
}
_PATTERNS: Final = {  # lengths in mm: total, then strokes and gaps
    "HIDDEN": [4.5, 3.0, -1.5],
    "CENTER": [14.0, 9.0, -1.5, 2.0, -1.5],
    "PHANTOM": [18.0, 9.0, -1.5, 2.0, -1.5, 2.0, -2.0],
}
_DIMENSION_TYPES: Final = {
    DimensionKind.LINEAR: 0,
    DimensionKind.DIAMETER: 3,
    DimensionKind.RADIUS: 4,
}
_BLOCK_EXCLUSIVE: Final = 32  # "the block of this DIMENSION belongs to it alone"
_INCHES, _MILLIMETRES = 1, 4  # $INSUNITS


@dataclass(frozen=True, slots=True)
class Saving:
    """How a program saves: ``version`` is R12, R2000, R2010 or R2018.

    ``exploded`` breaks blocks, polylines and dimensions into loose entities. ``shuffled_by``
    seeds another order of the entities. ``layer_prefix`` renames the layers. ``inches`` writes
    the same lengths in inches.
    """

    version: str = "R2010"
    exploded: bool = False
    shuffled_by: int | None = None
    layer_prefix: str = ""
    inches: bool = False


def dxf_text(plan: Plan, saving: Saving | None = None) -> str:
    """The whole file; the same plan and saving give the same text."""
    import ezdxf  # noqa: PLC0415  takes half a second, and only writing samples needs it

    how = saving or Saving()
    if how.inches:
        plan = tuple(entity.placed(Motion(1 / 25.4)) for entity in plan)
    if how.exploded:
        plan = tuple(piece for entity in plan for piece in exploded(entity))
    if how.shuffled_by is not None:
        order = np.random.default_rng(how.shuffled_by).permutation(len(plan))
        plan = tuple(plan[i] for i in order)
    before = ezdxf.options.write_fixed_meta_data_for_testing
    ezdxf.options.write_fixed_meta_data_for_testing = True  # no clock and no GUID in a sample
    try:
        document = _new_document(how)
        _Writer(document, how).write(plan)
        stream = StringIO()
        document.write(stream)
    finally:
        ezdxf.options.write_fixed_meta_data_for_testing = before
    return stream.getvalue()


def _new_document(how: Saving) -> Document:
    import ezdxf  # noqa: PLC0415  as in dxf_text

    log = logging.getLogger("ezdxf")
    before, log.disabled = log.disabled, True  # R12 has no units, and ezdxf says so each time
    try:
        return ezdxf.new(how.version, units=_INCHES if how.inches else _MILLIMETRES)
    finally:
        log.disabled = before


def exploded(entity: Entity) -> Iterable[Entity]:
    """The loose entities that EXPLODE leaves."""
    match entity:
        case Group():
            for member in entity.members:
                yield from exploded(
                    replace(member, tag="") if isinstance(member, Label) else member
                )
        case Path():
            yield from entity.strokes()
        case Dimension():
            yield from (*entity.strokes, entity.label)
        case _:
            yield entity


class _Writer:
    """Puts entities into an ezdxf document."""

    def __init__(self, document: Document, how: Saving) -> None:
        self._document = document
        self._how = how
        self._dimensions = 0
        self._blocks: dict[str, Group] = {}
        for name, pattern in _PATTERNS.items():
            if name not in document.linetypes:
                document.linetypes.add(name, pattern, description=name)
        for layer, (colour, linetype, weight) in _STYLES.items():
            attributes = {"color": colour, "linetype": linetype}
            if how.version != "R12":
                attributes["lineweight"] = weight
            document.layers.new(self._layer(layer), dxfattribs=attributes)

    def write(self, plan: Plan) -> None:
        """All entities into model space, in order."""
        space = self._document.modelspace()
        for entity in plan:
            self._put(space, entity)

    def _layer(self, layer: Layer) -> str:
        return f"{self._how.layer_prefix}{layer}"

    def _put(self, space: Any, entity: Entity) -> None:
        attributes = {"layer": self._layer(entity.layer)}
        match entity:
            case Line():
                space.add_line(_xy(entity.a), _xy(entity.b), attributes)
            case Arc(is_circle=True):
                space.add_circle(_xy(entity.center), entity.radius, attributes)
            case Arc():
                start, end = math.degrees(entity.start), math.degrees(entity.end)
                space.add_arc(_xy(entity.center), entity.radius, start, end, dxfattribs=attributes)
            case Path():
                self._put_path(space, entity, attributes)
            case Solid():
                a, b, c = (_xy(corner) for corner in entity.corners)
                space.add_solid([a, b, c, c], attributes)
            case Label():
                _put_label(space, entity, attributes)
            case Hatch():
                self._put_hatch(space, entity, attributes)
            case Dimension():
                self._put_dimension(space, entity, attributes)
            case Group():
                self._put_group(space, entity, attributes)

    def _put_path(self, space: Any, path: Path, attributes: dict[str, Any]) -> None:
        points = [(*_xy(point), bulge) for point, bulge in path.vertices]
        add = space.add_polyline2d if self._how.version == "R12" else space.add_lwpolyline
        add(points, format="xyb", close=path.closed, dxfattribs=attributes)

    def _put_hatch(self, space: Any, hatch: Hatch, attributes: dict[str, Any]) -> None:
        if self._how.version == "R12":
            return  # R12 knows no HATCH
        filled = space.add_hatch(color=8, dxfattribs=attributes)
        angle = math.radians(hatch.angle_deg)
        step = (-hatch.spacing * math.sin(angle), hatch.spacing * math.cos(angle))
        filled.set_pattern_fill(
            "ANSI31", scale=1.0, definition=[[hatch.angle_deg, (0, 0), step, []]]
        )
        for path in hatch.boundaries:
            points = [(*_xy(point), bulge) for point, bulge in path.vertices]
            filled.paths.add_polyline_path(points, is_closed=path.closed)

    def _put_dimension(self, space: Any, dimension: Dimension, attributes: dict[str, Any]) -> None:
        self._dimensions += 1
        name = f"*D{self._dimensions}"
        block = self._document.blocks.new(name)
        for stroke in (*dimension.strokes, dimension.label):
            self._put(block, stroke)
        kind = _DIMENSION_TYPES[dimension.kind] | _BLOCK_EXCLUSIVE
        middle = dimension.label.at
        attributes |= {"geometry": name, "dimtype": kind, "text_midpoint": _xy(middle)}
        attributes |= {"text": "" if dimension.text == "<>" else dimension.text}
        if self._how.version != "R12":
            attributes["actual_measurement"] = dimension.measured
        if dimension.kind is DimensionKind.LINEAR:
            first, second, line_at = dimension.anchors
            attributes |= {"defpoint": _xy(line_at), "angle": dimension.axis_deg}
            attributes |= {"defpoint2": _xy(first), "defpoint3": _xy(second)}
        else:
            attributes |= {"defpoint": _xy(dimension.anchors[0])}
            attributes |= {"defpoint4": _xy(dimension.anchors[1])}
        space.new_entity("DIMENSION", attributes)

    def _put_group(self, space: Any, group: Group, attributes: dict[str, Any]) -> None:
        name = self._block_name(group)
        back = Motion(shift=-group.at)
        if name not in self._document.blocks:
            block = self._document.blocks.new(name)
            for member in group.members:
                put = member.placed(back)
                if isinstance(put, Label) and put.tag:
                    block.add_attdef(put.tag, _xy(put.at), put.value, dxfattribs=self._look(put))
                else:
                    self._put(block, put)
        insert = space.add_blockref(name, _xy(group.at), attributes)
        for member in group.members:
            if isinstance(member, Label) and member.tag:
                insert.add_attrib(member.tag, member.value, _xy(member.at), self._look(member))

    def _look(self, label: Label) -> dict[str, Any]:
        layer = self._layer(label.layer)
        return {"layer": layer, "height": label.height, "rotation": label.rotation_deg}

    def _block_name(self, group: Group) -> str:
        known = self._blocks.setdefault(group.name, group)
        return group.name if known == group else f"{group.name}_{len(self._document.blocks)}"


def _put_label(space: Any, label: Label, attributes: dict[str, Any]) -> None:
    from ezdxf.enums import TextEntityAlignment  # noqa: PLC0415  as in dxf_text

    attributes |= {"height": label.height, "rotation": label.rotation_deg}
    text = space.add_text(label.value, dxfattribs=attributes)
    align = TextEntityAlignment.CENTER if label.centred else TextEntityAlignment.LEFT
    text.set_placement(_xy(label.at), align=align)


def _xy(point: complex) -> tuple[float, float]:
    return (point.real, point.imag)
