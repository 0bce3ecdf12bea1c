"""Fraction bars: a stacked fraction that a program wrote as two numbers and a line.

The other file has the fraction in one text, and there the bar is no stroke.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from dedup2d.drawing.model import Text
from dedup2d.matching.shape import Bools, Shape

LONGEST: Final = 4.0  # text heights: a bar under three digits
NEAR: Final = 3.0  # text heights from the bar's middle to where a number begins
MOST: Final = 200  # strokes that are looked at


def fraction_bars(shape: Shape, chosen: Bools, texts: tuple[Text, ...]) -> Bools:
    """(count,) chosen straight strokes that lie between two numbers."""
    found = np.zeros(shape.count, np.bool_)
    numbers = [t for t in texts if t.height > 0 and t.value.strip().isdigit()]
    some = np.flatnonzero(chosen[: len(shape.segments)])
    if len(numbers) < 2 or len(some) > MOST:  # noqa: PLR2004  # above and below
        return found
    place = np.array([complex(t.x, t.y) for t in numbers])
    height = np.array([t.height for t in numbers])
    for k in some.tolist():
        x0, y0, x1, y1 = shape.segments[k]
        along, middle = complex(x1 - x0, y1 - y0), complex(x0 + x1, y0 + y1) / 2
        near = (abs(along) <= LONGEST * height) & (np.abs(place - middle) <= NEAR * height)
        side = ((place[near] - middle) * along.conjugate()).imag
        found[k] = bool((side > 0).any() and (side < 0).any())
    return found
