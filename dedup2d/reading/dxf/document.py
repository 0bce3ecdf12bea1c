"""A DXF's entities as a table, with its blocks, layers and header; nothing is drawn yet."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.errors import DrawingError
from dedup2d.reading.dxf.encoding import TextDecoder, encoding_of
from dedup2d.reading.dxf.tags import Places, Tags, number, whole

Rows = NDArray[np.intp]

_VARIABLE: Final = 9  # group code of a header variable's name
_WANTED: Final = frozenset({"$ACADVER", "$DWGCODEPAGE", "$INSUNITS"})
# A file that breaks off in one of these sections, after ENTITIES, has all of its geometry.
_AFTER_GEOMETRY: Final = frozenset({"OBJECTS", "THUMBNAILIMAGE", "ACDSDATA", "HEADER", "CLASSES"})


@dataclass(frozen=True, slots=True)
class Block:
    """A block's entities are the rows ``start`` to ``stop``; its base point is taken away."""

    name: str
    start: int
    stop: int
    base: tuple[float, float]


@dataclass(frozen=True)
class Document:
    """Row k is the k-th tag with code 0; its own tags are ``first[k] + 1`` to ``last[k]``.

    ``kinds`` are the distinct names of rows, ``kind`` (rows,) indices into them.
    ``entities`` is the range of the ENTITIES section, ``blocks`` are by lower-case name.
    """

    tags: Tags
    first: Places
    last: Places
    kinds: tuple[str, ...]
    kind: NDArray[np.int32]
    entities: tuple[int, int]
    blocks: dict[str, Block]
    hidden_layers: frozenset[str]
    header: dict[str, float]
    decoder: TextDecoder
    was_mended: bool = False

    @cached_property
    def owner(self) -> Places:
        """(tags,) the row that each tag belongs to."""
        return np.cumsum(self.tags.codes == 0) - 1

    def place_of(self, code: int) -> Places:
        """(rows,) where each row's first tag with ``code`` is, -1 where it has none."""
        places = np.flatnonzero(self.tags.codes == code)[::-1]
        found = np.full(len(self.first), -1, np.intp)
        rows = self.owner[places]
        found[rows[rows >= 0]] = places[rows >= 0]
        return found

    @cached_property
    def is_paper(self) -> NDArray[np.bool_]:
        """(rows,) whether the entity lies in paper space (code 67)."""
        return self._is_one(67)

    @cached_property
    def is_invisible(self) -> NDArray[np.bool_]:
        """(rows,) whether the entity is not shown: by itself (code 60) or by its layer."""
        invisible = self._is_one(60)
        if self.hidden_layers:
            place = self.layer_place
            for row in np.flatnonzero(place >= 0).tolist():
                if self.layer(row).lower() in self.hidden_layers:
                    invisible[row] = True
        return invisible

    def _is_one(self, code: int) -> NDArray[np.bool_]:
        place = self.place_of(code)
        rows = np.flatnonzero(place >= 0)
        found = np.zeros(len(self.first), bool)
        found[rows] = self.tags.numbers(place[rows]) == 1
        return found

    @cached_property
    def layer_place(self) -> Places:
        """(rows,) where the layer's name is."""
        return self.place_of(8)

    @cached_property
    def handle_place(self) -> Places:
        """(rows,) where the handle is."""
        return self.place_of(5)

    def block_of(self, rows: Places) -> Places:
        """(rows,) the start of the block that each row is in, or of ENTITIES."""
        starts = [self.entities[0], *(block.start for block in self.blocks.values())]
        ordered = np.unique(np.array(starts, np.intp))
        found: Places = ordered[np.searchsorted(ordered, rows, side="right") - 1]
        return found

    def sources(self, rows: Places, prefix: str = "") -> list[tuple[str, str, str]]:
        """Kind (with ``prefix``), layer and handle of each row."""
        kinds = [prefix + kind for kind in self.kinds]
        said = zip(
            self.kind[rows].tolist(),
            self.layer_place[rows].tolist(),
            self.handle_place[rows].tolist(),
            strict=True,
        )
        decode, values = self.decoder, self.tags.values
        return [
            (
                kinds[kind],
                decode(values[layer]) if layer >= 0 else "0",
                decode(values[handle]) if handle >= 0 else "",
            )
            for kind, layer, handle in said
        ]

    def layer(self, row: int) -> str:
        """The layer of a row; "0" where it says none."""
        place = int(self.layer_place[row])
        return self.decoder(self.tags.values[place]) if place >= 0 else "0"


def open_document(tags: Tags) -> Document:
    """The structure of a DXF. Raises DrawingError ``TRUNCATED_DRAWING``, ``BROKEN_DRAWING``."""
    rows = _rows(tags)
    if not len(rows.first):
        raise DrawingError("BROKEN_DRAWING", "The DXF has no entities and no sections.")
    sections, is_cut = _sections(rows)
    texts, numbers = _header(rows, sections)
    decoder = TextDecoder(encoding_of(texts))
    return Document(
        tags=tags,
        first=rows.first,
        last=rows.last,
        kinds=rows.kinds,
        kind=rows.kind,
        entities=sections.get("ENTITIES", (0, 0)),
        blocks=_blocks(rows, sections, decoder),
        hidden_layers=_hidden_layers(rows, decoder),
        header=numbers,
        decoder=decoder,
        was_mended=tags.was_mended or is_cut,
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    tags: Tags
    first: Places
    last: Places
    kinds: tuple[str, ...]
    kind: NDArray[np.int32]

    def where(self, kind: str) -> list[int]:
        """Rows of that kind."""
        if kind not in self.kinds:
            return []
        return np.flatnonzero(self.kind == self.kinds.index(kind)).tolist()

    def items(self, row: int) -> list[tuple[int, Any]]:
        """The row's own tags."""
        start, stop = int(self.first[row]) + 1, int(self.last[row])
        codes = self.tags.codes[start:stop].tolist()
        return list(zip(codes, self.tags.values[start:stop], strict=True))

    def marks(self, *kinds: str) -> list[int]:
        """Rows of any of those kinds, in order."""
        return sorted(row for kind in kinds for row in self.where(kind))


def _rows(tags: Tags) -> _Rows:
    first = np.flatnonzero(tags.codes == 0)
    names: dict[bytes, int] = {}
    values = tags.values
    raw = [values[place] for place in first.tolist()]
    kind = np.array([names.setdefault(value, len(names)) for value in raw], np.int32)
    # "LINE" and "LINE\r" are one kind: the distinct names are few, so they are joined here.
    spelled = [name.strip().upper() if isinstance(name, bytes) else b"" for name in names]
    kinds = list(dict.fromkeys(name.decode("latin-1") for name in spelled))
    joined = np.array([kinds.index(name.decode("latin-1")) for name in spelled], np.int32)
    last = np.append(first[1:], len(tags.codes))
    return _Rows(tags, first, last, tuple(kinds), joined[kind] if len(kind) else kind)


def _sections(rows: _Rows) -> tuple[dict[str, tuple[int, int]], bool]:
    """Row ranges by name, and whether the file breaks off behind its geometry.

    A file without sections is all entities. Raises DrawingError ``TRUNCATED_DRAWING``.
    """
    starts = rows.where("SECTION")
    count = len(rows.first)
    if not starts:
        return {"ENTITIES": (0, count)}, False
    found: dict[str, tuple[int, int]] = {}
    name, is_open = "", False
    ends = rows.marks("ENDSEC", "SECTION", "EOF")
    for start in starts:
        items = rows.items(start)
        name = rows.tags.raw(int(rows.first[start]) + 1).decode("latin-1") if items else ""
        name = name.upper()
        stop = _next(ends, start + 1, count)
        is_open = stop == count
        if name not in found or found[name][0] == found[name][1]:
            found[name] = (start + 1, stop)
    if is_open and ("ENTITIES" not in found or name not in _AFTER_GEOMETRY):
        raise DrawingError(
            "TRUNCATED_DRAWING",
            f"The DXF breaks off in its section {name}: "
            "it has neither the end of the section nor the end of the file.",
        )
    return found, is_open


def _next(marks: list[int], row: int, stop: int) -> int:
    """The first of the sorted ``marks`` from ``row`` on, ``stop`` at most."""
    at = bisect_left(marks, row)
    return min(marks[at], stop) if at < len(marks) else stop


def _header(
    rows: _Rows, sections: dict[str, tuple[int, int]]
) -> tuple[dict[str, str], dict[str, float]]:
    """The header variables that matter, as text and as number."""
    texts: dict[str, str] = {}
    numbers: dict[str, float] = {}
    if "HEADER" not in sections:
        return texts, numbers
    tags, section = rows.tags, sections["HEADER"][0] - 1
    start, stop = int(rows.first[section]), int(rows.last[section])
    for at in (start + np.flatnonzero(tags.codes[start : stop - 1] == _VARIABLE)).tolist():
        name = tags.raw(at).decode("latin-1")
        if name in _WANTED:
            texts[name] = tags.raw(at + 1).decode("latin-1")
            numbers[name] = number(tags.values[at + 1])
    return texts, numbers


def _blocks(
    rows: _Rows, sections: dict[str, tuple[int, int]], decoder: TextDecoder
) -> dict[str, Block]:
    found: dict[str, Block] = {}
    if "BLOCKS" not in sections:
        return found
    start, stop = sections["BLOCKS"]
    ends = rows.marks("ENDBLK", "BLOCK")
    for row in rows.where("BLOCK"):
        if not start <= row < stop:
            continue
        name, x, y = "", 0.0, 0.0
        for code, value in rows.items(row):
            if code == 2 and not name:  # noqa: PLR2004  # DXF group code of names
                name = decoder(value)
            elif code == 10:  # noqa: PLR2004  # DXF group code of x
                x = number(value)
            elif code == 20:  # noqa: PLR2004  # DXF group code of y
                y = number(value)
        end = _next(ends, row + 1, stop)
        found.setdefault(name.lower(), Block(name, row + 1, end, (x, y)))
    return found


def _hidden_layers(rows: _Rows, decoder: TextDecoder) -> frozenset[str]:
    """Lower-case names of layers that are frozen (flag 1) or off (negative colour)."""
    hidden = set()
    for row in rows.where("LAYER"):
        name, is_hidden = "", False
        for code, value in rows.items(row):
            if code == 2 and not name:  # noqa: PLR2004  # DXF group code of names
                name = decoder(value)
            elif code == 70:  # noqa: PLR2004  # DXF group code of flags
                is_hidden |= bool(whole(value) & 1)
            elif code == 62:  # noqa: PLR2004  # DXF group code of colour
                is_hidden |= number(value) < 0
        if is_hidden:
            hidden.add(name.lower())
    return frozenset(hidden)
