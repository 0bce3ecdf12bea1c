"""The normal form of geometry JSON, and its hash: equal for documents that say the same.

Numbers are rounded to three decimals, words are lower-case with single spaces, what a document
leaves out has its default, and entities of unknown types are reduced to type and layer.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

DECIMALS: Final = 3

_Json = Mapping[str, Any]


def normal_form(document: _Json) -> dict[str, Any]:
    """What of a document counts; the order of its entities is kept."""
    return {
        "layers": _named(document.get("layers"), ("color", "linetype")),
        "entities": [_entity(entity) for entity in _items(document.get("entities"))],
        "blocks": _named(
            document.get("blocks"),
            ("entity_count", "sig", "sig2", "hash", "hash_version", "quant_step"),
        ),
        "dimensions": document.get("dimensions", {}),
        "hatches": document.get("hatches", {}),
        "text_content": document.get("text_content", []),
        "statistics": document.get("statistics", {}),
    }


def geometry_hash(normal: _Json) -> str:
    """sha256, hex, of the canonical JSON: sorted keys, compact, UTF-8."""
    text = json.dumps(normal, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def words(text: Any) -> str:
    """Lower-case, with single spaces."""
    return " ".join(str("" if text is None else text).lower().split())


def _entity(entity: Any) -> dict[str, Any]:
    given: _Json = entity if isinstance(entity, dict) else {}
    kind = str(given.get("type", "UNKNOWN"))
    item: dict[str, Any] = {"type": kind, "layer": str(given.get("layer", ""))}
    for name, normal in _FIELDS.get(kind, {}).items():
        value = normal(given.get(name))
        if value is not None:
            item[name] = value
    return item


def _items(section: Any) -> Iterable[Any]:
    return section if isinstance(section, list) else ()


def _named(section: Any, fields: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """``layers`` or ``blocks``: of each name the fields that count."""
    if not isinstance(section, dict):
        return {}
    return {
        str(name): {field: (_field(about, field)) for field in fields}
        for name, about in section.items()
    }


def _field(about: Any, name: str) -> Any:
    return about.get(name) if isinstance(about, dict) else None


def _number(value: Any) -> float:
    """Rounded; 0 for what is none, so that -0 and 0 are one."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return round(number, DECIMALS) + 0.0 if math.isfinite(number) else 0.0


def _known_number(value: Any) -> float | None:
    return None if value is None else _number(value)


def _whole(value: Any) -> int:
    return int(_number(value))


def _point(value: Any) -> list[float]:
    pair = value if isinstance(value, list) else []
    return [_number(part) for part in (*pair, 0, 0)[:2]]


def _points(value: Any) -> list[list[float]]:
    return [_point(p) for p in _items(value) if isinstance(p, list) and len(p) > 1]


def _axis(value: Any) -> list[float]:
    return [1.0, 0.0] if value is None else _point(value)


def _ratio(value: Any) -> float:
    return 1.0 if value is None else _number(value)


def _factors(value: Any) -> list[float]:
    return [1.0, 1.0] if value is None else _point(value)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _as_it_is(value: Any) -> Any:
    return value


_Normal = Callable[[Any], Any]
_POLYLINE: Final[dict[str, _Normal]] = {"points": _points, "closed": bool}
_WORDS: Final[dict[str, _Normal]] = {"text": words}
_FIELDS: Final[dict[str, dict[str, _Normal]]] = {
    "LINE": {"start": _point, "end": _point},
    "CIRCLE": {"center": _point, "radius": _number},
    "ARC": {"center": _point, "radius": _number, "start_angle": _number, "end_angle": _number},
    "LWPOLYLINE": _POLYLINE,
    "POLYLINE": _POLYLINE,
    "ELLIPSE": {
        "center": _point,
        "major": _axis,
        "ratio": _ratio,
        "start_param": _number,
        "end_param": _number,
    },
    "SPLINE": {"control_points": _points, "degree": _whole},
    "TEXT": _WORDS,
    "MTEXT": _WORDS,
    "DIMENSION": {
        "text": words,
        "dimstyle": _text,
        "value": _known_number,
        "tol": _known_number,
        "unit": _text,
    },
    "HATCH": {"pattern": _text, "loops": _whole, "color": _whole},
    "LEADER": {"vertices": _points},
    "INSERT": {
        "block": _text,
        "insert": _point,
        "scale": _factors,
        "rotation": _number,
        "block_hash": _as_it_is,
        "block_sig": _as_it_is,
        "block_sig2": _as_it_is,
        "block_area": _as_it_is,
    },
}
