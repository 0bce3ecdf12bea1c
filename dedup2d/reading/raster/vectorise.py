"""From a grey page to strokes: ink, skeleton, paths, straight strokes and arcs."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing import Drawing, no_arcs, no_segments
from dedup2d.drawing.model import Floats
from dedup2d.reading.budget import Meter
from dedup2d.reading.builder import DrawingBuilder
from dedup2d.reading.raster.fitting import fit, join_circles, join_collinear
from dedup2d.reading.raster.ink import find_ink
from dedup2d.reading.raster.thinning import thin
from dedup2d.reading.raster.tracing import trace

# Lines of a scan are then 2 to 6 pixels wide; finer pixels cost time and show paper grain.
MAX_DIAGONAL_PX: Final = 5000.0


def vectorise(
    grey: NDArray[np.uint8], meter: Meter, *, format_name: str, sheet_name: str
) -> Drawing:
    """Strokes of one page (h, w), 0 black. One unit is one pixel of the page, y up.

    ``tolerance`` is the size of the pixel that the strokes were found at. Lettering is left
    out and counted as a finding: as strokes it would say nothing that can be compared.
    """
    height = grey.shape[0]
    scale = max(1.0, math.hypot(*grey.shape) / MAX_DIAGONAL_PX)
    if scale > 1.0:
        grey = cv2.resize(grey, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
    grey = cv2.copyMakeBorder(grey, 2, 2, 2, 2, cv2.BORDER_REPLICATE)
    ink = find_ink(grey)
    meter.check_time()
    segments, arcs = _strokes(thin(ink.mask), meter)
    # A pixel's centre lies half a pixel in, and two pixels of border were put around.
    segments = (segments - 1.5) * scale
    arcs = arcs * np.array([scale, scale, scale, 1, 1]) - np.array([1.5, 1.5, 0, 0, 0]) * scale
    builder = DrawingBuilder(meter)
    builder.add_segments(_upright(segments, height), builder.source("INK"))
    builder.add_arcs(_arcs_upright(arcs, height), builder.source("INK"))
    if ink.letters:
        builder.find("LETTERING_SKIPPED", "Small pieces of ink taken for lettering.", ink.letters)
    if ink.specks:
        builder.find("SPECKS_SKIPPED", "Specks of dirt.", ink.specks)
    return builder.build(
        format_name=format_name, sheet_names=(sheet_name,), is_raster=True, tolerance=scale
    )


def _strokes(skeleton: NDArray[np.uint8], meter: Meter) -> tuple[Floats, Floats]:
    straight, bent = [no_segments()], [no_arcs()]
    for number, path in enumerate(trace(skeleton)):
        if number % 1000 == 0:
            meter.check_time()
        segments, arcs = fit(path)
        straight.append(segments)
        bent.append(arcs)
    return join_collinear(np.concatenate(straight)), join_circles(np.concatenate(bent))


def _upright(segments: Floats, height: int) -> Floats:
    x0, y0, x1, y1 = segments.T
    return np.column_stack([x0, height - y0, x1, height - y1])


def _arcs_upright(arcs: Floats, height: int) -> Floats:
    x, y, radius, start, end = arcs.T
    return np.column_stack([x, height - y, radius, -end, -start])
