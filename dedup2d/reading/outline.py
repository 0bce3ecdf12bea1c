"""A pen that follows the paths of PDF and SVG."""

from __future__ import annotations

import numpy as np

from dedup2d.drawing.model import Floats
from dedup2d.reading.bezier import bezier
from dedup2d.reading.builder import DrawingBuilder

Point = tuple[float, float]


class Pen:
    """Collects the strokes of one path in the page's frame; ``put`` gives them to a builder."""

    def __init__(self) -> None:
        self._segments: list[tuple[float, float, float, float]] = []
        self._arcs: list[Floats] = []
        self._curves: list[Floats] = []
        self._start: Point = (0.0, 0.0)
        self._at: Point = (0.0, 0.0)

    def move(self, to: Point) -> None:
        """Begin a new part of the path."""
        self._start = self._at = to

    def line(self, to: Point) -> None:
        """A straight stroke."""
        if to != self._at:
            self._segments.append((*self._at, *to))
        self._at = to

    def curve(self, first: Point, second: Point, to: Point) -> None:
        """A cubic Bezier curve."""
        segments, arcs, curves = bezier(np.array([self._at, first, second, to]))
        self._segments += [tuple(row) for row in segments.tolist()]
        self._arcs.append(arcs)
        self._curves.append(curves)
        self._at = to

    def arc(self, arc: Floats, to: Point) -> None:
        """A circular arc (1, 5) from here to ``to``."""
        self._arcs.append(arc)
        self._at = to

    def polyline(self, edges: Floats, to: Point) -> None:
        """Pieces (n, 4) of a flattened curve from here to ``to``."""
        self._curves.append(edges)
        self._at = to

    def close(self) -> None:
        """Back to where this part of the path began."""
        self.line(self._start)

    def put(self, builder: DrawingBuilder, source: int) -> None:
        """Give everything to the builder."""
        if self._segments:
            builder.add_segments(np.array(self._segments), source)
        if self._arcs:
            builder.add_arcs(np.concatenate(self._arcs), source)
        if self._curves:
            builder.add_curves(np.concatenate(self._curves), source)
