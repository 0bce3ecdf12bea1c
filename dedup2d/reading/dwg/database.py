"""A DWG's entities by the block that owns them, with layers and units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ezdwg
from ezdwg import raw

from dedup2d.reading.budget import Meter

MODEL: Final = "*model_space"
_PAPER: Final = "*paper_space"
_OWNED, _IN_PAPER, _IN_MODEL = 0, 1, 2  # how an entity's header tells where it is

# Drawn by other programs, but not decoded by ezdwg: counted as a finding.
_UNDECODED: Final = frozenset(
    {"ACAD_TABLE", "MULTILEADER", "WIPEOUT", "MESH", "ACAD_PROXY_ENTITY", "SPATIAL_FILTER"}
)


@dataclass(frozen=True, slots=True)
class DwgEntity:
    """One entity: its values are ezdwg's, by their names there."""

    kind: str
    handle: str
    layer: str
    is_hidden: bool
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DwgDatabase:
    """``contents``: entities by the lower-case name of their block, in order of handles."""

    contents: dict[str, list[DwgEntity]]
    bases: dict[str, tuple[float, float]]
    insunits: int | None
    undecoded: dict[str, int]


def open_database(path: Path, meter: Meter) -> DwgDatabase:
    """Decode the whole file. Raises what ezdwg raises, and DrawingError for the budget."""
    document = ezdwg.read(str(path))
    # Only the second list has the numbers of anonymous blocks; it also names their ends.
    blocks = {int(b["handle"]): b for b in raw.decode_write_blocks(document.decode_path)}
    numbered = dict(raw.decode_block_header_names(document.decode_path))
    names = {
        handle: _unique(numbered.get(handle) or block["name"], handle)
        for handle, block in blocks.items()
    }
    layers = {layer.handle: layer for layer in document.layers}
    contents: dict[str, list[DwgEntity]] = {name: [] for name in names.values()}
    contents.setdefault(MODEL, [])
    for number, entity in enumerate(document.entities().query()):
        if number % 1000 == 0:
            meter.check_entities(number)
            meter.check_time()
        layer = layers.get(entity.dxf.get("layer_handle"))
        is_off = layer is not None and (layer.frozen or not layer.on)
        home = _home(document, entity.handle, names)
        contents.setdefault(home, []).append(
            DwgEntity(
                kind=entity.dxftype,
                handle=f"{entity.handle:X}",
                layer=layer.name if layer else "0",
                is_hidden=is_off or bool(entity.dxf.get("invisible")),
                values=entity.dxf,
            )
        )
    for entities in contents.values():
        entities.sort(key=lambda found: int(found.handle, 16))
    bases = {names[h]: tuple(block["base_point"][:2]) for h, block in blocks.items()}
    return DwgDatabase(contents, bases, document.insunits, _undecoded(document))


def _unique(name: str, handle: int) -> str:
    """Paper spaces share a name; other blocks are referred to by theirs."""
    lower = str(name).lower()
    return f"{_PAPER}{handle}" if lower.startswith(_PAPER) else lower


def _home(document: Any, handle: int, names: dict[int, str]) -> str:
    """The block that owns an entity; attributes live where their INSERT does."""
    for _ in range(8):  # owners of owners; a loop in a damaged file ends here
        placement = document.entity_placement(handle)
        if placement is None or placement[0] == _IN_MODEL:
            return MODEL
        mode, owner = placement
        if mode == _IN_PAPER:
            return _PAPER
        if mode != _OWNED or owner is None:
            return MODEL
        if owner in names:
            return names[owner]
        handle = owner
    return MODEL


def _undecoded(document: Any) -> dict[str, int]:
    rows = raw.list_object_headers_with_type(document.decode_path)
    found = Counter(str(row[4]).upper() for row in rows)
    return {name: count for name, count in sorted(found.items()) if name in _UNDECODED}
