"""The strokes and texts of one PDF page, through pdfium's page objects."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from dedup2d.drawing import Drawing, Text
from dedup2d.reading.budget import Meter
from dedup2d.reading.builder import DrawingBuilder
from dedup2d.reading.lettering import is_point, lettering
from dedup2d.reading.outline import Pen, Point
from dedup2d.reading.pdf.clip import clip, clip_box
from dedup2d.reading.pdf.dashes import joined_dashes
from dedup2d.reading.pdf.matrix import Matrix, matrix_of, times
from dedup2d.reading.pdf.words import Word, joined_words

MM_PER_POINT: Final = 25.4 / 72.0
_MAX_DEPTH: Final = 12  # of form objects in form objects
_WHITE: Final = 250
_POINT_SIZE: Final = 1.0  # points (a third of a millimetre): the dot that a plotter makes of one
_ROUNDING: Final = 0.01  # points: coordinates are written with two digits, or three


def read_page(page: pdfium.PdfPage, meter: Meter, name: str) -> Drawing:
    """One page, in points, turned as it is shown."""
    builder = DrawingBuilder(meter)
    text_page = page.get_textpage()
    words: list[Word] = []
    stroked, filled = Pen(), list[Pen]()
    for handle, matrix in _objects(page, _page_matrix(page)):
        kind = pdfium_c.FPDFPageObj_GetType(handle)
        if kind == pdfium_c.FPDF_PAGEOBJ_PATH:
            paint = _paint(handle)
            pen = _path(handle, matrix, meter) if paint is not Paint.NOT else Pen()
            box = clip_box(handle, matrix) if len(pen) else None
            if box is not None and clip(pen, box):
                builder.find("CLIPPED", "Paths that are cut off at their clip path.")
            if paint in _INKED and is_point(pen.contours, _POINT_SIZE):
                builder.find("ENTITY_NOT_DRAWN", "Points have no strokes.")
            elif paint is Paint.FILLED:
                filled.append(pen)
            else:
                stroked.take(pen)
            meter.check_entities(len(stroked))
        elif kind == pdfium_c.FPDF_PAGEOBJ_TEXT:
            word = _word(handle, text_page, matrix)
            if word is not None:
                words.append(word)
        elif kind == pdfium_c.FPDF_PAGEOBJ_SHADING:
            builder.find("ENTITY_SKIPPED", "Shadings are not read.")
    width, height = page.get_size()
    _put(builder, stroked, filled, math.hypot(width, height))
    for word in joined_words(words):
        text = Text(word.value, word.x, word.y, word.height, math.degrees(word.angle) % 360.0)
        builder.add_text(text)
    text_page.close()
    return builder.build(format_name="pdf", unit_mm=MM_PER_POINT, sheet_names=(name,))


def _page_matrix(page: pdfium.PdfPage) -> Matrix:
    """Turns the page as its /Rotate says (clockwise, in quarters)."""
    width, height = page.get_mediabox()[2], page.get_mediabox()[3]
    return {
        0: (1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
        90: (0.0, -1.0, 1.0, 0.0, 0.0, width),
        180: (-1.0, 0.0, 0.0, -1.0, width, height),
        270: (0.0, 1.0, -1.0, 0.0, height, 0.0),
    }[page.get_rotation() % 360]


def _objects(page: pdfium.PdfPage, matrix: Matrix) -> Iterator[tuple[Any, Matrix]]:
    """Every object that is no form, and the matrix of what contains it."""
    waiting = [
        (pdfium_c.FPDFPage_GetObject(page.raw, index), matrix, 0)
        for index in reversed(range(pdfium_c.FPDFPage_CountObjects(page.raw)))
    ]
    while waiting:
        handle, outer, depth = waiting.pop()
        if pdfium_c.FPDFPageObj_GetType(handle) != pdfium_c.FPDF_PAGEOBJ_FORM:
            yield handle, outer
        elif depth < _MAX_DEPTH:
            inner = times(matrix_of(handle), outer)
            waiting += [
                (pdfium_c.FPDFFormObj_GetObject(handle, index), inner, depth + 1)
                for index in reversed(range(pdfium_c.FPDFFormObj_CountObjects(handle)))
            ]


def _put(builder: DrawingBuilder, stroked: Pen, filled: list[Pen], diagonal: float) -> None:
    """Give the builder all strokes, dashes joined, and outlines of what is no lettering."""
    stroked.straight, rows = joined_dashes(stroked.straight)
    if rows:
        builder.find("DASHES_JOINED", "Lines that were plotted dash by dash.", rows)
    letters = 0
    for pen, is_letter in zip(
        filled, lettering([pen.contours for pen in filled], diagonal).tolist(), strict=True
    ):
        if is_letter:
            letters += len(pen.contours)
        else:
            stroked.take(pen)
    stroked.put(builder, builder.source("PATH"), rounding=_ROUNDING)
    if letters:
        builder.find("LETTERING_SKIPPED", "Outlines taken for lettering.", letters)


class Paint(Enum):
    """How a path is shown."""

    NOT = 0  # not at all, or white
    STROKED = 1  # its line only
    FILLED = 2  # what is inside only
    BOTH = 3


_INKED: Final = frozenset({Paint.FILLED, Paint.BOTH})


def _paint(handle: Any) -> Paint:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium_c.FPDFPath_GetDrawMode(handle, fill, stroke)
    if stroke.value:
        return Paint.BOTH if fill.value else Paint.STROKED
    channels = [ctypes.c_uint() for _ in range(4)]
    pdfium_c.FPDFPageObj_GetFillColor(handle, *channels)
    is_white = all(channel.value >= _WHITE for channel in channels[:3])
    is_filled = bool(fill.value) and not is_white and channels[3].value > 0
    return Paint.FILLED if is_filled else Paint.NOT


def _path(handle: Any, outer: Matrix, meter: Meter) -> Pen:
    a, b, c, d, e, f = times(matrix_of(handle), outer)
    x, y = ctypes.c_float(), ctypes.c_float()
    pen = Pen()
    controls: list[Point] = []
    for index in range(pdfium_c.FPDFPath_CountSegments(handle)):
        segment = pdfium_c.FPDFPath_GetPathSegment(handle, index)
        pdfium_c.FPDFPathSegment_GetPoint(segment, x, y)
        at = (a * x.value + c * y.value + e, b * x.value + d * y.value + f)
        kind = pdfium_c.FPDFPathSegment_GetType(segment)
        if kind == pdfium_c.FPDF_SEGMENT_MOVETO:
            pen.move(at)
        elif kind == pdfium_c.FPDF_SEGMENT_LINETO:
            pen.line(at)
        else:
            controls.append(at)
            if len(controls) == 3:  # noqa: PLR2004  # a cubic curve comes as three points
                pen.curve(*controls)
                controls = []
        if pdfium_c.FPDFPathSegment_GetClose(segment):
            pen.close()
        if index % 1000 == 0:
            meter.check_entities(len(pen))
            meter.check_time()
    return pen


def _word(handle: Any, text_page: pdfium.PdfTextPage, outer: Matrix) -> Word | None:
    size = pdfium_c.FPDFTextObj_GetText(handle, text_page.raw, None, 0)
    buffer = (ctypes.c_ushort * (size // 2 + 1))()
    pdfium_c.FPDFTextObj_GetText(handle, text_page.raw, buffer, size)
    value = bytes(buffer)[: max(size - 2, 0)].decode("utf-16-le", errors="replace")
    font_size = ctypes.c_float()
    pdfium_c.FPDFTextObj_GetFontSize(handle, font_size)
    if not value.strip():
        return None
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    pdfium_c.FPDFPageObj_GetBounds(handle, left, bottom, right, top)
    a, b, c, d, e, f = times(matrix_of(handle), outer)
    scale = math.hypot(a, b)
    angle = math.atan2(b, a)
    span = abs((right.value - left.value) * math.cos(angle))
    width = max(span, abs((top.value - bottom.value) * math.sin(angle)))
    return Word(
        value.strip(), e, f, font_size.value * math.hypot(c, d), angle, width if scale else 0.0
    )
