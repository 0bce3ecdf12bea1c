"""What happens to drawings, and which relations of the result to the original are right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from dedup2d.drawing.model import Drawing
from dedup2d.matching.compare import Comparison
from dedup2d.report import Match, Relation
from dedup2d.samples import KINDS, drawing
from dedup2d.samples import edits as edit
from dedup2d.samples import mutations as mutate
from dedup2d.samples.mutations import Mutation

SAME = frozenset({Relation.SAME})
VARIANT = frozenset({Relation.VARIANT})
REVISION = frozenset({Relation.REVISION})
WIDER = frozenset({Relation.CONTAINS, Relation.REVISION})
WHOLE = frozenset({Relation.CONTAINS})
PART = frozenset({Relation.CONTAINED, Relation.REVISION})


@dataclass(frozen=True, slots=True)
class Case:
    """A mutation, the relations that are right, and whether its place is known.

    ``holed`` mutations need a circle.
    """

    name: str
    mutation: Callable[[Drawing, int], Mutation]
    right: frozenset[Relation]
    local: bool = False
    holed: bool = False


def _turned(d: Drawing, seed: int, factor: float = 1.0, *, mirror: bool = False) -> Mutation:
    rng = np.random.default_rng(seed)
    m = mutate.resave(d, seed).then(lambda x: mutate.rotate(x, float(rng.uniform(0, 360))))
    if mirror:
        m = m.then(mutate.mirror)
    return m.then(lambda x: mutate.scale(x, factor)) if factor != 1.0 else m


def _inches(d: Drawing, seed: int) -> Mutation:
    return mutate.resave(d, seed).then(lambda x: mutate.scale(x, 1 / 25.4, unit_mm=25.4))


def _noisy(d: Drawing, seed: int) -> Mutation:
    return _turned(d, seed).then(lambda x: mutate.noise(x, 1e-6, seed))


def _changed(change: Callable[[Drawing, int], Mutation]) -> Callable[[Drawing, int], Mutation]:
    """The change, saved again in another pose."""

    def done(d: Drawing, seed: int) -> Mutation:
        return change(d, seed).then(lambda x: _turned(x, seed))

    return done


def _nudged(d: Drawing, seed: int) -> Mutation:
    """A hole moved by a five-hundredth of the diagonal only."""
    return edit.move_hole(d, seed, distance=0.002 * mutate.diagonal(d))


def _swapped_frame(d: Drawing, seed: int) -> Mutation:
    return mutate.add_frame(d, seed).then(lambda x: mutate.resave(x, seed))


def _framed_and_turned(d: Drawing, seed: int) -> Mutation:
    return mutate.add_frame(d, seed).then(lambda x: _turned(x, seed))


def _sheet(d: Drawing, seed: int) -> Mutation:
    kinds = [KINDS[(seed + k) % len(KINDS)] for k in (1, 2, 3)]
    others = [drawing(kind, 5000 + seed + k, frame=False) for k, kind in enumerate(kinds)]
    size = mutate.diagonal(d)
    fitted = [mutate.scale(o, size / mutate.diagonal(o)).drawing for o in others]
    return mutate.on_sheet(d, tuple(fitted), seed)


CASES = (
    Case("resaved", mutate.resave, SAME),
    Case("turned", _turned, SAME),
    Case("inches", _inches, SAME),
    Case("noise 1e-6", _noisy, SAME),
    Case("mirrored", lambda d, s: _turned(d, s, mirror=True), VARIANT),
    Case("scaled 1.7", lambda d, s: _turned(d, s, 1.7), VARIANT),
    Case("hole moved", _changed(edit.move_hole), REVISION, local=True, holed=True),
    Case("hole nudged .2%", _changed(_nudged), REVISION, local=True, holed=True),
    Case("hole resized", _changed(edit.resize_hole), REVISION, local=True, holed=True),
    Case("hole added", _changed(edit.add_hole), REVISION, local=True),
    Case("hole removed", _changed(edit.remove_hole), REVISION, local=True, holed=True),
    Case("slot added", _changed(edit.add_slot), REVISION, local=True),
    Case("chamfer", _changed(edit.chamfer), REVISION, local=True),
    Case("text", edit.change_text, REVISION),
    Case("frame added", _swapped_frame, WIDER),
    Case("frame, turned", _framed_and_turned, WIDER),
    Case("on a sheet", _sheet, WHOLE),
    Case("crop 60 %", lambda d, s: mutate.crop(d, 0.6, s), PART),
)


def applied(case: Case, d: Drawing, seed: int) -> Mutation | None:
    """The mutation, or None where the drawing has nothing to which it could happen."""
    if case.holed and not _has_hole(d):
        return None
    m = case.mutation(d, seed)
    if (case.local and not m.boxes) or not m.drawing.primitive_count:
        return None
    if case.name == "text" and not d.texts:
        return None
    if case.right is PART and m.drawing.primitive_count == d.primitive_count:
        return None
    return m


def is_right(case: Case, found: Comparison | Match, d: Drawing) -> bool:
    """Whether the relation is right; a part that is its own mirror image has no other hand."""
    if case.name == "mirrored" and found.relation is Relation.SAME:
        return is_symmetric(d)
    return found.relation in case.right


def is_symmetric(d: Drawing) -> bool:
    """Whether some mirroring moves every end and centre of a drawing onto one of its own."""
    turned = mutate.mirror(d).drawing
    points, images = (
        np.concatenate([x.segments.reshape(-1, 2), x.curves.reshape(-1, 2), x.arcs[:, :2]])
        for x in (d, turned)
    )
    size = float(np.ptp(points, axis=0).max())
    points, images = points - points.mean(0), images - images.mean(0)
    tree = cKDTree(points)
    for k in range(720):  # axes at every quarter of a degree
        angle = np.pi * k / 360
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        if tree.query(images @ turn)[0].max() < 1e-3 * size:
            return True
    return False


def _has_hole(d: Drawing) -> bool:
    return bool((d.arcs[:, 4] - d.arcs[:, 3] >= 2 * np.pi - 1e-9).any())
