"""Plates and brackets: milled parts with holes, slots and pockets."""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from dedup2d.samples.dice import chance, fives, pick
from dedup2d.samples.pen import Pen

FITTED: Final = 15.0  # bores above this diameter carry a fit

Hole = tuple[complex, float]  # centre and diameter
Slot = tuple[complex, float, float, float]  # centre, length, width, angle in degrees


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate with chamfered or rounded corners, seen from above and from the side."""

    width: float
    height: float
    thickness: float
    corner: float
    rounded: bool
    holes: tuple[Hole, ...]
    slots: tuple[Slot, ...]
    pocket: tuple[complex, float, float] | None
    chamfer: float = 0.0

    @classmethod
    def designed(cls, rng: np.random.Generator) -> Plate:
        """A plate of its own for each state of ``rng``."""
        width, height = fives(rng, 18, 44), fives(rng, 12, 26)
        edge = pick(rng, 10.0, 12.0, 15.0)
        size = pick(rng, 5.5, 6.6, 9.0, 11.0)
        corners = [complex(x, y) for x in (edge, width - edge) for y in (edge, height - edge)]
        holes = [(at, size) for at in corners]
        holes += _row(rng, width, height, edge)
        slots = []
        if chance(rng, 0.6):
            at = complex(width * rng.uniform(0.7, 0.78), height * rng.uniform(0.35, 0.6))
            angle = pick(rng, 0.0, 0.0, 30.0, 45.0, 90.0)
            length = min(pick(rng, 20.0, 25.0, 32.0), 2.0 * round(width * 0.1))
            slots.append((_grid(at), length, 8.0, angle))
        pocket = None
        if chance(rng, 0.5):
            corner = _grid(complex(width * 0.15, height * 0.32))
            pocket = (corner, float(round(width * 0.17)), float(round(height * 0.32)))
        return cls(
            width,
            height,
            pick(rng, 6.0, 8.0, 10.0, 12.0, 15.0),
            pick(rng, 3.0, 5.0, 8.0),
            chance(rng, 0.5),
            tuple(holes),
            tuple(slots),
            pocket,
        )

    @property
    def title(self) -> str:
        """What the title block calls it."""
        return "BASE PLATE" if self.pocket else "MOUNTING PLATE"

    def drawn(self, pen: Pen) -> None:
        """Front and side view with dimensions."""
        self._front(pen)
        side = pen.at(self.width + 3.4 * pen.row, 0)
        side.rectangle(0, self.thickness, self.height)
        for at, size in sorted({(complex(0, h[0].imag), h[1]) for h in self.holes}, key=str):
            side.hidden_hole(at, at + self.thickness, size)
        side.across(0, complex(self.thickness, 0), -pen.row)
        self._dimensions(pen)
        pen.note(
            complex(0, -4.6 * pen.row),
            "ALL EDGES DEBURRED",
            f"HOLES THROUGH, {len(self.holes)} PCS",
        )

    def _front(self, pen: Pen) -> None:
        pen.path(self._outline())
        for at, size in self.holes:
            pen.hole(at, size)
        for slot in self.slots:
            pen.slot(*slot)
        if self.pocket:
            at, width, height = self.pocket
            pen.path(rounded(at, width, height, 4.0))

    def _outline(self) -> list[complex | tuple[complex, float]]:
        c, w, h = self.corner, self.width, self.height
        bulge = math.tan(math.pi / 8) if self.rounded else 0.0
        cut = self.chamfer or c
        return [
            (complex(c, 0), 0.0),
            (complex(w - c, 0), bulge),
            (complex(w, c), 0.0),
            (complex(w, h - cut), 0.0 if self.chamfer else bulge),
            (complex(w - cut, h), 0.0),
            (complex(c, h), bulge),
            (complex(0, h - c), 0.0),
            (complex(0, c), bulge),
        ]

    def _dimensions(self, pen: Pen) -> None:
        w, h = self.width, self.height
        pen.across(0, complex(w, 0), -3 * pen.row)
        pen.upright(0, complex(0, h), -3 * pen.row)
        first = self.holes[0][0]
        pen.across(0, first, -pen.row)
        pen.upright(0, first, -pen.row)
        pen.diameter(self.holes[1][0], self.holes[1][1], 120, "4x Ø<>", 14)
        for extra, bore in self.holes[4:5]:
            pen.across(0, extra, -2 * pen.row)
            pen.upright(0, extra, -2 * pen.row)
            pen.diameter(extra, bore, 60, "Ø<> H7" if bore > FITTED else "Ø<>", 8)
        if self.slots:
            at, length, width, _ = self.slots[0]
            pen.across(0, complex(at.real, h), h + pen.row)
            pen.note(
                at + complex(4 - length / 2, -length / 2 - 6 * pen.scale),
                f"SLOT {length:g} x {width:g}",
            )
        pen.radius(
            complex(w - self.corner, self.corner),
            self.corner,
            -45,
            "R<>" if self.rounded else "<>x45°",
        )


@dataclass(frozen=True, slots=True)
class Bracket:
    """An angle bracket with a rib: seen from the side, from the front and from above."""

    foot: float
    rise: float
    depth: float
    thickness: float
    fillet: float
    rib: float
    holes: tuple[Hole, ...]
    wall: tuple[Hole, ...]
    slots: tuple[Slot, ...] = ()

    @classmethod
    def designed(cls, rng: np.random.Generator) -> Bracket:
        """A bracket of its own for each state of ``rng``."""
        foot, rise = fives(rng, 12, 24), fives(rng, 12, 26)
        depth, thickness = fives(rng, 10, 22), pick(rng, 6.0, 8.0, 10.0, 12.0)
        size, bore = (
            pick(rng, 6.6, 9.0, 11.0),
            pick(rng, 12.0, 16.0, 20.0, 25.0),
        )
        reach = foot - pick(rng, 12.0, 15.0)
        edge = pick(rng, 12.0, 15.0)
        holes = [(complex(reach, edge), size), (complex(reach, depth - edge), size)]
        if chance(rng, 0.5):
            holes.append((_grid(complex((reach + thickness) / 2 + 4, depth * 0.36)), size))
        middle = _grid(complex(depth * rng.uniform(0.4, 0.6), rise * 0.62))
        wall = [(middle, bore)]
        if chance(rng, 0.6):
            wall.append((complex(edge, rise - edge), size))
        return cls(
            foot,
            rise,
            depth,
            thickness,
            pick(rng, 4.0, 6.0, 8.0),
            pick(rng, 0.0, 0.45, 0.6),
            tuple(holes),
            tuple(wall),
        )

    @property
    def title(self) -> str:
        """What the title block calls it."""
        return "ANGLE BRACKET, RIBBED" if self.rib else "ANGLE BRACKET"

    def drawn(self, pen: Pen) -> None:
        """Three views in first angle projection."""
        self._side(pen)
        above = pen.at(0, -self.depth - 3.2 * pen.row)
        self._above(above)
        front = pen.at(self.foot + 4 * pen.row, 0)
        self._front(front)
        pen.note(
            complex(self.foot + 4 * pen.row, -3.4 * pen.row),
            "UNSPECIFIED RADII R2",
            "SURFACE Ra 3.2",
        )

    def _side(self, pen: Pen) -> None:
        t, r = self.thickness, self.fillet
        pen.path(
            [
                0,
                complex(self.foot, 0),
                complex(self.foot, t),
                (complex(t + r, t), -math.tan(math.pi / 8)),
                complex(t, t + r),
                complex(t, self.rise),
                complex(0, self.rise),
            ]
        )
        if self.rib:
            pen.line(
                complex(t, t + (self.rise - t) * self.rib),
                complex(t + (self.foot - t) * self.rib, t),
            )
        for at, size in self.holes[1:]:
            pen.hidden_hole(complex(at.real, 0), complex(at.real, t), size)
        for at, size in self.wall:
            pen.hidden_hole(complex(0, at.imag), complex(t, at.imag), size)
        pen.across(0, complex(self.foot, 0), -pen.row)
        pen.upright(0, complex(0, self.rise), -2 * pen.row)
        pen.upright(0, complex(0, self.wall[0][0].imag), -pen.row)
        pen.radius(complex(t + r, t + r), r, 225, out=-14)

    def _above(self, pen: Pen) -> None:
        pen.rectangle(0, self.foot, self.depth)
        pen.line(complex(self.thickness, 0), complex(self.thickness, self.depth))
        for at, size in self.holes:
            pen.hole(at, size)
        for slot in self.slots:
            pen.slot(*slot)
        if self.rib:
            x, y = self.thickness + (self.foot - self.thickness) * self.rib, self.depth / 2
            for side in (-1, 1):
                y_rib = y + side * self.thickness / 2
                pen.line(complex(self.thickness, y_rib), complex(x, y_rib))
            pen.line(complex(x, y - self.thickness / 2), complex(x, y + self.thickness / 2))
        at, size = self.holes[0]
        pen.across(0, at, -pen.row)
        pen.upright(at, complex(self.foot, self.holes[1][0].imag), self.foot + pen.row)
        pen.upright(0, complex(0, self.depth), -pen.row)
        pen.diameter(self.holes[1][0], size, 50, f"{len(self.holes)}x Ø<>")

    def _front(self, pen: Pen) -> None:
        pen.rectangle(0, self.depth, self.rise)
        pen.line(complex(0, self.thickness), complex(self.depth, self.thickness))
        for at, size in self.wall:
            pen.hole(at, size)
        for at, size in self.holes[:2]:
            pen.hidden_hole(complex(at.imag, 0), complex(at.imag, self.thickness), size)
        pen.across(0, self.wall[0][0], -pen.row)
        pen.diameter(*self.wall[0], 50, "Ø<> H7", out=14)


def rounded(
    corner: complex, width: float, height: float, radius: float
) -> list[complex | tuple[complex, float]]:
    """Vertices of a rectangle with round corners, counter-clockwise."""
    bulge = math.tan(math.pi / 8)
    vertices: list[complex | tuple[complex, float]] = []
    at = corner
    for turn, length in ((0, width), (1, height), (2, width), (3, height)):
        u = cmath.rect(1, turn * math.pi / 2)
        vertices += [(at + u * radius, 0.0), (at + u * (length - radius), bulge)]
        at += u * length
    return vertices


def _row(rng: np.random.Generator, width: float, height: float, edge: float) -> list[Hole]:
    """One large bore, or a row of equal holes."""
    if chance(rng, 0.5):
        at = _grid(complex(width * rng.uniform(0.45, 0.52), height * rng.uniform(0.45, 0.6)))
        return [(at, min(pick(rng, 16.0, 20.0, 25.0, 30.0), 2.0 * round(width * 0.09)))]
    count, size = int(rng.integers(3, 6)), pick(rng, 4.2, 5.0, 6.8)
    start = _grid(complex(width * 0.42, height - edge - 8))
    pitch = float(round(width * 0.4 / count))
    return [(start + pitch * number, size) for number in range(count)]


def _grid(point: complex) -> complex:
    """The nearest point on whole half-millimetres."""
    return complex(round(point.real * 2) / 2, round(point.imag * 2) / 2)
