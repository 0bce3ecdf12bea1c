"""Local changes of a Drawing: what a revision does. See ``mutations`` for the truth kept."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Drawing, Floats, Source
from dedup2d.report import Region
from dedup2d.samples.mutations import Mutation, diagonal
from dedup2d.samples.raster import extents_of

_TOUCH: Final = 1e-6  # drawing units; and the cosine of what is square


def move_hole(drawing: Drawing, seed: int, *, distance: float | None = None) -> Mutation:
    """One circle, with all that is concentric, moved by ``distance`` (2 % of the diagonal)."""
    rng = np.random.default_rng(seed)
    hole = _some_hole(drawing, rng)
    reach = 0.02 * diagonal(drawing) if distance is None else distance
    angle = rng.uniform(0, math.tau)
    arcs = drawing.arcs.copy()
    arcs[hole, 0] += reach * math.cos(angle)
    arcs[hole, 1] += reach * math.sin(angle)
    return _edited(drawing, arcs, (drawing.arcs[hole], arcs[hole]))


def resize_hole(drawing: Drawing, seed: int, *, factor: float = 1.25) -> Mutation:
    """One circle, with all that is concentric, larger by ``factor``."""
    hole = _some_hole(drawing, np.random.default_rng(seed))
    arcs = drawing.arcs.copy()
    arcs[hole, 2] *= factor
    return _edited(drawing, arcs, (drawing.arcs[hole], arcs[hole]))


def add_hole(drawing: Drawing, seed: int) -> Mutation:
    """A circle more, of 1 to 3 % of the diagonal, somewhere in the middle."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(0.01, 0.03) * diagonal(drawing)
    x, y = _somewhere(drawing, rng)
    new = np.array([[x, y, size, 0.0, math.tau]])
    source, drawing = _with_source(drawing, "CIRCLE")
    arcs = np.concatenate([drawing.arcs, new])
    owner = np.append(drawing.arc_source, source).astype(np.int32)
    return Mutation(replace(drawing, arcs=arcs, arc_source=owner), boxes=(_box(new, added=1),))


def remove_hole(drawing: Drawing, seed: int) -> Mutation:
    """A circle less, with all that is concentric."""
    hole = _some_hole(drawing, np.random.default_rng(seed))
    kept = replace(drawing, arcs=drawing.arcs[~hole], arc_source=drawing.arc_source[~hole])
    return Mutation(kept, boxes=(_box(drawing.arcs[hole], removed=int(hole.sum())),))


def add_slot(drawing: Drawing, seed: int) -> Mutation:
    """A slot with round ends more, 4 % of the diagonal long."""
    rng = np.random.default_rng(seed)
    x, y = _somewhere(drawing, rng)
    half, r = 0.02 * diagonal(drawing), 0.006 * diagonal(drawing)
    lines = np.array([[x - half, y + r, x + half, y + r], [x - half, y - r, x + half, y - r]])
    quarter = math.pi / 2
    ends = np.array(
        [[x + half, y, r, 3 * quarter, 5 * quarter], [x - half, y, r, quarter, 3 * quarter]]
    )
    source, drawing = _with_source(drawing, "LWPOLYLINE")
    pair = np.array([source, source], np.int32)
    slotted = replace(
        drawing,
        segments=np.concatenate([drawing.segments, lines]),
        segment_source=np.concatenate([drawing.segment_source, pair]),
        arcs=np.concatenate([drawing.arcs, ends]),
        arc_source=np.concatenate([drawing.arc_source, pair]),
    )
    return Mutation(slotted, boxes=(_box(ends, added=4),))


def chamfer(drawing: Drawing, seed: int, *, size: float | None = None) -> Mutation:
    """One corner of two touching segments cut off (1 % of the diagonal); as it was if none."""
    rng = np.random.default_rng(seed)
    cut = 0.01 * diagonal(drawing) if size is None else size
    corner = _some_corner(drawing.segments, cut, rng)
    if corner is None:
        return Mutation(drawing)
    first, second = corner
    segments = drawing.segments.copy()
    at = segments[first, 2:].copy()
    for line, end in ((first, slice(2, 4)), (second, slice(0, 2))):
        far = segments[line, :2] if end.start else segments[line, 2:]
        segments[line, end] = at + (far - at) / np.hypot(*(far - at)) * cut
    edge = np.concatenate([segments[first, 2:], segments[second, :2]])[None]
    source, drawing = _with_source(drawing, "LINE")
    cut_off = replace(
        drawing,
        segments=np.concatenate([segments, edge]),
        segment_source=np.append(drawing.segment_source, source).astype(np.int32),
    )
    xs, ys = [edge[0, 0], edge[0, 2], at[0]], [edge[0, 1], edge[0, 3], at[1]]
    box = Region(min_x=min(xs), min_y=min(ys), max_x=max(xs), max_y=max(ys), added=1, removed=2)
    return Mutation(cut_off, boxes=(box,))


def change_text(drawing: Drawing, seed: int) -> Mutation:
    """One dimension (any text if there is none) says something else; no stroke changes."""
    if not drawing.texts:
        return Mutation(drawing)
    rng = np.random.default_rng(seed)
    numbers = [i for i, text in enumerate(drawing.texts) if text.role == "dimension"]
    chosen = int(rng.choice(numbers or range(len(drawing.texts))))
    texts = list(drawing.texts)
    text = texts[chosen]
    texts[chosen] = replace(text, value=f"{text.value} ±0.1")
    box = Region(min_x=text.x, min_y=text.y, max_x=text.x, max_y=text.y + text.height)
    return Mutation(replace(drawing, texts=tuple(texts)), boxes=(box,))


def _edited(drawing: Drawing, arcs: Floats, changed: tuple[Floats, Floats]) -> Mutation:
    before, after = changed
    box = _box(np.concatenate([before, after]), added=len(after), removed=len(before))
    return Mutation(replace(drawing, arcs=arcs), boxes=(box,))


def _some_hole(drawing: Drawing, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Mask (m,) of the arcs that share the centre of a randomly chosen small full circle.

    Raises ValueError if the drawing has no full circle.
    """
    arcs = drawing.arcs
    whole = np.flatnonzero(arcs[:, 4] - arcs[:, 3] >= math.tau - 1e-9)
    if not len(whole):
        raise ValueError("the drawing has no circle")
    small = whole[arcs[whole, 2] < 0.06 * diagonal(drawing)]
    chosen = arcs[rng.choice(small if len(small) else whole)]
    near = np.hypot(arcs[:, 0] - chosen[0], arcs[:, 1] - chosen[1]) < _TOUCH
    mask: NDArray[np.bool_] = near & (arcs[:, 2] <= chosen[2] * 1.5)
    return mask


def _some_corner(segments: Floats, cut: float, rng: np.random.Generator) -> tuple[int, int] | None:
    """Segments a, b where a ends where b starts, square to each other and longer than 2 cuts."""
    delta = segments[:, 2:] - segments[:, :2]
    long = np.flatnonzero(np.hypot(delta[:, 0], delta[:, 1]) > 2 * cut)
    for first in rng.permutation(long):
        gap = np.hypot(*(segments[long, :2] - segments[first, 2:]).T)
        for second in long[gap < _TOUCH]:
            if second != first and abs(delta[first] @ delta[second]) < _TOUCH * (
                delta[first] @ delta[first]
            ):
                return int(first), int(second)
    return None


def _somewhere(drawing: Drawing, rng: np.random.Generator) -> tuple[float, float]:
    x0, y0, x1, y1 = extents_of(drawing)
    x, y = rng.uniform(0.3, 0.7, 2)
    return float(x0 + x * (x1 - x0)), float(y0 + y * (y1 - y0))


def _with_source(drawing: Drawing, kind: str) -> tuple[int, Drawing]:
    sources = (*drawing.sources, Source(kind, "REVISION"))
    return len(sources) - 1, replace(drawing, sources=sources)


def _box(arcs: Floats, *, added: int = 0, removed: int = 0) -> Region:
    low = (arcs[:, :2] - arcs[:, 2:3]).min(axis=0)
    high = (arcs[:, :2] + arcs[:, 2:3]).max(axis=0)
    return Region(
        min_x=float(low[0]),
        min_y=float(low[1]),
        max_x=float(high[0]),
        max_y=float(high[1]),
        added=added,
        removed=removed,
    )
