"""Why: what agreed and what did not, in sentences with numbers."""

from __future__ import annotations

from typing import Final

from dedup2d.matching.relation import Evidence, is_enough, is_plain_scale
from dedup2d.matching.verify import Agreement
from dedup2d.report import Changes, Relation

UNSCALED: Final = 1e-6

_SUMMARY: Final = {
    Relation.SAME: "All strokes and all texts agree.",
    Relation.REVISION: "The same drawing with changes.",
    Relation.VARIANT: "The same drawing in another hand or size.",
    Relation.CONTAINS: "The match is a part of this drawing.",
    Relation.CONTAINED: "This drawing is a part of the match.",
    Relation.SIMILAR: "The drawings share shapes, but no whole.",
    Relation.DIFFERENT: "The drawings share little.",
}


def sentences(
    relation: Relation, agreement: Agreement, evidence: Evidence, changes: Changes
) -> tuple[str, ...]:
    """The summary first, then coverage, pose, differences, and doubts."""
    found = [_SUMMARY[relation]]
    found.append(
        f"{agreement.share_a:.1%} of this drawing's stroke length and {agreement.share_b:.1%} "
        f"of the match's coincide within {agreement.tolerance:.1e} of the diagonal."
    )
    found.append(_pose(agreement, evidence))
    if changes.added or changes.removed:
        found.append(
            f"{changes.added} strokes are only in this drawing, {changes.removed} only in the "
            f"match, in {len(changes.regions)} places."
        )
    if changes.texts:
        found.append(f"{len(changes.texts)} texts differ.")
    if not is_enough(agreement, evidence):
        count = min(evidence.count_a, evidence.count_b)
        found.append(f"Too little evidence: {count} strokes fit many drawings by chance.")
    return tuple(found)


def _pose(agreement: Agreement, evidence: Evidence) -> str:
    pose = agreement.transform.pose()
    parts = ["mirrored"] if pose.mirrored else []
    angle = f"{pose.rotation_deg:.2f}"
    if angle not in {"0.00", "360.00"}:
        parts.append(f"turned by {angle} degrees")
    if abs(pose.scale - 1) > UNSCALED:
        kind = "a unit or plot scale" if is_plain_scale(pose.scale, evidence) else "no unit"
        parts.append(f"scaled by {pose.scale:.6g} ({kind})")
    if not parts:
        return "It lies on the match without being turned, mirrored or scaled."
    return f"To lie on the match, this drawing is {', '.join(parts)}."
