"""From a DWG's entities to a Drawing: drawn one by one, blocks put in place."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from dedup2d.drawing import MM_PER_UNIT, Drawing, Text, no_segments
from dedup2d.drawing.model import Floats
from dedup2d.reading.blocks import BlockExpander, Content, Grid, Placement, source_prefix
from dedup2d.reading.budget import Meter
from dedup2d.reading.builder import TOO_DENSE, DrawingBuilder
from dedup2d.reading.dwg.database import MODEL, DwgDatabase, DwgEntity
from dedup2d.reading.dwg.shapes import SHAPES, hatch_pattern
from dedup2d.reading.dxf.dimension_text import Overridden
from dedup2d.reading.dxf.encoding import plain_mtext, plain_text
from dedup2d.reading.dxf.ocs import axes, points_to_world, to_world
from dedup2d.reading.patterns import TooManyLinesError
from dedup2d.reading.strokes import Strokes, in_order, joined

_NESTED: Final = 1 << 40  # owners of strokes that come out of a block are raised by it
_TEXTS: Final = frozenset({"TEXT", "MTEXT", "ATTRIB", "TOLERANCE"})
_REFERENCES: Final = frozenset({"INSERT", "MINSERT"})
_NO_STROKES: Final = frozenset({"POINT", "VIEWPORT", "RAY", "XLINE"})
_STRUCTURE: Final = frozenset({"SEQEND", "ATTDEF"})  # nothing of a drawing
_IN_PLANE: Final = frozenset(
    {"CIRCLE", "ARC", "LWPOLYLINE", "POLYLINE_2D", "SOLID", "TRACE", "HATCH"}
)
# What a damaged entity's values do to code that expects numbers and points.
_VALUE_ERRORS: Final = (ValueError, TypeError, LookupError, ArithmeticError)


def read_layout(database: DwgDatabase, meter: Meter, *, name: str, block: str = MODEL) -> Drawing:
    """What is shown in model space, or in another block of the database."""
    builder = DrawingBuilder(meter)
    sheet = _Sheet(database, builder)
    expander = BlockExpander(sheet.content_of, builder, _NESTED)
    content = sheet.content_of(block)
    strokes = in_order(expander.expand(content)) if content else Strokes()
    _add(builder, strokes, sheet.owners)
    sheet.overridden.report(builder)
    for kind, count in database.undecoded.items():
        if kind == "SPATIAL_FILTER":
            builder.find("CLIP_SKIPPED", "Clipped block references are shown whole.", count)
        else:
            builder.find("ENTITY_SKIPPED", f"{kind} entities are not read.", count)
    unit = MM_PER_UNIT.get(database.insunits or 0)
    return builder.build(format_name="dwg", unit_mm=unit, sheet_names=(name,))


def _add(builder: DrawingBuilder, strokes: Strokes, owners: list[DwgEntity]) -> None:
    def sources(owner: Any) -> Any:
        used, back = np.unique(owner, return_inverse=True)
        found = []
        for number in used.tolist():
            entity = owners[number % _NESTED]
            prefix = source_prefix(number, _NESTED)
            found.append((prefix + entity.kind, entity.layer, entity.handle))
        return builder.add_sources(found)[back] if found else owner

    builder.add_segments(strokes.segments, sources(strokes.segment_owner))
    builder.add_arcs(strokes.arcs, sources(strokes.arc_owner))
    builder.add_curves(strokes.curves, sources(strokes.curve_owner))
    builder.add_hatching(strokes.beside, strokes.beside_owner)
    for text in strokes.texts:
        builder.add_text(text)


class _Sheet:
    """Draws the entities of a block; ``owners`` are all that were drawn so far."""

    def __init__(self, database: DwgDatabase, builder: DrawingBuilder) -> None:
        self._database = database
        self._builder = builder
        self.owners: list[DwgEntity] = []
        self.overridden = Overridden()

    def content_of(self, name: str) -> Content | None:
        """A block's own content, None for an unknown one."""
        entities = self._database.contents.get(name)
        if entities is None:
            return None
        parts: list[Strokes] = []
        placements: list[Placement] = []
        for entity in entities:
            if entity.is_hidden:
                self._builder.find("LAYER_HIDDEN", "Entities that are switched off or frozen.")
                continue
            try:
                self._draw(entity, parts, placements)
            except _VALUE_ERRORS:
                message = f"{entity.kind} entities that cannot be read."
                self._builder.find("ENTITY_BROKEN", message)
        base = self._database.bases.get(name, (0.0, 0.0))
        return Content(joined(parts), tuple(placements), base)

    def _draw(self, entity: DwgEntity, parts: list[Strokes], placements: list[Placement]) -> None:
        kind = entity.kind
        if kind in SHAPES:
            parts.append(self._shape(entity))
        elif kind in _TEXTS:
            parts.append(Strokes(texts=(_text(entity),)))
        elif kind in _REFERENCES:
            placements.append(_insert(entity))
        elif kind == "DIMENSION":
            placement = _dimension(entity)
            placements.append(placement)
            text = str(entity.values.get("text") or "")
            self.overridden.check(text, placement.measured, is_angle=_is_angle(entity))
        elif kind in _NO_STROKES:
            self._builder.find("ENTITY_NOT_DRAWN", f"{kind} entities have no strokes.")
        elif kind not in _STRUCTURE:
            self._builder.find("ENTITY_SKIPPED", f"{kind} entities are not read.")

    def _shape(self, entity: DwgEntity) -> Strokes:
        strokes, height = SHAPES[entity.kind](entity.values)
        zeros = [np.zeros(len(part), np.intp) for part in (strokes[0], strokes[1], strokes[2])]
        found = Strokes(strokes[0], zeros[0], strokes[1], zeros[1], strokes[2], zeros[2])
        if entity.kind == "HATCH":
            lines = self._pattern(entity)
            found = found.with_beside(lines, np.zeros(len(lines), np.intp))
        if entity.kind in _IN_PLANE:
            found = to_world(found, _normal(entity), np.array([height]))
        self.owners.append(entity)
        return found.owned_by(np.array([len(self.owners) - 1]))

    def _pattern(self, entity: DwgEntity) -> Floats:
        try:
            return hatch_pattern(entity.values)
        except TooManyLinesError:
            self._builder.find("HATCHING_TOO_DENSE", TOO_DENSE)
            return no_segments()


def _normal(entity: DwgEntity) -> Floats:
    normal = entity.values.get("extrusion") or (0.0, 0.0, 1.0)
    return np.array([normal], dtype=np.float64)


def _insert(entity: DwgEntity) -> Placement:
    values = entity.values
    turn = math.radians(values.get("rotation") or 0.0)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    frame = axes(_normal(entity))[0, :2]
    turned = frame[:, :2] @ rotation
    scale = np.diag([values.get("xscale") or 1.0, values.get("yscale") or 1.0])
    columns = max(int(values.get("column_count") or 1), 1)
    rows = max(int(values.get("row_count") or 1), 1)
    grid = None
    if columns * rows > 1:
        across = turned[:, 0] * float(values.get("column_spacing") or 0.0)
        up = turned[:, 1] * float(values.get("row_spacing") or 0.0)
        grid = Grid(columns, rows, across, up)
    shift = frame @ np.array(values["insert"], dtype=np.float64)
    return Placement(str(values["name"]).lower(), turned @ scale, shift, grid)


def _dimension(entity: DwgEntity) -> Placement:
    values = entity.values
    measured = values.get("actual_measurement")
    if measured is not None and _is_angle(entity):
        measured = math.degrees(measured)
    return Placement(
        block=str(values.get("anonymous_block_name") or "").lower(),
        matrix=np.eye(2),
        shift=np.zeros(2),
        role="dimension",
        measured=float(measured) if measured is not None and math.isfinite(measured) else None,
    )


def _is_angle(dimension: DwgEntity) -> bool:
    return str(dimension.values.get("dimtype", "")).startswith("ANG")


def _text(entity: DwgEntity) -> Text:
    values = entity.values
    point = np.array([values["insert"]], dtype=np.float64)
    if entity.kind in {"TEXT", "ATTRIB"}:
        place = points_to_world(point, _normal(entity))[0]
        value = plain_text(str(values.get("text") or ""))
        height = values.get("height")
    else:
        place = point[0]
        value = plain_mtext(str(values.get("raw_text") or values.get("text") or ""))
        height = values.get("char_height") or values.get("height")
    return Text(
        value=value,
        x=float(place[0]),
        y=float(place[1]),
        height=float(height or 0.0),
        rotation_deg=float(values.get("rotation") or 0.0) % 360.0,
        role="attribute" if entity.kind == "ATTRIB" else "text",
        tag=str(values.get("tag") or "") if entity.kind == "ATTRIB" else "",
        layer=entity.layer,
    )
