"""Gaskets and sheet-metal blanks: flat parts, cut from one sheet."""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from dedup2d.samples.dice import chance, fives, pick
from dedup2d.samples.milled import Hole, Slot, rounded
from dedup2d.samples.pen import Pen
from dedup2d.samples.plan import Layer

APART: Final = 14.0  # mm between two holes
CLEAR: Final = 24.0  # mm around the slot


@dataclass(frozen=True, slots=True)
class Gasket:
    """A flat gasket: a frame with an opening, or an oval with two lobes."""

    width: float
    height: float
    rim: float
    radius: float
    oval: bool
    holes: tuple[Hole, ...]
    slots: tuple[Slot, ...] = ()

    @classmethod
    def designed(cls, rng: np.random.Generator) -> Gasket:
        """A gasket of its own for each state of ``rng``."""
        width, height = fives(rng, 20, 44), fives(rng, 14, 26)
        size = pick(rng, 6.6, 7.0, 9.0)
        rim = size + pick(rng, 8.0, 10.0, 12.0)
        if chance(rng, 0.4):
            lobe, height = rim * 0.9, min(height, 5.0 * round(width * 0.12))
            holes = [(complex(side * (width / 2 - lobe), 0), size) for side in (-1, 1)]
            return cls(width, height, rim, lobe, True, tuple(holes))
        holes = []
        for count, start, end in _edges(rng, width, height, rim):
            holes += [(start + (end - start) * i / count, size) for i in range(count)]
        if chance(rng, 0.7):
            holes.append((complex(rim * 1.5, rim / 2), 4.0))  # so that it fits one way only
        return cls(width, height, rim, rim * 0.8, False, tuple(holes))

    @property
    def title(self) -> str:
        """What the title block calls it."""
        return "OVAL GASKET" if self.oval else "COVER GASKET"

    def drawn(self, pen: Pen) -> None:
        """One view; the thickness is a note."""
        (self._oval if self.oval else self._frame)(pen)
        for at, size in self.holes:
            pen.hole(at, size)
        for slot in self.slots:
            pen.slot(*slot)
        bottom = (-self.height / 2 if self.oval else 0.0) - 2 * pen.row
        pen.note(
            complex(-self.width / 2 if self.oval else 0, bottom - pen.row),
            "THICKNESS 1.5",
            "MATERIAL: NBR 70 SHORE A",
        )

    def _oval(self, pen: Pen) -> None:
        lobe, middle = self.radius, self.height / 2
        reach = abs(self.holes[0][0])
        lean = math.acos((middle - lobe) / reach)
        touch = cmath.rect(1, lean)
        inner, outer = middle * touch, reach + lobe * touch
        around, over = math.tan(lean / 2), math.tan((math.pi - 2 * lean) / 4)
        pen.path(
            [
                (outer.conjugate(), around),
                (outer, 0.0),
                (inner, over),
                (-inner.conjugate(), 0.0),
                (-outer.conjugate(), around),
                (-outer, 0.0),
                (-inner, over),
                (inner.conjugate(), 0.0),
            ]
        )
        pen.hole(0, self.height * 0.6)
        pen.across(self.holes[0][0], self.holes[1][0], -middle - pen.row)
        pen.diameter(0, self.height * 0.6, 60, out=self.height * 0.25 / pen.scale + 6)
        pen.diameter(*self.holes[1], 40, "2x Ø<>", out=14)
        pen.radius(self.holes[0][0], lobe, 150)
        pen.radius(0, middle, 110)

    def _frame(self, pen: Pen) -> None:
        pen.path(rounded(0, self.width, self.height, self.radius))
        inset = complex(self.rim, self.rim)
        pen.path(rounded(inset, self.width - 2 * self.rim, self.height - 2 * self.rim, 6.0))
        pen.across(0, complex(self.width, 0), -2 * pen.row)
        pen.upright(0, complex(0, self.height), -2 * pen.row)
        first, second = self.holes[0], self.holes[1]
        pen.across(first[0], second[0], -pen.row)
        pen.upright(0, first[0], -pen.row)
        pen.upright(
            complex(self.width, self.rim),
            complex(self.width, self.height - self.rim),
            self.width + pen.row,
        )
        pen.diameter(*self.holes[len(self.holes) // 2], 60, f"{len(self.holes)}x Ø<>", out=12)
        pen.radius(complex(self.radius, self.height - self.radius), self.radius, 135)


@dataclass(frozen=True, slots=True)
class Blank:
    """A developed sheet-metal part: outline with tabs and reliefs, bend lines, holes."""

    width: float
    height: float
    tabs: tuple[tuple[float, float], ...]  # for each side: share of the side, length of the tab
    relief: float
    gauge: float
    holes: tuple[Hole, ...]
    slots: tuple[Slot, ...]

    @classmethod
    def designed(cls, rng: np.random.Generator) -> Blank:
        """A blank of its own for each state of ``rng``."""
        width, height = fives(rng, 16, 36), fives(rng, 12, 24)
        tabs = [
            (pick(rng, 0.4, 0.55, 0.7), 2.0 * int(rng.integers(6, 16))) if on else (0.0, 0.0)
            for on in rng.permutation([True, True, True, chance(rng, 0.5)])
        ]
        holes: list[Hole] = []
        size = pick(rng, 3.2, 4.3, 5.3)
        for _ in range(int(rng.integers(3, 8))):
            at = complex(
                round(width * rng.uniform(0.12, 0.88)), round(height * rng.uniform(0.15, 0.85))
            )
            if all(abs(at - other) > APART for other, _ in holes):
                holes.append((at, size))
        at = complex(round(width * 0.55), round(height * 0.5))
        holes = [hole for hole in holes if abs(hole[0] - at) > CLEAR] or [(complex(12, 12), size)]
        slots = ((at, 24.0, 6.0, pick(rng, 0.0, 90.0, 20.0)),)
        return cls(
            width,
            height,
            tuple(tabs),
            3.0,
            pick(rng, 1.0, 1.5, 2.0, 3.0),
            tuple(holes),
            slots,
        )

    @property
    def title(self) -> str:
        """What the title block calls it."""
        return "SHEET BLANK, DEVELOPED"

    def drawn(self, pen: Pen) -> None:
        """The flat pattern with bend lines."""
        vertices: list[complex] = []
        corners = [
            0,
            complex(self.width, 0),
            complex(self.width, self.height),
            complex(0, self.height),
        ]
        for i, (share, reach) in enumerate(self.tabs):
            a, b = complex(corners[i]), complex(corners[(i + 1) % 4])
            vertices.append(a)
            if share:
                vertices += self._tab(pen, a, b, share, reach)
        pen.path(list(vertices))
        for at, size in self.holes:
            pen.hole(at, size)
        for slot in self.slots:
            pen.slot(*slot)
        self._dimensions(pen)

    def _tab(self, pen: Pen, a: complex, b: complex, share: float, reach: float) -> list[complex]:
        u = (b - a) / abs(b - a)
        start = round(abs(b - a) * (1 - share) * 0.4)
        left, right = a + u * start, a + u * (start + round(abs(b - a) * share))
        out, cut = -1j * u * reach, 1j * u * self.relief
        pen.line(left, right, Layer.BEND)
        shy = u * min(4.0, reach / 3)
        r = self.relief
        return [
            left - u * r,
            left - u * r + cut,
            left + cut,
            left,
            left + out * 0.7,
            left + shy + out,
            right - shy + out,
            right + out * 0.7,
            right,
            right + cut,
            right + u * r + cut,
            right + u * r,
        ]

    def _dimensions(self, pen: Pen) -> None:
        low = -self.tabs[0][1] if self.tabs[0][0] else 0.0
        left = -self.tabs[3][1] if self.tabs[3][0] else 0.0
        pen.across(0, complex(self.width, 0), low - 3 * pen.row)
        pen.upright(0, complex(0, self.height), left - 3 * pen.row)
        located = [at for at, _ in self.holes[:2]]
        for i, at in enumerate(sorted(located, key=lambda at: at.real)):
            pen.across(0, at, low - (i + 1) * pen.row)
        for i, at in enumerate(sorted(located, key=lambda at: at.imag)):
            pen.upright(0, at, left - (i + 1) * pen.row)
        pen.diameter(*self.holes[-1], 60, f"{len(self.holes)}x Ø<>")
        bends = sum(1 for share, _ in self.tabs if share)
        pen.note(
            complex(0, low - 4.4 * pen.row),
            f"BEND {bends}x UP 90° R{self.gauge:g}",
            f"SHEET t={self.gauge:g}",
        )


def _edges(
    rng: np.random.Generator, width: float, height: float, rim: float
) -> list[tuple[int, complex, complex]]:
    """The four edges of the hole pattern: number of holes, first corner, next corner."""
    a = rim / 2
    corners = [
        complex(a, a),
        complex(width - a, a),
        complex(width - a, height - a),
        complex(a, height - a),
    ]
    along, up = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    return [(along if i % 2 == 0 else up, corners[i], corners[(i + 1) % 4]) for i in range(4)]
