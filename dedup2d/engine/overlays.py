"""Overlays: query and match in the query's frame, split into common, added and removed."""

from __future__ import annotations

from dedup2d.drawing.model import Drawing
from dedup2d.matching.compare import Comparison, compare
from dedup2d.matching.fingerprint import fingerprint
from dedup2d.matching.subject import Subject, subject
from dedup2d.overlay.model import Overlay, Strokes
from dedup2d.report import Relation


def compare_drawings(
    query: Drawing, match: Drawing, names: tuple[str, str] = ("A", "B")
) -> tuple[Comparison, Overlay]:
    """How two drawings relate, and the picture of it; ``names`` are those of query and match."""
    a, b = subject(fingerprint(query)), subject(fingerprint(match))
    comparison = compare(a, b)
    return comparison, overlay_of(a, b, comparison, names)


def overlay_of(
    query: Subject,
    match: Subject,
    comparison: Comparison,
    names: tuple[str, str],
    *,
    relation: Relation | None = None,
) -> Overlay:
    """The Overlay of a comparison; ``relation`` replaces the comparison's (for ``exact``)."""
    own, other = query.fingerprint.shape, match.fingerprint.shape
    common = own.part(~comparison.added)
    added = own.part(comparison.added)
    removed = comparison.transform.inverse().move(other).part(comparison.removed)
    return Overlay(
        query_name=names[0],
        match_name=names[1],
        relation=relation or comparison.relation,
        similarity=1.0 if relation is Relation.EXACT else comparison.similarity,
        pose=comparison.pose,
        common=Strokes(common.segments, common.arcs),
        added=Strokes(added.segments, added.arcs),
        removed=Strokes(removed.segments, removed.arcs),
        regions=comparison.changes.regions,
        text_changes=comparison.changes.texts,
        unit_mm=_unit_mm(query, match, comparison),
        states_unit=query.fingerprint.unit_mm is not None,
    )


def _unit_mm(query: Subject, match: Subject, comparison: Comparison) -> float | None:
    """Millimetres per unit of the query's; a scan's are known by the drawing that it shows."""
    own, other = query.fingerprint.unit_mm, match.fingerprint.unit_mm
    if own or not other or comparison.relation is Relation.DIFFERENT:
        return own
    return other * comparison.pose.scale
