"""From agreement to a relation: every threshold of the decision, with its reason, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dedup2d.matching.similarity import Similarity
from dedup2d.matching.verify import Agreement
from dedup2d.report import Relation

FEW: Final = 10  # primitives: with fewer, turn and unit together could fit by chance
HANDFUL: Final = 5  # primitives: with no more, a turn or a scale alone could fit by chance
UNIT_SCALES: Final = (1.0, 25.4, 1 / 25.4, 1000.0, 1 / 1000.0, 25.4e-3, 1 / 25.4e-3)
SCALE_TOLERANCE: Final = 2e-4  # relative: inch files are written with four digits or more
TURN_TOLERANCE: Final = 1e-4  # radians: "not turned"

REVISION_FROM: Final = 0.85  # share of both: below it 1.3 of a million family pairs pass
REVISION_BODY: Final = (0.75, 0.75)  # and of what is inside the border, by length and number
MUCH_AROUND: Final = 20  # strokes around a drawing that is there whole: it is a part of more
OTHER_SHEET_BODY: Final = 0.97  # of what is inside both borders, whatever these are
RENUMBERED_BODY: Final = 0.95  # of both, where the drawings bear other drawing numbers
POSSIBLE_REVISION_FROM: Final = 0.50  # one large feature may be much of the length ...
POSSIBLE_REVISION_BODY: Final = (0.50, 0.85)  # ... if nearly all other strokes agree
PART_FROM: Final = 0.97  # share of the contained side
PART_BODY: Final = 0.85  # share of what is inside the contained side's border
PART_TELLING: Final = (0.90, 0.95)  # or this share, if this much of what is telling
WHOLE_BELOW: Final = 0.85  # share of the containing side
WHOLE_NUMBER_BELOW: Final = 0.90  # of its strokes; above, a large feature was removed or added
PART_TELLING_LENGTH: Final = 0.05  # of the part's strokes must be telling: no bare frame
SIMILAR_FROM: Final = 0.40
SCANNED_SAME_FROM: Final = 0.97  # share of both sides of scans, where strokes cannot be counted
SCANNED_BODY: Final = 0.87  # of what is inside the border: revisions have 0.90, strangers 0.82
SCANNED_SPECK: Final = 0.028  # of the diagonal: what a scan loses of small things in a crowd
SCANNED_INK: Final = 0.0145  # of the diagonal: ink that the drawing has not is hardly ever an error


@dataclass(frozen=True, slots=True)
class Covered:
    """Covered share of the strokes inside the sheet's border, by length and by number."""

    length: float = 1.0
    number: float = 1.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the decision is made from. Sides are a and b; ``scale`` is that of a onto b.

    ``meant_scale`` is what the files' units say the scale should be, None where they say nothing;
    ``scale_matters`` is false where one is a picture or a plot; ``telling_share_*`` is how much
    of a side's length is telling at all; ``numbers_differ``: both bear drawing numbers, other ones;
    ``more_around``: one is there whole, the other has many strokes more, all of them around it;
    ``longest_open`` the longest uncovered stroke relative to its drawing's diagonal, and
    ``longest_ink`` that of a scan against a drawing file; ``scanned_alike`` the covered share of
    scans, borders left out or not.
    """

    count_a: int
    count_b: int
    meant_scale: float | None
    scale_matters: bool
    scanned: bool
    texts_differ: bool
    numbers_differ: bool = False
    more_around: Relation | None = None
    telling_share_a: float = 1.0
    telling_share_b: float = 1.0
    longest_open: float = 0.0
    longest_ink: float = 0.0
    body_a: Covered = Covered()
    body_b: Covered = Covered()
    scanned_alike: float = 0.0


def is_plain_scale(scale: float, evidence: Evidence) -> bool:
    """Whether a scale is 1, a unit, or without meaning."""
    if not evidence.scale_matters:
        return True
    plain = UNIT_SCALES if evidence.meant_scale is None else (*UNIT_SCALES, evidence.meant_scale)
    return any(abs(scale / unit - 1) <= SCALE_TOLERANCE for unit in plain)


def is_enough(agreement: Agreement, evidence: Evidence) -> bool:
    """Whether there are enough strokes to believe in this pose at all."""
    if min(evidence.count_a, evidence.count_b) > HANDFUL:
        return True
    t = agreement.transform
    return _is_expected(t.scale, evidence) and not (_is_turned(t) or t.mirrored)


def _is_expected(scale: float, evidence: Evidence) -> bool:
    """Whether the scale is 1 or what the files' units say."""
    expected = {1.0, evidence.meant_scale or 1.0}
    return any(abs(scale / s - 1) <= SCALE_TOLERANCE for s in expected)


def _is_turned(t: Similarity) -> bool:
    return abs(t.a / t.scale - 1) > TURN_TOLERANCE


def _is_doubtful(agreement: Agreement, evidence: Evidence) -> bool:
    """Few strokes that agree only after a turn and a scale that no file speaks of."""
    t = agreement.transform
    few = min(evidence.count_a, evidence.count_b) < FEW
    return few and _is_turned(t) and not _is_expected(t.scale, evidence)


def decide(agreement: Agreement, evidence: Evidence) -> Relation:
    """The relation of a to b."""
    if is_enough(agreement, evidence) and (close := _close(agreement, evidence)):
        return close
    telling = max(agreement.telling_a, agreement.telling_b)
    return Relation.SIMILAR if telling >= SIMILAR_FROM else Relation.DIFFERENT


def _close(agreement: Agreement, evidence: Evidence) -> Relation | None:
    """Any relation that claims a common whole."""
    low = min(agreement.share_a, agreement.share_b)
    whole = _is_whole(agreement, evidence)
    t = agreement.transform
    altered = (
        t.mirrored or not is_plain_scale(t.scale, evidence) or _is_doubtful(agreement, evidence)
    )
    if altered and (whole or (low >= REVISION_FROM and _is_revision(low, evidence))):
        return Relation.VARIANT
    if whole:
        return Relation.REVISION if evidence.texts_differ else Relation.SAME
    if evidence.more_around:
        return evidence.more_around
    part = _part(agreement, evidence)
    if part is None and _is_on_another_sheet(evidence):
        return Relation.REVISION
    if _is_revision(low, evidence) and (part is None or _most_agree(agreement)):
        return Relation.REVISION
    return part or _part_of_many(agreement, evidence)


def _part_of_many(agreement: Agreement, evidence: Evidence) -> Relation | None:
    """The relation where one is there whole, and the other has many strokes more of little length."""
    more_a, more_b = int(agreement.uncovered_a.sum()), int(agreement.uncovered_b.sum())
    if evidence.scanned or min(more_a, more_b) > 0 or max(more_a, more_b) < MUCH_AROUND:
        return None
    telling = evidence.telling_share_b if more_a else evidence.telling_share_a
    if telling < PART_TELLING_LENGTH:
        return None
    return Relation.CONTAINS if more_a else Relation.CONTAINED


def _is_whole(agreement: Agreement, evidence: Evidence) -> bool:
    if evidence.scanned:
        alike = min(agreement.share_a, agreement.share_b) >= SCANNED_SAME_FROM
        lost, more = evidence.longest_open, evidence.longest_ink
        return alike and lost <= SCANNED_SPECK and more <= SCANNED_INK
    return not (agreement.uncovered_a.any() or agreement.uncovered_b.any())


def _is_revision(low: float, evidence: Evidence) -> bool:
    # the mean: an added feature opens one side only, another part opens both
    length = (evidence.body_a.length + evidence.body_b.length) / 2
    number = (evidence.body_a.number + evidence.body_b.number) / 2
    if evidence.numbers_differ and not evidence.scanned:
        return low >= POSSIBLE_REVISION_FROM and min(length, number) >= RENUMBERED_BODY
    if evidence.scanned:  # its strokes cannot be counted
        least = REVISION_BODY[0] if low >= SCANNED_SAME_FROM else SCANNED_BODY
        return low >= REVISION_FROM and length >= least
    if low >= REVISION_FROM and length >= REVISION_BODY[0] and number >= REVISION_BODY[1]:
        return True
    return (
        low >= POSSIBLE_REVISION_FROM
        and length >= POSSIBLE_REVISION_BODY[0]
        and number >= POSSIBLE_REVISION_BODY[1]
    )


def _is_on_another_sheet(evidence: Evidence) -> bool:
    """Whether the same is inside both borders."""
    bodies = (evidence.body_a, evidence.body_b)
    return all(min(body.length, body.number) >= OTHER_SHEET_BODY for body in bodies)


def _most_agree(agreement: Agreement) -> bool:
    """Whether nearly all strokes of both agree: then one large feature came or went."""
    open_share = max(agreement.uncovered_a.mean(), agreement.uncovered_b.mean())
    return bool(open_share <= 1 - WHOLE_NUMBER_BELOW)


def _part(agreement: Agreement, evidence: Evidence) -> Relation | None:
    a, b = agreement.share_a, agreement.share_b
    if a >= b:
        part, whole, telling, telling_share = a, b, agreement.telling_a, evidence.telling_share_a
        body = evidence.body_a
        relation = Relation.CONTAINED
    else:
        part, whole, telling, telling_share = b, a, agreement.telling_b, evidence.telling_share_b
        body = evidence.body_b
        relation = Relation.CONTAINS
    if min(body.length, body.number) < PART_BODY:
        return None
    inside = part >= PART_FROM or (part >= PART_TELLING[0] and telling >= PART_TELLING[1])
    if inside and whole < WHOLE_BELOW and telling_share >= PART_TELLING_LENGTH:
        return relation
    return None
