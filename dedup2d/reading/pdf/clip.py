"""What lies outside its clip path is not shown: viewports cut off what they do not show."""

from __future__ import annotations

import ctypes
from typing import Any, Final

import numpy as np
import pypdfium2.raw as pdfium_c

from dedup2d.drawing.model import Floats
from dedup2d.reading.outline import Pen
from dedup2d.reading.pdf.matrix import Matrix

Box = tuple[float, float, float, float]  # left, bottom, right, top

_SLACK: Final = 0.05  # points: a stroke on the clip's border is seen
_MOST_POINTS: Final = 1000  # of one clip path; its box is known by then, or it is no frame


def clip_box(handle: Any, outer: Matrix) -> Box | None:
    """The box of an object's clip path on the page, None where nothing is cut off."""
    clip = pdfium_c.FPDFPageObj_GetClipPath(handle)
    count = pdfium_c.FPDFClipPath_CountPaths(clip) if clip else 0
    box: Box | None = None
    for index in range(max(count, 0)):
        points = _points(clip, index)
        if not len(points):
            continue
        a, b, c, d, e, f = outer
        placed = points @ np.array([[a, b], [c, d]]) + np.array([e, f])
        (left, bottom), (right, top) = placed.min(axis=0).tolist(), placed.max(axis=0).tolist()
        if box is not None:
            left, bottom = max(left, box[0]), max(bottom, box[1])
            right, top = min(right, box[2]), min(top, box[3])
        box = (left, bottom, right, top)
    return box


def _points(clip: Any, index: int) -> Floats:
    x, y = ctypes.c_float(), ctypes.c_float()
    found = []
    for number in range(min(pdfium_c.FPDFClipPath_CountPathSegments(clip, index), _MOST_POINTS)):
        segment = pdfium_c.FPDFClipPath_GetPathSegment(clip, index, number)
        if pdfium_c.FPDFPathSegment_GetPoint(segment, x, y):
            found.append((x.value, y.value))
    return np.array(found).reshape(-1, 2)


def clip(pen: Pen, box: Box) -> bool:
    """Cut off the straight strokes of a pen, and leave out curves that lie outside.

    False, with the pen as it was, where all of it is inside.
    """
    left, bottom, right, top = np.array(box) + np.array([-_SLACK, -_SLACK, _SLACK, _SLACK])
    if all(
        left <= c.left and c.right <= right and bottom <= c.bottom and c.top <= top
        for c in pen.contours
    ):
        return False
    pen.straight = inside(pen.straight, box)
    pen.keep_bends(
        lambda x, y: bool(
            (x.max() >= left) & (x.min() <= right) & (y.max() >= bottom) & (y.min() <= top)
        )
    )
    return True


def inside(segments: Floats, box: Box) -> Floats:
    """The parts of (n, 4) segments in the box (Liang and Barsky, 1984)."""
    start, step = segments[:, :2], segments[:, 2:] - segments[:, :2]
    with np.errstate(all="ignore"):
        first = (np.array(box[:2]) - start) / step
        second = (np.array(box[2:]) - start) / step
    still = step == 0
    within = (start >= np.array(box[:2]) - _SLACK) & (start <= np.array(box[2:]) + _SLACK)
    enter = np.where(still, np.where(within, -np.inf, np.inf), np.minimum(first, second))
    leave = np.where(still, np.where(within, np.inf, -np.inf), np.maximum(first, second))
    t0 = np.maximum(enter.max(axis=1), 0.0)[:, None]
    t1 = np.minimum(leave.min(axis=1), 1.0)[:, None]
    seen = (t0 < t1)[:, 0]
    cut = np.concatenate([start + t0 * step, start + t1 * step], axis=1)
    whole = (t0 == 0)[:, 0] & (t1 == 1)[:, 0]
    cut[whole] = segments[whole]  # without rounding
    return np.asarray(cut[seen])
