"""Which pixels are lines of the drawing: ink against paper, without specks and lettering."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dedup2d.reading.raster.thinning import Mask

SPECK_PIXELS: Final = 8
LETTER_SHARE: Final = 0.016  # of the page's diagonal: what is smaller is lettering or a hole
_RING_STROKE: Final = 3.5  # pixels of line width that a small hole's outline is expected to have
_RING_FILL: Final = 0.12


@dataclass(frozen=True, slots=True)
class Ink:
    """``mask`` (h, w) 0/1 with an empty border; how many components were taken out."""

    mask: Mask
    specks: int
    letters: int


def find_ink(grey: NDArray[np.uint8]) -> Ink:
    """Ink of a page (h, w), 0 black: Otsu's threshold, the rarer side is the ink."""
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)
    _, mask = cv2.threshold(smooth, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    if mask.mean() > 0.5:  # noqa: PLR2004  # white lines on black
        mask = 1 - mask
    if int(grey.max()) - int(grey.min()) < 32:  # noqa: PLR2004  # a blank page's noise
        mask[:] = 0
    mask[[0, -1]] = 0
    mask[:, [0, -1]] = 0
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    specks = boxes[:, cv2.CC_STAT_AREA] < SPECK_PIXELS
    letters = _letters(boxes, math.hypot(*grey.shape)) & ~specks
    specks[0] = letters[0] = False  # the paper
    out = specks | letters
    if out.any():
        mask[out[labels]] = 0
    return Ink(mask.astype(np.uint8), int(specks.sum()), int(letters.sum()))


def _letters(boxes: NDArray[np.int32], diagonal: float) -> NDArray[np.bool_]:
    """Small components that are no rings; rings are holes, and drawings live by them."""
    width, height = boxes[:, cv2.CC_STAT_WIDTH], boxes[:, cv2.CC_STAT_HEIGHT]
    small = np.maximum(width, height) < LETTER_SHARE * diagonal
    fill = boxes[:, cv2.CC_STAT_AREA] / np.maximum(width * height, 1)
    ring_fill = math.pi * _RING_STROKE / np.maximum(width, 1)
    square = np.abs(width - height) <= 3  # noqa: PLR2004  # pixels
    ring = square & (width > 10) & (np.abs(fill - ring_fill) < _RING_FILL)  # noqa: PLR2004
    return np.asarray(small & ~ring)
