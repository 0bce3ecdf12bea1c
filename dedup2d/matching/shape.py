"""A Shape: the strokes of a drawing, with the measures that everything else is relative to."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Floats, no_arcs, no_segments

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Complexes = NDArray[np.complex128]

FULL_CIRCLE = math.tau - 1e-3


@dataclass(frozen=True)
class Shape:
    """``segments`` (n, 4) and ``arcs`` (m, 5) as in Drawing; primitives are numbered in that order.

    ``curved`` (n,) marks segments that are pieces of a free curve; empty where there is none.
    """

    segments: Floats = field(default_factory=no_segments)
    arcs: Floats = field(default_factory=no_arcs)
    curved: Bools = field(default_factory=lambda: np.empty(0, np.bool_))

    @property
    def count(self) -> int:
        """Number of primitives."""
        return len(self.segments) + len(self.arcs)

    @cached_property
    def of_curves(self) -> Bools:
        """(n + m,) which primitives are pieces of a free curve."""
        mask = np.zeros(self.count, np.bool_)
        mask[: len(self.curved)] = self.curved
        return mask

    def part(self, chosen: Bools) -> Shape:
        """The primitives that are chosen (n + m,)."""
        n = len(self.segments)
        curved = self.curved[chosen[:n]] if len(self.curved) else self.curved
        return Shape(self.segments[chosen[:n]], self.arcs[chosen[n:]], curved)

    def with_lines(self, lines: Floats) -> Shape:
        """With (k, 4) straight lines more, numbered after its segments."""
        if not len(lines):
            return self
        curved = np.concatenate([self.of_curves[: len(self.segments)], np.zeros(len(lines), bool)])
        return Shape(np.concatenate([self.segments, lines]), self.arcs, curved)

    @cached_property
    def lengths(self) -> Floats:
        """(n + m,) stroke length of every primitive."""
        s, a = self.segments, self.arcs
        return np.concatenate(
            [np.hypot(s[:, 2] - s[:, 0], s[:, 3] - s[:, 1]), a[:, 2] * (a[:, 4] - a[:, 3])]
        )

    @cached_property
    def length(self) -> float:
        """Total stroke length."""
        return float(self.lengths.sum())

    @cached_property
    def boxes(self) -> Floats:
        """(n + m, 4) min x, min y, max x, max y of every primitive; exact for arcs."""
        s, a = self.segments, self.arcs
        low = np.minimum(s[:, :2], s[:, 2:])
        high = np.maximum(s[:, :2], s[:, 2:])
        return np.concatenate([np.hstack([low, high]), _arc_boxes(a)])

    @cached_property
    def bounds(self) -> Floats:
        """(2, 2) lower left and upper right corner; zeros when empty."""
        if not self.count:
            return np.zeros((2, 2))
        boxes = self.boxes
        return np.stack([boxes[:, :2].min(0), boxes[:, 2:].max(0)])

    @cached_property
    def diagonal(self) -> float:
        """Diagonal of the bounds; 1 when empty, so that it may divide."""
        low, high = self.bounds
        return float(np.hypot(*(high - low))) or 1.0

    @cached_property
    def centre(self) -> complex:
        """Middle of the bounds."""
        x, y = self.bounds.mean(0)
        return complex(x, y)


def _arc_boxes(a: Floats) -> Floats:
    angles = np.column_stack([a[:, 3], a[:, 4]])
    # the compass points that an arc sweeps over
    first = np.ceil(a[:, 3] / (math.pi / 2))[:, None] + np.arange(4)
    compass = first * (math.pi / 2)
    compass = np.where(compass <= a[:, 4:5], compass, a[:, 3:4])
    theta = np.hstack([angles, compass])
    x = a[:, 0:1] + a[:, 2:3] * np.cos(theta)
    y = a[:, 1:2] + a[:, 2:3] * np.sin(theta)
    return np.column_stack([x.min(1), y.min(1), x.max(1), y.max(1)])


@dataclass(frozen=True, slots=True)
class Samples:
    """Points along strokes.

    ``z`` (k,) as x + iy, ``weight`` (k,) stroke length that each stands
    for, ``owner`` (k,) its primitive.
    """

    z: Complexes
    weight: Floats
    owner: Ints


def sample(shape: Shape, spacing: float, *, arc_minimum: int = 4) -> Samples:
    """Midpoints of equal pieces, at most ``spacing`` long; every primitive has at least one."""
    s, a = shape.segments, shape.arcs
    lengths = shape.lengths
    pieces = np.maximum(1, np.ceil(lengths / spacing)).astype(np.int64)
    pieces[len(s) :] = np.maximum(arc_minimum, pieces[len(s) :])
    owner = np.repeat(np.arange(shape.count), pieces)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    t = (step + 0.5) / pieces[owner]
    of_segment = owner < len(s)
    z = np.empty(len(owner), np.complex128)
    q, u = s[owner[of_segment]], t[of_segment]
    z[of_segment] = (q[:, 0] * (1 - u) + q[:, 2] * u) + 1j * (q[:, 1] * (1 - u) + q[:, 3] * u)
    q, u = a[owner[~of_segment] - len(s)], t[~of_segment]
    theta = q[:, 3] + (q[:, 4] - q[:, 3]) * u
    z[~of_segment] = q[:, 0] + 1j * q[:, 1] + q[:, 2] * np.exp(1j * theta)
    return Samples(z, (lengths / pieces)[owner], owner)
