"""DXF through ezdxf: the fallback for what our own reader refuses, and the oracle in its tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import ezdxf
from ezdxf import recover

from dedup2d.drawing import MM_PER_UNIT, Drawing, Finding
from dedup2d.errors import DrawingError
from dedup2d.reading.budget import Meter
from dedup2d.reading.builder import DrawingBuilder
from dedup2d.reading.dxf.ezdxf_walk import PARSER_ERRORS, EntityWalker
from dedup2d.reading.sheets import side_by_side

_BEYOND: Final = "The DXF's structure is damaged beyond recovery."


def read_with_ezdxf(path: Path, meter: Meter) -> Drawing:
    """The drawing at ``path``. Raises DrawingError ``BROKEN_DRAWING`` and those of budgets."""
    document, was_recovered = _document(path)
    meter.check_time()
    try:
        drawing = _model_or_papers(document, meter)
    except DrawingError:
        raise
    except PARSER_ERRORS as error:  # what was loaded lacks what every drawing has
        raise DrawingError("BROKEN_DRAWING", _BEYOND) from error
    if was_recovered:
        mended = Finding("STRUCTURE_RECOVERED", "The file's structure was damaged and mended.")
        drawing = replace(drawing, findings=(*drawing.findings, mended))
    return drawing


def _model_or_papers(document: Any, meter: Meter) -> Drawing:
    drawing = _layout(document, document.modelspace(), "Model", meter)
    if not drawing.primitive_count:
        papers = [_layout(document, layout, layout.name, meter) for layout in _papers(document)]
        papers = [sheet for sheet in papers if sheet.primitive_count]
        drawing = side_by_side(papers) if papers else drawing
    return drawing


def _document(path: Path) -> tuple[Any, bool]:
    try:
        return ezdxf.readfile(path), False
    except PARSER_ERRORS:
        pass
    try:
        return recover.readfile(path)[0], True
    except PARSER_ERRORS as error:
        raise DrawingError("BROKEN_DRAWING", _BEYOND) from error


def _papers(document: Any) -> list[Any]:
    return [layout for layout in document.layouts if layout.name != "Model"]


def _layout(document: Any, layout: Any, name: str, meter: Meter) -> Drawing:
    builder = DrawingBuilder(meter)
    EntityWalker(builder, _hidden_layers(document)).walk(layout)
    units = document.header.get("$INSUNITS", 0)
    return builder.build(format_name="dxf", unit_mm=MM_PER_UNIT.get(units), sheet_names=(name,))


def _hidden_layers(document: Any) -> frozenset[str]:
    return frozenset(
        layer.dxf.name.lower() for layer in document.layers if layer.is_off() or layer.is_frozen()
    )
