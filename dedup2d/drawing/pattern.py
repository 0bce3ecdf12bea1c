"""Lines of a hatch pattern: where they end, and whether strokes are there."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Floats

Bools = NDArray[np.bool_]
Bins = NDArray[np.intp]

ENDING: Final = 0.75  # share of the ends that must: of 196 patterns one has fewer
NEAR: Final = 0.25  # of the pattern's spacing: a line that ends so near to a stroke ends on it

_TURN: Final = 1e-3  # radians within which lines are parallel
_LEVEL: Final = 1e-4  # of the hatching's extent: pieces of one line
_SINGLE: Final = 0.01  # the same for a line without neighbours, of its length
_CELLS: Final = 4_000_000  # distances computed at once


def pattern_ends(lines: Floats) -> tuple[Floats, float]:
    """(2 g, 2) where the pattern's lines begin and end, and how near to a stroke that must be."""
    extent = float(np.ptp(lines.reshape(-1, 2), axis=0).max())
    centre = lines.reshape(-1, 2).mean(axis=0)
    moved = lines - np.tile(centre, 2)
    along = moved[:, 2:] - moved[:, :2]
    angle = np.arctan2(along[:, 1], along[:, 0]) % np.pi
    turn = np.round(angle / _TURN) * _TURN
    turn[turn > np.pi - 1.5 * _TURN] = 0.0
    unit = np.column_stack([np.cos(angle), np.sin(angle)])
    level = moved[:, 1] * unit[:, 0] - moved[:, 0] * unit[:, 1]
    level[(turn == 0.0) & (angle > np.pi / 2)] *= -1
    order = np.lexsort((level, turn))
    is_new = (np.diff(turn[order]) != 0) | (np.diff(level[order]) > _LEVEL * extent)
    line = np.empty(len(lines), np.intp)
    line[order] = np.concatenate([[0], np.cumsum(is_new)])
    steps = np.diff(level[order])[is_new & (np.diff(turn[order]) == 0)]
    axis = np.column_stack([np.cos(turn), np.sin(turn)])
    reaches = np.sort(np.stack([(moved[:, :2] * axis).sum(1), (moved[:, 2:] * axis).sum(1)], 1), 1)
    points = np.concatenate([lines[:, :2], lines[:, 2:]])
    place = np.concatenate([(moved[:, :2] * axis).sum(1), (moved[:, 2:] * axis).sum(1)])
    both = np.tile(line, 2)
    by_place = np.lexsort((place, both))
    first = np.flatnonzero(np.diff(both[by_place], prepend=-1))
    last = np.append(first[1:], len(both)) - 1
    spacing = float(np.median(steps)) if len(steps) else _SINGLE / NEAR * extent
    return points[by_place[np.concatenate([first, last])]], NEAR * spacing + _gap(reaches, line)


def _gap(reaches: Floats, line: Bins) -> float:
    """The usual gap between the dashes of a line; 0 where most lines have no dashes."""
    order = np.lexsort((reaches[:, 0], line))
    gaps = reaches[order][1:, 0] - reaches[order][:-1, 1]
    gaps = gaps[np.diff(line[order]) == 0]
    return float(max(np.median(gaps), 0.0)) if len(gaps) > len(line) / 2 else 0.0


def reached(points: Floats, strokes: Floats, reach: float) -> Bools:
    """(p,) whether a stroke is within ``reach``."""
    found = np.zeros(len(points), bool)
    if not len(strokes):
        return found
    start, along = strokes[:, :2], strokes[:, 2:] - strokes[:, :2]
    square = np.maximum((along**2).sum(axis=1), np.finfo(float).tiny)
    step = max(1, _CELLS // len(strokes))
    for at in range(0, len(points), step):
        away = points[at : at + step, None] - start
        share = np.clip((away * along).sum(axis=2) / square, 0.0, 1.0)
        off = away - share[..., None] * along
        found[at : at + step] = ((off**2).sum(axis=2) <= reach**2).any(axis=1)
    return found
