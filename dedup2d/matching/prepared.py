"""What verification needs of one drawing, computed once and kept with it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np

from dedup2d.drawing.model import Floats, no_segments
from dedup2d.matching.border import FEWEST_FOUND, FEWEST_INSIDE, border, surrounded
from dedup2d.matching.field import StrokeField
from dedup2d.matching.moments import Moments, moments
from dedup2d.matching.shape import FULL_CIRCLE, Bools, Complexes, Ints, Samples, Shape, sample
from dedup2d.matching.tokens import Sorted, Tokens, ascending, tokens

SAMPLES: Final = 3000
BORDER_WEIGHT: Final = 0.25  # two sheets share a frame: it must not decide how they lie
UNKNOWN: Final = 0.5  # how telling a stroke is of which nothing is known
PROBES: Final = 256  # points that hypotheses are scored with
STEERING: Final = 600  # points that refinement uses
_WEIGHTED: Final = frozenset({"weighted", "probes", "sparse", "inside", "printed"})


@dataclass(frozen=True, slots=True)
class Sparse:
    """Some samples: ``z``, ``weight``, and ``telling``, which is the weight times how telling."""

    z: Complexes
    weight: Floats
    telling: Floats


@dataclass(frozen=True)
class Prepared:
    """A canonical shape, and how telling each of its strokes is. Most needs one stroke at least.

    ``weights`` (count,) in [0, 1]: frames, title blocks and standard parts of a vault weigh
    little; None means that nothing is known and all weigh the same. On ``hatching`` (h, 4) and
    ``seams`` (s, 4), which are beside the shape, strokes of another may lie.
    """

    shape: Shape
    weights: Floats | None = None
    hatching: Floats = field(default_factory=no_segments)
    seams: Floats = field(default_factory=no_segments)

    def weighing(self, weights: Floats | None) -> Prepared:
        """The same shape with other weights; what these leave alone is not computed again."""
        other = replace(self, weights=weights)
        known = {name: value for name, value in vars(self).items() if name not in _WEIGHTED}
        vars(other).update(known | {"weights": weights})
        if len(self.hatching) and "printed" in vars(self):
            vars(other)["printed"] = self.printed.weighing(self._among_lines(weights))
        return other

    @cached_property
    def samples(self) -> Samples:
        """About 3000 points along the strokes, at least one on each."""
        return sample(self.shape, self.shape.length / SAMPLES)

    @cached_property
    def weighted(self) -> Floats:
        """Length times telling weight of each sample."""
        telling = np.where(self.body, 1.0, BORDER_WEIGHT)
        if self.weights is not None:
            telling *= self.weights
        return self.samples.weight * telling[self.samples.owner]

    @cached_property
    def ends(self) -> tuple[Complexes, Ints]:
        """End points of all strokes that have some, and their owners."""
        s, a = self.shape.segments, self.shape.arcs
        open_ = np.flatnonzero(a[:, 4] - a[:, 3] < FULL_CIRCLE)
        a = a[open_]
        centre, n = a[:, 0] + 1j * a[:, 1], len(s)
        points = (
            s[:, 0] + 1j * s[:, 1],
            s[:, 2] + 1j * s[:, 3],
            centre + a[:, 2] * np.exp(1j * a[:, 3]),
            centre + a[:, 2] * np.exp(1j * a[:, 4]),
        )
        owners = (np.arange(n), np.arange(n), open_ + n, open_ + n)
        return np.concatenate(points), np.concatenate(owners)

    @cached_property
    def probes(self) -> Complexes:
        """(256,) points spread evenly over the telling length."""
        total = np.cumsum(self.weighted if self.weighted.sum() > 0 else self.samples.weight)
        at = (np.arange(PROBES) + 0.5) / PROBES * total[-1]
        chosen: Complexes = self.samples.z[np.minimum(np.searchsorted(total, at), len(total) - 1)]
        return chosen

    @cached_property
    def steering(self) -> Complexes:
        """About 600 points, as many on each stroke as may be.

        By length alone one large changed circle would pull the pose away from all the rest.
        """
        owner = self.samples.owner
        first = np.searchsorted(owner, np.arange(self.shape.count))
        number = np.diff(np.append(first, len(owner)))
        share = max(1, STEERING // self.shape.count)
        stride = np.maximum(1, number // share)
        place = np.arange(len(owner)) - first[owner]
        points: Complexes = self.samples.z[place % stride[owner] == stride[owner] // 2]
        return points[:: max(1, len(points) // STEERING)].copy()

    @cached_property
    def steering_ends(self) -> Complexes:
        """The steering points, and as many ends: only these tell how far strokes may slide."""
        ends = self.ends[0]
        return np.concatenate([self.steering, ends[:: max(1, len(ends) // STEERING)]])

    @cached_property
    def sparse(self) -> Sparse:
        """The samples that stand for all when many poses are compared: 600 to 1200."""
        some = slice(None, None, max(1, len(self.samples.z) // STEERING))
        samples = self.samples
        return Sparse(samples.z[some].copy(), samples.weight[some], self.weighted[some])

    @cached_property
    def field(self) -> StrokeField:
        """Distances to the strokes."""
        return StrokeField(self.shape)

    @cached_property
    def border(self) -> Bools:
        """(count,) strokes of the sheet's border."""
        return border(self.shape)

    @cached_property
    def body(self) -> Bools:
        """(count,) strokes that are not the sheet's border; all where little else is there."""
        return surrounded(self.border, FEWEST_INSIDE)

    @cached_property
    def within(self) -> Bools:
        """(count,) strokes that look like surrounded by a border, be they few; all without one."""
        return surrounded(self.border, FEWEST_FOUND)

    @cached_property
    def inside(self) -> Prepared:
        """What ``within`` marks, as a drawing of its own; this itself where there is no border."""
        return self if self.within.all() else Prepared(self.shape.part(self.within))

    @cached_property
    def curves(self) -> Prepared | None:
        """Only the pieces of free curves, where there are some."""
        curved = self.shape.of_curves
        return Prepared(self.shape.part(curved)) if curved.any() else None

    @cached_property
    def beside(self) -> StrokeField | None:
        """Distances to the pattern lines and seams, where there are some."""
        lines = np.concatenate([self.hatching, self.seams])
        return StrokeField(Shape(lines)) if len(lines) else None

    @cached_property
    def printed(self) -> Prepared:
        """As paper shows it: the pattern lines are strokes too."""
        if not len(self.hatching):
            return self
        return Prepared(self.shape.with_lines(self.hatching), self._among_lines(self.weights))

    def _among_lines(self, weights: Floats | None) -> Floats | None:
        """Weights of our strokes and of the pattern lines, in the order of ``printed``."""
        if weights is None:
            return None
        n, more = len(self.shape.segments), np.full(len(self.hatching), UNKNOWN)
        return np.concatenate([weights[:n], more, weights[n:]])

    @cached_property
    def tokens(self) -> Tokens:
        """Local tokens with their frames."""
        return tokens(self.shape)

    @cached_property
    def by_absolute(self) -> Sorted:
        """The tokens by their hashes with size."""
        return ascending(self.tokens.absolute)

    @cached_property
    def by_relative(self) -> Sorted:
        """The tokens by their hashes without scale."""
        return ascending(self.tokens.relative)

    @cached_property
    def moments(self) -> Moments | None:
        """Stroke moments."""
        return moments(self.shape)
