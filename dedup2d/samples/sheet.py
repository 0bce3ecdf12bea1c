"""Sheets: frame with zones, title block, and the scale that makes a part fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from dedup2d.samples.plan import (
    Arc,
    Box,
    Group,
    Label,
    Layer,
    Line,
    Motion,
    Path,
    Plan,
    placed,
)

A4: Final = (297.0, 210.0)  # mm, landscape, ISO 216
A3: Final = (420.0, 297.0)
SCALES: Final = (0.5, 1.0, 2.0, 2.5, 5.0, 10.0)  # part mm per sheet mm, ISO 5455
BLOCK: Final = (180.0, 40.0)  # title block, ISO 7200


@dataclass(frozen=True, slots=True)
class TitleBlock:
    """What a title block says."""

    title: str
    number: str
    material: str = "S235JR"
    scale: str = "1:1"
    revision: str = "A"
    drawn_on: date = date(2019, 3, 14)
    drawn_by: str = "M. KELLER"
    sheet: str = "A4"
    firm: str = "NORDWERK MASCHINENBAU"


@dataclass(frozen=True, slots=True)
class Format:
    """A sheet size and the scale at which the part is drawn."""

    name: str
    size: tuple[float, float]
    scale: float

    @property
    def ratio(self) -> str:
        """The scale in words: 1:2, 2:1."""
        return f"1:{self.scale:g}" if self.scale >= 1 else f"{1 / self.scale:g}:1"


def format_for(width: float, height: float) -> Format:
    """The smallest sheet and largest scale that hold a part of this size with its dimensions.

    ``width`` and ``height`` are those of the views without dimensions, in mm.
    """
    for scale in SCALES:
        for name, size in (("A4", A4), ("A3", A3)):
            room = size[0] - 110, size[1] - 122
            if width / scale <= room[0] and height / scale <= room[1]:
                return Format(name, size, scale)
    return Format("A3", A3, SCALES[-1])


def on_frame(part: Plan, sheet: Format, block: TitleBlock, *, around: Box) -> Plan:
    """The part on a framed sheet whose lower left corner is the origin, ``around`` centred."""
    scale = sheet.scale
    width, height = (side * scale for side in sheet.size)
    room = Box(20 * scale, 10 * scale + BLOCK[1] * scale, width - 10 * scale, height - 10 * scale)
    moved = placed(part, Motion(shift=room.center - around.center))
    return (*moved, *frame(sheet), title_block(sheet, block))


def frame(sheet: Format) -> Plan:
    """Border, zone marks and centring marks (ISO 5457); outside edge at the origin."""
    width, height = sheet.size
    inner = Box(20, 10, width - 10, height - 10)
    outer = Box(15, 5, width - 5, height - 5)
    members: list[Line | Arc | Path | Label] = [
        _rectangle(Box(0, 0, width, height)),
        _rectangle(outer),
        _rectangle(inner),
    ]
    for i in range(6):
        x = inner.min_x + inner.width * i / 6
        for y, foot in ((inner.max_y, outer.max_y), (outer.min_y, inner.min_y)):
            if i:
                members.append(Line(complex(x, y), complex(x, foot), Layer.FRAME))
            at = complex(x + inner.width / 12, min(y, foot) + 1.2)
            members.append(Label(str(i + 1), at, 2.5, centred=True, layer=Layer.FRAME))
    for i in range(4):
        y = inner.min_y + inner.height * i / 4
        for x, foot in ((outer.min_x, inner.min_x), (inner.max_x, outer.max_x)):
            if i:
                members.append(Line(complex(x, y), complex(foot, y), Layer.FRAME))
            at = complex((x + foot) / 2, y + inner.height / 8)
            members.append(Label("DCBA"[i], at, 2.5, centred=True, layer=Layer.FRAME))
    group = Group(f"FRAME_{sheet.name}", 0, tuple(members))
    return (group.placed(Motion(sheet.scale)),)


def title_block(sheet: Format, block: TitleBlock) -> Group:
    """The title block in the lower right corner, its values as attributes."""
    right, y = sheet.size[0] - 10, 10.0
    x = right - BLOCK[0]
    rules = [
        (x, y + 40, right, y + 40), (x, y, x, y + 40), (x, y + 10, right, y + 10),
        (x, y + 20, x + 60, y + 20), (x, y + 30, x + 60, y + 30), (x + 60, y, x + 60, y + 40),
        (x + 30, y + 10, x + 30, y + 40), (x + 60, y + 25, right, y + 25), (x + 135, y, x + 135, y + 25),
        (x + 158, y, x + 158, y + 25), (x + 96, y, x + 96, y + 10), (x + 96, y + 25, x + 96, y + 40),
    ]  # fmt: skip
    members: list[Line | Arc | Path | Label] = [
        Line(complex(x0, y0), complex(x1, y1), Layer.FRAME) for x0, y0, x1, y1 in rules
    ]
    cells = [
        (0, 30, "DRAWN", "DATE", f"{block.drawn_on:%Y-%m-%d}", 2.5),
        (30, 30, "BY", "BY", block.drawn_by, 2.5),
        (0, 20, "CHECKED", "CHECKED", "J. ORT", 2.5),
        (30, 20, "TOLERANCES", "TOL", "ISO 2768-mK", 2.5),
        (0, 10, "SURFACE", "SURFACE", "Ra 6.3", 2.5),
        (30, 10, "PROJECTION", "PROJECTION", "FIRST ANGLE", 2.5),
        (0, 0, "MATERIAL", "MATERIAL", block.material, 3.5),
        (60, 25, "SCALE", "SCALE", block.scale, 5.0),
        (96, 25, "", "FIRM", block.firm, 4.0),
        (60, 10, "TITLE", "TITLE", block.title, 4.0),
        (135, 10, "SHEET", "SHEET", "1/1", 3.5),
        (158, 10, "SIZE", "SIZE", block.sheet, 3.5),
        (60, 0, "PROJECT", "PROJECT", "SERIES 40", 3.0),
        (96, 0, "DRAWING NO.", "NUMBER", block.number, 4.0),
        (135, 0, "REV", "REVISION", block.revision, 4.0),
        (158, 0, "STATE", "STATE", "RELEASED", 2.5),
    ]
    for dx, dy, caption, tag, value, height in cells:
        at = complex(x + dx + 1.5, y + dy)
        if caption:
            top = 12.0 if (dx, dy) in {(60, 25), (60, 10), (135, 10), (158, 10)} else 7.2
            members.append(Label(caption, at + top * 1j, 1.8, layer=Layer.FRAME))
        low = 0.5 * height if caption == "SCALE" else 1.6
        members.append(Label(value, at + low * 1j, height, layer=Layer.FRAME, tag=tag))
    return Group("TITLE_BLOCK", complex(right, y), tuple(members)).placed(Motion(sheet.scale))


def retitled(group: Group, **values: str) -> Group:
    """A title block with other values of its attributes, by tag."""
    members = tuple(
        replace(m, value=values[m.tag]) if isinstance(m, Label) and m.tag in values else m
        for m in group.members
    )
    return replace(group, members=members)


def _rectangle(box: Box) -> Path:
    corners = (
        complex(box.min_x, box.min_y),
        complex(box.max_x, box.min_y),
        complex(box.max_x, box.max_y),
        complex(box.min_x, box.max_y),
    )
    return Path(tuple((corner, 0.0) for corner in corners), layer=Layer.FRAME)
