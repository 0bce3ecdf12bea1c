"""A circuit diagram: a drawing that has nothing to do with any part of the vault."""

from __future__ import annotations

import numpy as np

from dedup2d.samples.pen import Pen
from dedup2d.samples.plan import Layer, Plan


def schematic(seed: int, *, rungs: int = 7) -> Plan:
    """A ladder diagram of contacts, coils and lamps."""
    rng = np.random.default_rng(seed)
    pen = Pen()
    width, pitch = 180.0, 22.0
    for x in (0.0, width):
        pen.line(complex(x, 0), complex(x, -pitch * rungs))
    for rung in range(rungs):
        y = -pitch * (rung + 0.5)
        x = 0.0
        for number in range(int(rng.integers(2, 5))):
            reach = x + float(rng.integers(12, 22))
            pen.line(complex(x, y), complex(reach, y))
            x = _contact(pen, complex(reach, y), closed=bool(rng.integers(0, 2)))
            pen.note(complex(reach, y + 6), f"K{rung + 1}.{number + 1}", height_mm=2.5)
        pen.line(complex(x, y), complex(width - 24, y))
        pen.circle(complex(width - 18, y), 6)
        if rng.integers(0, 2):
            arm = 6 * np.exp(0.25j * np.pi)
            pen.line(complex(width - 18, y) - arm, complex(width - 18, y) + arm)
        pen.line(complex(width - 12, y), complex(width, y))
        pen.note(complex(width + 4, y - 1), f"H{rung + 1} LAMP", height_mm=2.5)
    return pen.plan


def _contact(pen: Pen, at: complex, *, closed: bool) -> float:
    """A contact that starts at ``at``; returns the x where it ends."""
    for x in (0, 5):
        pen.line(at + complex(x, -4), at + complex(x, 4))
    if closed:
        pen.line(at + complex(-1, -4), at + complex(6, 4), Layer.HIDDEN)
    return at.real + 5
