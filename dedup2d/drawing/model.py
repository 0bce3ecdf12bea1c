"""Strokes, arcs and texts of a drawing, with where each came from and what was odd about it.

Coordinates are drawing units in the drawing's own frame, y up, float64. ``unit_mm`` says how
many millimetres one unit is, if the file says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int32]

MM_PER_UNIT: Final[dict[int, float]] = {  # DXF $INSUNITS, ezdxf.units
    1: 25.4,
    2: 304.8,
    3: 1_609_344.0,
    4: 1.0,
    5: 10.0,
    6: 1_000.0,
    7: 1_000_000.0,
    8: 2.54e-5,
    9: 0.0254,
    10: 914.4,
    13: 0.001,
    14: 100.0,
}


def no_segments() -> Floats:
    """An empty (0, 4) array."""
    return np.empty((0, 4), dtype=np.float64)


def no_arcs() -> Floats:
    """An empty (0, 5) array."""
    return np.empty((0, 5), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Finding:
    """A coded remark about dirty input: nothing is dropped without one.

    ``code`` is stable, upper-case (``ENTITY_SKIPPED``, ``STRUCTURE_RECOVERED``, ...);
    ``count`` says how often it was seen.
    """

    code: str
    message: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Source:
    """Where primitives came from: entity kind (LINE, INSERT/LINE, ...), layer, entity handle."""

    kind: str
    layer: str = ""
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A text with its anchor, in drawing units; ``height`` and ``rotation_deg`` where known.

    ``role`` is ``text``, ``dimension`` (then ``measured`` is the measured length in drawing
    units or angle in degrees, where known) or ``attribute`` (then ``tag`` is its name).
    """

    value: str
    x: float
    y: float
    height: float = 0.0
    rotation_deg: float = 0.0
    role: str = "text"
    tag: str = ""
    measured: float | None = None
    layer: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What was read.

    ``segments``: (n, 4) x0, y0, x1, y1 of straight strokes.
    ``arcs``: (m, 5) centre x, y, radius, start and end angle in radians, counter-clockwise,
    end > start; a full circle spans 2 pi.
    ``curves``: (k, 4) as ``segments``, of flattened free curves (splines, ellipses, strokes of
    a scan), whose tessellation carries no meaning.
    ``hatching``: (h, 4) pattern lines of hatches whose outline is among the strokes: no evidence
    of their own, but strokes of another file may lie on them, and paper shows them.
    ``seams``: (s, 4) edges between faces that lie edge to edge and are filled: nobody sees them,
    but another file may have them as strokes.
    ``*_source``: (n,), (m,), (k,) int32 indices into ``sources``.
    ``sheet_names``: layouts or pages that were read, in order.
    ``tolerance``: the accuracy of the coordinates in drawing units: 0 for exact vector
    formats, about a pixel for a scan.
    """

    segments: Floats = field(default_factory=no_segments)
    arcs: Floats = field(default_factory=no_arcs)
    curves: Floats = field(default_factory=no_segments)
    hatching: Floats = field(default_factory=no_segments)
    seams: Floats = field(default_factory=no_segments)
    segment_source: Indices = field(default_factory=lambda: np.empty(0, np.int32))
    arc_source: Indices = field(default_factory=lambda: np.empty(0, np.int32))
    curve_source: Indices = field(default_factory=lambda: np.empty(0, np.int32))
    sources: tuple[Source, ...] = ()
    texts: tuple[Text, ...] = ()
    unit_mm: float | None = None
    sheet_names: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    format: str = ""
    is_raster: bool = False
    tolerance: float = 0.0

    @property
    def primitive_count(self) -> int:
        """Segments, arcs and curve pieces together."""
        return len(self.segments) + len(self.arcs) + len(self.curves)
