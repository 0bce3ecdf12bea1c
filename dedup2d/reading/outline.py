"""A pen that follows the paths of PDF and SVG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from dedup2d.drawing import no_segments
from dedup2d.drawing.model import Floats
from dedup2d.reading.bezier import beziers
from dedup2d.reading.builder import DrawingBuilder

Point = tuple[float, float]

_FAR: Final = float("inf")


@dataclass(slots=True)
class Contour:
    """One part of a path: how many straight edges and bends it has, and its box."""

    edges: int = 0
    bends: int = 0
    left: float = _FAR
    bottom: float = _FAR
    right: float = -_FAR
    top: float = -_FAR

    def touch(self, *points: Point) -> None:
        """Let the box hold these points (of a curve its control points)."""
        for x, y in points:
            self.left, self.right = min(self.left, x), max(self.right, x)
            self.bottom, self.top = min(self.bottom, y), max(self.top, y)


class Pen:
    """Collects the strokes of paths in the page's frame; ``put`` gives them to a builder."""

    def __init__(self) -> None:
        self._segments: list[tuple[float, float, float, float]] = []
        self._controls: list[tuple[Point, Point, Point, Point]] = []
        self._arcs: list[Floats] = []
        self._curves: list[Floats] = []
        self._start: Point = (0.0, 0.0)
        self._at: Point = (0.0, 0.0)
        self._is_begun = False
        self.contours: list[Contour] = []

    def __len__(self) -> int:
        return len(self._segments) + len(self._controls) + len(self._arcs) + len(self._curves)

    def move(self, to: Point) -> None:
        """Begin a new part of the path."""
        self._start = self._at = to
        self._is_begun = False

    def _contour(self) -> Contour:
        """The part that is being drawn."""
        if not self._is_begun:
            self._is_begun = True
            self.contours.append(Contour())
            self.contours[-1].touch(self._at)
        return self.contours[-1]

    def line(self, to: Point) -> None:
        """A straight stroke."""
        if to != self._at:
            contour = self._contour()
            contour.edges += 1
            contour.touch(to)
            self._segments.append((*self._at, *to))
        self._at = to

    def curve(self, first: Point, second: Point, to: Point) -> None:
        """A cubic Bezier curve."""
        contour = self._contour()
        contour.bends += 1
        contour.touch(first, second, to)
        self._controls.append((self._at, first, second, to))
        self._at = to

    def arc(self, arc: Floats, to: Point) -> None:
        """A circular arc (1, 5) from here to ``to``."""
        self._bend(arc[:, :2] - arc[:, 2:3], arc[:, :2] + arc[:, 2:3])
        self._arcs.append(arc)
        self._at = to

    def polyline(self, edges: Floats, to: Point) -> None:
        """Pieces (n, 4) of a flattened curve from here to ``to``."""
        self._bend(edges.reshape(-1, 2))
        self._curves.append(edges)
        self._at = to

    def _bend(self, *places: Floats) -> None:
        contour = self._contour()
        contour.bends += 1
        for place in places:
            contour.touch(*((float(x), float(y)) for x, y in place))

    def close(self) -> None:
        """Back to where this part of the path began."""
        self.line(self._start)

    def take(self, other: Pen) -> None:
        """Add all that another pen has drawn."""
        self._segments += other._segments
        self._controls += other._controls
        self._arcs += other._arcs
        self._curves += other._curves
        self.contours += other.contours

    @property
    def straight(self) -> Floats:
        """(n, 4) the straight strokes, in the order in which they were drawn."""
        return np.array(self._segments, dtype=np.float64).reshape(-1, 4)

    @straight.setter
    def straight(self, segments: Floats) -> None:
        self._segments = [tuple(row) for row in segments.tolist()]

    def keep_bends(self, is_kept: Callable[[Floats, Floats], bool]) -> None:
        """Keep the curves of whose control points (x and y) the function says so."""

        def kept(points: Floats) -> bool:
            return is_kept(points[:, 0], points[:, 1])

        self._controls = [control for control in self._controls if kept(np.array(control))]

    def put(self, builder: DrawingBuilder, source: int, *, rounding: float = 0.0) -> None:
        """Give everything to the builder; Beziers within ``rounding`` of an arc are arcs."""
        control = np.array(self._controls, dtype=np.float64).reshape(-1, 4, 2)
        bent = beziers(control, rounding=rounding)
        builder.add_segments(np.concatenate([self.straight, bent.segments]), source)
        builder.add_arcs(np.concatenate([*self._arcs, bent.arcs]), source)
        builder.add_curves(np.concatenate([no_segments(), *self._curves, bent.curves]), source)
