"""A Drawing as a scanner sees it."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Drawing, Floats, Text

Image = NDArray[np.uint8]

_SHIFT: Final = 4  # fractional bits of OpenCV's coordinates
_SPECKS: Final = 2e-5  # share of pixels
_LEVEL_DEG: Final = 3.0  # what still counts as level
_MARGIN: Final = 0.03  # of the longer side
_WEIGHT: Final = 400  # regular; without it OpenCV takes that of the font used last


def rasterise(
    drawing: Drawing,
    *,
    longer_side_px: int = 2300,
    line_px: int = 3,
    skew_deg: float = 0.0,
    noise: float = 0.0,
    seed: int = 0,
) -> Image:
    """A grey picture, 0 is ink: rendered, skewed, blurred, with sensor noise and specks.

    ``noise`` is the standard deviation in grey levels; 0 gives a clean, unblurred picture.
    """
    box = extents_of(drawing)
    width, height = box[2] - box[0], box[3] - box[1]
    scale = longer_side_px * (1 - 2 * _MARGIN) / max(width, height, 1e-9)
    margin = longer_side_px * _MARGIN
    size = (math.ceil(height * scale + 2 * margin), math.ceil(width * scale + 2 * margin))
    paper = np.full(size, 255, np.uint8)
    origin = np.array([box[0] - margin / scale, box[3] + margin / scale])
    _ink(paper, drawing, origin, scale, line_px)
    if skew_deg:
        turn = cv2.getRotationMatrix2D((size[1] / 2, size[0] / 2), skew_deg, 1.0)
        paper = cv2.warpAffine(paper, turn, size[::-1], flags=cv2.INTER_AREA, borderValue=255)
    return _scanned(paper, noise, seed) if noise else paper


def _ink(paper: Image, drawing: Drawing, origin: Floats, scale: float, line_px: int) -> None:
    def pixels(points: Floats) -> NDArray[np.int32]:
        px = (points - origin) * np.array([scale, -scale])
        fixed: NDArray[np.int32] = np.round(px * 2**_SHIFT).astype(np.int32)
        return fixed

    straight = np.concatenate([drawing.segments, drawing.curves, drawing.hatching])
    lines = [pixels(line) for line in straight.reshape(-1, 2, 2)]
    lines += [pixels(flattened(arc)) for arc in drawing.arcs]
    cv2.polylines(paper, lines, False, 0, line_px, cv2.LINE_AA, _SHIFT)
    for text in drawing.texts:
        at = (np.array([text.x, text.y]) - origin) * np.array([scale, -scale])
        _write(paper, text, at, scale)


def _write(paper: Image, text: Text, at: Floats, scale: float) -> None:
    """Level texts, and upright ones on the page turned by 90 degrees; others are left out."""
    page, x, y = paper, float(at[0]), float(at[1])
    if abs(text.rotation_deg - 90) < _LEVEL_DEG:
        page, x, y = np.ascontiguousarray(np.rot90(paper, -1)), paper.shape[0] - 1 - y, x
    elif abs(text.rotation_deg) > _LEVEL_DEG:
        return
    if text.role == "dimension":
        x -= len(text.value) * text.height * scale * 0.34
    height = max(6, round(text.height * scale * 1.35))
    cv2.putText(page, text.value, (int(x), int(y)), 0, cv2.FontFace("sans"), height, _WEIGHT)
    if page is not paper:
        paper[:] = np.rot90(page)


def flattened(arc: Floats) -> Floats:
    """(n, 2) points on an arc (5,), one per 6 degrees or finer."""
    count = max(3, math.ceil((arc[4] - arc[3]) / math.radians(6)) + 1)
    angles = np.linspace(arc[3], arc[4], count)
    return np.stack([arc[0] + arc[2] * np.cos(angles), arc[1] + arc[2] * np.sin(angles)], axis=1)


def extents_of(drawing: Drawing) -> tuple[float, float, float, float]:
    """min_x, min_y, max_x, max_y of all strokes; zeros for an empty drawing."""
    points = [drawing.segments.reshape(-1, 2), drawing.curves.reshape(-1, 2)]
    points += [flattened(arc) for arc in drawing.arcs]
    stacked = np.concatenate(points)
    if not len(stacked):
        return (0.0, 0.0, 0.0, 0.0)
    low, high = stacked.min(axis=0), stacked.max(axis=0)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _scanned(paper: Image, noise: float, seed: int) -> Image:
    rng = np.random.default_rng(seed)
    soft = cv2.GaussianBlur(paper, (0, 0), 0.9).astype(np.float64)
    rows = np.linspace(0.0, 12.0, soft.shape[0])[:, None]  # the lamp fades down the page
    grey = soft * 0.93 + 8 - rows + rng.normal(0.0, noise, soft.shape)
    specks = rng.random(soft.shape) < _SPECKS
    grey[specks] = 40
    scanned: Image = np.clip(grey, 0, 255).astype(np.uint8)
    return scanned
