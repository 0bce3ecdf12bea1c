"""Strokes on their way from a format's entities to a Drawing, with an owner each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing import Text, no_arcs, no_segments
from dedup2d.drawing.model import Floats
from dedup2d.reading.geometry import (
    flatten_arcs,
    keeps_circles,
    transform_arcs,
    transform_segments,
)

Owners = NDArray[np.intp]


def no_owners() -> Owners:
    """An empty (0,) array."""
    return np.empty(0, np.intp)


@dataclass(frozen=True, slots=True)
class Strokes:
    """Segments (n, 4), arcs (m, 5) and curves (k, 4) as in Drawing, and the owner of each.

    An owner is a number that its reader can turn into a Source. ``beside`` (b, 4) are lines that
    say nothing of their own (hatching, seams), and are no strokes.
    """

    segments: Floats = field(default_factory=no_segments)
    segment_owner: Owners = field(default_factory=no_owners)
    arcs: Floats = field(default_factory=no_arcs)
    arc_owner: Owners = field(default_factory=no_owners)
    curves: Floats = field(default_factory=no_segments)
    curve_owner: Owners = field(default_factory=no_owners)
    beside: Floats = field(default_factory=no_segments)
    beside_owner: Owners = field(default_factory=no_owners)
    texts: tuple[Text, ...] = ()

    @classmethod
    def straight(cls, segments: Floats, owner: Owners) -> Self:
        """Segments only."""
        return cls(segments=segments, segment_owner=owner)

    @classmethod
    def bent(cls, arcs: Floats, owner: Owners) -> Self:
        """Arcs only."""
        return cls(arcs=arcs, arc_owner=owner)

    def with_beside(self, beside: Floats, owner: Owners) -> Strokes:
        """These strokes, and (b, 4) lines beside them."""
        return replace(self, beside=beside, beside_owner=owner)

    @classmethod
    def free(cls, curves: Floats, owner: Owners | int) -> Self:
        """Curve pieces only."""
        if isinstance(owner, int):
            owner = np.full(len(curves), owner, np.intp)
        return cls(curves=curves, curve_owner=owner)

    def __len__(self) -> int:
        return len(self.segments) + len(self.arcs) + len(self.curves)

    def transformed(self, matrix: Floats, shift: Floats) -> Strokes:
        """Under x -> ``matrix`` (2, 2) x + ``shift`` (2,); arcs become curves where they must."""
        segments = transform_segments(self.segments, matrix, shift)
        curves = transform_segments(self.curves, matrix, shift)
        beside = transform_segments(self.beside, matrix, shift)
        texts = moved_texts(self.texts, matrix, shift)
        same = replace(self, segments=segments, curves=curves, beside=beside, texts=texts)
        if not len(self.arcs):
            return same
        if keeps_circles(matrix):
            return replace(same, arcs=transform_arcs(self.arcs, matrix, shift))
        chords, row = flatten_arcs(self.arcs)
        return replace(
            same,
            arcs=no_arcs(),
            arc_owner=no_owners(),
            curves=np.concatenate([curves, transform_segments(chords, matrix, shift)]),
            curve_owner=np.concatenate([self.curve_owner, self.arc_owner[row]]),
        )

    def repeated(self, shifts: Floats) -> Strokes:
        """A copy for each of (k, 2) shifts."""
        copies = [
            replace(text, x=text.x + dx, y=text.y + dy)
            for dx, dy in shifts.tolist()
            for text in self.texts
        ]
        both = np.concatenate([shifts, shifts], axis=1)
        bent = np.concatenate([shifts, np.zeros((len(shifts), 3))], axis=1)
        count = len(shifts)
        return Strokes(
            segments=(both[:, None] + self.segments).reshape(-1, 4),
            segment_owner=np.tile(self.segment_owner, count),
            arcs=(bent[:, None] + self.arcs).reshape(-1, 5),
            arc_owner=np.tile(self.arc_owner, count),
            curves=(both[:, None] + self.curves).reshape(-1, 4),
            curve_owner=np.tile(self.curve_owner, count),
            beside=(both[:, None] + self.beside).reshape(-1, 4),
            beside_owner=np.tile(self.beside_owner, count),
            texts=tuple(copies),
        )

    def owned_by(self, owners: Owners) -> Strokes:
        """Owners that were indices into ``owners`` become the values there."""
        return self.owners_mapped(lambda index: owners[index])

    def owners_mapped(self, change: Callable[[Owners], Owners]) -> Strokes:
        """Every owner changed."""
        return replace(
            self,
            segment_owner=change(self.segment_owner),
            arc_owner=change(self.arc_owner),
            curve_owner=change(self.curve_owner),
            beside_owner=change(self.beside_owner),
        )

    def between(self, start: int, stop: int) -> Strokes:
        """The strokes whose owner is in the range; they must be ``in_order``. No texts."""
        low, high = np.searchsorted(self.segment_owner, [start, stop])
        low_arc, high_arc = np.searchsorted(self.arc_owner, [start, stop])
        low_curve, high_curve = np.searchsorted(self.curve_owner, [start, stop])
        low_beside, high_beside = np.searchsorted(self.beside_owner, [start, stop])
        return Strokes(
            segments=self.segments[low:high],
            segment_owner=self.segment_owner[low:high],
            arcs=self.arcs[low_arc:high_arc],
            arc_owner=self.arc_owner[low_arc:high_arc],
            curves=self.curves[low_curve:high_curve],
            curve_owner=self.curve_owner[low_curve:high_curve],
            beside=self.beside[low_beside:high_beside],
            beside_owner=self.beside_owner[low_beside:high_beside],
        )


def moved_texts(texts: Sequence[Text], matrix: Floats, shift: Floats) -> tuple[Text, ...]:
    """Texts under the same map as strokes; height by the root of the determinant."""
    if not texts:
        return ()
    (a, b), (c, d) = matrix.tolist()
    dx, dy = shift.tolist()
    scale = math.sqrt(abs(a * d - b * c))
    turn = math.degrees(math.atan2(c, a))
    return tuple(
        replace(
            text,
            x=a * text.x + b * text.y + dx,
            y=c * text.x + d * text.y + dy,
            height=text.height * scale,
            rotation_deg=(text.rotation_deg + turn) % 360.0,
        )
        for text in texts
    )


def joined(parts: Iterable[Strokes]) -> Strokes:
    """All strokes, in order of the parts."""
    parts = list(parts)
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Strokes()
    return Strokes(
        segments=np.concatenate([part.segments for part in parts]),
        segment_owner=np.concatenate([part.segment_owner for part in parts]),
        arcs=np.concatenate([part.arcs for part in parts]),
        arc_owner=np.concatenate([part.arc_owner for part in parts]),
        curves=np.concatenate([part.curves for part in parts]),
        curve_owner=np.concatenate([part.curve_owner for part in parts]),
        beside=np.concatenate([part.beside for part in parts]),
        beside_owner=np.concatenate([part.beside_owner for part in parts]),
        texts=tuple(text for part in parts for text in part.texts),
    )


def in_order(strokes: Strokes) -> Strokes:
    """Sorted by owner; the order of one owner's strokes is kept."""
    straight = np.argsort(strokes.segment_owner, kind="stable")
    bent = np.argsort(strokes.arc_owner, kind="stable")
    free = np.argsort(strokes.curve_owner, kind="stable")
    beside = np.argsort(strokes.beside_owner, kind="stable")
    return replace(
        strokes,
        segments=strokes.segments[straight],
        segment_owner=strokes.segment_owner[straight],
        arcs=strokes.arcs[bent],
        arc_owner=strokes.arc_owner[bent],
        curves=strokes.curves[free],
        curve_owner=strokes.curve_owner[free],
        beside=strokes.beside[beside],
        beside_owner=strokes.beside_owner[beside],
    )
