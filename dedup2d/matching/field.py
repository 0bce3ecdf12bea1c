"""The strokes of a shape as a field: which stroke is near a point, and how far exactly.

A picture of 400 pixels knows the nearest stroke of every pixel (distance transform with labels,
Felzenszwalb and Huttenlocher 2012), which is right almost always and costs one look-up. Where it
might be wrong, at crossings and between close strokes, a grid of candidate strokes decides.
Distances are always exact distances to a stroke, never to pixels or samples.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Floats
from dedup2d.matching.shape import Bools, Complexes, Ints, Shape, sample

PIXELS: Final = 400  # along the diagonal
MARGIN_PX: Final = 7
REACH_PX: Final = 1.7  # "occupied" reaches this far from a stroke: 0.4 % of the diagonal
CELLS: Final = 128  # along the diagonal; the grid answers within half a cell
MOST_SAMPLES: Final = 60_000  # of the picture


class StrokeField:
    """Distances to the strokes of a shape that has at least one."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.reach = shape.diagonal / CELLS / 2
        self._segment_count = len(shape.segments)

    @cached_property
    def _pixel(self) -> float:
        return self.shape.diagonal / PIXELS

    @cached_property
    def _corner(self) -> complex:
        x, y = self.shape.bounds[0]
        return complex(x, y) - (1 + 1j) * MARGIN_PX * self._pixel

    @cached_property
    def _picture(self) -> tuple[NDArray[np.int32], Bools]:
        """(h, w) nearest stroke of each pixel; (h, w) whether a stroke is within the reach."""
        spacing = max(0.7 * self._pixel, self.shape.length / MOST_SAMPLES)
        points = sample(self.shape, spacing)
        low, high = self.shape.bounds
        width, height = np.ceil((high - low) / self._pixel).astype(int) + 2 * MARGIN_PX
        column, row = self._pixels(points.z)
        free = np.ones((height, width), np.uint8)
        free[row, column] = 0
        owner = np.full((height, width), -1, np.int32)
        owner[row, column] = points.owner
        distance, label = cv2.distanceTransformWithLabels(
            free, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        of_label = np.zeros(int(label.max()) + 1, np.int32)
        drawn = free == 0
        of_label[label[drawn]] = owner[drawn]
        return of_label[label], distance <= REACH_PX

    def _pixels(self, z: Complexes) -> tuple[Ints, Ints]:
        at = (z - self._corner) / self._pixel
        return np.floor(at.real).astype(np.int64), np.floor(at.imag).astype(np.int64)

    def _inside(self, z: Complexes) -> tuple[Bools, Ints, Ints]:
        column, row = self._pixels(z)
        height, width = self._picture[0].shape
        inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
        return inside, np.where(inside, column, 0), np.where(inside, row, 0)

    def occupied(self, z: Complexes) -> Bools:
        """Whether a stroke is within 0.4 % of the diagonal of each point, about."""
        inside, column, row = self._inside(z)
        found: Bools = self._picture[1][row, column] & inside
        return found

    def likely(self, z: Complexes) -> tuple[Ints, Floats]:
        """The stroke that is most likely the nearest to each point, and the exact distance to it.

        Outside the picture: stroke 0, infinite distance.
        """
        inside, column, row = self._inside(z)
        owner = np.where(inside, self._picture[0][row, column], 0).astype(np.int64)
        return owner, np.where(inside, self.distance(z, owner), np.inf)

    def nearest(self, z: Complexes, limit: float) -> Floats:
        """Exact distance to the strokes where it is at most ``limit``; elsewhere more or inf.

        ``limit`` must not exceed ``reach``.
        """
        _, distance = self.likely(z)
        open_ = np.flatnonzero(distance > limit)
        if len(open_):
            distance[open_] = np.minimum(distance[open_], self._from_grid(z[open_]))
        return distance

    def distance(self, z: Complexes, owner: Ints) -> Floats:
        """Exact distance of each point to the given stroke."""
        result = np.empty(len(z))
        straight = owner < self._segment_count
        q = self.shape.segments[owner[straight]]
        start = q[:, 0] + 1j * q[:, 1]
        along = q[:, 2] + 1j * q[:, 3] - start
        apart = z[straight] - start
        t = np.clip((apart * along.conj()).real / np.abs(along) ** 2, 0, 1)
        result[straight] = np.abs(apart - t * along)
        q = self.shape.arcs[owner[~straight] - self._segment_count]
        apart = z[~straight] - (q[:, 0] + 1j * q[:, 1])
        to_circle = np.abs(np.abs(apart) - q[:, 2])
        beyond = (np.angle(apart) - q[:, 3]) % math.tau > q[:, 4] - q[:, 3] + 1e-9
        ends = np.minimum(
            np.abs(apart - q[:, 2] * np.exp(1j * q[:, 3])),
            np.abs(apart - q[:, 2] * np.exp(1j * q[:, 4])),
        )
        result[~straight] = np.where(beyond, ends, to_circle)
        return result

    def normals(self, z: Complexes, owner: Ints) -> tuple[Complexes, Complexes]:
        """Foot point on the (unbounded) line or circle of each stroke, and the unit normal."""
        foot = np.empty(len(z), np.complex128)
        normal = np.empty(len(z), np.complex128)
        straight = owner < self._segment_count
        q = self.shape.segments[owner[straight]]
        start = q[:, 0] + 1j * q[:, 1]
        along = q[:, 2] + 1j * q[:, 3] - start
        along = along / np.abs(along)
        foot[straight] = start + ((z[straight] - start) * along.conj()).real * along
        normal[straight] = 1j * along
        q = self.shape.arcs[owner[~straight] - self._segment_count]
        centre = q[:, 0] + 1j * q[:, 1]
        apart = z[~straight] - centre
        away = apart / np.maximum(np.abs(apart), 1e-300)
        foot[~straight] = centre + q[:, 2] * away
        normal[~straight] = away
        return foot, normal

    @cached_property
    def _grid(self) -> tuple[complex, int, int, Ints, Ints]:
        """Origin, columns and rows of the cells, start of each cell's strokes, the strokes.

        A stroke is listed in the four cells nearest to each of its points, so a cell knows all
        strokes within half a cell of any point in it.
        """
        cell = 2 * self.reach
        low, high = self.shape.bounds
        origin = complex(*low) - (1.5 + 1.5j) * cell
        columns, rows = (int(n) + 4 for n in np.ceil((high - low) / cell))
        points = sample(self.shape, max(cell / 2, self.shape.length / (4 * MOST_SAMPLES)))
        at = (points.z - origin) / cell - (0.5 + 0.5j)
        column, row = np.floor(at.real).astype(np.int64), np.floor(at.imag).astype(np.int64)
        keys = (row * columns + column) * self.shape.count + points.owner
        keys = keys[np.flatnonzero(np.diff(keys, prepend=-1))]
        around = np.array([0, 1, columns, columns + 1]) * self.shape.count
        keys = np.sort((keys[:, None] + around).ravel())
        keys = keys[np.flatnonzero(np.diff(keys, prepend=-1))]
        starts = np.searchsorted(keys, np.arange(columns * rows + 1) * self.shape.count)
        return origin, columns, rows, starts, keys % self.shape.count

    def _from_grid(self, z: Complexes) -> Floats:
        origin, columns, rows, starts, strokes = self._grid
        at = (z - origin) / (2 * self.reach)
        column, row = np.floor(at.real).astype(np.int64), np.floor(at.imag).astype(np.int64)
        inside = (column >= 0) & (row >= 0) & (column < columns) & (row < rows)
        cell = np.where(inside, row * columns + column, 0)
        many = np.where(inside, starts[cell + 1] - starts[cell], 0)
        point = np.repeat(np.arange(len(z)), many)
        step = np.arange(len(point)) - np.repeat(np.cumsum(many) - many, many)
        result = np.full(len(z), np.inf)
        if len(point):
            found = self.distance(z[point], strokes[starts[cell[point]] + step])
            first = np.flatnonzero(np.diff(point, prepend=-1))
            result[point[first]] = np.minimum.reduceat(found, first)
        return result
