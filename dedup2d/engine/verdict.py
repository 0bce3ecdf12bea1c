"""What the thresholds make of a comparison, and whether it is worth reporting.

``exact`` and ``same`` are duplicates, unless ``duplicate_threshold`` asks for more similarity than
they have (0.999 for ``same``). Revisions, variants and parts are what an engineer must
see, but must not merge: they are ``similar``, whatever their similarity, and always reported.
Loosely similar drawings are reported from ``similar_threshold`` on.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

from dedup2d.matching.compare import Comparison
from dedup2d.options import PrecisionProfile, SearchOptions, VersionGate
from dedup2d.report import Relation, Verdict

DUPLICATES: Final = frozenset({Relation.EXACT, Relation.SAME})
ALWAYS_SHOWN: Final = frozenset(
    {Relation.REVISION, Relation.VARIANT, Relation.CONTAINS, Relation.CONTAINED}
)
_VERSION_SUFFIX: Final = re.compile(r"[_\- ]*(?:v|ver|rev)[_\-. ]?[0-9a-z]{1,3}$", re.IGNORECASE)


def verdict_of(comparison: Comparison, options: SearchOptions) -> Verdict:
    """``different`` means: not reported."""
    relation = comparison.relation
    if relation in DUPLICATES and comparison.similarity >= options.duplicate_threshold:
        return Verdict.DUPLICATE
    if relation in DUPLICATES | ALWAYS_SHOWN:
        return Verdict.SIMILAR
    if relation is Relation.SIMILAR and comparison.similarity >= options.similar_threshold:
        return Verdict.SIMILAR
    return Verdict.DIFFERENT


def passes_gate(
    query_name: str, match_name: str, relation: Relation, options: SearchOptions
) -> bool:
    """Whether a revision has the evidence that ``version_gate`` asks for: an equal file stem."""
    if options.precision_profile is not PrecisionProfile.VERSION:
        return True
    if options.version_gate is VersionGate.OFF or relation is not Relation.REVISION:
        return True
    return stem(query_name) == stem(match_name)


def stem(file_name: str) -> str:
    """A file's name without extension and version suffix, lower-case."""
    return _VERSION_SUFFIX.sub("", PurePath(file_name).stem).casefold()
