"""The inner loops of verification, written for numba: nearest strokes, and what is summed over them.

Only ``translate`` imports this module: numba takes half a second to load. All functions that are
not private become kernels with C's calling convention: arrays are flat and without a length,
nothing is allocated, nothing raised. Private ones are compiled into them.

Strokes are rows of ten numbers, segments first (``straight`` of them):

- segment: x, y of the start, dx, dy to the end, 1 / length squared
- arc: x, y of the centre, radius, x, y of the unit vector to its middle, cosine of half its
  sweep, x, y of both ends

``frame`` is x, y of the origin, cell size, columns, rows of a grid, and the size of the pixels of
a picture with the same origin. ``starts`` (cells + 1) says where each cell's strokes begin in
``listed``. A pose is ``ar``, ``ai``, ``br``, ``bi``, ``hand``: turn, shift, and -1 if it mirrors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Cells = NDArray[np.int32]
Pixels = NDArray[np.uint8]
Hashes = NDArray[np.uint32]
Longs = NDArray[np.int64]

FEWEST_POINTS: Final = 6  # that a pose is refined with
FEWEST_PIECES: Final = 4  # of an arc
ROW: Final = 10  # numbers per stroke
LEAST: Final = 1e-300  # may divide, and changes no sum

_F = TypeVar("_F", bound=Callable[..., Any])


def inner(function: _F) -> _F:
    """Marks what is compiled into kernels and is none itself."""
    return cast("_F", njit(error_model="numpy")(function))


@inner
def _pieces(shapes: Floats, straight: int, k: int, spacing: float) -> int:
    """In how many pieces stroke ``k`` is drawn; segments are (4) numbers, then come arcs of (5)."""
    if k < straight:
        i = 4 * k
        length = math.hypot(shapes[i + 2] - shapes[i], shapes[i + 3] - shapes[i + 1])
        least = 1.0
    else:
        i = 5 * k - straight
        length = shapes[i + 2] * (shapes[i + 4] - shapes[i + 3])
        least = FEWEST_PIECES
    pieces = math.ceil(length / spacing)
    return int(pieces if pieces > least else least)


@inner
def _point(shapes: Floats, straight: int, k: int, t: float) -> tuple[float, float]:
    """The point at share ``t`` of the way along stroke ``k``."""
    if k < straight:
        i = 4 * k
        return (
            shapes[i] * (1 - t) + shapes[i + 2] * t,
            shapes[i + 1] * (1 - t) + shapes[i + 3] * t,
        )
    i = 5 * k - straight
    angle = shapes[i + 3] + (shapes[i + 4] - shapes[i + 3]) * t
    return (
        shapes[i] + shapes[i + 2] * math.cos(angle),
        shapes[i + 1] + shapes[i + 2] * math.sin(angle),
    )


@inner
def _clipped(value: float, most: float) -> int:
    """The integer part, in 0 .. ``most``."""
    if value <= 0:
        return 0
    return int(value if value < most else most)


def enter(
    shapes: Floats,
    straight: int,
    count: int,
    spacing: float,
    frame: Floats,
    last: Cells,
    fill: Cells,
    listed: Cells,
    counting: int,
) -> None:
    """Enter each stroke into the cells that it passes.

    ``counting`` only counts them in ``fill``, else ``fill`` is each cell's next place in
    ``listed``. ``last`` (cells) starts at -1: the stroke that was entered last.
    """
    columns = int(frame[3])
    for k in range(count):
        pieces = _pieces(shapes, straight, k, spacing)
        reach = 0.51 * spacing if spacing < frame[2] else 0.51 * frame[2]
        for i in range(pieces):
            x, y = _point(shapes, straight, k, (i + 0.5) / pieces)
            left = _clipped((x - reach - frame[0]) / frame[2], frame[3] - 1)
            right = _clipped((x + reach - frame[0]) / frame[2], frame[3] - 1)
            low = _clipped((y - reach - frame[1]) / frame[2], frame[4] - 1)
            high = _clipped((y + reach - frame[1]) / frame[2], frame[4] - 1)
            for row in range(low, high + 1):
                for cell in range(row * columns + left, row * columns + right + 1):
                    if last[cell] != k:
                        last[cell] = k
                        if not counting:
                            listed[fill[cell]] = k
                        fill[cell] += 1


def draw(
    shapes: Floats,
    straight: int,
    count: int,
    spacing: float,
    frame: Floats,
    picture: Pixels,
    width: int,
    height: int,
) -> None:
    """Set the pixels that strokes pass, and their neighbours."""
    for k in range(count):
        pieces = _pieces(shapes, straight, k, spacing)
        for i in range(pieces):
            x, y = _point(shapes, straight, k, (i + 0.5) / pieces)
            column = _clipped((x - frame[0]) / frame[5] - 1, width - 3.0)
            row = _clipped((y - frame[1]) / frame[5] - 1, height - 3.0)
            for r in range(row, row + 3):
                for c in range(column, column + 3):
                    picture[r * width + c] = 1


def shares_on(
    points: Floats,
    number: int,
    poses: Floats,
    many: int,
    picture: Pixels,
    width: int,
    height: int,
    frame: Floats,
    shares: Floats,
) -> None:
    """The share of the points (number, 2) that each of the poses (many, 5) lays on drawn pixels."""
    for k in range(many):
        ar, ai = poses[5 * k] / frame[5], poses[5 * k + 1] / frame[5]
        x0 = (poses[5 * k + 2] - frame[0]) / frame[5]
        y0 = (poses[5 * k + 3] - frame[1]) / frame[5]
        hand = poses[5 * k + 4]
        hits = 0
        for i in range(number):
            x, y = points[2 * i], points[2 * i + 1] * hand
            column, row = ar * x - ai * y + x0, ai * x + ar * y + y0
            # compared before they become integers: that keeps nan and infinity out
            if column >= 0 and column < width and row >= 0 and row < height:
                hits += picture[int(row) * width + int(column)]
        shares[k] = hits / number


@inner
def _squared(strokes: Floats, straight: int, k: int, x: float, y: float) -> float:
    """Square of the exact distance of a point to stroke ``k``."""
    i = ROW * k
    px: float = x - strokes[i]
    py: float = y - strokes[i + 1]
    if k < straight:
        t = (px * strokes[i + 2] + py * strokes[i + 3]) * strokes[i + 4]
        if t > 0:
            t = t if t < 1 else 1.0
            px, py = px - t * strokes[i + 2], py - t * strokes[i + 3]
        return px * px + py * py
    radius = math.sqrt(px * px + py * py)
    if px * strokes[i + 3] + py * strokes[i + 4] >= radius * strokes[i + 5]:
        away: float = radius - strokes[i + 2]
        return away * away
    px, py = x - strokes[i + 6], y - strokes[i + 7]
    qx, qy = x - strokes[i + 8], y - strokes[i + 9]
    first, second = px * px + py * py, qx * qx + qy * qy
    return first if first < second else second


@inner
def _nearest(
    x: float,
    y: float,
    limit: float,
    enough: float,
    strokes: Floats,
    straight: int,
    starts: Cells,
    listed: Cells,
    frame: Floats,
) -> tuple[float, int]:
    """Squared distance to the nearest stroke within ``limit``, and the stroke; inf and -1 if none.

    The first stroke within ``enough`` will do.
    """
    found, nearest = math.inf, -1
    column, row, reach = (x - frame[0]) / frame[2], (y - frame[1]) / frame[2], limit / frame[2]
    left, right = column - reach, column + reach
    low, high = row - reach, row + reach
    # false for nan and infinity too
    if not (left < frame[3] and right >= 0 and low < frame[4] and high >= 0):
        return found, nearest
    least, most, columns = limit * limit, enough * enough, int(frame[3])
    first, last = _clipped(left, frame[3] - 1), _clipped(right, frame[3] - 1)
    for r in range(_clipped(low, frame[4] - 1), _clipped(high, frame[4] - 1) + 1):
        for place in range(starts[r * columns + first], starts[r * columns + last + 1]):
            k = listed[place]
            squared = _squared(strokes, straight, k, x, y)
            if squared <= least:
                found, least, nearest = squared, squared, k
                if squared <= most:
                    return found, nearest
    return found, nearest


def distances(
    points: Floats,
    number: int,
    ar: float,
    ai: float,
    br: float,
    bi: float,
    hand: float,
    limit: float,
    enough: float,
    strokes: Floats,
    straight: int,
    starts: Cells,
    listed: Cells,
    frame: Floats,
    found: Floats,
) -> None:
    """(number) exact distance of each point, posed, to the nearest stroke; inf beyond ``limit``.

    Below ``enough`` some stroke's distance will do.
    """
    for i in range(number):
        px, py = points[2 * i], points[2 * i + 1] * hand
        x, y = ar * px - ai * py + br, ai * px + ar * py + bi
        squared, _ = _nearest(x, y, limit, enough, strokes, straight, starts, listed, frame)
        found[i] = math.sqrt(squared)


@inner
def _foot(strokes: Floats, straight: int, k: int, x: float, y: float, row: Floats, at: int) -> None:
    """The point, the unit normal of the (unbounded) line or circle, and the way along it."""
    i = ROW * k
    px, py = x - strokes[i], y - strokes[i + 1]
    row[at], row[at + 1] = x, y
    if k < straight:
        inverse = math.sqrt(strokes[i + 4])
        nx, ny = -strokes[i + 3] * inverse, strokes[i + 2] * inverse
        row[at + 4] = -(px * nx + py * ny)
    else:
        radius = math.sqrt(px * px + py * py) + LEAST
        nx, ny = px / radius, py / radius
        row[at + 4] = strokes[i + 2] - radius
    row[at + 2], row[at + 3] = nx, ny


@inner
def _solve(square: Floats, right: Floats) -> None:
    """Cholesky's method in place, for a positive matrix of which the lower half is given."""
    for c in range(4):
        for k in range(c):
            square[5 * c] -= square[4 * c + k] * square[4 * c + k]
            right[c] -= square[4 * c + k] * right[k]
        square[5 * c] = math.sqrt(square[5 * c])
        right[c] /= square[5 * c]
        for r in range(c + 1, 4):
            for k in range(c):
                square[4 * r + c] -= square[4 * r + k] * square[4 * c + k]
            square[4 * r + c] /= square[5 * c]
    for c in range(3, -1, -1):
        for r in range(c + 1, 4):
            right[c] -= square[4 * r + c] * right[r]
        right[c] /= square[5 * c]


@inner
def _equations(
    rows: Floats, count: int, x0: float, y0: float, size: float, square: Floats, right: Floats
) -> None:
    """Normal equations of scale, turn and shift about a middle, to first order."""
    for i in range(16):
        square[i] = 1e-9 * count if i % 5 == 0 else 0.0
    for i in range(4):
        right[i] = 0.0
    for i in range(0, 5 * count, 5):
        px, py = (rows[i] - x0) / size, (rows[i + 1] - y0) / size
        nx, ny, error = rows[i + 2], rows[i + 3], rows[i + 4]
        grow, turn = px * nx + py * ny, px * ny - py * nx
        square[0] += grow * grow
        square[4] += turn * grow
        square[5] += turn * turn
        square[8] += nx * grow
        square[9] += nx * turn
        square[10] += nx * nx
        square[12] += ny * grow
        square[13] += ny * turn
        square[14] += ny * nx
        square[15] += ny * ny
        right[0] += grow * error
        right[1] += turn * error
        right[2] += nx * error
        right[3] += ny * error


def refine(
    points: Floats,
    number: int,
    pose: Floats,
    reaches: Floats,
    times: int,
    size: float,
    strokes: Floats,
    straight: int,
    starts: Cells,
    listed: Cells,
    frame: Floats,
    rows: Floats,
    square: Floats,
    right: Floats,
) -> None:
    """Improve the pose (5) once per reach; only points nearer to a stroke than it take part.

    Iterated closest points with a point-to-line distance (Chen and Medioni 1992). ``size`` is the
    unit of arms; ``rows`` (number, 5), ``square`` (16) and ``right`` (4) are room to work in.
    """
    for time in range(times):
        reach = reaches[time]
        count, x0, y0 = 0, 0.0, 0.0
        for i in range(number):
            px, py = points[2 * i], points[2 * i + 1] * pose[4]
            x = pose[0] * px - pose[1] * py + pose[2]
            y = pose[1] * px + pose[0] * py + pose[3]
            squared, k = _nearest(x, y, reach, 0.0, strokes, straight, starts, listed, frame)
            if squared < reach * reach:
                _foot(strokes, straight, k, x, y, rows, 5 * count)
                count, x0, y0 = count + 1, x0 + x, y0 + y
        if count < FEWEST_POINTS:
            return
        x0, y0 = x0 / count, y0 / count
        _equations(rows, count, x0, y0, size, square, right)
        _solve(square, right)
        growth, turn = 1 + right[0] / size, right[1] / size
        a, b, x, y = pose[0], pose[1], pose[2] - x0, pose[3] - y0
        pose[0], pose[1] = a * growth - b * turn, a * turn + b * growth
        pose[2] = x * growth - y * turn + x0 + right[2]
        pose[3] = x * turn + y * growth + y0 + right[3]
