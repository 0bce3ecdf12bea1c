"""Local tokens: small groups of neighbouring strokes as hashes that survive any pose.

Four kinds: pairs of near circles or arcs, a circle with near segments, chains of three touching
segments, a segment with near segments. Each is stored scale-free and with its absolute size.
Bins are 3 % of size and 2 degrees, centred, so that 1:1 and 90 degrees lie mid-bin. A token also
knows two points of its group (its frame), which vote for a pose when tokens agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Floats
from dedup2d.matching.neighbours import nearest
from dedup2d.matching.shape import FULL_CIRCLE, Bools, Complexes, Ints, Shape

SIZE_BIN: Final = 0.03  # of the natural logarithm
ANGLE_BIN_DEG: Final = 2.0
SPAN_BIN_DEG: Final = 5.0
MOST_PRIMITIVES: Final = 1500  # of each kind; the largest ones describe a drawing
JOINT: Final = 2e-5  # of the diagonal: end points closer than this touch

_ARC_NEIGHBOURS: Final = 5
_CIRCLE_SEGMENTS: Final = 4
_SEGMENT_NEIGHBOURS: Final = 5
_AT_JOINT: Final = 3

Hashes = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Tokens:
    """What was found in one shape.

    ``relative`` and ``absolute`` (t,) hashes of the same groups; ``first`` and ``second`` (t,)
    points of each group's frame; ``swappable`` (t,) where the two may be exchanged; ``owners``
    (t, 2) primitives of the shape.
    """

    relative: Hashes
    absolute: Hashes
    first: Complexes
    second: Complexes
    swappable: Bools
    owners: Ints


@dataclass(frozen=True, slots=True)
class Sorted:
    """Hashes in ascending order, and (t,) the number that each had before."""

    hashes: Hashes
    order: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _Strokes:
    """The segments and arcs that take part, in a frame of size 1 about the middle."""

    start: Complexes
    end: Complexes
    length: Floats
    theta: Floats  # degrees
    middle: Complexes
    segment: Ints  # number in the shape
    centre: Complexes
    radius: Floats
    span: Floats  # degrees
    arc: Ints  # number in the shape
    unit: float  # drawing units per unit of this frame
    origin: complex


def tokens(shape: Shape) -> Tokens:
    """All tokens of a canonical shape."""
    strokes = _strokes(shape)
    groups = [
        _arc_pairs(strokes),
        _arc_with_segments(strokes),
        _chains(strokes),
        _segment_pairs(strokes),
    ]
    found = [group for group in groups if group is not None]
    if not found:
        none = np.empty(0, np.uint32)
        points = np.empty(0, np.complex128)
        return Tokens(none, none, points, points, np.empty(0, np.bool_), np.empty((0, 2), np.int64))
    return Tokens(
        np.concatenate([t.relative for t in found]),
        np.concatenate([t.absolute for t in found]),
        _in_drawing([t.first for t in found], strokes),
        _in_drawing([t.second for t in found], strokes),
        np.concatenate([t.swappable for t in found]),
        np.concatenate([t.owners for t in found]),
    )


def ascending(hashes: Hashes) -> Sorted:
    """Sorted hashes; equal ones keep their order."""
    # hash and number in one: sorting values is several times faster than argsort
    number = np.arange(len(hashes), dtype=np.uint64)
    both = np.sort(hashes.astype(np.uint64) << np.uint64(32) | number)
    return Sorted((both >> np.uint64(32)).astype(np.uint32), both.astype(np.uint32).view(np.int32))


def _in_drawing(points: list[Complexes], strokes: _Strokes) -> Complexes:
    moved: Complexes = np.concatenate(points) * strokes.unit + strokes.origin
    return moved


def sketch(found: Tokens, size: int) -> Hashes:
    """The ``size`` smallest distinct hashes, sorted: a bottom-k sketch (Broder 1997)."""
    return np.unique(np.concatenate([found.relative, found.absolute]))[:size]


def _strokes(shape: Shape) -> _Strokes:
    unit, origin = shape.diagonal, shape.centre
    s, a = shape.segments, shape.arcs
    length = shape.lengths[: len(s)]
    segment = np.flatnonzero(length > 1e-7 * unit)
    if len(segment) > MOST_PRIMITIVES:
        segment = segment[np.argsort(-length[segment], kind="stable")[:MOST_PRIMITIVES]]
    arc = np.arange(len(a))
    if len(a) > MOST_PRIMITIVES:
        arc = np.argsort(-a[:, 2], kind="stable")[:MOST_PRIMITIVES]
    s, a = s[segment], a[arc]
    start = (s[:, 0] + 1j * s[:, 1] - origin) / unit
    end = (s[:, 2] + 1j * s[:, 3] - origin) / unit
    span = a[:, 4] - a[:, 3]
    return _Strokes(
        start=start,
        end=end,
        length=np.abs(end - start),
        theta=np.degrees(np.angle(end - start)),
        middle=(start + end) / 2,
        segment=segment,
        centre=(a[:, 0] + 1j * a[:, 1] - origin) / unit,
        radius=a[:, 2] / unit,
        span=np.where(span > FULL_CIRCLE, 360.0, np.degrees(span)),
        arc=arc + len(shape.segments),
        unit=unit,
        origin=origin,
    )


def _binned(values: Floats, width: float) -> Ints:
    return np.rint(values / width).astype(np.int64)


def _log_binned(values: Floats, width: float = SIZE_BIN, *, floor: float = 0.0) -> Ints:
    return _binned(np.log(values + floor), width)


def hashed(kind: int, *columns: Ints) -> Hashes:
    """FNV-1a over columns of integers with a final shift, folded to 32 bits."""
    h = np.full(len(columns[0]), 1469598103934665603, np.uint64)
    prime = np.uint64(1099511628211)
    for column in (np.full(len(columns[0]), kind, np.int64), *columns):
        h = (h ^ (column & 0xFFFFFFFF).astype(np.uint64)) * prime
        h ^= h >> np.uint64(29)
    return (h ^ (h >> np.uint64(32))).astype(np.uint32)


def _group(
    kind: int,
    size: Floats,
    columns: tuple[Ints, ...],
    frame: tuple[Complexes, Complexes, Bools],
    owners: tuple[Ints, Ints],
) -> Tokens:
    return Tokens(
        hashed(kind, *columns),
        hashed(kind + 100, _log_binned(size), *columns),
        *frame,
        np.column_stack(owners),
    )


def _pairs(points: Complexes, k: int) -> tuple[Ints, Ints, Floats]:
    """Each point with its ``k`` nearest others: numbers and distance."""
    index, distance = nearest(points, points, k + 1)
    i = np.repeat(np.arange(len(points)), index.shape[1])
    j, d = index.ravel(), distance.ravel()
    other = i != j
    return i[other], j[other], d[other]


def _arc_pairs(g: _Strokes) -> Tokens | None:
    if len(g.centre) <= 1:
        return None
    i, j, distance = _pairs(g.centre, _ARC_NEIGHBOURS)
    wider = g.radius[i] >= g.radius[j]
    big, small = np.where(wider, i, j), np.where(wider, j, i)
    large, little = g.radius[big], g.radius[small]
    equal = little > large * (1 - 1e-3)
    spans = _binned(g.span[big], SPAN_BIN_DEG), _binned(g.span[small], SPAN_BIN_DEG)
    low, high = np.minimum(*spans), np.maximum(*spans)
    columns = (
        _log_binned(little / large),
        _log_binned(distance / large, floor=1e-3),
        np.where(equal, low, spans[0]),
        np.where(equal, high, spans[1]),
    )
    frame = g.centre[big], g.centre[small], equal
    return _group(1, large * g.unit, columns, frame, (g.arc[i], g.arc[j]))


def _arc_with_segments(g: _Strokes) -> Tokens | None:
    if not len(g.centre) or not len(g.middle):
        return None
    index, _ = nearest(g.middle, g.centre, _CIRCLE_SEGMENTS)
    i = np.repeat(np.arange(len(g.centre)), index.shape[1])
    j = index.ravel()
    apart = g.centre[i] - g.middle[j]
    along, across = _components(apart, g.end[j] - g.start[j])
    r = g.radius[i]
    columns = (
        _log_binned(g.length[j] / r),
        _log_binned(along / r, 1.5 * SIZE_BIN, floor=0.05),
        _log_binned(across / r, 1.5 * SIZE_BIN, floor=0.05),
    )
    second = np.where(np.abs(apart) > 1e-3 * r, g.middle[j], g.start[j])
    frame = g.centre[i], second, np.zeros(len(i), np.bool_)
    return _group(2, r * g.unit, columns, frame, (g.arc[i], g.segment[j]))


def _components(v: Complexes, direction: Complexes) -> tuple[Floats, Floats]:
    """Sizes of ``v`` along and across ``direction``."""
    turned = v * direction.conj() / np.abs(direction)
    return np.abs(turned.real), np.abs(turned.imag)


def _segment_pairs(g: _Strokes) -> Tokens | None:
    if len(g.middle) <= 1:
        return None
    i, j, distance = _pairs(g.middle, _SEGMENT_NEIGHBOURS)
    longer = g.length[i] >= g.length[j]
    big, small = np.where(longer, i, j), np.where(longer, j, i)
    size = g.length[big]
    along, across = _components(g.middle[small] - g.middle[big], g.end[big] - g.start[big])
    equal = g.length[small] > size * (1 - 1e-3)
    wide = 1.5 * SIZE_BIN
    columns = (
        _log_binned(g.length[small] / size),
        _binned(np.abs((g.theta[big] - g.theta[small] + 90) % 180 - 90), ANGLE_BIN_DEG),
        np.where(equal, 0, _log_binned(along / size, wide, floor=0.05)),
        _log_binned(np.where(equal, distance, across) / size, wide, floor=0.05),
    )
    frame = g.start[big], g.end[big], np.ones(len(big), np.bool_)
    return _group(4, size * g.unit, columns, frame, (g.segment[big], g.segment[small]))


def _chains(g: _Strokes) -> Tokens | None:
    """Three touching segments: two length ratios, two turning angles, and the side."""
    n = len(g.start)
    if not n:
        return None
    middle, before, after = _touching(g)
    if not len(middle):
        return None
    at_start = _turn(g, before, g.theta[middle])
    at_end = _turn(g, after, g.theta[middle] + 180)
    turns = np.rint(at_start / ANGLE_BIN_DEG), np.rint(at_end / ANGLE_BIN_DEG)
    side = (np.sign(turns[0]) * np.sign(turns[1])).astype(np.int64)
    angle_a, angle_b = (np.abs(t).astype(np.int64) for t in turns)
    ratio_a = _log_binned(g.length[before % n] / g.length[middle])
    ratio_b = _log_binned(g.length[after % n] / g.length[middle])
    swap = (ratio_a > ratio_b) | ((ratio_a == ratio_b) & (angle_a > angle_b))
    columns = (
        np.where(swap, ratio_b, ratio_a),
        np.where(swap, ratio_a, ratio_b),
        np.where(swap, angle_b, angle_a),
        np.where(swap, angle_a, angle_b),
        side,
    )
    first = np.where(swap, g.end[middle], g.start[middle])
    second = np.where(swap, g.start[middle], g.end[middle])
    same = (ratio_a == ratio_b) & (angle_a == angle_b)
    owners = g.segment[middle], g.segment[before % n]
    return _group(3, g.length[middle] * g.unit, columns, (first, second, same), owners)


def _touching(g: _Strokes) -> tuple[Ints, Ints, Ints]:
    """Segments with one that touches their start and one that touches their end.

    An end point e is segment e % n, at its start where e < n.
    """
    n = len(g.start)
    ends = np.concatenate([g.start, g.end])
    index, distance = nearest(ends, ends, _AT_JOINT + 2)
    meets = (distance <= JOINT) & (index % n != np.arange(2 * n)[:, None] % n)
    rows, columns = np.nonzero(meets)
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    keep = place < _AT_JOINT
    at = np.full((2 * n, _AT_JOINT), -1, np.int64)
    at[rows[keep], place[keep]] = index[rows[keep], columns[keep]]
    before = np.repeat(at[:n], _AT_JOINT, axis=1)
    after = np.tile(at[n:], (1, _AT_JOINT))
    row, column = np.nonzero((before >= 0) & (after >= 0))
    return row, before[row, column], after[row, column]


def _turn(g: _Strokes, end: Ints, reference: Floats) -> Floats:
    """Angle in degrees, in [-180, 180), between the direction away from ``end`` and a reference."""
    n = len(g.theta)
    away = np.where(end < n, g.theta[end % n], g.theta[end % n] + 180)
    turn: Floats = (away - reference + 180) % 360 - 180
    return turn
