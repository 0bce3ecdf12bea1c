"""Reading SVG through svgelements: shapes and paths as strokes, texts with anchors."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import ParseError

import numpy as np
import svgelements as svg

from dedup2d.drawing import Drawing, Text
from dedup2d.errors import DrawingError
from dedup2d.reading.budget import Meter
from dedup2d.reading.builder import DrawingBuilder
from dedup2d.reading.geometry import PIECES_PER_TURN, chain
from dedup2d.reading.outline import Pen, Point

MM_PER_PIXEL: Final = 25.4 / 96.0
_PHYSICAL = re.compile(r"(mm|cm|in|pt|pc|q)\s*$", re.IGNORECASE)
_ROUND: Final = 1e-6

# What svgelements lets through for attributes that are not as it expects.
_PARSER_ERRORS: Final = (
    ParseError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


def read(path: Path, meter: Meter) -> Drawing:
    """The drawing at ``path``: one unit is one pixel (1/96 inch), y up.

    ``unit_mm`` is known where the document has a physical size.
    Raises DrawingError ``BROKEN_DRAWING``.
    """
    builder = DrawingBuilder(meter)
    try:
        document = svg.SVG.parse(str(path), ppi=96.0, reify=True)
        for element in document.elements():
            meter.check_time()
            _element(element, builder)
    except _PARSER_ERRORS as error:
        raise DrawingError("BROKEN_DRAWING", "The SVG is damaged.") from error
    width = str((document.values or {}).get("attributes", {}).get("width", ""))
    unit = MM_PER_PIXEL if _PHYSICAL.search(width) else None
    return builder.build(format_name="svg", unit_mm=unit, sheet_names=("SVG",))


def _element(element: Any, builder: DrawingBuilder) -> None:
    if isinstance(element, svg.Text):
        _text(element, builder)
    elif isinstance(element, svg.Image):
        builder.find("ENTITY_SKIPPED", "Images inside the SVG are not read.")
    elif isinstance(element, svg.Shape) and _is_drawn(element):
        kind = type(element).__name__.upper()
        layer = str(element.values.get("class") or "") if element.values else ""
        pen = Pen()
        for segment in svg.Path(element).segments():
            _segment(segment, pen)
        pen.put(builder, builder.source(kind, layer, str(element.id or "")))


def _is_drawn(element: Any) -> bool:
    """Whether there is a stroke, or a fill that is not white; no paint at all means black."""
    values = element.values or {}
    if values.get("visibility") == "hidden" or values.get("display") == "none":
        return False
    stroke, fill = element.stroke, element.fill
    has_stroke = stroke is not None and stroke.value is not None
    if has_stroke:
        return True
    if fill is None:
        return True
    return fill.value is not None and fill.hex not in {"#fff", "#ffffff"}


def _segment(segment: Any, pen: Pen) -> None:
    if isinstance(segment, svg.Move):
        pen.move(_upright(segment.end))
    elif isinstance(segment, svg.Close):
        pen.close()
    elif isinstance(segment, svg.Line):
        pen.line(_upright(segment.end))
    elif isinstance(segment, svg.CubicBezier):
        pen.curve(*(_upright(p) for p in (segment.control1, segment.control2, segment.end)))
    elif isinstance(segment, svg.QuadraticBezier):
        start, middle, end = (_upright(p) for p in (segment.start, segment.control, segment.end))
        first = (
            start[0] + 2 * (middle[0] - start[0]) / 3,
            start[1] + 2 * (middle[1] - start[1]) / 3,
        )
        second = (end[0] + 2 * (middle[0] - end[0]) / 3, end[1] + 2 * (middle[1] - end[1]) / 3)
        pen.curve(first, second, end)
    elif isinstance(segment, svg.Arc):
        _arc(segment, pen)


def _upright(point: Any) -> Point:
    return (float(point.x), -float(point.y))


def _arc(arc: Any, pen: Pen) -> None:
    end = _upright(arc.end)
    radius, sweep = float(arc.rx), float(arc.sweep)
    if radius <= 0 or sweep == 0:
        pen.line(end)
        return
    if abs(radius - float(arc.ry)) <= _ROUND * radius:
        centre, start = _upright(arc.center), _upright(arc.start)
        begin = math.atan2(start[1] - centre[1], start[0] - centre[0])
        # The sweep counts clockwise where y points down, so it turns over with y.
        low = begin - sweep if sweep > 0 else begin
        span = min(abs(sweep), math.tau)
        pen.arc(np.array([[*centre, radius, low, low + span]]), end)
        return
    pieces = max(8, math.ceil(abs(sweep) / math.tau * PIECES_PER_TURN))
    points = [_upright(arc.point(k / pieces)) for k in range(pieces + 1)]
    pen.polyline(chain(np.array(points)), end)


def _text(element: Any, builder: DrawingBuilder) -> None:
    place = element.transform.point_in_matrix_space((element.x or 0.0, element.y or 0.0))
    matrix = element.transform
    size = float(element.font_size or 0.0) * math.hypot(matrix.c, matrix.d)
    turn = -math.degrees(math.atan2(matrix.b, matrix.a)) % 360.0
    x, y = _upright(place)
    builder.add_text(Text(str(element.text or ""), x, y, size, turn))
