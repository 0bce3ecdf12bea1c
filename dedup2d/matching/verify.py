"""Verification: the pose that lays one drawing onto the other, and what it leaves uncovered.

Hypotheses are scored all at once with 256 points on a picture; the best few are refined, judged
by exact distances of thousands of points to strokes, both ways; an exact match is then refined
again with its own residual, so that the tolerance shrinks to what the files really agree to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from dedup2d.drawing.model import Floats
from dedup2d.matching import chords, hypotheses
from dedup2d.matching.prepared import Prepared
from dedup2d.matching.shape import Bools
from dedup2d.matching.similarity import Bundle, Similarity, joined
from dedup2d.matching.voting import from_tokens

TIGHT: Final = 3e-4  # of the diagonal: covered at all
LOOSE: Final = 8e-3  # of the diagonal: where refinement starts to look
FLOOR: Final = 3e-5  # of the diagonal: canonical forms differ by 2e-5, re-saving adds noise
CURVE_SLACK: Final = 5e-4  # of the diagonal: each program makes other polygons of a free curve
RESIDUAL_FACTOR: Final = 12.0  # tolerance over median residual
CONVINCING: Final = 1.40  # score (of 1.5) from which no other hypotheses are tried
PROMISING: Final = 1.0  # score from which a hypothesis is made better before others are tried
CONVINCING_PART: Final = 1.10  # the same once tokens were asked: one side is covered whole
HOPELESS: Final = 0.72  # score below which there is no common pose
SHARPENING: Final = (1.5e-4, 7e-5, 3e-5, 2e-5, 1e-5)  # of the diagonal
TRIED: Final = 4  # hypotheses that are refined
TRIED_HATCHED: Final = 40  # the same where pattern lines make every pose look good
MIRROR_ORDER: Final = 0.06  # symmetric drawings: an unmirrored pose is tried first ...
STILL_ORDER: Final = 0.03  # ... and one that moves nothing before all others
MIRROR_COST: Final = 1e-3  # and it is kept unless another covers more
STILL_GAIN: Final = 1e-3  # as much for one that moves nothing: symmetric parts stay where they are
SCALES: Final = (1e-6, 1e6)
COARSEST: Final = 4e-3  # a pixel over the smaller diagonal: less of a drawing says nothing
NEARLY_ALL: Final = 0.9995


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two shapes agree under ``transform`` (a onto b).

    ``share_*`` covered share of the length, ``telling_*`` the same weighted; ``uncovered_*``
    (count,) primitives that the other has not; ``open_*`` (k,) uncovered samples; ``residual``
    and ``tolerance`` relative to the smaller diagonal.
    """

    transform: Similarity
    residual: float
    tolerance: float
    share_a: float
    share_b: float
    telling_a: float
    telling_b: float
    uncovered_a: Bools
    uncovered_b: Bools
    open_a: Bools
    open_b: Bools


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Of the coordinates of a and b, each in its own units: 0 for exact formats, or a pixel."""

    a: float = 0.0
    b: float = 0.0

    def slack(self, t: Similarity, size: float) -> float:
        """The coarser of both under the pose, relative to ``size`` in units of b."""
        return max(self.a * t.scale, self.b) / size


EXACT: Final = Accuracy()


def verify(a: Prepared, b: Prepared, accuracy: Accuracy = EXACT) -> Agreement | None:
    """The best common pose of two drawings, or None where there is none worth showing."""
    one, other = _on_paper(a, b, accuracy)
    pose = _pose(one, other, accuracy, hatched=one is not a or other is not b)
    return None if pose is None else _agreement(a, b, pose, accuracy)


def _on_paper(a: Prepared, b: Prepared, accuracy: Accuracy) -> tuple[Prepared, Prepared]:
    """Beside a scan a drawing is what its print shows."""
    return a.printed if accuracy.b > 0 else a, b.printed if accuracy.a > 0 else b


def _pose(a: Prepared, b: Prepared, accuracy: Accuracy, *, hatched: bool) -> Similarity | None:
    candidates, scores = _scored(a, b, accuracy, hatched=hatched)
    if not len(candidates) or scores.max() < HOPELESS:
        return None
    best: tuple[float, Similarity] | None = None
    preferred = scores - MIRROR_ORDER * candidates.mirrored + STILL_ORDER * _still(candidates)
    order = np.argsort(-preferred, kind="stable")[: TRIED_HATCHED if hatched else TRIED]
    for k in order:
        if scores[k] < scores[order].max() - 0.25:
            continue
        start = candidates[int(k)]
        tight = _tight(a, b, start, accuracy)
        found, (share_a, share_b, value) = _refined(a, b, start, tight)
        value += STILL_GAIN * _is_still(found)
        if best is None or value > best[0]:
            best = (value, found)
        if min(share_a, share_b) > NEARLY_ALL and not found.mirrored:
            break
    return None if best is None else best[1]


def _tight(a: Prepared, b: Prepared, t: Similarity, accuracy: Accuracy) -> float:
    """How near counts as covered, relative to the smaller diagonal."""
    return max(TIGHT, 3 * accuracy.slack(t, _smaller(a, b, t)))


def _scored(
    a: Prepared, b: Prepared, accuracy: Accuracy, *, hatched: bool
) -> tuple[Bundle, Floats]:
    """Hypotheses and their scores; dear sources are asked only while the cheap do not convince.

    Where one is ``hatched``, a score convinces nobody: in any pose something is near.
    """
    candidates = _possible(hypotheses.from_whole(a, b), a, b, accuracy)
    scores = _scores(a, b, candidates)
    if _convinces(a, b, candidates, scores, accuracy, hatched=hatched):
        return candidates, scores
    scanned = accuracy != EXACT
    # its wide tolerance lets a dense drawing cover much of another in any pose
    enough = CONVINCING if scanned else CONVINCING_PART
    for source in _sources(scanned=scanned):
        more = _possible(source(a, b), a, b, accuracy)
        candidates = joined([candidates, more])
        scores = np.concatenate([scores, _scores(a, b, more)])
        if scores.max(initial=0.0) >= enough and not hatched:
            break
    return candidates, scores


def _convinces(
    a: Prepared,
    b: Prepared,
    candidates: Bundle,
    scores: Floats,
    accuracy: Accuracy,
    *,
    hatched: bool,
) -> bool:
    """Whether the best hypothesis, made better, covers nearly all: a vote would cost far more.

    One that looks convincing must still cover much: in a dense drawing everything is near a stroke.
    """
    best = scores.max(initial=0.0)
    if best < PROMISING:
        return False
    start = candidates[int(np.argmax(scores))]
    covered = _refined(a, b, start, _tight(a, b, start, accuracy))[1][2]
    return bool(covered >= (PROMISING if best >= CONVINCING and not hatched else CONVINCING))


def _sources(*, scanned: bool) -> tuple[Callable[[Prepared, Prepared], Bundle], ...]:
    absolute = partial(from_tokens, absolute=True)
    relative = partial(from_tokens, absolute=False)
    if not scanned:
        return absolute, relative
    return (
        absolute,
        relative,
        hypotheses.from_longest,
        hypotheses.from_directions,
        hypotheses.from_insides,
    )


def _is_still(t: Similarity) -> bool:
    return abs(t.a - 1) < 1e-6 and not t.mirrored  # noqa: PLR2004  # rounding


def _still(candidates: Bundle) -> Bools:
    """Which hypotheses neither turn nor scale nor mirror."""
    still: Bools = (np.abs(candidates.a - 1) < 1e-6) & ~candidates.mirrored  # noqa: PLR2004  # rounding
    return still


def _possible(candidates: Bundle, a: Prepared, b: Prepared, accuracy: Accuracy) -> Bundle:
    """Without absurd scales, and without those that shrink a drawing to a few pixels of a scan."""
    scale = np.abs(candidates.a)
    size = np.minimum(a.shape.diagonal * scale, b.shape.diagonal)
    seen = np.maximum(accuracy.a * scale, accuracy.b) <= COARSEST * size
    return candidates.kept((scale > SCALES[0]) & (scale < SCALES[1]) & seen)


def _scores(a: Prepared, b: Prepared, candidates: Bundle) -> Floats:
    """The better covered side counts whole, the other half: 1.5 at most."""
    if not len(candidates):
        return np.empty(0)
    on_b = b.field.shares(a.probes, candidates)
    on_a = a.field.shares(b.probes, candidates.inverse())
    scores: Floats = np.maximum(on_a, on_b) + 0.5 * np.minimum(on_a, on_b)
    return scores


def _smaller(a: Prepared, b: Prepared, t: Similarity) -> float:
    return min(a.shape.diagonal * t.scale, b.shape.diagonal)


def _refined(
    a: Prepared, b: Prepared, t: Similarity, tight: float
) -> tuple[Similarity, tuple[float, float, float]]:
    """A hypothesis made better, and what ``_value`` says of it; as it was if that is no better."""
    size = _smaller(a, b, t)
    loose = max(LOOSE, 2 * tight)
    before = _value(a, b, t, tight)
    if min(before[:2]) > NEARLY_ALL:
        return t, before
    reaches = (loose, loose * 0.3, loose * 0.1, tight * 2, tight * 0.5)
    found = b.field.refined(a.steering, t, tuple(max(r, tight * 0.5) * size for r in reaches))
    if not SCALES[0] < found.scale < SCALES[1]:
        return t, before
    after = _value(a, b, found, tight)
    return (t, before) if before[2] > after[2] else (found, after)


def _value(a: Prepared, b: Prepared, t: Similarity, tight: float) -> tuple[float, float, float]:
    """Covered shares of both, and how good the pose is, from every fifth sample or so."""
    limit = tight * _smaller(a, b, t)
    some_a, some_b = a.sparse, b.sparse
    on_a = b.field.covers(some_a.z, t, limit)
    on_b = a.field.covers(some_b.z, t.inverse(), limit / t.scale)
    telling = sorted((_share(on_a, some_a.telling), _share(on_b, some_b.telling)))
    value = telling[1] + 0.5 * telling[0] - MIRROR_COST * t.mirrored
    return _share(on_a, some_a.weight), _share(on_b, some_b.weight), value


def _share(covered: Bools, weight: Floats) -> float:
    total = weight.sum()
    return float(weight[covered].sum() / total) if total > 0 else 0.0


def _sharpened(a: Prepared, b: Prepared, t: Similarity, size: float) -> Similarity:
    """The pose that most strokes agree on exactly, where there is one.

    With a large changed feature the tight pose is a compromise; narrowing the reach lets the
    unchanged majority decide.
    """
    points = a.steering_ends
    found = b.field.refined(points, t, tuple(reach * size for reach in SHARPENING))
    exact = FLOOR / 2 * size

    def agreeing(pose: Similarity) -> int:
        return int(b.field.covers(points, pose, exact).sum())

    return found if agreeing(found) >= agreeing(t) else t


def _residual(a: Prepared, b: Prepared, t: Similarity, limit: float) -> float:
    """Median distance, in units of b, of the steering points covered within ``limit``."""
    far_a = b.field.distances(a.steering, t, limit)
    far_b = a.field.distances(b.steering, t.inverse(), limit / t.scale) * t.scale
    near = np.concatenate([far_a, far_b])
    near = near[np.isfinite(near)]
    return float(np.median(near)) if len(near) else limit


def _agreement(a: Prepared, b: Prepared, t: Similarity, accuracy: Accuracy) -> Agreement:
    size = _smaller(a, b, t)
    slack, tight = accuracy.slack(t, size), _tight(a, b, t, accuracy)
    if slack <= 0:
        t = _sharpened(a, b, t, size)
    residual = _residual(a, b, t, tight * size) / size
    tolerance = max(FLOOR, RESIDUAL_FACTOR * residual)
    tolerance = max(min(tolerance, tight), slack)
    limit = tolerance * size
    curve = max(CURVE_SLACK, tolerance) * size
    on_a, ends_a = _covered(a, b, t, limit, curve)
    on_b, ends_b = _covered(b, a, t.inverse(), limit / t.scale, curve / t.scale)
    chords.excuse(a, b, t, (on_a, ends_a, on_b, ends_b), curve)
    chords.excuse(b, a, t.inverse(), (on_b, ends_b, on_a, ends_a), curve / t.scale)
    return Agreement(
        transform=t,
        residual=residual,
        tolerance=tolerance,
        share_a=_share(on_a, a.samples.weight),
        share_b=_share(on_b, b.samples.weight),
        telling_a=_share(on_a, a.weighted),
        telling_b=_share(on_b, b.weighted),
        uncovered_a=_uncovered(a, on_a, ends_a, slack),
        uncovered_b=_uncovered(b, on_b, ends_b, slack),
        open_a=~on_a,
        open_b=~on_b,
    )


def _covered(
    a: Prepared, b: Prepared, t: Similarity, limit: float, curve: float
) -> tuple[Bools, Bools]:
    """Which samples and which end points of a lie on b; on free curves within ``curve``."""
    found = []
    for z, owner in ((a.samples.z, a.samples.owner), a.ends):
        on = b.field.covers(z, t, limit)
        open_ = np.flatnonzero(~on)
        own = a.shape.of_curves[owner[open_]]
        on[open_[own]] = b.field.covers(z[open_[own]], t, curve)
        if b.curves is not None:
            on[open_[~own]] = b.curves.field.covers(z[open_[~own]], t, curve)
        if b.beside is not None:
            open_ = np.flatnonzero(~on)
            on[open_] = b.beside.covers(z[open_], t, limit)
        found.append(on)
    return found[0], found[1]


def _uncovered(a: Prepared, covered: Bools, ends_covered: Bools, slack: float) -> Bools:
    """Primitives of which any point, end points included, is uncovered; of scans a third."""
    owner, count = a.samples.owner, a.shape.count
    missing = np.bincount(owner, ~covered, count)
    if slack > 0:
        return missing > 0.34 * np.bincount(owner, minlength=count)
    missing += np.bincount(a.ends[1], ~ends_covered, count)
    return missing > 0
