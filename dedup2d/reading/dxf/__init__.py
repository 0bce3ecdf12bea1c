"""Reading DXF, ASCII and binary, R12 to R2018 and header-less exports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dedup2d.drawing import Drawing, Finding
from dedup2d.errors import DrawingError
from dedup2d.reading.budget import Meter
from dedup2d.reading.dxf.document import Document, open_document
from dedup2d.reading.dxf.layout import read_layout
from dedup2d.reading.dxf.tags import tokenise
from dedup2d.reading.sheets import side_by_side


def read(path: Path, meter: Meter) -> Drawing:
    """The drawing at ``path``: by our own reader, or by ezdxf where that finds no structure."""
    try:
        return read_bytes(path.read_bytes(), meter)
    except DrawingError as error:
        if error.code != "BROKEN_DRAWING":
            raise
        # ezdxf takes half a second to import, so it is imported only when it is needed.
        from dedup2d.reading.dxf.by_ezdxf import read_with_ezdxf  # noqa: PLC0415

        return read_with_ezdxf(path, meter)


def read_bytes(data: bytes, meter: Meter) -> Drawing:
    """The drawing in a DXF's bytes, by our own reader. Raises DrawingError only."""
    tags = tokenise(data, meter)
    meter.check_time()
    document = open_document(tags)
    low, high = document.entities
    meter.check_entities(high - low)
    drawing = read_layout(document, meter, name="Model")
    if not drawing.primitive_count:
        drawing = _paper_space(document, meter) or drawing
    return replace(drawing, findings=drawing.findings + _remarks(document))


def _paper_space(document: Document, meter: Meter) -> Drawing | None:
    """The layouts that show something: the active one lies in ENTITIES, others are blocks."""
    low, high = document.entities
    sheets = []
    if document.is_paper[low:high].any():
        sheets.append(read_layout(document, meter, name="Paper", paper=True))
    for name, block in document.blocks.items():
        if name.startswith("*paper_space") and block.stop > block.start:
            sheets.append(read_layout(document, meter, name=block.name, block=name))
    sheets = [sheet for sheet in sheets if sheet.primitive_count]
    return side_by_side(sheets) if sheets else None


def _remarks(document: Document) -> tuple[Finding, ...]:
    found = []
    if document.was_mended:
        found.append(Finding("STRUCTURE_RECOVERED", "The structure was damaged and was mended."))
    if document.decoder.guessed:
        message = f"Text that is not in the code page {document.decoder.encoding}."
        found.append(Finding("ENCODING_GUESSED", message, document.decoder.guessed))
    return tuple(found)
