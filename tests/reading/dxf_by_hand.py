"""DXF written by hand: a few tags say exactly what a test is about."""

import numpy as np

from dedup2d.reading import Budget
from dedup2d.reading.budget import Meter
from dedup2d.reading.dxf import read_bytes
from dedup2d.reading.geometry import flatten_arcs


def tags(*pairs):
    """ "0=LINE 8=0 10=1" as DXF tags; spaces inside a value are underscores."""
    text = " ".join(pairs)
    return "".join(f"{p.split('=', 1)[0]}\n{p.split('=', 1)[1]}\n" for p in text.split())


def dxf(*entities, blocks="", header="", tables=""):
    """The bytes of a DXF with these entities (as for ``tags``)."""
    section = "0=SECTION 2={} {} 0=ENDSEC"
    parts = [
        section.format(name, content)
        for name, content in (("HEADER", header), ("TABLES", tables), ("BLOCKS", blocks))
        if content
    ]
    parts.append(section.format("ENTITIES", " ".join(entities)))
    return tags(*parts, "0=EOF").encode()


def read_dxf(*entities, **parts):
    """The Drawing of a DXF with these entities."""
    return read_bytes(dxf(*entities, **parts), Meter(Budget()))


def points_of(drawing):
    """(n, 2) ends of all strokes, arcs flattened."""
    strokes = [drawing.segments, drawing.curves, flatten_arcs(drawing.arcs)[0]]
    return np.concatenate(strokes).reshape(-1, 2)


def length_of(drawing):
    """Total stroke length."""
    straight = np.concatenate([drawing.segments, drawing.curves])
    bent = drawing.arcs[:, 2] * (drawing.arcs[:, 4] - drawing.arcs[:, 3])
    return float(np.hypot(*(straight[:, 2:] - straight[:, :2]).T).sum() + bent.sum())
