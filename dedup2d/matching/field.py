"""The strokes of a shape as a field: which stroke is near a point, and how far exactly.

A grid of cells, each with the strokes that pass it, answers with exact distances to strokes, never
to pixels or samples. A picture of 400 pixels along the diagonal says roughly where strokes are,
for poses that are tried by the hundred. The work is done by compiled ``kernels``.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Floats
from dedup2d.matching.compiled import at, kernel
from dedup2d.matching.shape import FULL_CIRCLE, Bools, Complexes, Shape
from dedup2d.matching.similarity import Bundle, Similarity

PIXELS: Final = 400  # along the diagonal
MARGIN_PX: Final = 2
CELLS: Final = 128  # along the diagonal
SPACING_PX: Final = 0.7  # of the points by which strokes are drawn
ENTERING: Final = 0.4  # of a cell: the same where they are entered into cells
MOST_POINTS: Final = 240_000  # of them; beyond, the densest drawings are drawn with gaps

_DIFFERENT_ENDS: Final = 1e-9  # radians


class StrokeField:
    """Distances to the strokes of a shape that has at least one."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.reach = shape.diagonal / CELLS / 2

    @cached_property
    def _frame(self) -> Floats:
        """(6,) x, y of the origin, cell size, columns, rows, pixel size."""
        pixel, cell = self.shape.diagonal / PIXELS, self.shape.diagonal / CELLS
        low, high = self.shape.bounds
        origin = low - MARGIN_PX * pixel
        columns, rows = np.ceil((high - origin) / cell) + 1
        return np.array([*origin, cell, columns, rows, pixel])

    @cached_property
    def _numbers(self) -> Floats:
        return np.concatenate([self.shape.segments.ravel(), self.shape.arcs.ravel()])

    def _drawn(self, spacing: float) -> tuple[float, ...]:
        """How a kernel is told to draw the shape, with points no farther apart than ``spacing``."""
        shape = self.shape
        spacing = max(spacing, shape.length / MOST_POINTS)
        return at(self._numbers), len(shape.segments), shape.count, spacing, at(self._frame)

    @cached_property
    def _picture(self) -> NDArray[np.uint8]:
        """(h, w) whether a stroke is within about a pixel: 0.25 to 0.5 % of the diagonal."""
        low, high = self.shape.bounds
        width, height = np.ceil((high - low) / self._frame[5]).astype(int) + 2 * MARGIN_PX
        picture = np.zeros((height, width), np.uint8)
        drawn = self._drawn(SPACING_PX * self._frame[5])
        kernel("draw")(*drawn, at(picture), width, height)
        return picture

    @cached_property
    def _grid(self) -> tuple[tuple[Any, ...], tuple[float, ...]]:
        """Strokes, starts of cells and their strokes, and how a kernel is told of them."""
        cells = int(self._frame[3] * self._frame[4])
        enter, drawn = kernel("enter"), self._drawn(ENTERING * self._frame[2])
        last, fill = np.full(cells, -1, np.int32), np.zeros(cells, np.int32)
        enter(*drawn, at(last), at(fill), 0, 1)
        starts = np.zeros(cells + 1, np.int32)
        np.cumsum(fill, out=starts[1:])
        listed = np.empty(starts[-1], np.int32)
        last[:], fill[:] = -1, starts[:-1]
        enter(*drawn, at(last), at(fill), at(listed), 0)
        rows = _rows(self.shape)
        straight = len(self.shape.segments)
        told = (at(rows), straight, at(starts), at(listed), at(self._frame))
        return (rows, starts, listed), told

    def shares(self, points: Complexes, poses: Bundle) -> Floats:
        """(k,) share of the points that each pose lays within 0.4 % of the diagonal, about."""
        shares = np.empty(len(poses))
        if len(poses):
            hand = np.where(poses.mirrored, -1.0, 1.0)
            a, b = poses.a, poses.b
            told = np.column_stack([a.real, a.imag, b.real, b.imag, hand])
            picture = self._picture
            height, width = picture.shape
            kernel("shares_on")(
                *(at(points), len(points), at(told), len(told)),
                *(at(picture), width, height, at(self._frame), at(shares)),
            )
        return shares

    def distances(self, z: Complexes, t: Similarity, limit: float, enough: float = 0.0) -> Floats:
        """(k,) exact distance of each moved point to the strokes; inf beyond ``limit``.

        Where a stroke is within ``enough``, the distance to it will do.
        """
        found = np.empty(len(z))
        kernel("distances")(*(at(z), len(z), *_pose(t), limit, enough, *self._grid[1], at(found)))
        return found

    def covers(self, z: Complexes, t: Similarity, limit: float) -> Bools:
        """Which moved points are within ``limit`` of a stroke, or within ``reach`` if that is less."""
        limit = min(limit, self.reach)
        covered: Bools = np.isfinite(self.distances(z, t, limit, limit))
        return covered

    def refined(self, z: Complexes, t: Similarity, reaches: tuple[float, ...]) -> Similarity:
        """The pose improved once per reach, by the moved points nearer to a stroke than it."""
        pose, told = np.array(_pose(t)), np.array(reaches)
        rows, room = np.empty((len(z), 5)), np.empty(20)
        kernel("refine")(
            *(at(z), len(z), at(pose), at(told), len(told), self.shape.diagonal),
            *(*self._grid[1], at(rows), at(room), at(room[16:])),
        )
        ar, ai, br, bi = pose[:4].tolist()
        return Similarity(complex(ar, ai), complex(br, bi), t.mirrored)


def _pose(t: Similarity) -> tuple[float, float, float, float, float]:
    return t.a.real, t.a.imag, t.b.real, t.b.imag, -1.0 if t.mirrored else 1.0


def _rows(shape: Shape) -> Floats:
    """(count, 10) strokes as kernels know them."""
    s, a = shape.segments, shape.arcs
    rows = np.zeros((shape.count, 10))
    straight, round_ = rows[: len(s)], rows[len(s) :]
    along = s[:, 2:] - s[:, :2]
    square = (along**2).sum(1)
    straight[:, :2], straight[:, 2:4] = s[:, :2], along
    straight[:, 4] = 1 / np.where(square > 0, square, np.inf)
    half = (a[:, 4] - a[:, 3]) / 2
    middle = (a[:, 3] + a[:, 4]) / 2
    round_[:, :3] = a[:, :3]
    round_[:, 3], round_[:, 4] = np.cos(middle), np.sin(middle)
    whole = a[:, 4] - a[:, 3] >= FULL_CIRCLE
    round_[:, 5] = np.where(whole, -2.0, np.cos(half + _DIFFERENT_ENDS))
    for column, angle in ((6, a[:, 3]), (8, a[:, 4])):
        round_[:, column] = a[:, 0] + a[:, 2] * np.cos(angle)
        round_[:, column + 1] = a[:, 1] + a[:, 2] * np.sin(angle)
    return rows
