"""The canonical form: the same ink gives the same strokes, however it was drawn.

Duplicates are dropped, touching collinear segments and concentric arcs are united. Order,
direction, layers, blocks, splitting and repetition leave no trace; position, rotation and scale
remain. Tolerances are relative to the diagonal, and capped by the feature's own length, so that
tiny features survive in large drawings.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from dedup2d.drawing.model import Drawing, Floats
from dedup2d.matching.shape import Bools, Ints, Shape

TOLERANCE: Final = 1e-5  # of the diagonal: twice and more what re-saving with 6 digits moves
OWN_LENGTH: Final = 0.02  # of a feature's length: no tolerance may be larger
ANGLE_TOLERANCE: Final = 2e-4  # radians between segments that count as collinear
MERGE_FROM: Final = 1e-3  # of the diagonal: shorter segments have no reliable direction
FARTHEST: Final = 1e9  # drawing units from the middle stroke; what is farther away is damage


def canonical(drawing: Drawing) -> Shape:
    """The canonical Shape of a drawing, in the drawing's own frame and units."""
    place = place_of(drawing)
    straight = sound_segments(drawing.segments, place)
    curves = sound_segments(drawing.curves, place)
    curved = np.repeat([False, True], [len(straight), len(curves)])
    arcs = _sound_arcs(drawing.arcs, place)
    return canonical_shape(Shape(np.concatenate([straight, curves]), arcs, curved))


def canonical_shape(shape: Shape) -> Shape:
    """The canonical form of strokes without NaN and zero lengths."""
    diagonal = shape.diagonal
    kept = _no_duplicates(shape.segments, diagonal)
    segments, curved = shape.segments[kept], shape.of_curves[: len(kept)][kept]
    length = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1])
    long = length >= MERGE_FROM * diagonal
    united, bent = _unite_collinear(segments[long], curved[long], diagonal)
    return Shape(
        np.concatenate([united, segments[~long]]),
        _unite_concentric(shape.arcs, diagonal),
        np.concatenate([bent, curved[~long]]),
    )


def place_of(drawing: Drawing) -> Floats:
    """(2,) where most strokes are: a site plan in millimetres lies 5e9 from the origin."""
    points = (drawing.segments[:, :2], drawing.arcs[:, :2], drawing.curves[:, :2])
    places = np.concatenate(points)
    places = places[np.isfinite(places).all(1)]
    return np.median(places, axis=0) if len(places) else np.zeros(2)


def sound_segments(s: Floats, place: Floats) -> Floats:
    """Without segments that are damaged, without length, or far away from ``place`` (2,)."""
    s = s[np.isfinite(s).all(1)]
    s = s[(np.abs(s - np.tile(place, 2)) < FARTHEST).all(1)]
    return s[np.hypot(s[:, 2] - s[:, 0], s[:, 3] - s[:, 1]) > 0]


def _sound_arcs(a: Floats, place: Floats) -> Floats:
    a = a[np.isfinite(a).all(1)]
    near = (np.abs(a[:, :3] - [*place, 0.0]) < FARTHEST).all(1)
    sound: Floats = a[(a[:, 2] > 0) & (a[:, 4] > a[:, 3]) & near]
    return sound


# Unequal weights, so that features on one grid do not fall together in the projection.
_PROJECTION: Final = np.array([0.6346, 0.4423, 0.5178, 0.3689])


def _no_duplicates(s: Floats, diagonal: float) -> Bools:
    """(n,) false for segments that lie on another one within the tolerance.

    Compared by midpoint and orientation tensor, which do not know the direction. Pairs are found
    by a sweep over one projection.
    """
    if len(s) <= 1:
        return np.ones(len(s), np.bool_)
    d = s[:, 2:] - s[:, :2]
    length = np.hypot(d[:, 0], d[:, 1])
    features = np.column_stack(
        [
            (s[:, 0] + s[:, 2]) / 2,
            (s[:, 1] + s[:, 3]) / 2,
            (d[:, 0] ** 2 - d[:, 1] ** 2) / length,
            2 * d[:, 0] * d[:, 1] / length,
        ]
    )
    reach = np.minimum(1.5 * TOLERANCE * diagonal, OWN_LENGTH * length)
    projected = features @ _PROJECTION
    order = np.argsort(projected, kind="stable")
    features, projected, limit = features[order], projected[order], reach[order]
    dropped = np.zeros(len(s), np.bool_)
    widest = 1.5 * TOLERANCE * diagonal
    near = np.arange(len(s) - 1)
    for shift in range(1, len(s)):
        near = near[near + shift < len(s)]
        near = near[projected[near + shift] - projected[near] <= widest]
        if not len(near):
            break
        gap = np.sqrt(((features[near + shift] - features[near]) ** 2).sum(1))
        twin = gap <= np.minimum(limit[near], limit[near + shift])
        dropped[order[near[twin] + shift]] = True
    return ~dropped


def _clusters(values: Floats, gap: float) -> Ints:
    """Number of the 1-D cluster of each value; neighbours farther than ``gap`` are apart."""
    order = np.argsort(values, kind="stable")
    ids = np.empty(len(values), np.int64)
    ids[order] = np.concatenate([[0], np.cumsum(np.diff(values[order]) > gap)])
    return ids


def _within(values: Floats, outer: Ints, gap: float) -> Ints:
    """As ``_clusters``, inside each group of ``outer``."""
    order = np.lexsort((values, outer))
    new = np.ones(len(values), np.bool_)
    new[1:] = (np.diff(outer[order]) != 0) | (np.diff(values[order]) > gap)
    ids = np.empty(len(values), np.int64)
    ids[order] = np.cumsum(new) - 1
    return ids


def _unite_collinear(s: Floats, curved: Bools, diagonal: float) -> tuple[Floats, Bools]:
    if len(s) <= 1:
        return s, curved
    d = s[:, 2:] - s[:, :2]
    length = np.hypot(d[:, 0], d[:, 1])
    theta, direction = _directions(d, length)
    middle = (s[:, :2] + s[:, 2:]) / 2 - s[:, :2].mean(0)
    rho = middle[:, 1] * np.cos(theta) - middle[:, 0] * np.sin(theta)
    line = _within(rho, direction, TOLERANCE * diagonal)
    ux, uy = np.cos(theta), np.sin(theta)
    start, end = s[:, 0] * ux + s[:, 1] * uy, s[:, 2] * ux + s[:, 3] * uy
    swap = start > end
    s = np.where(swap[:, None], s[:, [2, 3, 0, 1]], s)
    start, end = np.where(swap, end, start), np.where(swap, start, end)
    runs, order = _runs(line, start, end, TOLERANCE * diagonal)
    first = np.flatnonzero(np.diff(runs, prepend=-1))
    # the run's ends are the farthest end points of its members: untouched coordinates
    farthest = order[np.lexsort((end[order], runs))]
    last = farthest[np.append(first[1:], len(s)) - 1]
    united = np.column_stack([s[order[first], :2], s[last, 2:]])
    return united, np.logical_or.reduceat(curved[order], first)


def _directions(d: Floats, length: Floats) -> tuple[Floats, Ints]:
    """Common direction in [0, pi) and its group; a chain of slow turns is cut into pieces."""
    theta = np.arctan2(d[:, 1], d[:, 0]) % math.pi
    theta = np.where(theta > math.pi - 1e-4, theta - math.pi, theta)
    group = _clusters(theta, ANGLE_TOLERANCE)
    count = int(group.max()) + 1
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, group, theta)
    np.maximum.at(high, group, theta)
    turning = (high - low > 3 * ANGLE_TOLERANCE)[group]
    fine = np.floor((theta - low[group]) / ANGLE_TOLERANCE).astype(np.int64)
    group = np.unique(np.stack([group, np.where(turning, fine, 0)]), axis=1, return_inverse=True)[1]
    group = group.ravel()
    mean = np.bincount(group, theta * length) / np.bincount(group, length)
    return mean[group], group


def _runs(line: Ints, start: Floats, end: Floats, gap: float) -> tuple[Ints, Ints]:
    """Unions of touching intervals of each line: run numbers, and the order they are in.

    The order sorts by line and start.
    """
    order = np.lexsort((start, line))
    offset = line[order] * (2 * (end.max() - start.min()) + 4 * gap)
    reached = np.maximum.accumulate(end[order] + offset)
    new = np.ones(len(line), np.bool_)
    new[1:] = (start[order][1:] + offset[1:] > reached[:-1] + gap) | (np.diff(line[order]) != 0)
    return np.cumsum(new) - 1, order


def _unite_concentric(a: Floats, diagonal: float) -> Floats:
    gap = TOLERANCE * diagonal
    tiny = a[:, 2] * OWN_LENGTH < gap
    small = OWN_LENGTH * float(a[tiny, 2].min()) if tiny.any() else gap
    return _full_circles(np.concatenate([_unite_arcs(a[~tiny], gap), _unite_arcs(a[tiny], small)]))


def _unite_arcs(a: Floats, gap: float) -> Floats:
    if len(a) <= 1:
        return a
    circle = _clusters(a[:, 0], gap)
    circle = _within(a[:, 1], circle, gap)
    circle = _within(a[:, 2], circle, gap)
    start = a[:, 3] % math.tau
    end = start + (a[:, 4] - a[:, 3])
    alone = np.bincount(circle)[circle] == 1
    united = [np.column_stack([a[alone, :3], start[alone], end[alone]])]
    order = np.argsort(circle, kind="stable")
    crowded = order[~alone[order]]
    circles = np.split(crowded, np.flatnonzero(np.diff(circle[crowded])) + 1)
    united += [_unite_on_circle(a[k, :3].mean(0), start[k], end[k]) for k in circles if len(k)]
    return np.concatenate(united)


def _unite_on_circle(centre_radius: Floats, start: Floats, end: Floats) -> Floats:
    """The union of arcs on one circle; starts in [0, 2 pi), an arc may run beyond 2 pi."""
    touch = 1e-4
    order = np.argsort(start, kind="stable")
    arcs: list[list[float]] = []
    for low, high in zip(start[order].tolist(), end[order].tolist(), strict=True):
        if arcs and low <= arcs[-1][1] + touch:
            arcs[-1][1] = max(arcs[-1][1], high)
        else:
            arcs.append([low, high])
    # what runs beyond 2 pi may meet the first arcs again
    while len(arcs) > 1 and arcs[-1][1] - math.tau >= arcs[0][0] - touch:
        arcs[-1][1] = max(arcs[-1][1], arcs[0][1] + math.tau)
        arcs.pop(0)
    return np.array([[*centre_radius, low, high] for low, high in arcs])


def _full_circles(a: Floats) -> Floats:
    """Whole circles start at 0, whatever their seam was."""
    full = a[:, 4] - a[:, 3] >= math.tau - 1e-3
    if full.any():
        a = a.copy()
        a[full, 3], a[full, 4] = 0.0, math.tau
    return a
