"""Compare two fingerprints: relation, similarity, pose, changes, and why, in sentences.

A pair is always verified in the same order, which its digests give, and the answer is turned
round if need be: so A against B says the same as B against A.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final

import numpy as np

from dedup2d.matching.excused import without_bars, without_hatching, without_lettering
from dedup2d.matching.explain import sentences
from dedup2d.matching.fingerprint import Fingerprint
from dedup2d.matching.prepared import Prepared
from dedup2d.matching.regions import changed_regions
from dedup2d.matching.relation import MUCH_AROUND, Covered, Evidence, decide, is_plain_scale
from dedup2d.matching.shape import Bools, Shape
from dedup2d.matching.similarity import Similarity
from dedup2d.matching.subject import Subject, subject
from dedup2d.matching.texts import compare_texts, have_other_numbers
from dedup2d.matching.verify import Accuracy, Agreement, verify
from dedup2d.report import Changes, Pose, Relation, TextChange

WHOLE_SHEET: Final = 0.9  # what the border counts in: it may be a part's outline, or a frame
LEAST_INSIDE: Final = 0.02  # of all strokes: what hangs together with all else is no border
ONE_SHEET: Final = 0.95  # the same for one side's border
SIMILAR_KNEE: Final = 0.80  # of scans: from here the similarity rises by ...
SIMILAR_SLOPE: Final = 0.16  # ... this, to 0.84
SCANNED_LOSS: Final = 0.05  # of what is inside the border: small holes and dashes get lost


@dataclass(frozen=True)
class Comparison:
    """How the query relates to the match.

    ``added`` (n,) and ``removed`` (m,) mark primitives of the query's and the match's canonical
    shape that the other has not; ``transform`` lays the query onto the match. Changed regions and
    sentences are made when they are asked for: of most pairs nobody wants to know them.
    """

    relation: Relation
    similarity: float
    confidence: float
    transform: Similarity
    tell: Callable[[], tuple[Changes, tuple[str, ...]]]
    added: Bools
    removed: Bools
    share_query: float = 0.0
    share_match: float = 0.0
    residual: float = 0.0
    tolerance: float = 0.0

    @property
    def pose(self) -> Pose:
        """The transform as a report shows it."""
        return self.transform.pose()

    @property
    def changes(self) -> Changes:
        """Numbers of strokes, changed places and texts, in the query's frame."""
        return self._told[0]

    @property
    def why(self) -> tuple[str, ...]:
        """What agreed and what did not, in sentences."""
        return self._told[1]

    @cached_property
    def _told(self) -> tuple[Changes, tuple[str, ...]]:
        return self.tell()


def compare(query: Subject | Fingerprint, match: Subject | Fingerprint) -> Comparison:
    """How ``query`` relates to ``match``; never ``exact``, which bytes decide."""
    a = query if isinstance(query, Subject) else subject(query)
    b = match if isinstance(match, Subject) else subject(match)
    if not a.fingerprint.shape.count or not b.fingerprint.shape.count:
        return _without_strokes(a.fingerprint, b.fingerprint)
    if a.fingerprint.digest <= b.fingerprint.digest:
        agreement = verify(a.prepared, b.prepared, _accuracy(a, b))
    else:
        turned = verify(b.prepared, a.prepared, _accuracy(b, a))
        agreement = _turned_round(turned) if turned else None
    if agreement is None:
        return _different(a.fingerprint, b.fingerprint)
    return _judged(a, b, agreement)


def _accuracy(a: Subject, b: Subject) -> Accuracy:
    return Accuracy(a.fingerprint.tolerance, b.fingerprint.tolerance)


def _turned_round(g: Agreement) -> Agreement:
    return Agreement(
        transform=g.transform.inverse(),
        residual=g.residual,
        tolerance=g.tolerance,
        share_a=g.share_b,
        share_b=g.share_a,
        telling_a=g.telling_b,
        telling_b=g.telling_a,
        uncovered_a=g.uncovered_b,
        uncovered_b=g.uncovered_a,
        open_a=g.open_b,
        open_b=g.open_a,
    )


def _judged(a: Subject, b: Subject, agreement: Agreement) -> Comparison:
    fa, fb = a.fingerprint, b.fingerprint
    loose = fa.is_plot or fb.is_plot or fa.is_raster or fb.is_raster
    texts = compare_texts(
        fa.texts, fb.texts, agreement.transform, diagonal=fa.shape.diagonal, loose=loose
    )
    if fa.is_raster != fb.is_raster:
        agreement = without_lettering(a, b, agreement)
    elif not (texts or loose):
        agreement = without_bars(fa, fb, agreement)
        agreement = without_hatching(fa.shape, fb.shape, agreement)
    evidence = _evidence(a, b, agreement, texts_differ=bool(texts))
    relation = decide(agreement, evidence)
    return Comparison(
        relation=relation,
        similarity=_similarity(relation, agreement, evidence, len(texts)),
        confidence=_confidence(relation, agreement, evidence),
        transform=agreement.transform,
        tell=partial(_told, (fa.shape, fb.shape), relation, agreement, evidence, texts),
        added=agreement.uncovered_a,
        removed=agreement.uncovered_b,
        share_query=agreement.share_a,
        share_match=agreement.share_b,
        residual=agreement.residual,
        tolerance=agreement.tolerance,
    )


def _told(
    shapes: tuple[Shape, Shape],
    relation: Relation,
    agreement: Agreement,
    evidence: Evidence,
    texts: tuple[TextChange, ...],
) -> tuple[Changes, tuple[str, ...]]:
    """What changed from b to a, in a's frame, and what that means."""
    a, b = shapes
    back = agreement.transform.inverse()
    changes = Changes(
        added=int(agreement.uncovered_a.sum()),
        removed=int(agreement.uncovered_b.sum()),
        regions=changed_regions(
            (a, agreement.uncovered_a), (back.move(b), agreement.uncovered_b), a.diagonal
        ),
        texts=texts,
    )
    return changes, sentences(relation, agreement, evidence, changes)


def _evidence(a: Subject, b: Subject, agreement: Agreement, *, texts_differ: bool) -> Evidence:
    fa, fb = a.fingerprint, b.fingerprint
    meant = fa.unit_mm / fb.unit_mm if fa.unit_mm and fb.unit_mm else None
    drawn = not (fa.is_plot or fb.is_plot or fa.is_raster or fb.is_raster)
    sides = ((a, agreement.uncovered_a), (b, agreement.uncovered_b))
    longest = [_longest(side.prepared, uncovered) for side, uncovered in sides]
    one_scan = fa.is_raster != fb.is_raster
    return Evidence(
        count_a=fa.shape.count,
        count_b=fb.shape.count,
        meant_scale=meant,
        scale_matters=drawn,
        scanned=fa.is_raster or fb.is_raster,
        texts_differ=texts_differ,
        numbers_differ=have_other_numbers(fa.texts, fb.texts),
        more_around=_more_around(a.prepared, b.prepared, agreement),
        telling_share_a=_telling_share(a.prepared),
        telling_share_b=_telling_share(b.prepared),
        longest_open=max(longest),
        longest_ink=longest[0 if fa.is_raster else 1] if one_scan else 0.0,
        body_a=_body(a.prepared, agreement.open_a, agreement.uncovered_a),
        body_b=_body(b.prepared, agreement.open_b, agreement.uncovered_b),
        scanned_alike=0.0 if drawn else _scanned_alike(a.prepared, b.prepared, agreement),
    )


def _more_around(a: Prepared, b: Prepared, g: Agreement) -> Relation | None:
    """Contains or contained where all that one side has more lies outside the other's bounds."""
    if not g.uncovered_b.any() and _is_around(a, b, g.uncovered_a, g.transform):
        return Relation.CONTAINS
    if not g.uncovered_a.any() and _is_around(b, a, g.uncovered_b, g.transform.inverse()):
        return Relation.CONTAINED
    return None


def _is_around(a: Prepared, b: Prepared, uncovered: Bools, t: Similarity) -> bool:
    if uncovered.sum() < MUCH_AROUND:
        return False
    z = t.apply(a.samples.z[uncovered[a.samples.owner]])
    low, high = b.shape.bounds
    inside = (z.real > low[0]) & (z.real < high[0]) & (z.imag > low[1]) & (z.imag < high[1])
    return not inside.any()


def _longest(p: Prepared, uncovered: Bools) -> float:
    """Length of the longest uncovered stroke, relative to the diagonal."""
    return float(p.shape.lengths[uncovered].max(initial=0.0)) / p.shape.diagonal


def _body(p: Prepared, open_: Bools, uncovered: Bools) -> Covered:
    """How much of what is inside the border is covered."""
    if not uncovered.any():
        return Covered()
    body = p.body if p.body.mean() >= LEAST_INSIDE else np.ones_like(p.body)
    return Covered(_length(p, open_, body), float(1 - uncovered[body].mean()))


def _scanned_alike(a: Prepared, b: Prepared, g: Agreement) -> float:
    """Covered share of both, of the whole or of what a border surrounds, as fits best.

    What looks like a border may be a part's outline on either side.
    """
    inside_a, inside_b = _length(a, g.open_a, a.within), _length(b, g.open_b, b.within)
    views = (
        (inside_a * inside_b, 1.0),
        (inside_a * g.share_b, ONE_SHEET),
        (g.share_a * inside_b, ONE_SHEET),
        (g.share_a * g.share_b, WHOLE_SHEET),
    )
    return max(weight * math.sqrt(covered) for covered, weight in views)


def _length(p: Prepared, open_: Bools, some: Bools) -> float:
    """Covered share of the length of some strokes."""
    chosen, weight = some[p.samples.owner], p.samples.weight
    return float(weight[chosen & ~open_].sum() / weight[chosen].sum())


def _telling_share(p: Prepared) -> float:
    total = p.samples.weight.sum()
    return float(p.weighted.sum() / total) if total > 0 else 0.0


def _similarity(relation: Relation, agreement: Agreement, evidence: Evidence, texts: int) -> float:
    """One scale for all relations, so that the best comes first."""
    low = min(agreement.share_a, agreement.share_b)
    high = max(agreement.share_a, agreement.share_b)
    if relation is Relation.SAME:
        return 0.99 + 0.009 * low
    if relation is Relation.REVISION:
        return round(0.85 + 0.139 * low * 0.98 ** min(texts, 10), 6)
    if relation is Relation.VARIANT:
        return round(0.85 + 0.12 * low, 6)
    if relation in (Relation.CONTAINS, Relation.CONTAINED):
        return round(0.80 + 0.10 * high + 0.05 * low, 6)
    if evidence.scanned and relation is Relation.SIMILAR:
        return round(_flattened(evidence.scanned_alike + SCANNED_LOSS), 6)
    telling = math.sqrt(agreement.telling_a * agreement.telling_b)
    return round(min(0.79, 0.25 + 0.55 * min(telling, math.sqrt(low * high) + 0.1)), 6)


def _flattened(similarity: float) -> float:
    """Below 0.85, which stands for a common whole; no two that differ become equal."""
    above = max(similarity - SIMILAR_KNEE, 0.0)
    return min(similarity, SIMILAR_KNEE) + SIMILAR_SLOPE * above


def _confidence(relation: Relation, agreement: Agreement, evidence: Evidence) -> float:
    """How much evidence there is: strokes, and the distance from the relation's border."""
    count = min(evidence.count_a, evidence.count_b)
    enough = count / (count + 3.0)
    sure = (
        1.0 if relation is Relation.SAME else 0.6 + 0.4 * max(agreement.share_a, agreement.share_b)
    )
    if not is_plain_scale(agreement.transform.scale, evidence):
        sure *= 0.95
    return round(enough * sure, 6)


def _different(a: Fingerprint, b: Fingerprint) -> Comparison:
    return Comparison(
        relation=Relation.DIFFERENT,
        similarity=0.0,
        confidence=0.9,
        transform=Similarity(),
        tell=lambda: (
            Changes(added=a.shape.count, removed=b.shape.count),
            ("No pose was found that lays a worthwhile part of one onto the other.",),
        ),
        added=np.ones(a.shape.count, np.bool_),
        removed=np.ones(b.shape.count, np.bool_),
    )


def _without_strokes(a: Fingerprint, b: Fingerprint) -> Comparison:
    """Drawings without strokes can only be compared by their texts."""
    different = _different(a, b)
    if a.shape.count or b.shape.count or not a.texts or not b.texts:
        return different
    texts = compare_texts(a.texts, b.texts, Similarity(), diagonal=1.0)
    if texts:
        return different
    return Comparison(
        relation=Relation.SIMILAR,
        similarity=0.79,
        confidence=0.5,
        transform=Similarity(),
        tell=lambda: (Changes(), ("Neither has strokes; all texts are equal.",)),
        added=different.added,
        removed=different.removed,
    )
