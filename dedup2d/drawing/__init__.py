"""The one model that every format is read into."""

from dedup2d.drawing.model import (
    MM_PER_UNIT,
    Drawing,
    Finding,
    Source,
    Text,
    no_arcs,
    no_segments,
)

__all__ = ["MM_PER_UNIT", "Drawing", "Finding", "Source", "Text", "no_arcs", "no_segments"]
