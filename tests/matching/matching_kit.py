"""Drawings by hand, and the ways to save them again."""

import math

import numpy as np

from dedup2d.drawing.model import Drawing, Text
from dedup2d.matching.shape import Shape
from dedup2d.matching.similarity import Similarity


def box(x, y, w, h):
    return [(x, y, x + w, y), (x + w, y, x + w, y + h), (x + w, y + h, x, y + h), (x, y + h, x, y)]


def circle(x, y, r):
    return (x, y, r, 0.0, math.tau)


def drawing(segments, arcs=(), texts=(), **more):
    return Drawing(
        segments=np.array(segments, float).reshape(-1, 4),
        arcs=np.array(arcs, float).reshape(-1, 5),
        texts=tuple(texts),
        format="dxf",
        **more,
    )


def plate(seed=0, texts=()):
    """A plate with holes, a step, a slot and a side view; no two seeds agree."""
    r = np.random.default_rng(seed)
    w, h, t = (float(v) for v in r.integers((90, 50, 6), (180, 90, 16)))
    step = float(r.integers(10, 25))
    outline = [(0, 0, w, 0), (w, 0, w, h - step), (w, h - step, w - step, h - step)]
    outline += [(w - step, h - step, w - step, h), (w - step, h, 0, h), (0, h, 0, 0)]
    segments = outline + box(w + 30, 0, t, h) + [(-5, h / 3, w + 5, h / 3)]
    arcs = [circle(d, e, 3.5) for d in (8, w - 30) for e in (8, h - 30)]
    arcs += [circle(*r.uniform((20, 15), (w - 40, h - 35)).round(), r.uniform(2, 6)) for _ in "ab"]
    x, y = r.uniform(30, w - 60), h / 2
    segments += [(x, y - 4, x + 14, y - 4), (x, y + 4, x + 14, y + 4)]
    arcs += [(x, y, 4, math.pi / 2, 1.5 * math.pi), (x + 14, y, 4, 1.5 * math.pi, 2.5 * math.pi)]
    return drawing(segments, arcs, texts)


def moved(d, *, turn=0.0, scale=1.0, shift=0j, mirrored=False):
    place = Similarity(scale * complex(math.cos(turn), math.sin(turn)), shift, mirrored)
    shape = place.move(Shape(d.segments, d.arcs))
    texts = [Text(t.value, place.at(complex(t.x, t.y)).real, 0.0) for t in d.texts]
    return drawing(shape.segments, shape.arcs, texts, unit_mm=d.unit_mm)


def saved_again(d, seed=1, noise=1e-6):
    """Split, repeated, turned round, reordered and rounded, as another program would save it."""
    r = np.random.default_rng(seed)
    s, a = d.segments, d.arcs
    middle = s[:, :2] * 0.6 + s[:, 2:] * 0.4
    cut = r.random(len(s)) < 0.3
    s = np.concatenate(
        [s[~cut], np.hstack([s[:, :2], middle])[cut], np.hstack([middle, s[:, 2:]])[cut]]
    )
    s = np.concatenate([s, s[r.random(len(s)) < 0.1]])
    s = np.where((r.random(len(s)) < 0.5)[:, None], s[:, [2, 3, 0, 1]], s)
    half = (a[:, 3] + a[:, 4]) / 2
    a = np.concatenate(
        [np.column_stack([a[:, :4], half]), np.column_stack([a[:, :3], half, a[:, 4]])]
    )
    size = Shape(d.segments, d.arcs).diagonal
    s = s + r.normal(0, noise * size, s.shape)
    a[:, :3] += r.normal(0, noise * size, (len(a), 3))
    return drawing(r.permutation(s), r.permutation(a), d.texts, unit_mm=d.unit_mm)
