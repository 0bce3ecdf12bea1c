"""What an overlay shows, before it is drawn as PNG, SVG or DXF."""

from __future__ import annotations

from dataclasses import dataclass, field

from dedup2d.drawing.model import Floats, no_arcs, no_segments
from dedup2d.report import Pose, Region, Relation, TextChange


@dataclass(frozen=True, slots=True)
class Strokes:
    """(n, 4) segments and (m, 5) arcs as in Drawing."""

    segments: Floats = field(default_factory=no_segments)
    arcs: Floats = field(default_factory=no_arcs)


@dataclass(frozen=True, slots=True)
class Overlay:
    """Query and match in the query's frame (drawing units, y up).

    ``added`` is what only the query has, ``removed`` what only the match has. ``unit_mm`` is what
    one unit of the frame measures; ``states_unit`` whether the query's own file says so, which a
    scan's does not.
    """

    query_name: str
    match_name: str
    relation: Relation
    similarity: float
    pose: Pose
    common: Strokes
    added: Strokes
    removed: Strokes
    regions: tuple[Region, ...] = ()
    text_changes: tuple[TextChange, ...] = ()
    unit_mm: float | None = None
    states_unit: bool = True


@dataclass(frozen=True, slots=True)
class Tile:
    """One overlay of a contact sheet, under what it is an example of."""

    heading: str
    overlay: Overlay
