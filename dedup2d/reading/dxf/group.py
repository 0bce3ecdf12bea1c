"""All entities of some kinds at once: their values as columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Floats
from dedup2d.reading.dxf.document import Document
from dedup2d.reading.dxf.tags import Codes, Places
from dedup2d.reading.strokes import Owners


@dataclass(frozen=True)
class Ragged:
    """A list of values per entity: those of entity k are ``start[k]`` to ``start[k + 1]``."""

    values: Floats
    start: Places

    def of(self, k: int) -> Floats:
        """The values of entity k."""
        return self.values[self.start[k] : self.start[k + 1]]


@dataclass(frozen=True)
class Group:
    """``rows`` (r,) of the document's table, all of the same kinds, in file order."""

    document: Document
    rows: Owners

    @cached_property
    def places(self) -> Places:
        """(t,) places of all the entities' tags, entity after entity."""
        start = self.document.first[self.rows] + 1
        lengths = self.document.last[self.rows] - start
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        places: Places = np.arange(total) + np.repeat(start - (ends - lengths), lengths)
        return places

    @cached_property
    def codes(self) -> Codes:
        """(t,) their group codes."""
        codes: Codes = self.document.tags.codes[self.places]
        return codes

    @cached_property
    def entity(self) -> Places:
        """(t,) the index into ``rows`` of each tag."""
        start = self.document.first[self.rows] + 1
        return np.repeat(np.arange(len(self.rows)), self.document.last[self.rows] - start)

    def number(self, code: int, default: float = 0.0) -> Floats:
        """(r,) the first value with ``code`` of each entity."""
        at = np.flatnonzero(self.codes == code)
        column = np.full(len(self.rows), default)
        if len(at):
            entity = self.entity[at]
            repeated = entity[1:] == entity[:-1]
            if repeated.any():
                at = at[np.concatenate([[True], ~repeated])]
            column[self.entity[at]] = self.document.tags.numbers(self.places[at])
        return column

    def flags(self, code: int) -> NDArray[np.int64]:
        """(r,) the first value with ``code`` as integer, 0 where there is none."""
        column = self.number(code)
        return np.where(np.abs(column) < 2**31, column, 0.0).astype(np.int64)  # False for NaN

    def has(self, code: int) -> NDArray[np.bool_]:
        """(r,) whether the entity has the code."""
        found = np.zeros(len(self.rows), bool)
        found[self.entity[self.codes == code]] = True
        return found

    def point(self, code: int, default: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Floats:
        """(r, 3) the point whose x has ``code``."""
        return np.column_stack([self.number(code + 10 * k, default[k]) for k in range(3)])

    def normal(self) -> Floats:
        """(r, 3) the extrusion direction."""
        return self.point(210, (0.0, 0.0, 1.0))

    def listed(self, code: int) -> Ragged:
        """Every value with ``code``, per entity."""
        at = np.flatnonzero(self.codes == code)
        start = np.searchsorted(self.entity[at], np.arange(len(self.rows) + 1))
        return Ragged(self.document.tags.numbers(self.places[at]), start)

    def vertices(self, code_x: int, *more: int) -> tuple[Floats, Places]:
        """(v, 2 + more) vertices, a new one at each ``code_x``, and (v,) their entities.

        The columns are x, y and one for each code of ``more``, 0 where a vertex has none.
        """
        at_x = np.flatnonzero(self.codes == code_x)
        table = np.zeros((len(at_x), 2 + len(more)))
        table[:, 0] = self.document.tags.numbers(self.places[at_x])
        for column, code in enumerate((code_x + 10, *more), start=1):
            at = np.flatnonzero(self.codes == code)
            vertex = np.searchsorted(at_x, at) - 1
            at, vertex = at[vertex >= 0], vertex[vertex >= 0]
            same = self.entity[at] == self.entity[at_x[vertex]]
            table[vertex[same], column] = self.document.tags.numbers(self.places[at[same]])
        return table, self.entity[at_x]

    def items(self) -> Iterator[tuple[int, list[tuple[int, Any]]]]:
        """Row and (code, value) tags of each entity, for kinds that are read one by one.

        What follows an "Embedded Object" (code 101) belongs to another object and is left out.
        """
        document = self.document
        for row in self.rows.tolist():
            start, stop = int(document.first[row]) + 1, int(document.last[row])
            codes = document.tags.codes[start:stop].tolist()
            if 101 in codes:  # noqa: PLR2004  # see above
                codes = codes[: codes.index(101)]
            yield row, list(zip(codes, document.tags.values[start:stop], strict=False))
