"""An overlay as a DXF file, to be opened beside the drawings in a CAD program."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any, Final

from dedup2d.drawing.model import MM_PER_UNIT
from dedup2d.overlay import layout
from dedup2d.overlay.model import Overlay, Strokes
from dedup2d.overlay.wording import in_words

if TYPE_CHECKING:
    from ezdxf.document import Drawing as Document

LAYERS: Final = {  # name: colour index and true colour
    "COMMON": (8, layout.COMMON),
    "REMOVED": (1, layout.REMOVED),
    "ADDED": (5, layout.ADDED),
    "CHANGES": (30, layout.RING),
}
_WHOLE: Final = math.tau - 1e-9
_QUARTER: Final = math.tan(math.pi / 8)  # bulge of a quarter circle


def render_dxf(overlay: Overlay) -> bytes:
    """R2010 DXF in the query's frame and units, with a layer for each role.

    COMMON, REMOVED, ADDED hold lines, arcs and circles; CHANGES holds rings around the
    changed places and the changed texts where they stand. The same overlay gives the same bytes.
    """
    import ezdxf  # noqa: PLC0415  takes half a second, and only this format needs it

    before = ezdxf.options.write_fixed_meta_data_for_testing
    ezdxf.options.write_fixed_meta_data_for_testing = True  # no clock and no GUID
    try:
        document = ezdxf.new("R2010", units=_units(overlay.unit_mm))
        _fill(document, overlay)
        stream = io.StringIO()
        document.write(stream)
    finally:
        ezdxf.options.write_fixed_meta_data_for_testing = before
    return stream.getvalue().encode("utf-8", "surrogateescape")


def _fill(document: Document, overlay: Overlay) -> None:
    for name, (index, colour) in LAYERS.items():
        layer = document.layers.add(name, color=index)
        layer.rgb = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
    space = document.modelspace()
    _strokes(space, overlay.common, "COMMON")
    _strokes(space, overlay.removed, "REMOVED")
    _strokes(space, overlay.added, "ADDED")
    _changes(space, overlay)


def _strokes(space: Any, strokes: Strokes, layer: str) -> None:
    clean = layout.finite(strokes)
    look = {"layer": layer}
    for x0, y0, x1, y1 in clean.segments.tolist():
        space.add_line((x0, y0), (x1, y1), look)
    for x, y, radius, start, end in clean.arcs.tolist():
        if end - start >= _WHOLE:
            space.add_circle((x, y), radius, look)
        else:
            space.add_arc((x, y), radius, math.degrees(start), math.degrees(end), dxfattribs=look)


def _changes(space: Any, overlay: Overlay) -> None:
    box = layout.extents(overlay.common, overlay.added, overlay.removed)
    if box is None:
        return
    diagonal = math.hypot(box[2] - box[0], box[3] - box[1]) or 1.0
    margin, height = 0.01 * diagonal, 0.012 * diagonal
    look = {"layer": "CHANGES"}
    for number, region in enumerate(overlay.regions, start=1):
        x0, y0, x1, y1 = region.min_x, region.min_y, region.max_x, region.max_y
        if not all(map(math.isfinite, (x0, y0, x1, y1))):
            continue
        ring = _ring(x0 - margin, y0 - margin, x1 + margin, y1 + margin)
        space.add_lwpolyline(ring, format="xyb", close=True, dxfattribs=look)
        at = (x1 + margin, y1 + margin)
        space.add_text(str(number), height=height, dxfattribs=look).set_placement(at)
    for change in overlay.text_changes:
        if math.isfinite(change.x) and math.isfinite(change.y):
            words = in_words(change, 200).replace("→", "->")
            text = space.add_text(words.replace("%%", "% %"), height=height, dxfattribs=look)
            text.set_placement((change.x, change.y - 1.5 * height))


def _ring(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float, float]]:
    """Vertices x, y, bulge of a box with round corners; a circle if it is square."""
    r = min(x1 - x0, y1 - y0) / 2
    return [
        (x0 + r, y0, 0),
        (x1 - r, y0, _QUARTER),
        (x1, y0 + r, 0),
        (x1, y1 - r, _QUARTER),
        (x1 - r, y1, 0),
        (x0 + r, y1, _QUARTER),
        (x0, y1 - r, 0),
        (x0, y0 + r, _QUARTER),
    ]


def _units(unit_mm: float | None) -> int:
    """$INSUNITS of so many millimetres per unit; 0 if it is none of DXF's."""
    if unit_mm is None:
        return 0
    return next((code for code, mm in MM_PER_UNIT.items() if math.isclose(mm, unit_mm)), 0)
