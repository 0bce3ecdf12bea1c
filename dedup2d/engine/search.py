"""One search, as the algorithm reads: fingerprint, candidates, verification, report.

Levels, as clients know them: 1 equal bytes, 2 equal geometry key or signature, 3 candidates by
tokens and descriptor, 4 verified geometry.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, Final

import cv2
import numpy as np

from dedup2d.drawing.model import Drawing
from dedup2d.engine.vault import Vault
from dedup2d.engine.verdict import passes_gate, verdict_of
from dedup2d.errors import ServiceError
from dedup2d.index.arrays import JOIN
from dedup2d.index.index import Candidate
from dedup2d.index.limits import Limits
from dedup2d.matching.compare import Comparison, compare
from dedup2d.matching.subject import Subject, measured
from dedup2d.options import Mode, SearchOptions
from dedup2d.report import Changes, Match, Relation, Report, Verdict

LIMITS: Final = {
    Mode.FAST: Limits(cosine=4, containment=3, descriptor=2),
    Mode.BALANCED: Limits(cosine=10, containment=8, descriptor=5),
    Mode.PRECISE: Limits(cosine=40, containment=30, descriptor=20),
}

MOST_PRECISE: Final = 100
MOST_SCANNED: Final = 100
UNLIKELY_VERIFIED: Final = 2
SETTLED: Final = frozenset({Relation.EXACT, Relation.SAME, Relation.REVISION, Relation.CONTAINS})
SCANNED_AT_LEAST: Final = 12  # candidates of a scan that are verified though one was found

# In a vault of 400 framed drawings strangers reach a promise of 0.2 to 0.4, crops to a tenth 0.3
# and more, sheets of four drawings 0.5, everything else 0.7 and more.
LIKELY_FROM: Final = 0.15
LIKELY_SHARE: Final = 0.35  # of the best candidate's promise
BEST_VERIFIED: Final = 3  # however little they promise, if nothing else is found

# What a damaged or absurd stored drawing may raise in numpy and OpenCV; the search goes on.
_CANDIDATE_FAULTS: Final = (
    ServiceError,
    ArithmeticError,
    LookupError,
    ValueError,
    np.linalg.LinAlgError,
    cv2.error,
)

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class SearchQuery:
    """The drawing that is asked about."""

    drawing: Drawing
    file_name: str
    file_hash: str


@dataclass
class _Course:
    """The search that is running: what it works with, its times and its remarks."""

    vault: Vault
    query: SearchQuery
    options: SearchOptions
    tenant: str
    limit_s: float
    begun: float = field(default_factory=perf_counter)
    timing: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    verified: int = 0

    def lap(self, name: str) -> None:
        now = perf_counter()
        self.timing[name] = round((now - self.begun) * 1e3 - sum(self.timing.values()), 3)


def search(
    vault: Vault,
    query: SearchQuery,
    options: SearchOptions,
    *,
    tenant: str,
    limit_s: float = math.inf,
) -> Report:
    """The Report for one drawing; after ``limit_s`` no further candidate is verified.

    Raises ServiceError if the index cannot be used.
    """
    course = _Course(vault, query, options, tenant, limit_s)
    asked = vault.weighted(measured(query.drawing), tenant=tenant)
    course.lap("fingerprint_ms")
    candidates = vault.index.candidates(
        asked.fingerprint, tenant=tenant, sha256=query.file_hash, limits=LIMITS[options.mode]
    )
    course.lap("candidates_ms")
    first, then = _to_verify(candidates, options, scanned=asked.fingerprint.is_raster)
    matches = _verified(course, asked, first, then)
    course.lap("verify_ms")
    if not asked.fingerprint.shape.count:
        course.warnings.append("query_without_strokes")
    course.warnings.append(f"precision_verified:{course.verified}")
    return _report(course, candidates, _ordered(matches, options))


def _to_verify(
    candidates: tuple[Candidate, ...], options: SearchOptions, *, scanned: bool
) -> tuple[tuple[Candidate, ...], tuple[Candidate, ...]]:
    """What is verified in any case, best first, and what only if that settles nothing.

    First the likely ones, and of the others those with the best descriptors, which may be scans,
    of which tokens say little; for a scanned query the descriptor decides.
    """
    if options.mode is Mode.PRECISE:
        return candidates[: max(options.precision_top_n, MOST_PRECISE)], ()
    if scanned:
        ranked = sorted(candidates, key=lambda c: (not c.same_bytes, -c.descriptor, c.entry.number))
        most = max(options.precision_top_n, MOST_SCANNED)
        return tuple(ranked[:SCANNED_AT_LEAST]), tuple(ranked[SCANNED_AT_LEAST:most])
    best = min(candidates[0].promise, 1.0) if candidates else 0.0
    floor = max(LIKELY_FROM, LIKELY_SHARE * best)
    likely = [c for c in candidates if c.promise >= floor][: options.precision_top_n]
    rest = sorted(candidates[len(likely) :], key=lambda c: (-c.descriptor, c.entry.number))
    first = (*likely, *rest[:UNLIKELY_VERIFIED])
    return first, tuple(c for c in candidates[:BEST_VERIFIED] if c not in first)


def _verified(
    course: _Course, asked: Subject, first: tuple[Candidate, ...], then: tuple[Candidate, ...]
) -> list[Match]:
    matches = []
    gated = 0
    settled = False
    candidates = (*first, *then)
    for number, candidate in enumerate(candidates):
        if settled and number >= len(first):
            break
        if perf_counter() - course.begun > course.limit_s:
            course.warnings.append(f"not_verified_in_time:{len(candidates) - number}")
            break
        course.verified += 1
        try:
            compared = _compared(course, asked, candidate)
        except _CANDIDATE_FAULTS as error:
            _LOG.warning("Candidate %s is left out: %s", candidate.entry.drawing_id, error)
            course.warnings.append(f"candidate_failed:{candidate.entry.drawing_id}")
            continue
        if compared is None:
            continue
        settled = settled or compared.relation in SETTLED
        verdict = verdict_of(compared, course.options)
        if verdict is Verdict.DIFFERENT:
            continue
        names = course.query.file_name, candidate.entry.file_name
        if passes_gate(*names, compared.relation, course.options):
            matches.append(_match(candidate, compared, verdict, course.options))
        else:
            gated += 1
    if gated:
        course.warnings.append(f"precision_version_gate_filtered:{gated}")
    return matches


def _compared(course: _Course, asked: Subject, candidate: Candidate) -> Comparison | None:
    entry = candidate.entry
    other = course.vault.subject(entry, tenant=course.tenant)
    if other is None:
        return None
    compared = compare(asked, other)
    if not candidate.same_bytes:
        return compared
    return replace(
        compared,
        relation=Relation.EXACT,
        similarity=1.0,
        confidence=1.0,
        tell=lambda: (Changes(), ("The files have the same bytes.",)),
    )


def _ordered(matches: list[Match], options: SearchOptions) -> list[Match]:
    """Duplicates before similar ones, best first."""
    matches.sort(
        key=lambda m: (
            m.verdict is not Verdict.DUPLICATE,
            -m.similarity,
            -m.confidence,
            len(m.changes.texts),
            m.drawing_id,
        )
    )
    return matches[: options.max_results]


def _match(
    candidate: Candidate, compared: Comparison, verdict: Verdict, options: SearchOptions
) -> Match:
    entry = candidate.entry
    changes = compared.changes
    if not options.compute_diff:
        changes = changes.model_copy(update={"regions": ()})
    return Match(
        drawing_id=entry.drawing_id,
        file_hash=entry.sha256,
        file_name=entry.file_name,
        path=entry.path,
        similarity=compared.similarity,
        confidence=compared.confidence,
        match_level=1 if candidate.same_bytes else 4,
        verdict=verdict,
        relation=compared.relation,
        pose=compared.pose,
        changes=changes,
        levels=_levels(candidate, compared),
        why=compared.why,
    )


def _levels(candidate: Candidate, compared: Comparison) -> dict[str, Any]:
    return {
        "l1": {"same_bytes": candidate.same_bytes},
        "l2": {
            "same_key": candidate.same_key,
            "signature_difference": round(candidate.signature, 9),
        },
        "l3": {
            "token_cosine": round(candidate.cosine, 6),
            "token_containment": round(candidate.containment, 6),
            "descriptor_cosine": round(candidate.descriptor, 6),
        },
        "l4": {
            "coverage_query": round(compared.share_query, 6),
            "coverage_match": round(compared.share_match, 6),
            "residual": compared.residual,
            "tolerance": compared.tolerance,
        },
    }


def _report(course: _Course, candidates: tuple[Candidate, ...], matches: list[Match]) -> Report:
    index = course.vault.index
    if outdated := index.outdated(course.tenant):
        course.warnings.append(f"index_outdated:{outdated}")
    return Report(
        total_matches=len(matches),
        duplicates=tuple(m for m in matches if m.verdict is Verdict.DUPLICATE),
        similar=tuple(m for m in matches if m.verdict is Verdict.SIMILAR),
        final_level=4 if course.verified else 3,
        timing=_timing(course),
        level_stats={
            "l1": {"matched": sum(c.same_bytes for c in candidates)},
            "l2": {"matched": sum(c.same_key or c.signature <= JOIN for c in candidates)},
            "l3": {"candidates": len(candidates), "drawings": index.count(course.tenant)},
            "l4": {"verified": course.verified, "reported": len(matches)},
        },
        warnings=tuple(course.warnings),
    )


def _timing(course: _Course) -> dict[str, float]:
    """Milliseconds; bytes and keys of levels 1 and 2 cost next to nothing beside the rest."""
    course.lap("report_ms")
    stages = course.timing
    return {
        "total_ms": round(sum(stages.values()), 3),
        "l1_ms": 0.0,
        "l2_ms": stages["fingerprint_ms"],
        "l3_ms": stages["candidates_ms"],
        "l4_ms": stages["verify_ms"],
        **stages,
    }
