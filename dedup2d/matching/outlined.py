"""Hatching without a drawn outline: one file has the outline, an older one the pattern's lines.

Both say the same area. What one has more must be lines in few directions that end on what the other
has more, and every stroke of that must be met.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from dedup2d.drawing.model import Floats
from dedup2d.drawing.pattern import ENDING, NEAR, pattern_ends, reached
from dedup2d.matching.shape import Shape

LINES: Final = 5  # fewer may be anything
PER_DIRECTION: Final = 3
MOST: Final = 3000  # lines that are looked at
_TURN: Final = 1e-3  # radians within which lines are parallel
_CHORDS: Final = 24  # per arc of the outline


def is_hatching_of(lines: Shape, outline: Shape, others: Shape) -> bool:
    """Whether ``lines`` hatch what ``outline`` bounds, perhaps with ``others``; all in one frame."""
    if len(lines.arcs) or not LINES <= len(lines.segments) <= MOST or not outline.count:
        return False
    along = lines.segments[:, 2:] - lines.segments[:, :2]
    turn = np.round(np.arctan2(along[:, 1], along[:, 0]) % np.pi / _TURN) % round(np.pi / _TURN)
    if len(np.unique(turn)) * PER_DIRECTION > len(turn):
        return False
    ends, reach = pattern_ends(lines.segments)
    if reached(ends, np.concatenate([_chords(outline), _chords(others)]), reach).mean() < ENDING:
        return False
    strokes = (outline.part(one) for one in np.eye(outline.count, dtype=np.bool_))
    # a stroke along the lines is met by none, but the first of them is within the spacing
    return all(_is_met(stroke, ends, reach / NEAR) for stroke in strokes)


def _is_met(stroke: Shape, ends: Floats, reach: float) -> bool:
    return bool(reached(ends, _chords(stroke), reach).any())


def _chords(shape: Shape) -> Floats:
    """(n, 4) the segments, and chords of the arcs."""
    if not len(shape.arcs):
        return shape.segments
    a = shape.arcs
    t = np.linspace(0, 1, _CHORDS + 1)
    theta = a[:, 3:4] + (a[:, 4:5] - a[:, 3:4]) * t
    x, y = a[:, 0:1] + a[:, 2:3] * np.cos(theta), a[:, 1:2] + a[:, 2:3] * np.sin(theta)
    bent = np.stack([x[:, :-1], y[:, :-1], x[:, 1:], y[:, 1:]], axis=2).reshape(-1, 4)
    return np.concatenate([shape.segments, bent])
