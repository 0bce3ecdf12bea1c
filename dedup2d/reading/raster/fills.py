"""Filled areas become their outlines, as drawing files know them."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np

from dedup2d.reading.raster.thinning import Mask

THICKEST_LINE: Final = 14.0  # pixels: what is thicker is an area; a frame of 1 mm is 8 at 200 dpi
THICKEST_SHARE: Final = 0.006  # of the diagonal: the same on pages of many pixels


def outlined(mask: Mask) -> Mask:
    """(h, w) 0/1 where ink thicker than any line is left with its edge alone."""
    deep = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    reach = max(THICKEST_LINE, THICKEST_SHARE * math.hypot(*mask.shape)) / 2
    core = deep > reach
    if not core.any():
        return mask
    away = cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, 3)
    # around its core the area is about as far as the core is deep
    inner = (away <= reach) & (deep > 2)  # noqa: PLR2004  # pixels of edge
    return np.asarray(mask & ~inner.astype(np.uint8))
