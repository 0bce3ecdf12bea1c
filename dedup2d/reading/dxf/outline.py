"""A DXF's sections, looked at before anything expensive is done with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from dedup2d.errors import DrawingError
from dedup2d.reading.budget import Meter

BINARY_MAGIC: Final = b"AutoCAD Binary DXF\r\n\x1a\0"

_EOL = rb"[ \t]*(?:\r\n|\r|\n)"
_ASCII_MARK = re.compile(
    rb"(?:^|[\r\n])[ \t]*0" + _EOL + rb"[ \t]*(SECTION|ENDSEC|EOF)(?=[ \t\r\n]|$)"
    rb"(?:" + _EOL + rb"[ \t]*2" + _EOL + rb"[ \t]*(\w+))?"
)
_BINARY_MARK = re.compile(rb"\0{1,2}(SECTION|ENDSEC|EOF)\0(?:\x02\0?(\w+)\0)?")
_ASCII_ENTITY = re.compile(rb"[\r\n][ \t]*0" + _EOL + rb"[ \t]*[A-Z3]")
_SIDE_SHOWS = frozenset({b"OBJECTS", b"THUMBNAILIMAGE", b"ACDSDATA", b"HEADER", b"CLASSES"})


@dataclass(frozen=True, slots=True)
class Section:
    """A section's name, where its content begins and ends, and whether it has an end mark."""

    name: bytes
    start: int
    end: int
    is_closed: bool


def sections(data: bytes) -> tuple[Section, ...]:
    """The sections of an ASCII or binary DXF, in order."""
    pattern = _BINARY_MARK if data.startswith(BINARY_MAGIC) else _ASCII_MARK
    found: list[Section] = []
    name, start = b"", -1
    for mark in pattern.finditer(data):
        if start >= 0:
            found.append(Section(name, start, mark.start(), is_closed=True))
            start = -1
        if mark[1] == b"SECTION":
            name, start = mark[2] or b"", mark.end()
        elif mark[1] == b"EOF":
            break
    if start >= 0:
        found.append(Section(name, start, len(data), is_closed=False))
    return tuple(found)


def check_outline(data: bytes, meter: Meter) -> None:
    """Refuse what breaks off before its geometry ends, and what has too much of it.

    Raises DrawingError ``TRUNCATED_DRAWING``, ``TOO_MANY_PRIMITIVES``.
    """
    found = sections(data)
    names = {section.name for section in found}
    last_is_open = bool(found) and not found[-1].is_closed
    if last_is_open and (b"ENTITIES" not in names or found[-1].name not in _SIDE_SHOWS):
        raise DrawingError(
            "TRUNCATED_DRAWING",
            f"The DXF breaks off in its section {found[-1].name.decode('latin-1')}: "
            "it has neither the end of the section nor the end of the file.",
        )
    for section in found:
        if section.name == b"ENTITIES":
            count = sum(1 for _ in _ASCII_ENTITY.finditer(data, section.start, section.end))
            meter.check_entities(count)
