"""Blocks put in place: nested references are multiplied out, within the budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from dedup2d.drawing import Text, no_segments
from dedup2d.drawing.model import Floats
from dedup2d.reading.builder import MAX_HATCHING, TOO_DENSE, DrawingBuilder
from dedup2d.reading.clipping import Clip, clipped
from dedup2d.reading.strokes import Strokes, joined, no_owners

MOST_BESIDE = 10 * MAX_HATCHING  # lines beside the strokes that are multiplied out


@dataclass(frozen=True, slots=True)
class Grid:
    """Copies in rows and columns; ``across`` (2,) and ``up`` (2,) are the steps."""

    columns: int
    rows: int
    across: Floats
    up: Floats

    def shifts(self) -> Floats:
        """(columns * rows, 2) where the copies are."""
        row, column = np.divmod(np.arange(self.rows * self.columns), self.columns)
        shifts: Floats = column[:, None] * self.across + row[:, None] * self.up
        return shifts


@dataclass(frozen=True, slots=True)
class Placement:
    """One reference to a block: x -> ``matrix`` (2, 2) x + ``shift`` (2,), perhaps as a grid.

    Of a clipped one only what ``clip`` shows is there; it is seen from the block's base point.
    The block of a dimension has a ``role`` for its texts, and what it measures.
    """

    block: str
    matrix: Floats
    shift: Floats
    grid: Grid | None = None
    clip: Clip | None = None
    role: str = ""
    measured: float | None = None

    @property
    def count(self) -> int:
        """How many copies of the block it makes."""
        return self.grid.columns * self.grid.rows if self.grid else 1

    def put(self, strokes: Strokes, nested_shift: int) -> Strokes:
        """The block's strokes in place; those of a dimension are owned in its own range."""
        shown = strokes if self.clip is None else clipped(strokes, self.clip)
        placed = shown.transformed(self.matrix, self.shift)
        if self.grid:
            placed = placed.repeated(self.grid.shifts())
        if self.role:
            placed = replace(placed, texts=tuple(self._dimension(t) for t in placed.texts))
            placed = placed.owners_mapped(lambda o: o % nested_shift + 2 * nested_shift)
        return placed

    def _dimension(self, text: Text) -> Text:
        return replace(text, role=self.role, measured=self.measured)


@dataclass(frozen=True, slots=True)
class Content:
    """What a block (or a layout) holds itself, and the blocks that it refers to."""

    strokes: Strokes
    placements: tuple[Placement, ...] = ()
    base: tuple[float, float] = (0.0, 0.0)


class BlockExpander:
    """Multiplies out block references; every block is worked out once.

    ``content_of`` gives a block's content by its name, None for an unknown one. Owners of
    strokes that come out of a block are raised by ``nested_shift``, out of a dimension's block
    by twice that.
    """

    def __init__(
        self,
        content_of: Callable[[str], Content | None],
        builder: DrawingBuilder,
        nested_shift: int,
    ) -> None:
        self._content_of = content_of
        self._builder = builder
        self._nested_shift = nested_shift
        self._flat: dict[str, tuple[Strokes, int]] = {}
        self._open: set[str] = set()

    def expand(self, content: Content) -> Strokes:
        """The strokes of ``content`` with all of its references multiplied out.

        Raises DrawingError ``TOO_MANY_PRIMITIVES``, ``INSERT_TOO_DEEP``, ``TIME_LIMIT``.
        """
        return self._expand(content, 0)[0]

    def _expand(self, content: Content, depth: int) -> tuple[Strokes, int]:
        """Strokes, and how many levels of blocks lie below."""
        meter = self._builder.meter
        meter.check_depth(depth)
        parts = [content.strokes]
        levels = 0
        total = 0
        beside = len(content.strokes.beside)
        for placement in content.placements:
            strokes, below = self._block(placement.block, depth + 1)
            levels = max(levels, below + 1)
            total += (len(strokes) + len(strokes.texts)) * placement.count
            meter.check_entities(total)
            meter.check_time()
            beside += len(strokes.beside) * placement.count
            if beside > MOST_BESIDE:
                self._builder.find("HATCHING_TOO_DENSE", TOO_DENSE)
                beside -= len(strokes.beside) * placement.count
                strokes = strokes.with_beside(no_segments(), no_owners())
            if len(strokes) or strokes.texts:
                parts.append(placement.put(strokes, self._nested_shift))
        meter.check_depth(depth + levels)
        return joined(parts), levels

    def _block(self, name: str, depth: int) -> tuple[Strokes, int]:
        if name in self._flat:
            return self._flat[name]
        if name in self._open:
            self._builder.find("BLOCK_RECURSION", "Blocks that contain themselves.")
            return Strokes(), 0
        content = self._content_of(name)
        if content is None:
            self._builder.find("BLOCK_MISSING", "References to blocks that do not exist.")
            return Strokes(), 0
        self._open.add(name)
        strokes, levels = self._expand(content, depth)
        self._open.discard(name)
        if any(content.base):
            strokes = strokes.transformed(np.eye(2), -np.array(content.base))
        self._flat[name] = (_nested(strokes, self._nested_shift), levels)
        return self._flat[name]


def _nested(strokes: Strokes, shift: int) -> Strokes:
    """Owners of a block's own strokes raised; those of blocks below are already."""
    return strokes.owners_mapped(lambda owner: np.where(owner < shift, owner + shift, owner))


def source_prefix(owner: int, nested_shift: int) -> str:
    """What the kind of a source begins with: where its strokes came out of."""
    return ("", "INSERT/", "DIMENSION/")[owner // nested_shift]
