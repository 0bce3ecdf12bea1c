"""A pen that draws views, dimensions and notes as a draughtsman does (ISO 128, ISO 129)."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from typing import Final

from dedup2d.samples.plan import (
    Arc,
    Dimension,
    DimensionKind,
    Entity,
    Hatch,
    Label,
    Layer,
    Line,
    Path,
    Plan,
    Solid,
    number,
)

TEXT_MM: Final = 3.5  # sheet millimetres, ISO 3098
ARROW_MM: Final = 3.0
GAP_MM: Final = 1.0
OVERSHOOT_MM: Final = 2.0
ROW_MM: Final = 9.0  # from the outline to the first dimension line, and between two


class Pen:
    """Draws onto a growing list, in the coordinates of one view.

    ``scale`` is how many millimetres of the part one millimetre of the sheet shows: it sizes
    texts, arrows and gaps.
    """

    def __init__(
        self, scale: float = 1.0, *, origin: complex = 0, onto: list[Entity] | None = None
    ) -> None:
        self.scale = scale
        self._origin = origin
        self._drawn: list[Entity] = [] if onto is None else onto

    @property
    def plan(self) -> Plan:
        """All that was drawn, in order."""
        return tuple(self._drawn)

    @property
    def row(self) -> float:
        """Distance between two dimension lines."""
        return ROW_MM * self.scale

    def at(self, x: float, y: float) -> Pen:
        """A pen for another view whose origin lies at (x, y) of this one."""
        return Pen(self.scale, origin=self._origin + complex(x, y), onto=self._drawn)

    def line(self, a: complex, b: complex, layer: Layer = Layer.VISIBLE) -> None:
        """A straight stroke."""
        self._drawn.append(Line(a + self._origin, b + self._origin, layer))

    def circle(self, center: complex, radius: float, layer: Layer = Layer.VISIBLE) -> None:
        """A full circle."""
        self._drawn.append(Arc(center + self._origin, radius, layer=layer))

    def arc(
        self,
        center: complex,
        radius: float,
        degrees: tuple[float, float],
        layer: Layer = Layer.VISIBLE,
    ) -> None:
        """An arc, counter-clockwise from the first to the second angle."""
        start = math.radians(degrees[0]) % math.tau
        span = math.radians((degrees[1] - degrees[0]) % 360)
        self._drawn.append(Arc(center + self._origin, radius, start, start + span, layer))

    def path(
        self,
        vertices: Sequence[complex | tuple[complex, float]],
        *,
        closed: bool = True,
        layer: Layer = Layer.VISIBLE,
    ) -> Path:
        """A polyline; a vertex is a point, or a point and a bulge."""
        pairs = (v if isinstance(v, tuple) else (v, 0.0) for v in vertices)
        path = Path(tuple((p + self._origin, bulge) for p, bulge in pairs), closed, layer)
        self._drawn.append(path)
        return path

    def rectangle(
        self, corner: complex, width: float, height: float, layer: Layer = Layer.VISIBLE
    ) -> Path:
        """A closed upright rectangle from its lower left corner."""
        far = corner + complex(width, height)
        return self.path(
            [corner, complex(far.real, corner.imag), far, complex(corner.real, far.imag)],
            layer=layer,
        )

    def hatch(self, *boundaries: Path) -> None:
        """Cut face over closed paths that this pen has drawn."""
        self._drawn.append(Hatch(boundaries, spacing=2.5 * self.scale))

    def centre_mark(self, center: complex, radius: float) -> None:
        """Two crossing centre lines that stand out of a circle."""
        arm = radius + 2.5 * self.scale
        self.line(center - arm, center + arm, Layer.CENTER)
        self.line(center - arm * 1j, center + arm * 1j, Layer.CENTER)

    def hole(self, center: complex, diameter: float) -> None:
        """A round hole with its centre mark."""
        self.circle(center, diameter / 2)
        self.centre_mark(center, diameter / 2)

    def slot(self, center: complex, length: float, width: float, angle_deg: float = 0.0) -> None:
        """A slot with round ends; ``length`` is over all."""
        along = cmath.rect(1, math.radians(angle_deg))
        half, r = (length - width) / 2 * along, width / 2 * along * 1j
        ends = [(center - half - r, 0.0), (center + half - r, 1.0)]
        self.path([*ends, (center + half + r, 0.0), (center - half + r, 1.0)])
        arm = (length / 2 + 2.5 * self.scale) * along
        self.line(center - arm, center + arm, Layer.CENTER)

    def hidden_hole(self, a: complex, b: complex, diameter: float) -> None:
        """A hole seen from the side: two hidden edges and the axis from ``a`` to ``b``."""
        along = (b - a) / abs(b - a)
        side = along * 1j * diameter / 2
        self.line(a + side, b + side, Layer.HIDDEN)
        self.line(a - side, b - side, Layer.HIDDEN)
        over = along * 2 * self.scale
        self.line(a - over, b + over, Layer.CENTER)

    def note(self, at: complex, *lines: str, height_mm: float = TEXT_MM) -> None:
        """Lines of text, the first at ``at``."""
        height = height_mm * self.scale
        for row, value in enumerate(lines):
            where = at + self._origin - 1.6j * height * row
            self._drawn.append(Label(value, where, height))

    def across(self, a: complex, b: complex, y: float, text: str = "<>") -> None:
        """A horizontal dimension between two points, its line at ``y``."""
        self._linear(a, b, complex(b.real, y), 0.0, text)

    def upright(self, a: complex, b: complex, x: float, text: str = "<>") -> None:
        """A vertical dimension between two points, its line at ``x``."""
        self._linear(a, b, complex(x, b.imag), 90.0, text)

    def _linear(self, a: complex, b: complex, line_at: complex, axis_deg: float, text: str) -> None:
        u = cmath.rect(1, math.radians(axis_deg))
        if ((b - a) / u).real < 0:
            a, b = b, a
        a, b, line_at = a + self._origin, b + self._origin, line_at + self._origin
        foot_a, foot_b = _foot(a, line_at, u), _foot(b, line_at, u)
        length = abs(foot_b - foot_a)
        shown = text.replace("<>", number(length))
        height, arrow = TEXT_MM * self.scale, ARROW_MM * self.scale
        wide = len(shown) * height * 0.68
        inside = length > wide + 2.2 * arrow
        strokes: list[Line | Solid] = []
        for point, foot in ((a, foot_a), (b, foot_b)):
            if abs(foot - point) > 2 * GAP_MM * self.scale:
                out = (foot - point) / abs(foot - point) * self.scale
                strokes.append(
                    Line(point + out * GAP_MM, foot + out * OVERSHOOT_MM, Layer.DIMENSION)
                )
        tail = 0.0 if inside else 2.2 * arrow
        far = foot_b + u * (tail if inside else max(tail, wide + arrow))
        strokes.append(Line(foot_a - u * tail, far, Layer.DIMENSION))
        sign = 1 if inside else -1
        strokes += [_arrow(foot_a, -u * sign, arrow), _arrow(foot_b, u * sign, arrow)]
        middle = (foot_a + foot_b) / 2 if inside else foot_b + u * (arrow + wide / 2)
        above = u * 1j * (0.3 * height + 0.25 * self.scale)
        label = Label(shown, middle + above, height, axis_deg, True, Layer.DIMENSION)
        self._drawn.append(
            Dimension(
                DimensionKind.LINEAR, (a, b, foot_b), length, text, tuple(strokes), label, axis_deg
            )
        )

    def diameter(
        self, center: complex, diameter: float, angle_deg: float, text: str = "Ø<>", out: float = 8
    ) -> None:
        """A diameter with a leader of ``out`` sheet millimetres at the given angle."""
        self._leader(DimensionKind.DIAMETER, (center, diameter / 2), angle_deg, text, out)

    def radius(
        self, center: complex, radius: float, angle_deg: float, text: str = "R<>", out: float = 8
    ) -> None:
        """A radius with a leader of ``out`` sheet millimetres at the given angle."""
        self._leader(DimensionKind.RADIUS, (center, radius), angle_deg, text, out)

    def _leader(
        self,
        kind: DimensionKind,
        circle: tuple[complex, float],
        angle: float,
        text: str,
        out: float,
    ) -> None:
        center, radius = circle[0] + self._origin, circle[1]
        u = cmath.rect(1, math.radians(angle))
        measured = radius * 2 if kind is DimensionKind.DIAMETER else radius
        shown = text.replace("<>", number(measured))
        height = TEXT_MM * self.scale
        wide = len(shown) * height * 0.68
        touch = center + u * radius
        knee = touch + u * out * self.scale
        side = 1 if u.real >= 0 else -1
        end = knee + side * (wide + height * 0.5)
        strokes: tuple[Line | Solid, ...] = (
            Line(touch, knee, Layer.DIMENSION),
            Line(knee, end, Layer.DIMENSION),
            _arrow(touch, -u, ARROW_MM * self.scale),
        )
        at = (knee + end) / 2 + 1j * (0.3 * height + 0.25 * self.scale)
        label = Label(shown, at, height, 0.0, True, Layer.DIMENSION)
        far = center - u * radius if kind is DimensionKind.DIAMETER else center
        self._drawn.append(Dimension(kind, (far, touch), measured, text, strokes, label))


def _foot(point: complex, on_line: complex, along: complex) -> complex:
    """The foot of the perpendicular from ``point`` onto the dimension line."""
    return on_line + along * ((point - on_line) / along).real


def _arrow(tip: complex, direction: complex, length: float) -> Solid:
    """A slender filled head that points along ``direction``."""
    back, side = tip - direction * length, direction * 1j * length / 6
    return Solid((tip, back + side, back - side))
