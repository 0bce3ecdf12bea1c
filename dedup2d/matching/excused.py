"""Strokes that only one side has, and that the other shows in another way."""

from __future__ import annotations

import cmath
import math
from dataclasses import replace
from typing import Final

import numpy as np

from dedup2d.drawing.model import Text
from dedup2d.matching.fingerprint import Fingerprint
from dedup2d.matching.fractions import fraction_bars
from dedup2d.matching.outlined import is_hatching_of
from dedup2d.matching.prepared import Prepared
from dedup2d.matching.shape import Bools, Complexes, Shape
from dedup2d.matching.similarity import Similarity
from dedup2d.matching.subject import Subject
from dedup2d.matching.verify import Agreement

ADVANCE: Final = 1.0  # text heights from one letter to the next, at most
LINE: Final = 1.7  # text heights from one line to the next, at most
AROUND: Final = 0.5  # text heights: what thinning and another font displace
STROKE: Final = 4.0  # text heights: the longest stroke of a letter, an O all round
WORTH_READING: Final = 0.6  # covered share of both; below it letters do not matter


def without_bars(a: Fingerprint, b: Fingerprint, g: Agreement) -> Agreement:
    """Fraction bars that one side has in its texts are not uncovered."""
    if not (g.uncovered_a.any() or g.uncovered_b.any()):
        return g
    return replace(
        g,
        uncovered_a=g.uncovered_a & ~fraction_bars(a.shape, g.uncovered_a, a.texts),
        uncovered_b=g.uncovered_b & ~fraction_bars(b.shape, g.uncovered_b, b.texts),
    )


def without_hatching(a: Shape, b: Shape, g: Agreement) -> Agreement:
    """Lines that hatch what only the other outlines, and these outlines, are not uncovered."""
    if not (g.uncovered_a.any() and g.uncovered_b.any()):
        return g
    here = g.transform.inverse().move(b)
    more_a, more_b = a.part(g.uncovered_a), here.part(g.uncovered_b)
    if is_hatching_of(more_a, more_b, here) or is_hatching_of(more_b, more_a, a):
        none_a, none_b = np.zeros_like(g.uncovered_a), np.zeros_like(g.uncovered_b)
        return replace(g, uncovered_a=none_a, uncovered_b=none_b)
    return g


def without_lettering(a: Subject, b: Subject, g: Agreement) -> Agreement:
    """Small strokes of a scan where the drawing has a text are its letters, not uncovered."""
    if min(g.share_a, g.share_b) < WORTH_READING:
        return g
    if a.fingerprint.is_raster:
        found = _are_letters(a.prepared, g.uncovered_a, g.transform, b.fingerprint.texts)
        open_, share = _still_open(a.prepared, g.open_a, found)
        return replace(g, uncovered_a=g.uncovered_a & ~found, open_a=open_, share_a=share)
    found = _are_letters(b.prepared, g.uncovered_b, g.transform.inverse(), a.fingerprint.texts)
    open_, share = _still_open(b.prepared, g.open_b, found)
    return replace(g, uncovered_b=g.uncovered_b & ~found, open_b=open_, share_b=share)


def _still_open(p: Prepared, open_: Bools, excused: Bools) -> tuple[Bools, float]:
    """The samples that stay uncovered without the excused strokes, and the covered share."""
    left: Bools = open_ & ~excused[p.samples.owner]
    return left, float(p.samples.weight[~left].sum() / p.samples.weight.sum())


def _are_letters(p: Prepared, chosen: Bools, t: Similarity, texts: tuple[Text, ...]) -> Bools:
    """(count,) chosen strokes that are as small as a text's letters, and in its place."""
    some = np.flatnonzero(chosen)
    low, high = p.shape.boxes[some, :2], p.shape.boxes[some, 2:]
    middle = t.apply(((low + high) / 2) @ np.array([1, 1j]))
    length = p.shape.lengths[some] * t.scale
    are = np.zeros(len(some), np.bool_)
    for text in texts:
        are |= (length <= STROKE * text.height) & _is_in_place(text, middle)
    found = np.zeros_like(chosen)
    found[some[are]] = True
    return found


def _is_in_place(text: Text, z: Complexes) -> Bools:
    """(k,) points where a text can have its letters; how it is aligned is not known."""
    lines = text.value.split("\n")
    along = (max(map(len, lines)) * ADVANCE + AROUND) * text.height
    across = (len(lines) * LINE + AROUND) * text.height
    turn = cmath.rect(1.0, -math.radians(text.rotation_deg))
    at = (z - complex(text.x, text.y)) * turn
    inside: Bools = (np.abs(at.real) <= along) & (np.abs(at.imag) <= across)
    return inside
