"""Two documents of geometry JSON against each other: one score, and what it is made of."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from dedup2d.engine.geometry_json import drawing_from_geometry
from dedup2d.engine.geometry_normal import geometry_hash, normal_form, words
from dedup2d.matching.compare import compare
from dedup2d.matching.fingerprint import fingerprint
from dedup2d.report import Relation

DECIMALS: Final = 6

_Json = Mapping[str, Any]
_Parts = Callable[[_Json], Counter[str]]


def compare_files(payload: dict[str, Any]) -> dict[str, Any]:
    """Task of a child: ``{"left", "right"}``, paths of two documents -> as ``compare_documents``."""
    left, right = (json.loads(Path(payload[side]).read_bytes()) for side in ("left", "right"))
    return compare_documents(left, right)


def compare_documents(left: Any, right: Any) -> dict[str, Any]:
    """``{"score", "breakdown", "geom_hash_left", "geom_hash_right"}``, shares in [0, 1].

    The score is the engine's similarity of the two drawings, 1 where the documents say the same.
    The breakdown has ``entities`` (the share of the strokes' length that the other covers,
    in the pose that fits best) and, for each section that both have, the share of its parts that
    they have in common. Raises DrawingError ``GEOMETRY_INVALID``, ``GEOMETRY_TOO_LARGE``.
    """
    drawings = drawing_from_geometry(left), drawing_from_geometry(right)
    normal = normal_form(left), normal_form(right)
    hashes = geometry_hash(normal[0]), geometry_hash(normal[1])
    compared = compare(fingerprint(drawings[0]), fingerprint(drawings[1]))
    # Blocks count with their hash in the normal form, with their strokes in the drawing.
    strokes = any(drawing.primitive_count for drawing in drawings)
    alike = not strokes or compared.relation is Relation.SAME
    equal = left == right or (hashes[0] == hashes[1] and alike)
    covered = math.sqrt(compared.share_query * compared.share_match)
    breakdown = {"entities": 1.0 if equal else round(covered, DECIMALS)}
    for name, parts_of in _SECTIONS.items():
        parts = parts_of(normal[0]), parts_of(normal[1])
        if all(parts):
            breakdown[name] = round(_in_common(*parts), DECIMALS)
    return {
        "score": 1.0 if equal else round(compared.similarity, DECIMALS),
        "breakdown": breakdown,
        "geom_hash_left": hashes[0],
        "geom_hash_right": hashes[1],
    }


def _in_common(ours: Counter[str], theirs: Counter[str]) -> float:
    """Jaccard's index of two multisets."""
    return (ours & theirs).total() / (ours | theirs).total()


def _layers(normal: _Json) -> Counter[str]:
    return Counter(words(name) for name in normal["layers"])


def _blocks(normal: _Json) -> Counter[str]:
    """By hash, or by name where a block has none."""
    return Counter(
        words(about["hash"] or about["sig"] or name) for name, about in normal["blocks"].items()
    )


def _dimensions(normal: _Json) -> Counter[str]:
    """The section's measurements, or those of the entities where it is missing."""
    listed = normal["dimensions"] if isinstance(normal["dimensions"], list) else []
    found = [_words_of(item, "measurement_text", "actual_measurement") for item in listed]
    if not found:
        found = [
            _words_of(item, "text", "value")
            for item in normal["entities"]
            if item["type"] == "DIMENSION"
        ]
    return Counter(filter(None, found))


def _texts(normal: _Json) -> Counter[str]:
    """The section's texts, or those of the entities where it is missing."""
    listed = normal["text_content"] if isinstance(normal["text_content"], list) else []
    found = [words(text) for text in listed if isinstance(text, str)]
    if not found:
        found = [
            words(item["text"])
            for item in normal["entities"]
            if "TEXT" in item["type"] and "text" in item
        ]
    return Counter(filter(None, found))


def _hatches(normal: _Json) -> Counter[str]:
    """The section's patterns, or those of the entities where it is missing."""
    listed = normal["hatches"] if isinstance(normal["hatches"], list) else []
    found = [_words_of(item, "pattern_name", "hatch_type") for item in listed]
    if not found:
        found = [
            _words_of(item, "pattern") for item in normal["entities"] if item["type"] == "HATCH"
        ]
    return Counter(filter(None, found))


def _words_of(item: Any, *names: str) -> str:
    """The first of these fields that says something."""
    given: _Json = item if isinstance(item, dict) else {}
    return next((said for name in names if (said := words(given.get(name)))), "")


_SECTIONS: Final[dict[str, _Parts]] = {
    "layers": _layers,
    "blocks": _blocks,
    "dimensions": _dimensions,
    "text_content": _texts,
    "hatches": _hatches,
}
