"""Which pixels are lines of the drawing: ink against paper, without specks and lettering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dedup2d.reading.raster.fills import outlined
from dedup2d.reading.raster.lettering import Pieces, letters
from dedup2d.reading.raster.thinning import Mask

SPECK_PIXELS: Final = 8


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
    pieces = Pieces(labels, boxes)
    specks = pieces.area < SPECK_PIXELS
    specks[0] = False  # the paper
    lettering = letters(mask, pieces, specks)
    out = specks | lettering
    if out.any():
        mask[out[labels]] = 0
    return Ink(outlined(mask.astype(np.uint8)), int(specks.sum()), int(lettering.sum()))
