"""Is a file geometry JSON: an object whose sections are of the right kind?

Parsing 64 MB of JSON takes ten times that in memory, so large files are checked in a child
process, which imports this module only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

MAX_IN_PROCESS_BYTES: Final = 1024**2
MOST_ENTITIES: Final = 500_000  # what the engine reads


def check(payload: dict[str, Any]) -> dict[str, Any]:
    """Give ``{"reason": why not}`` for the file at ``payload["path"]``; None where it is one."""
    try:
        document = json.loads(Path(payload["path"]).read_bytes(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        nested = isinstance(error, RecursionError)
        return {"reason": "it is nested too deeply" if nested else str(error)}
    if not isinstance(document, dict):
        return {"reason": f"it must be a JSON object, not {_KINDS[type(document)]}"}
    for name, kind in _SECTIONS.items():
        section = document.get(name)
        if section is not None and not isinstance(section, kind):
            return {"reason": f"{name} must be {_KINDS[kind]}, not {_KINDS[type(section)]}"}
    if len(document.get("entities") or ()) > MOST_ENTITIES:
        return {"reason": f"more than {MOST_ENTITIES} entities"}
    return {"reason": None}


_SECTIONS: Final[dict[str, type]] = {
    "file_info": dict,
    "meta": dict,
    "layers": dict,
    "blocks": dict,
    "entities": list,
}

_KINDS: Final[dict[type, str]] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")
