"""Collects what a reader finds and makes a Drawing of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from dedup2d.drawing import Drawing, Finding, Source, Text, no_arcs, no_segments
from dedup2d.drawing.model import Floats, Indices
from dedup2d.reading.budget import Meter
from dedup2d.reading.clipping import Clip, clipped
from dedup2d.reading.strokes import Owners, Strokes, no_owners

# Beyond it float64 cannot tell a micrometre; such coordinates are debris of broken exports.
FARTHEST: Final = 1e12
MAX_TEXTS: Final = 200_000
MAX_HATCHING: Final = 20_000  # pattern lines: an index keeps them
_SEAM: Final = -1  # in place of the number of a hatch
TOO_DENSE: Final = "Hatches whose pattern has too many lines to be drawn."


class DrawingBuilder:
    """Strokes, texts and findings so far; ``meter`` stops what exceeds the budget."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self._strokes: dict[str, list[Floats]] = {"segments": [], "arcs": [], "curves": []}
        self._owners: dict[str, list[Indices]] = {"segments": [], "arcs": [], "curves": []}
        self._sources: dict[tuple[str, str, str], int] = {}
        self._hatching = [no_segments()]
        self._hatches: list[Owners] = []
        self._seams = [no_segments()]
        self._texts: list[Text] = []
        self._findings: dict[tuple[str, str], int] = {}

    @property
    def is_empty(self) -> bool:
        """Neither strokes nor texts so far."""
        return not (any(self._strokes.values()) or self._texts)

    def source(self, kind: str, layer: str = "", handle: str = "") -> int:
        """The index of this source; the same values give the same index."""
        return self._sources.setdefault((kind, layer, handle), len(self._sources))

    def add_sources(self, sources: Sequence[tuple[str, str, str]]) -> Indices:
        """Indices of (kind, layer, handle) sources, as many as are given."""
        known = self._sources
        found = [known.setdefault(source, len(known)) for source in sources]
        return np.array(found, np.int32)

    def add_segments(self, segments: Floats, source: int | Indices) -> None:
        """(n, 4) straight strokes with their source, or (n,) sources."""
        self._add("segments", segments, source)

    def add_arcs(self, arcs: Floats, source: int | Indices) -> None:
        """(m, 5) arcs with their source, or (m,) sources."""
        self._add("arcs", arcs, source)

    def add_curves(self, curves: Floats, source: int | Indices) -> None:
        """(k, 4) pieces of flattened curves with their source, or (k,) sources."""
        self._add("curves", curves, source)

    def add_hatching(self, lines: Floats, hatch: Owners) -> None:
        """(h, 4) pattern lines, and (h,) the number of the hatch that each is of."""
        placed = (np.abs(lines) < FARTHEST).all(axis=1)
        self._hatching.append(lines[placed])
        self._hatches.append(hatch[placed])

    def add_seams(self, lines: Floats) -> None:
        """(s, 4) edges between the faces of one filled area; of too many none."""
        lines = lines[(np.abs(lines) < FARTHEST).all(axis=1)]
        if len(lines) <= MAX_HATCHING:
            self._seams.append(lines)

    def _add(self, name: str, strokes: Floats, source: int | Indices) -> None:
        if len(strokes):
            self.meter.spend(len(strokes))
            self._strokes[name].append(strokes)
            self._owners[name].append(np.broadcast_to(np.int32(source), len(strokes)))

    def add_text(self, text: Text) -> None:
        """A text; blank ones say nothing and are left out."""
        if text.value.strip():
            if len(self._texts) >= MAX_TEXTS:
                self.find("TEXT_SKIPPED", f"Only the first {MAX_TEXTS} texts were read.")
                return
            self._texts.append(text)

    def add_clipped(self, other: DrawingBuilder, clip: Clip) -> None:
        """What another builder has collected, as far as it is shown."""
        found = other.build(format_name="")
        sources = [(s.kind, s.layer, s.handle) for s in found.sources]
        new = self.add_sources(sources).astype(np.intp)
        hatches = new[np.concatenate([no_owners(), *other._hatches])]
        seams = np.full(len(found.seams), _SEAM)
        shown = clipped(
            Strokes(
                segments=found.segments,
                segment_owner=new[found.segment_source],
                arcs=found.arcs,
                arc_owner=new[found.arc_source],
                curves=found.curves,
                curve_owner=new[found.curve_source],
                beside=np.concatenate([*other._hatching, found.seams]),
                beside_owner=np.concatenate([hatches, seams]),
                texts=found.texts,
            ),
            clip,
        )
        self.add_segments(shown.segments, shown.segment_owner.astype(np.int32))
        self.add_arcs(shown.arcs, shown.arc_owner.astype(np.int32))
        self.add_curves(shown.curves, shown.curve_owner.astype(np.int32))
        is_seam = shown.beside_owner == _SEAM
        self.add_hatching(shown.beside[~is_seam], shown.beside_owner[~is_seam])
        self.add_seams(shown.beside[is_seam])
        self._texts += shown.texts
        for finding in found.findings:
            self.find(finding.code, finding.message, finding.count)

    def find(self, code: str, message: str, count: int = 1) -> None:
        """Note a finding; equal ones are counted."""
        key = (code, message)
        self._findings[key] = self._findings.get(key, 0) + count

    def build(
        self,
        *,
        format_name: str,
        unit_mm: float | None = None,
        sheet_names: Iterable[str] = (),
        is_raster: bool = False,
        tolerance: float = 0.0,
    ) -> Drawing:
        """The Drawing; strokes without length or without a place are left out and counted."""
        segments, segment_source = self._gathered("segments", no_segments())
        arcs, arc_source = self._gathered("arcs", no_arcs())
        curves, curve_source = self._gathered("curves", no_segments())
        hatching = self._sparse_hatching()
        return Drawing(
            segments=segments,
            arcs=arcs,
            curves=curves,
            hatching=hatching,
            seams=np.concatenate(self._seams),
            segment_source=segment_source,
            arc_source=arc_source,
            curve_source=curve_source,
            sources=tuple(Source(*key) for key in self._sources),
            texts=tuple(text for text in self._texts if self._is_placed(text)),
            unit_mm=unit_mm,
            sheet_names=tuple(sheet_names),
            findings=tuple(Finding(c, m, n) for (c, m), n in sorted(self._findings.items())),
            format=format_name,
            is_raster=is_raster,
            tolerance=tolerance,
        )

    def _gathered(self, name: str, empty: Floats) -> tuple[Floats, Indices]:
        if not self._strokes[name]:
            return empty, np.empty(0, np.int32)
        strokes = np.concatenate(self._strokes[name])
        owners = np.concatenate(self._owners[name])
        placed = (np.abs(strokes) < FARTHEST).all(axis=1)  # False for NaN too
        if name == "arcs":
            placed &= strokes[:, 4] > strokes[:, 3]
            long = strokes[:, 2] > 0
        else:
            long = (strokes[:, :2] != strokes[:, 2:]).any(axis=1)
        self._count_left_out(int((~placed).sum()), int((placed & ~long).sum()))
        kept = placed & long
        return strokes[kept], owners[kept]

    def _sparse_hatching(self) -> Floats:
        """(h, 4) the pattern lines; if there are too many, the densest hatches go without."""
        lines = np.concatenate(self._hatching)
        if len(lines) <= MAX_HATCHING:
            return lines
        hatch = np.concatenate(self._hatches)
        _, number, count = np.unique(hatch, return_inverse=True, return_counts=True)
        few_first = np.argsort(count, kind="stable")
        is_shown = np.zeros(len(count), bool)
        is_shown[few_first] = np.cumsum(count[few_first]) <= MAX_HATCHING
        self.find("HATCHING_TOO_DENSE", TOO_DENSE, int((~is_shown).sum()))
        return lines[is_shown[number.ravel()]]

    def _count_left_out(self, unplaced: int, short: int) -> None:
        if unplaced:
            self.find("COORDINATE_OUT_OF_RANGE", "Strokes without a sensible place.", unplaced)
        if short:
            self.find("ZERO_LENGTH_SKIPPED", "Strokes without length.", short)

    def _is_placed(self, text: Text) -> bool:
        return abs(text.x) < FARTHEST and abs(text.y) < FARTHEST
