"""Queries against a generated vault: what offices do to drawings, and what is true about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import cv2

from dedup2d.report import Pose, Relation
from dedup2d.samples.dxf import Saving, dxf_text
from dedup2d.samples.mutations import inverse, pose_of
from dedup2d.samples.parts import KINDS, Kind, Part, drawn, family, title_for
from dedup2d.samples.plan import Dimension, Group, Label, Motion, Plan, extents, placed
from dedup2d.samples.raster import rasterise
from dedup2d.samples.revisions import Change, changed_boxes, changed_texts, revised, with_text
from dedup2d.samples.schematic import schematic
from dedup2d.samples.sheet import TitleBlock, retitled
from dedup2d.samples.strokes import strokes
from dedup2d.samples.truth import QueryTruth

FLAT: Final = (Kind.GASKET, Kind.BLANK)  # often drawn without a frame, for the laser cutter
_STRANGER: Final = 7777  # seeds this far off belong to no part of a vault
_BROKEN_AT: Final = 0.62  # share of the file that is left


@dataclass(frozen=True, slots=True)
class Entry:
    """One drawing of the vault: the ``ordinal``-th of its kind."""

    kind: Kind
    seed: int
    ordinal: int

    @property
    def title(self) -> TitleBlock | None:
        """Its title block; None for a part without a frame."""
        if self.kind in FLAT and self.ordinal % 2 == 0:
            return None
        return title_for(self.kind, self.seed)

    @property
    def part(self) -> Part:
        """The part itself."""
        return family(self.kind, self.seed)

    @property
    def plan(self) -> Plan:
        """Its drawing."""
        return drawn(self.part, title=self.title)

    @property
    def path(self) -> str:
        """Where it lies below the folder: named after its drawing number."""
        return f"vault/{title_for(self.kind, self.seed).number}.dxf"


@dataclass(frozen=True, slots=True)
class Query:
    """What the file holds, and what is true about it beyond its name and vault file."""

    content: bytes
    truth: QueryTruth


@dataclass(frozen=True, slots=True)
class Recipe:
    """A query file, the part of the vault that it is made of, and how."""

    file: str
    done: str
    kind: Kind
    ordinal: int
    make: Callable[[Entry], Query]

    def query(self, entry: Entry) -> Query:
        """The query made of this entry; one that relates to nothing names no vault file."""
        made = self.make(entry)
        related = made.truth.relation is not None
        accepted = made.truth.accepted or ((made.truth.relation,) if related else ())
        known = {
            "file": f"queries/{self.file}",
            "done": self.done,
            "vault_file": entry.path if related else None,
            "accepted": accepted,
        }
        return Query(made.content, made.truth.model_copy(update=known))


def _copied(entry: Entry) -> Query:
    return _query(entry.plan, Relation.EXACT)


def _resaved(entry: Entry) -> Query:
    how = Saving("R2000", exploded=True, shuffled_by=entry.seed, layer_prefix="A-")
    motion = Motion(shift=300 - 120j)
    return _query(placed(entry.plan, motion), Relation.SAME, saving=how, motion=motion)


def _as_r12(entry: Entry) -> Query:
    return _query(entry.plan, Relation.SAME, saving=Saving("R12", shuffled_by=entry.seed))


def _in_inches(entry: Entry) -> Query:
    how = Saving("R2018", inches=True)
    return _query(entry.plan, Relation.SAME, saving=how, motion=Motion(1 / 25.4))


def _posed(pose: Pose, relation: Relation) -> Callable[[Entry], Query]:
    motion = Motion.of(pose)
    return lambda entry: _query(placed(entry.plan, motion), relation, motion=motion)


def _revised(change: Change) -> Callable[[Entry], Query]:
    def make(entry: Entry) -> Query:
        newer = drawn(revised(entry.part, change), title=entry.title, first=entry.part)
        return _revision(entry, _next_revision(newer))

    return make


def _retyped(entry: Entry) -> Query:
    texts = (e.label.value for e in entry.plan if isinstance(e, Dimension))
    fit = next(text for text in texts if text.endswith("H7"))
    return _revision(entry, with_text(entry.plan, fit, fit.replace("H7", "G6")))


def _retitled(entry: Entry) -> Query:
    return _revision(entry, _next_revision(entry.plan))


def _framed(entry: Entry) -> Query:
    framed = drawn(entry.part, title=title_for(entry.kind, entry.seed))
    motion = Motion(shift=_mark(framed) - _mark(entry.plan))
    return _query(framed, Relation.CONTAINS, motion=motion)


def _unframed(entry: Entry) -> Query:
    bare = drawn(entry.part, title=None)
    motion = Motion(shift=_mark(bare) - _mark(entry.plan))
    return _query(bare, Relation.CONTAINED, motion=motion)


def _with_others(entry: Entry) -> Query:
    """The part, turned by 90 degrees, in the first of four cells of a sheet."""
    others = [drawn(family(kind, entry.seed + _STRANGER), title=None) for kind in KINDS[:3]]
    plans = [placed(entry.plan, Motion(1j)), *others]
    boxes = [extents(plan) for plan in plans]
    wide = 25 + max(box.width for box in boxes)
    high = 25 + max(box.height for box in boxes)
    shifts = [
        complex(number % 2 * wide, number // 2 * high) - box.center
        for number, box in enumerate(boxes)
    ]
    sheet: Plan = ()
    for plan, shift in zip(plans, shifts, strict=True):
        sheet += placed(plan, Motion(shift=shift))
    return _query(sheet, Relation.CONTAINS, motion=Motion(1j, shifts[0]))


def _cropped(entry: Entry) -> Query:
    """The view to the left of the widest gap between two views."""
    part = [entity for entity in entry.plan if not isinstance(entity, Group)]
    boxes = sorted((extents([entity]) for entity in part), key=lambda box: box.min_x)
    reached = list(accumulate((box.max_x for box in boxes), max))
    gaps = [(box.min_x - end, end) for box, end in zip(boxes[1:], reached, strict=False)]
    edge = max(gaps)[1]
    return _query(tuple(e for e in part if extents([e]).max_x <= edge), Relation.CONTAINED)


def _scanned(entry: Entry) -> Query:
    picture = rasterise(strokes(entry.plan), skew_deg=1.4, noise=9.0, seed=entry.seed)
    encoded = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()
    accepted = (Relation.SAME, Relation.REVISION, Relation.SIMILAR)
    return Query(encoded, QueryTruth(file="", done="", relation=Relation.SAME, accepted=accepted))


def _diagram(entry: Entry) -> Query:
    return Query(_content(schematic(entry.seed)), QueryTruth(file="", done=""))


def _stranger(entry: Entry) -> Query:
    seed = entry.seed + _STRANGER
    plan = drawn(family(entry.kind, seed), title=title_for(entry.kind, seed))
    return Query(_content(plan), QueryTruth(file="", done=""))


def _broken(entry: Entry) -> Query:
    whole = _content(entry.plan)
    cut = whole[: int(len(whole) * _BROKEN_AT)]
    return Query(cut, QueryTruth(file="", done="", readable=False))


_TURNED: Final = Pose(rotation_deg=37.0, shift=(40.0, 25.0))
_OTHER_HAND: Final = Pose(rotation_deg=180.0, mirrored=True, shift=(250.0, 0.0))

RECIPES: Final = (  # those of the first of each kind are what the demo needs
    Recipe("resaved.dxf", "exploded, shuffled, moved, other layers", Kind.PLATE, 0, _resaved),
    Recipe("revision.dxf", "hole moved", Kind.BRACKET, 0, _revised(Change.HOLE_MOVED)),
    Recipe("broken.dxf", "truncated file", Kind.FLANGE, 0, _broken),
    Recipe("unrelated.dxf", "a circuit diagram", Kind.SHAFT, 0, _diagram),
    Recipe("rotated.dxf", "turned by 37 degrees", Kind.GASKET, 0, _posed(_TURNED, Relation.SAME)),
    Recipe(
        "mirrored.dxf",
        "the other hand, texts readable",
        Kind.BLANK,
        0,
        _posed(_OTHER_HAND, Relation.VARIANT),
    ),
    Recipe("exact.dxf", "byte copy", Kind.SHAFT, 0, _copied),
    Recipe("scan.png", "printed and scanned askew", Kind.PLATE, 1, _scanned),
    Recipe("revision-hole.dxf", "hole added", Kind.BRACKET, 1, _revised(Change.HOLE_ADDED)),
    Recipe("revision-resized.dxf", "bolts", Kind.FLANGE, 1, _revised(Change.HOLE_RESIZED)),
    Recipe("inch.dxf", "the same lengths in inches", Kind.SHAFT, 1, _in_inches),
    Recipe("cropped.dxf", "one view cut out", Kind.FLANGE, 3, _cropped),
    Recipe("revision-slot.dxf", "slot added", Kind.BLANK, 1, _revised(Change.SLOT_ADDED)),
    Recipe("revision-chamfer.dxf", "chamfer", Kind.PLATE, 2, _revised(Change.CHAMFER)),
    Recipe("retitled.dxf", "revision letter and date", Kind.BRACKET, 2, _retitled),
    Recipe("revision-text.dxf", "one dimension text", Kind.FLANGE, 2, _retyped),
    Recipe("unframed.dxf", "without its frame", Kind.SHAFT, 2, _unframed),
    Recipe("sheet.dxf", "on a sheet with three others", Kind.GASKET, 2, _with_others),
    Recipe("framed.dxf", "put on a framed sheet", Kind.BLANK, 2, _framed),
    Recipe("resaved-r12.dxf", "saved as R12", Kind.BRACKET, 3, _as_r12),
    Recipe("unrelated-framed.dxf", "another shaft, same frame", Kind.SHAFT, 3, _stranger),
    Recipe(
        "scaled.dxf",
        "1.5 times as large",
        Kind.BLANK,
        3,
        _posed(Pose(scale=1.5), Relation.VARIANT),
    ),
)


def _revision(entry: Entry, plan: Plan) -> Query:
    truth = QueryTruth(
        file="",
        done="",
        relation=Relation.REVISION,
        boxes=changed_boxes(entry.plan, plan),
        texts=changed_texts(entry.plan, plan),
    )
    return Query(_content(plan), truth)


def _query(
    plan: Plan,
    relation: Relation,
    *,
    saving: Saving | None = None,
    motion: Motion | None = None,
) -> Query:
    pose = pose_of(inverse(motion)) if motion else Pose()
    truth = QueryTruth(file="", done="", relation=relation, pose=pose)
    return Query(_content(plan, saving), truth)


def _content(plan: Plan, saving: Saving | None = None) -> bytes:
    old = saving is not None and saving.version in {"R12", "R2000"}
    return dxf_text(plan, saving).encode("cp1252" if old else "utf-8")


def _next_revision(plan: Plan) -> Plan:
    return tuple(
        retitled(e, REVISION="B", DATE="2024-02-19")
        if isinstance(e, Group) and e.name == "TITLE_BLOCK"
        else e
        for e in plan
    )


def _mark(plan: Plan) -> complex:
    """A point that every edition of a plan has: where its first note stands."""
    return next(entity.at for entity in plan if isinstance(entity, Label))
