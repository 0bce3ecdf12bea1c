"""From a Document to Drawings: which entities are shown, drawn by kind, blocks put in place."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing import MM_PER_UNIT, Drawing, Text
from dedup2d.reading.blocks import BlockExpander, Content, Placement, source_prefix
from dedup2d.reading.budget import Meter
from dedup2d.reading.builder import DrawingBuilder
from dedup2d.reading.dxf import (
    hatches,
    hatching,
    leaders,
    meshes,
    multileaders,
    polylines,
    references,
    shapes,
    splines,
    texts,
)
from dedup2d.reading.dxf.document import Document
from dedup2d.reading.dxf.group import Group
from dedup2d.reading.strokes import Owners, Strokes, in_order, joined, no_owners

_DRAWN: Final[dict[str, Callable[[Group], Strokes]]] = {
    "LINE": shapes.lines,
    "CIRCLE": shapes.circles,
    "ARC": shapes.arcs,
    "ELLIPSE": shapes.ellipses,
    "SOLID": shapes.solids,
    "TRACE": shapes.solids,
    "3DFACE": shapes.faces,
    "LWPOLYLINE": polylines.lwpolylines,
    "LEADER": leaders.leaders,
    "MLINE": polylines.mlines,
    "SPLINE": splines.splines,
    "HELIX": splines.splines,
    "MESH": meshes.meshes,
}
_PLACED: Final[dict[str, Callable[[Group], list[tuple[int, Placement]]]]] = {
    "INSERT": references.inserts,
    "DIMENSION": references.dimensions,
    "ARC_DIMENSION": references.dimensions,
    "LARGE_RADIAL_DIMENSION": references.dimensions,
    "ACAD_TABLE": references.tables,
    "LEADER": leaders.arrow_blocks,
}
_TEXTS: Final = frozenset({"TEXT", "MTEXT", "ATTRIB", "TOLERANCE"})
_STRUCTURE: Final = frozenset(
    {"VERTEX", "SEQEND", "ENDSEC", "EOF", "SECTION", "ENDBLK", "BLOCK", "ATTDEF"}
)
_NO_STROKES: Final = frozenset({"POINT", "VIEWPORT", "RAY", "XLINE", "LIGHT"})
_HATCHES: Final = frozenset({"HATCH", "MPOLYGON"})
_SOLIDS: Final = frozenset({"SOLID", "TRACE"})
_MULTILEADERS: Final = frozenset({"MULTILEADER", "MLEADER"})


def read_layout(
    document: Document, meter: Meter, *, name: str, block: str = "", paper: bool = False
) -> Drawing:
    """What is shown in model space, in paper space (``paper``), or in the one ``block``."""
    builder = DrawingBuilder(meter)
    sheet = Sheet(document, builder, paper=paper, root=block)
    expander = BlockExpander(sheet.content_of, builder, len(document.first))
    content = sheet.content_of(block) if block else sheet.content(*document.entities)
    strokes = in_order(expander.expand(content)) if content else Strokes()
    _add(document, builder, _unhatched(document, builder, strokes, sheet.hatching_blocks()))
    unit = document.header.get("$INSUNITS", 0.0)
    return builder.build(
        format_name="dxf",
        unit_mm=MM_PER_UNIT.get(int(unit)) if np.isfinite(unit) else None,
        sheet_names=(name,),
    )


def _unhatched(
    document: Document, builder: DrawingBuilder, strokes: Strokes, blocks: list[tuple[int, int]]
) -> Strokes:
    """Without the lines of hatches that are bounded by other strokes."""
    rows = strokes.segment_owner % len(document.first)
    inside = hatching.is_hatching(strokes, rows, blocks)
    if not inside.any():
        return strokes
    builder.find("HATCHING_SKIPPED", "Pattern lines of hatches.", int(inside.sum()))
    kept, owner = ~inside, strokes.segment_owner
    return replace(
        strokes,
        segments=strokes.segments[kept],
        segment_owner=owner[kept],
        beside=np.concatenate([strokes.beside, strokes.segments[inside]]),
        beside_owner=np.concatenate([strokes.beside_owner, owner[inside]]),
    )


def _add(document: Document, builder: DrawingBuilder, strokes: Strokes) -> None:
    owners = np.concatenate([strokes.segment_owner, strokes.arc_owner, strokes.curve_owner])
    used = np.unique(owners)
    source = np.zeros(int(used[-1]) + 1 if len(used) else 0, np.int32)
    rows = len(document.first)
    for start in (0, rows, 2 * rows):
        some = used[(used >= start) & (used < start + rows)]
        prefix = source_prefix(start, rows)
        source[some] = builder.add_sources(document.sources(some - start, prefix))
    builder.add_segments(strokes.segments, source[strokes.segment_owner])
    builder.add_arcs(strokes.arcs, source[strokes.arc_owner])
    builder.add_curves(strokes.curves, source[strokes.curve_owner])
    solid = [k for k, name in enumerate(document.kinds) if name in _SOLIDS]
    is_seam = np.isin(document.kind[strokes.beside_owner % rows], solid)
    builder.add_hatching(strokes.beside[~is_seam], strokes.beside_owner[~is_seam])
    builder.add_seams(strokes.beside[is_seam])
    for text in strokes.texts:
        builder.add_text(text)


class Sheet:
    """Everything that a layout shows by itself or through blocks, drawn once, by kind.

    Numpy works on all entities of a kind at once; a block's share is cut out afterwards.
    """

    def __init__(
        self, document: Document, builder: DrawingBuilder, *, paper: bool, root: str
    ) -> None:
        self._document = document
        self._builder = builder
        shown = ~document.is_invisible
        low, high = document.entities
        shown[low:high] &= document.is_paper[low:high] == paper
        self._placements = self._all_placements(np.flatnonzero(shown))
        self._placement_rows = [row for row, _ in self._placements]
        needed = self._needed(root)
        self._count_hidden(needed)
        texts_of: list[tuple[int, Text]] = []
        self._strokes = in_order(self._draw(np.flatnonzero(shown & needed), needed, texts_of))
        self._texts = sorted(texts_of, key=lambda pair: pair[0])
        self._text_rows = [row for row, _ in self._texts]

    def content_of(self, name: str) -> Content | None:
        """A block's own content, None for an unknown one."""
        block = self._document.blocks.get(name)
        return self.content(block.start, block.stop, block.base) if block else None

    def content(self, start: int, stop: int, base: tuple[float, float] = (0.0, 0.0)) -> Content:
        """What the rows of a range draw, and the blocks that they refer to."""
        low, high = (bisect_left(self._text_rows, row) for row in (start, stop))
        own = replace(
            self._strokes.between(start, stop),
            texts=tuple(text for _, text in self._texts[low:high]),
        )
        low, high = (bisect_left(self._placement_rows, row) for row in (start, stop))
        return Content(own, tuple(placed for _, placed in self._placements[low:high]), base)

    def hatching_blocks(self) -> list[tuple[int, int]]:
        """Row ranges of the blocks that may be hatching."""
        return hatching.hatching_blocks(self._document, self._placements)

    def _all_placements(self, rows: Owners) -> list[tuple[int, Placement]]:
        kinds, kind = self._document.kinds, self._document.kind[rows]
        found: list[tuple[int, Placement]] = []
        for k, name in enumerate(kinds):
            if name in _PLACED:
                found += _PLACED[name](Group(self._document, rows[kind == k]))
        return sorted(found, key=lambda pair: pair[0])

    def _needed(self, root: str) -> NDArray[np.bool_]:
        """(rows,) whether the entity belongs to the layout or to a block that it uses."""
        document = self._document
        needed = np.zeros(len(document.first), bool)
        ranges = [] if root else [document.entities]
        waiting, seen = ([root] if root else []), {root}
        while ranges or waiting:
            if not ranges:
                block = document.blocks.get(waiting.pop())
                if block is None:
                    continue
                ranges.append((block.start, block.stop))
            start, stop = ranges.pop()
            needed[start:stop] = True
            low, high = (bisect_left(self._placement_rows, row) for row in (start, stop))
            new = {placed.block for _, placed in self._placements[low:high]} - seen
            seen |= new
            waiting += sorted(new)
        return needed

    def _count_hidden(self, needed: NDArray[np.bool_]) -> None:
        drawing = [k for k, name in enumerate(self._document.kinds) if name not in _STRUCTURE]
        hidden = self._document.is_invisible & needed & np.isin(self._document.kind, drawing)
        if hidden.any():
            message = "Entities that are switched off or frozen."
            self._builder.find("LAYER_HIDDEN", message, int(hidden.sum()))

    def _draw(
        self, rows: Owners, needed: NDArray[np.bool_], said: list[tuple[int, Text]]
    ) -> Strokes:
        document = self._document
        kind = document.kind[rows]
        parts = [Strokes()]
        for k in np.unique(kind).tolist():
            self._builder.meter.check_time()
            name = document.kinds[k]
            group = Group(document, rows[kind == k])
            if name == "POLYLINE":
                parts.append(
                    polylines.polylines(group, self._vertices(group, needed)).owned_by(group.rows)
                )
            elif name in _DRAWN:
                parts.append(_DRAWN[name](group).owned_by(group.rows))
            elif name in _HATCHES:
                parts.append(hatches.hatches(group, self._builder).owned_by(group.rows))
            elif name in _TEXTS:
                said += texts.texts(group)
            elif name in _MULTILEADERS:
                strokes, labels = multileaders.multileaders(group)
                parts.append(strokes.owned_by(group.rows))
                said += labels
            elif "DIMENSION" in name:
                references.overridden(group, self._builder)
            else:
                self._note(name, len(group.rows))
        return joined(parts)

    def _vertices(self, shown: Group, needed: NDArray[np.bool_]) -> Group:
        """The VERTEX entities of the shown polylines."""
        document = self._document
        every = [
            np.flatnonzero((document.kind == document.kinds.index(name)) & needed)
            if name in document.kinds
            else no_owners()
            for name in ("POLYLINE", "VERTEX")
        ]
        parent = np.searchsorted(every[0], every[1]) - 1
        has_parent = parent >= 0
        is_shown = np.isin(every[0][parent[has_parent]], shown.rows)
        return Group(document, every[1][has_parent][is_shown])

    def _note(self, name: str, count: int) -> None:
        if name in _NO_STROKES:
            self._builder.find("ENTITY_NOT_DRAWN", f"{name} entities have no strokes.", count)
        elif name not in _STRUCTURE and name not in _PLACED:
            self._builder.find("ENTITY_SKIPPED", f"{name} entities are not read.", count)
