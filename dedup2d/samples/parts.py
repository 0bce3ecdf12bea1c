"""Parts of six families, each a function of its seed, with their revisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

import numpy as np

from dedup2d.drawing.model import Drawing
from dedup2d.samples.flat import Blank, Gasket
from dedup2d.samples.milled import Bracket, Plate
from dedup2d.samples.pen import Pen
from dedup2d.samples.plan import Plan, extents
from dedup2d.samples.sheet import Format, TitleBlock, format_for, on_frame
from dedup2d.samples.strokes import strokes
from dedup2d.samples.turned import Flange, Shaft

Part = Plate | Bracket | Flange | Shaft | Gasket | Blank


class Kind(StrEnum):
    """Families of parts."""

    PLATE = "plate"  # plates with holes, slots, pockets
    BRACKET = "bracket"  # angle brackets in three views
    FLANGE = "flange"  # hub flanges with a hatched section
    SHAFT = "shaft"  # stepped shafts
    GASKET = "gasket"  # flat gaskets
    BLANK = "blank"  # developed sheet metal


KINDS: Final = tuple(Kind)

_DESIGNERS: Final[dict[Kind, Callable[[np.random.Generator], Part]]] = {
    Kind.PLATE: Plate.designed,
    Kind.BRACKET: Bracket.designed,
    Kind.FLANGE: Flange.designed,
    Kind.SHAFT: Shaft.designed,
    Kind.GASKET: Gasket.designed,
    Kind.BLANK: Blank.designed,
}
_MATERIALS: Final = ("S235JR", "S355J2", "C45E", "42CrMo4", "EN AW-6082", "1.4301", "DC01")
_DRAUGHTSMEN: Final = ("M. KELLER", "A. NOWAK", "L. BRANDT", "S. IVERSEN", "T. OKAFOR")


def family(kind: str, seed: int) -> Part:
    """The part of a family that belongs to this seed."""
    which = Kind(kind)
    return _DESIGNERS[which](np.random.default_rng((KINDS.index(which), seed)))


def plan(kind: str, seed: int, *, frame: bool) -> Plan:
    """Its drawing at 1:1 in millimetres, on a framed sheet or without one."""
    return drawn(family(kind, seed), title=title_for(kind, seed) if frame else None)


def drawing(kind: str, seed: int, *, frame: bool) -> Drawing:
    """Its drawing as a reader would give it, in a millisecond or so and without a file."""
    return strokes(plan(kind, seed, frame=frame))


def title_for(kind: str, seed: int) -> TitleBlock:
    """What the title block of this part says; title, scale and sheet follow the part."""
    rng = np.random.default_rng((seed, KINDS.index(Kind(kind)), 1))
    return TitleBlock(
        title="",
        number=f"NW-{40 + KINDS.index(Kind(kind))}{seed % 10000:04d}",
        material=str(rng.choice(_MATERIALS)),
        drawn_on=date(2016, 1, 4) + timedelta(days=int(rng.integers(0, 2800))),
        drawn_by=str(rng.choice(_DRAUGHTSMEN)),
    )


def drawn(part: Part, *, title: TitleBlock | None, first: Part | None = None) -> Plan:
    """Any part on a sheet that fits; without a title no frame either.

    A revision is drawn on the sheet and at the place of its ``first`` edition.
    """
    sheet = sheet_for(first or part)
    plan = _views(part, sheet)
    if title is None:
        return plan
    said = replace(title, title=part.title, scale=sheet.ratio, sheet=sheet.name)
    around = extents(_views(first, sheet) if first else plan)
    return on_frame(plan, sheet, said, around=around)


def _views(part: Part, sheet: Format) -> Plan:
    pen = Pen(sheet.scale)
    part.drawn(pen)
    return pen.plan


def sheet_for(part: Part) -> Format:
    """The sheet that a part is drawn on. A revision keeps the sheet of the first edition."""
    pen = Pen(1e-3)  # dimensions and notes of no size: only the views count
    part.drawn(pen)
    box = extents(pen.plan)
    return format_for(box.width, box.height)
