"""Chords of a free curve: a program that knows no splines draws a coarse polygon instead.

A chord ends on the curve and bulges off it by a share of its own length, however small the drawing
is. Such chords count as lying on the curve, and the curve as lying on them.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from dedup2d.matching.field import StrokeField
from dedup2d.matching.prepared import Prepared
from dedup2d.matching.shape import Bools
from dedup2d.matching.similarity import Similarity

BULGE: Final = 0.1  # of the chord: a curve that turns by 45 degrees between its ends
LONGEST: Final = 0.1  # of the diagonal: a longer straight stroke is no chord


def excuse(
    a: Prepared, b: Prepared, t: Similarity, on: tuple[Bools, Bools, Bools, Bools], curve: float
) -> None:
    """Mark the chords of a on curves of b, and these curves, as covered.

    ``on`` are covered samples and ends of a, then of b, changed in place; ``curve`` is how far off
    b's curves an end may be.
    """
    on_a, ends_a, on_b, ends_b = on
    if b.curves is None or (on_a.all() and on_b.all()):
        return
    chosen = _chords(a, b.curves, t, curve)
    if not chosen.any():
        return
    on_a |= chosen[a.samples.owner]
    ends_a |= chosen[a.ends[1]]
    chord = StrokeField(a.shape.part(chosen))
    reach = BULGE * float(a.shape.lengths[chosen].max())
    back = t.inverse()
    for z, owner, covered in ((b.samples.z, b.samples.owner, on_b), (*b.ends, ends_b)):
        open_ = np.flatnonzero(~covered & b.shape.of_curves[owner])
        covered[open_] = chord.covers(z[open_], back, reach)


def _chords(a: Prepared, curves: Prepared, t: Similarity, curve: float) -> Bools:
    """(count,) straight strokes of a that end on the curves and bulge off by little."""
    shape, owner = a.shape, a.samples.owner
    n = len(shape.segments)
    found = ~shape.of_curves & (shape.lengths <= LONGEST * shape.diagonal)
    found[n:] = False
    some = np.flatnonzero(found)
    if not len(some):
        return found
    ends = a.ends[0][np.concatenate([some, some + n])]
    found[some] = curves.field.covers(ends, t, curve).reshape(2, -1).all(0)
    if not found.any():
        return found
    inside = np.flatnonzero(found[owner])
    bulge = BULGE * t.scale * shape.lengths
    far = curves.field.distances(a.samples.z[inside], t, float(bulge[found].max()))
    off = owner[inside][~(far <= bulge[owner[inside]])]
    found[off] = False
    return found
