"""Generates a vault of drawings and queries against it, with the truth about each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2

from dedup2d.errors import RequestError
from dedup2d.report import Pose, Relation
from dedup2d.samples.dxf import Saving, dxf_text
from dedup2d.samples.mutations import inverse, pose_of
from dedup2d.samples.parts import (
    KINDS,
    Kind,
    Part,
    drawn,
    family,
    title_for,
)
from dedup2d.samples.plan import Dimension, Group, Label, Motion, Plan, extents, placed
from dedup2d.samples.raster import rasterise
from dedup2d.samples.revisions import Change, changed_boxes, changed_texts, revised, with_text
from dedup2d.samples.schematic import schematic
from dedup2d.samples.sheet import TitleBlock, retitled
from dedup2d.samples.strokes import strokes
from dedup2d.samples.truth import QueryTruth, Truth

LEAST: Final = 4 * len(KINDS)
FLAT: Final = (Kind.GASKET, Kind.BLANK)  # often drawn without a frame, for the laser cutter


def generate(folder: Path, *, seed: int = 7, parts: int = 24) -> Truth:
    """Write ``vault/*.dxf``, ``queries/*`` and ``truth.json`` below ``folder``.

    The same seed and number of parts give byte-identical files. ``parts`` is at least 24, so
    that each query comes from a part of its own.
    """
    if parts < LEAST:
        raise RequestError("INVALID_OPTIONS", f"parts: at least {LEAST}, got {parts}")
    entries = [Entry(KINDS[i % len(KINDS)], seed * 100 + i, i // len(KINDS)) for i in range(parts)]
    (folder / "vault").mkdir(parents=True, exist_ok=True)
    (folder / "queries").mkdir(exist_ok=True)
    for entry in entries:
        (folder / entry.path).write_text(dxf_text(entry.plan), encoding="utf-8", newline="\n")
    queries = []
    for content, truth in _Queries(entries, seed).all():
        (folder / truth.file).write_bytes(content)
        queries.append(truth)
    vault = tuple(entry.path for entry in entries)
    result = Truth(seed=seed, vault=vault, queries=tuple(queries))
    text = result.model_dump_json(indent=1) + "\n"
    (folder / "truth.json").write_text(text, encoding="utf-8", newline="\n")
    return result


@dataclass(frozen=True, slots=True)
class Entry:
    """One drawing of the vault."""

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


Query = tuple[bytes, QueryTruth]


class _Queries:
    """Makes the queries; each method yields content and truth."""

    def __init__(self, entries: list[Entry], seed: int) -> None:
        self._by_place = {(entry.kind, entry.ordinal): entry for entry in entries}
        self._seed = seed

    def all(self) -> Iterator[Query]:
        """Every query, in a fixed order."""
        yield from self._saved_again()
        yield from self._posed()
        yield from self._revised()
        yield from self._parts_of()
        yield from self._strangers()

    def _of(self, kind: Kind, ordinal: int) -> Entry:
        return self._by_place[kind, ordinal]

    def _saved_again(self) -> Iterator[Query]:
        entry = self._of(Kind.BRACKET, 1)
        yield _query(("exact.dxf", "byte copy"), entry, entry.plan, Relation.EXACT)
        entry = self._of(Kind.PLATE, 0)
        other = Saving("R2000", exploded=True, shuffled_by=self._seed, layer_prefix="A-")
        motion = Motion(shift=300 - 120j)
        yield _query(
            ("resaved.dxf", "exploded, shuffled, moved, other layers"),
            entry,
            placed(entry.plan, motion),
            Relation.SAME,
            saving=other,
            motion=motion,
        )
        entry = self._of(Kind.SHAFT, 1)
        old = Saving("R12", shuffled_by=self._seed)
        yield _query(
            ("resaved-r12.dxf", "saved as R12"), entry, entry.plan, Relation.SAME, saving=old
        )
        entry = self._of(Kind.SHAFT, 0)
        inches = Saving("R2018", inches=True)
        yield _query(
            ("inch.dxf", "the same lengths in inches"),
            entry,
            entry.plan,
            Relation.SAME,
            saving=inches,
            motion=Motion(1 / 25.4),
        )

    def _posed(self) -> Iterator[Query]:
        entry = self._of(Kind.GASKET, 0)
        motion = Motion.of(Pose(rotation_deg=37.0, shift=(40.0, 25.0)))
        yield _moved("rotated.dxf", "turned by 37 degrees", entry, motion, Relation.SAME)
        entry = self._of(Kind.BLANK, 0)
        motion = Motion.of(Pose(rotation_deg=180.0, mirrored=True, shift=(250.0, 0.0)))
        yield _moved(
            "mirrored.dxf", "the other hand, texts readable", entry, motion, Relation.VARIANT
        )
        entry = self._of(Kind.GASKET, 2)
        yield _moved("scaled.dxf", "1.5 times as large", entry, Motion(1.5), Relation.VARIANT)

    def _revised(self) -> Iterator[Query]:
        for name, kind, ordinal, change in (
            ("revision.dxf", Kind.PLATE, 1, Change.HOLE_MOVED),
            ("revision-resized.dxf", Kind.FLANGE, 1, Change.HOLE_RESIZED),
            ("revision-hole.dxf", Kind.BRACKET, 2, Change.HOLE_ADDED),
            ("revision-slot.dxf", Kind.BLANK, 1, Change.SLOT_ADDED),
            ("revision-chamfer.dxf", Kind.PLATE, 2, Change.CHAMFER),
        ):
            entry = self._of(kind, ordinal)
            newer = drawn(revised(entry.part, change), title=entry.title, first=entry.part)
            yield _revision(name, str(change), entry, _next_revision(newer))
        entry = self._of(Kind.FLANGE, 2)
        bore = next(t for t in _dimension_texts(entry.plan) if t.endswith("H7"))
        typed = with_text(entry.plan, bore, bore.replace("H7", "G6"))
        yield _revision("revision-text.dxf", "one dimension text", entry, typed)
        entry = self._of(Kind.BRACKET, 3)
        yield _revision("retitled.dxf", "revision letter", entry, _next_revision(entry.plan))

    def _parts_of(self) -> Iterator[Query]:
        entry = self._of(Kind.BLANK, 2)
        framed = drawn(entry.part, title=title_for(entry.kind, entry.seed))
        shift = _corner(framed) - _corner(entry.plan)
        yield _query(
            ("framed.dxf", "put on a framed sheet"),
            entry,
            framed,
            Relation.CONTAINS,
            motion=Motion(shift=shift),
        )
        entry = self._of(Kind.SHAFT, 2)
        bare = drawn(entry.part, title=None)
        motion = Motion(shift=_corner(bare) - _corner(entry.plan))
        yield _query(
            ("unframed.dxf", "without its frame"),
            entry,
            bare,
            Relation.CONTAINED,
            motion=motion,
        )
        entry = self._of(Kind.GASKET, 2)
        motion = Motion(1j, 400 + 30j)
        others = [drawn(family(kind, self._seed + 9000), title=None) for kind in KINDS[:3]]
        sheet = placed(entry.plan, motion)
        for number, other in enumerate(others):
            sheet += placed(
                other, Motion(shift=complex(-60 + 480 * (number % 2), 420 - 700 * (number // 2)))
            )
        yield _query(
            ("sheet.dxf", "on a sheet with three others"),
            entry,
            sheet,
            Relation.CONTAINS,
            motion=motion,
        )
        entry = self._of(Kind.PLATE, 3)
        kept = tuple(e for e in entry.plan if not isinstance(e, Group))
        half = extents(kept).center.real
        cropped = tuple(e for e in kept if extents([e]).max_x < half + extents(kept).width * 0.2)
        yield _query(("cropped.dxf", "one view cut out"), entry, cropped, Relation.CONTAINED)

    def _strangers(self) -> Iterator[Query]:
        plan = schematic(self._seed)
        yield (
            _content(plan, Saving()),
            QueryTruth(file="queries/unrelated.dxf", done="a circuit diagram"),
        )
        stranger = family(Kind.SHAFT, self._seed + 7777)
        framed = drawn(stranger, title=title_for(Kind.SHAFT, self._seed + 7777))
        yield (
            _content(framed, Saving()),
            QueryTruth(file="queries/unrelated-framed.dxf", done="another shaft on the same frame"),
        )
        whole = _content(self._of(Kind.FLANGE, 0).plan, Saving())
        cut = whole[: int(len(whole) * 0.62)]
        yield cut, QueryTruth(file="queries/broken.dxf", done="truncated file", readable=False)
        entry = self._of(Kind.PLATE, 3)
        picture = rasterise(strokes(entry.plan), skew_deg=1.4, noise=9.0, seed=self._seed)
        encoded = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()
        accepted = (Relation.SAME, Relation.REVISION, Relation.SIMILAR)
        yield (
            encoded,
            _truth("scan.png", "printed and scanned askew", entry, Relation.SAME, accepted),
        )


def _moved(name: str, done: str, entry: Entry, motion: Motion, relation: Relation) -> Query:
    plan = placed(entry.plan, motion)
    return _query((name, done), entry, plan, relation, motion=motion)


def _revision(name: str, done: str, entry: Entry, plan: Plan) -> Query:
    truth = _truth(name, done, entry, Relation.REVISION).model_copy(
        update={
            "boxes": changed_boxes(entry.plan, plan),
            "texts": changed_texts(entry.plan, plan),
        }
    )
    return _content(plan, Saving()), truth


def _query(
    names: tuple[str, str],
    entry: Entry,
    plan: Plan,
    relation: Relation,
    *,
    saving: Saving | None = None,
    motion: Motion | None = None,
) -> Query:
    truth = _truth(*names, entry, relation)
    if motion is not None:
        truth = truth.model_copy(update={"pose": pose_of(inverse(motion))})
    return _content(plan, saving or Saving()), truth


def _truth(
    name: str, done: str, entry: Entry, relation: Relation, accepted: tuple[Relation, ...] = ()
) -> QueryTruth:
    return QueryTruth(
        file=f"queries/{name}",
        done=done,
        vault_file=entry.path,
        relation=relation,
        accepted=accepted or (relation,),
    )


def _content(plan: Plan, saving: Saving) -> bytes:
    encoding = "utf-8" if saving.version in {"R2010", "R2018"} else "cp1252"
    return dxf_text(plan, saving).encode(encoding)


def _next_revision(plan: Plan) -> Plan:
    return tuple(
        retitled(e, REVISION="B", DATE="2024-02-19")
        if isinstance(e, Group) and e.name == "TITLE_BLOCK"
        else e
        for e in plan
    )


def _dimension_texts(plan: Plan) -> Iterator[str]:
    return (e.label.value for e in plan if isinstance(e, Dimension))


def _corner(plan: Plan) -> complex:
    """A point that every edition of a plan has: where its first note stands."""
    return next(entity.at for entity in plan if isinstance(entity, Label))
