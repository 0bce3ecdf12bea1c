"""Flanges and shafts: turned parts."""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

import numpy as np

from dedup2d.samples.dice import chance, fives, pick
from dedup2d.samples.pen import Pen
from dedup2d.samples.plan import Layer


@dataclass(frozen=True, slots=True)
class Flange:
    """A hub flange with a bolt circle and a keyway: front view and section."""

    outer: float
    bolt_circle: float
    bolts: int
    bolt: float
    bore: float
    hub: float
    length: float
    thickness: float
    keyway: float
    first_deg: float
    pins: tuple[tuple[complex, float], ...] = ()

    @classmethod
    def designed(cls, rng: np.random.Generator) -> Flange:
        """A flange of its own for each state of ``rng``."""
        outer = fives(rng, 18, 44)
        bolt = pick(rng, 6.6, 9.0, 11.0, 13.5)
        hub = 5.0 * round(outer * rng.uniform(0.42, 0.55) / 5)
        bore = float(round(hub * rng.uniform(0.45, 0.62)))
        bolt_circle = float(round((outer + hub) / 2))
        bolts = int(rng.choice([3, 4, 5, 6, 8]))
        pin = cmath.rect(bolt_circle / 2, math.radians(180 / bolts + pick(rng, 8.0, 12.0)))
        return cls(
            outer,
            bolt_circle,
            bolts,
            bolt,
            bore,
            hub,
            2.0 * int(rng.integers(16, 30)),
            pick(rng, 10.0, 12.0, 14.0, 16.0, 18.0),
            2.0 * round(bore / 8) if chance(rng, 0.7) else 0.0,
            pick(rng, 0.0, 90.0, 45.0),
            ((pin, 5.0),) if chance(rng, 0.6) else (),
        )

    @property
    def title(self) -> str:
        """What the title block calls it."""
        return "HUB FLANGE" if self.keyway else "BEARING FLANGE"

    def drawn(self, pen: Pen) -> None:
        """Front view and section A-A beside it."""
        self._front(pen)
        self._section(pen.at(self.outer / 2 + 4.2 * pen.row, 0))
        pen.note(
            complex(self.outer / 2 + 3.2 * pen.row, self.outer / 2 + 2.2 * pen.row),
            "A-A",
            height_mm=5,
        )
        pen.note(complex(-self.outer / 2, -self.outer / 2 - 2.2 * pen.row), "BREAK EDGES 0.5x45°")

    def _front(self, pen: Pen) -> None:
        for size in (self.outer, self.hub):
            pen.circle(0, size / 2)
        if not self.keyway:
            pen.circle(0, self.bore / 2)
            pen.circle(0, self.bore / 2 + 1.0)
        else:
            self._keyed_bore(pen)
        pen.circle(0, self.bolt_circle / 2, Layer.CENTER)
        pen.centre_mark(0, self.outer / 2)
        for at in self._bolts():
            pen.hole(at, self.bolt)
        for at, size in self.pins:
            pen.hole(at, size)
            pen.diameter(at, size, math.degrees(cmath.phase(at)), "Ø<> m6", 16)
        first = self._bolts()[0]
        out = (self.outer - self.bolt_circle) / 2 / pen.scale + 6
        angle = math.degrees(cmath.phase(first)) + 9
        pen.diameter(first, self.bolt, angle, f"{self.bolts}x Ø<>", out)
        pen.diameter(
            0, self.bolt_circle, 222, "Ø<>", (self.outer - self.bolt_circle) / 2 / pen.scale + 5
        )
        pen.diameter(0, self.bore, 150, "Ø<> H7", (self.outer - self.bore) / 2 / pen.scale + 9)

    def _keyed_bore(self, pen: Pen) -> None:
        r, half, depth = self.bore / 2, self.keyway / 2, self.keyway * 0.45
        up = math.sqrt(r * r - half * half)
        sweep = math.tau - 2 * math.atan2(half, up)
        pen.path(
            [
                (complex(-half, up), math.tan(sweep / 4)),
                complex(half, up),
                complex(half, r + depth),
                complex(-half, r + depth),
            ]
        )
        pen.across(
            complex(-half, r + depth),
            complex(half, r + depth),
            self.hub / 2 + 3 * pen.scale,
            "<> JS9",
        )

    def _bolts(self) -> list[complex]:
        step = math.tau / self.bolts
        first = math.radians(self.first_deg)
        return [cmath.rect(self.bolt_circle / 2, first + step * i) for i in range(self.bolts)]

    def _section(self, pen: Pen) -> None:
        t, n = self.thickness, self.length
        outer, hub, bore = self.outer / 2, self.hub / 2, self.bore / 2
        axis = self.bolt_circle / 2
        low, high = axis - self.bolt / 2, axis + self.bolt / 2
        for sign in (1, -1):
            web = pen.path(
                [
                    complex(x, sign * y)
                    for x, y in ((0, bore), (n, bore), (n, hub), (t, hub), (t, low), (0, low))
                ]
            )
            rim = pen.path(
                [complex(x, sign * y) for x, y in ((0, high), (t, high), (t, outer), (0, outer))]
            )
            pen.hatch(web)
            pen.hatch(rim)
            pen.line(complex(-3, sign * axis), complex(t + 3, sign * axis), Layer.CENTER)
        pen.line(complex(0, bore), complex(0, -bore))
        pen.line(complex(n, bore), complex(n, -bore))
        pen.line(complex(-5, 0), complex(n + 5, 0), Layer.CENTER)
        pen.across(complex(0, -outer), complex(t, -outer), -outer - pen.row)
        pen.across(complex(0, -outer), complex(n, -hub), -outer - 2 * pen.row)
        pen.upright(complex(n, -hub), complex(n, hub), n + pen.row, "Ø<> h6")
        pen.upright(complex(t, -outer), complex(t, outer), n + 2.2 * pen.row, "Ø<>")


@dataclass(frozen=True, slots=True)
class Shaft:
    """A stepped shaft with chamfers, grooves and a keyway, and an end view."""

    steps: tuple[tuple[float, float], ...]  # diameter and length
    chamfer: float
    grooves: tuple[int, ...]  # steps that end with a groove
    keyway: int  # the step that carries it

    @classmethod
    def designed(cls, rng: np.random.Generator) -> Shaft:
        """A shaft of its own for each state of ``rng``."""
        count = int(rng.integers(4, 7))
        peak = int(rng.integers(1, count - 1))
        diameters = [0.0] * count
        diameters[peak] = 2.0 * int(rng.integers(18, 36))
        for i in [*range(peak - 1, -1, -1), *range(peak + 1, count)]:
            inner = diameters[i + 1] if i < peak else diameters[i - 1]
            diameters[i] = max(10.0, inner - pick(rng, 4.0, 5.0, 6.0, 8.0, 10.0))
        lengths = [float(rng.integers(14, 60)) for _ in range(count)]
        lengths[-1] += 20
        return cls(
            tuple(zip(diameters, lengths, strict=True)),
            pick(rng, 1.0, 1.5, 2.0),
            tuple(sorted({int(g) for g in rng.integers(0, count - 1, 2)} - {peak})),
            count - 1,
        )

    @property
    def title(self) -> str:
        """What the title block calls it."""
        return "DRIVE SHAFT" if self.keyway else "STEPPED SHAFT"

    @property
    def length(self) -> float:
        """Over all."""
        return sum(length for _, length in self.steps)

    def drawn(self, pen: Pen) -> None:
        """View along the axis, end view, chain of lengths, diameters."""
        x = 0.0
        largest = max(diameter for diameter, _ in self.steps) / 2
        for i, (diameter, length) in enumerate(self.steps):
            self._step(pen, i, x)
            pen.across(
                complex(x, -diameter / 2), complex(x + length, -diameter / 2), -largest - pen.row
            )
            text = "Ø<> k6" if i % 2 else "Ø<>"
            where = x + length * (0.3 if i == self.keyway else 0.5)
            pen.upright(complex(where, -diameter / 2), complex(where, diameter / 2), where, text)
            x += length
        pen.line(complex(-5, 0), complex(x + 5, 0), Layer.CENTER)
        pen.across(
            complex(0, -self.steps[0][0] / 2),
            complex(x, -self.steps[-1][0] / 2),
            -largest - 2.2 * pen.row,
        )
        end = pen.at(x + 3 * pen.row + largest, 0)
        for diameter, _ in self.steps[self.keyway :]:
            end.circle(0, diameter / 2)
            end.circle(0, diameter / 2 - self.chamfer)
        end.circle(0, largest)
        end.centre_mark(0, largest)
        end.circle(0, 2.5)
        pen.note(
            complex(0, largest + 2.6 * pen.row),
            f"CHAMFERS {self.chamfer:g}x45°",
            "CENTRE HOLES ISO 6411-B2.5/8",
            "HARDENED 58+4 HRC",
        )

    def _step(self, pen: Pen, index: int, x: float) -> None:
        diameter, length = self.steps[index]
        r, c = diameter / 2, self.chamfer
        left = c if index == 0 else 0.0
        right = c if index == len(self.steps) - 1 else 0.0
        groove = 2.0 if index in self.grooves else 0.0
        for sign in (1, -1):
            pen.line(complex(x + left, sign * r), complex(x + length - right - groove, sign * r))
            if left:
                pen.line(complex(x, sign * (r - c)), complex(x + c, sign * r))
            if right:
                pen.line(complex(x + length - c, sign * r), complex(x + length, sign * (r - c)))
            if groove:
                pen.path(
                    [
                        complex(x + length - 2, sign * r),
                        complex(x + length - 2, sign * (r - 1)),
                        complex(x + length, sign * (r - 1)),
                    ],
                    closed=False,
                )
        for at, cut in ((x, left), (x + left, 0.0), (x + length - right, 0.0), (x + length, right)):
            height = r - cut if cut else r
            pen.line(complex(at, -height), complex(at, height))
        if index == self.keyway:
            pen.slot(complex(x + length * 0.62, 0), length * 0.5, 2.0 * round(diameter / 8))
