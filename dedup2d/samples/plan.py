"""What a sample drawing consists of, before it becomes DXF or a Drawing.

Points are complex numbers x + iy in millimetres, y up; angles are radians unless the name says
degrees. Every noun is frozen and can be placed elsewhere by a Motion.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from dedup2d.report import Pose

TEXT_ASPECT: Final = 0.68  # width of a character over its height, on average


class Layer(StrEnum):
    """Layers of a sheet as a drawing office names them."""

    VISIBLE = "VISIBLE"  # outlines and visible edges, 0.5 mm
    HIDDEN = "HIDDEN"  # hidden edges, dashed
    CENTER = "CENTER"  # centre lines, pitch circles
    DIMENSION = "DIM"  # dimensions and leaders
    HATCH = "HATCH"  # cut faces
    BEND = "BEND"  # bend lines of sheet metal
    TEXT = "TEXT"  # notes
    FRAME = "FRAME"  # sheet frame and title block


class DimensionKind(StrEnum):
    """Kinds of dimensions, as DXF has them."""

    LINEAR = "linear"  # horizontal or vertical distance
    DIAMETER = "diameter"  # of a circle, with a leader
    RADIUS = "radius"  # of an arc, with a leader


@dataclass(frozen=True, slots=True)
class Motion:
    """A similarity: first mirror (y -> -y), then turn and scale by ``turn``, then shift."""

    turn: complex = 1
    shift: complex = 0
    mirrored: bool = False

    @classmethod
    def of(cls, pose: Pose) -> Motion:
        """The same motion as a Pose."""
        turn = cmath.rect(pose.scale, math.radians(pose.rotation_deg))
        return cls(turn, complex(*pose.shift), pose.mirrored)

    @property
    def angle(self) -> float:
        """By how much it turns."""
        return cmath.phase(self.turn)

    @property
    def scale(self) -> float:
        """By how much it scales."""
        return abs(self.turn)

    def __call__(self, point: complex) -> complex:
        """Where a point comes to lie."""
        return self.turn * (point.conjugate() if self.mirrored else point) + self.shift

    def direction(self, angle: float) -> float:
        """Where a direction points afterwards."""
        return self.angle + (-angle if self.mirrored else angle)


@dataclass(frozen=True, slots=True)
class Line:
    """A straight stroke from ``a`` to ``b``."""

    a: complex
    b: complex
    layer: Layer = Layer.VISIBLE

    def placed(self, motion: Motion) -> Line:
        """The same line elsewhere."""
        return Line(motion(self.a), motion(self.b), self.layer)

    def points(self) -> Iterator[complex]:
        """Points that span the extents."""
        yield from (self.a, self.b)


@dataclass(frozen=True, slots=True)
class Arc:
    """Counter-clockwise from ``start`` to ``end`` > ``start``; a circle spans 2 pi."""

    center: complex
    radius: float
    start: float = 0.0
    end: float = math.tau
    layer: Layer = Layer.VISIBLE

    @property
    def is_circle(self) -> bool:
        """Whether it closes."""
        return self.end - self.start >= math.tau - 1e-9

    def placed(self, motion: Motion) -> Arc:
        """The same arc elsewhere."""
        center, radius = motion(self.center), self.radius * motion.scale
        if self.is_circle:
            return Arc(center, radius, layer=self.layer)
        ends = motion.direction(self.start), motion.direction(self.end)
        start = min(ends) % math.tau
        return Arc(center, radius, start, start + self.end - self.start, self.layer)

    def points(self) -> Iterator[complex]:
        """Points that span the extents: the ends and the quadrants in between."""
        yield self.center + cmath.rect(self.radius, self.start)
        yield self.center + cmath.rect(self.radius, self.end)
        quarter = math.ceil(self.start / (math.pi / 2))
        while quarter * math.pi / 2 < self.end:
            yield self.center + cmath.rect(self.radius, quarter * math.pi / 2)
            quarter += 1


@dataclass(frozen=True, slots=True)
class Path:
    """A polyline; each vertex carries the bulge (tan of a quarter of the angle) to the next."""

    vertices: tuple[tuple[complex, float], ...]
    closed: bool = True
    layer: Layer = Layer.VISIBLE

    def placed(self, motion: Motion) -> Path:
        """The same path elsewhere; a mirror turns the bulges round."""
        sign = -1 if motion.mirrored else 1
        vertices = tuple((motion(point), sign * bulge) for point, bulge in self.vertices)
        return replace(self, vertices=vertices)

    def strokes(self) -> Iterator[Line | Arc]:
        """Its straight and round pieces."""
        ends = self.vertices[1:] + (self.vertices[:1] if self.closed else ())
        for (a, bulge), (b, _) in zip(self.vertices, ends, strict=False):
            yield _bulged(a, b, bulge, self.layer) if bulge else Line(a, b, self.layer)

    def points(self) -> Iterator[complex]:
        """Points that span the extents."""
        for stroke in self.strokes():
            yield from stroke.points()


def _bulged(a: complex, b: complex, bulge: float, layer: Layer) -> Arc:
    """The arc of a bulge, see the DXF reference on LWPOLYLINE."""
    center = (a + b) / 2 + (b - a) * 1j * (1 - bulge * bulge) / (4 * bulge)
    first, last = (a, b) if bulge > 0 else (b, a)
    start = cmath.phase(first - center) % math.tau
    end = start + (cmath.phase(last - center) - start) % math.tau
    return Arc(center, abs(a - center), start, end, layer)


@dataclass(frozen=True, slots=True)
class Solid:
    """A filled triangle: the head of an arrow."""

    corners: tuple[complex, complex, complex]
    layer: Layer = Layer.DIMENSION

    def placed(self, motion: Motion) -> Solid:
        """The same triangle elsewhere."""
        a, b, c = self.corners
        return Solid((motion(a), motion(b), motion(c)), self.layer)

    def points(self) -> Iterator[complex]:
        """The corners."""
        yield from self.corners


@dataclass(frozen=True, slots=True)
class Label:
    """A text; ``at`` is the middle of its base line if ``centred``, else its left end."""

    value: str
    at: complex
    height: float
    rotation_deg: float = 0.0
    centred: bool = False
    layer: Layer = Layer.TEXT
    tag: str = ""

    @property
    def width(self) -> float:
        """About how wide it is."""
        return len(self.value) * self.height * TEXT_ASPECT

    def placed(self, motion: Motion) -> Label:
        """The same text elsewhere, and readable: never mirrored, never upside down."""
        along = cmath.rect(1, math.radians(self.rotation_deg))
        half = 0 if self.centred else self.width / 2
        middle = motion(self.at + along * (half + 0.5j * self.height))
        angle = math.degrees(motion.direction(math.radians(self.rotation_deg)))
        angle = (angle + 89.9) % 180 - 89.9  # reads from below or from the right
        along = cmath.rect(motion.scale, math.radians(angle))
        at = middle - along * (half + 0.5j * self.height)
        return replace(self, at=at, height=self.height * motion.scale, rotation_deg=angle)

    def points(self) -> Iterator[complex]:
        """Corners of the box around it."""
        along = cmath.rect(1, math.radians(self.rotation_deg))
        left = -self.width / 2 if self.centred else 0.0
        for x in (left, left + self.width):
            for y in (0.0, self.height):
                yield self.at + along * complex(x, y)


@dataclass(frozen=True, slots=True)
class Hatch:
    """Lines at 45 degrees, ``spacing`` apart, over the area of closed paths (even-odd)."""

    boundaries: tuple[Path, ...]
    spacing: float = 3.0
    angle_deg: float = 45.0
    layer: Layer = Layer.HATCH

    def placed(self, motion: Motion) -> Hatch:
        """The same hatch elsewhere; its lines turn with it."""
        angle = math.degrees(motion.direction(math.radians(self.angle_deg))) % 180
        boundaries = tuple(path.placed(motion) for path in self.boundaries)
        return Hatch(boundaries, self.spacing * motion.scale, angle, self.layer)

    def points(self) -> Iterator[complex]:
        """Points of the boundaries."""
        for path in self.boundaries:
            yield from path.points()


def number(value: float) -> str:
    """A measured value as a dimension shows it: at most two decimals, no trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


@dataclass(frozen=True, slots=True)
class Dimension:
    """A dimension and its picture.

    ``anchors`` are the measured points and a point of the dimension line (linear), or the two
    ends of the diameter or radius. ``text`` is what the user typed, where ``<>`` stands for the
    measured value; ``axis_deg`` is the direction of a linear dimension.
    """

    kind: DimensionKind
    anchors: tuple[complex, ...]
    measured: float
    text: str
    strokes: tuple[Line | Solid, ...]
    label: Label
    axis_deg: float = 0.0
    layer: Layer = Layer.DIMENSION

    def placed(self, motion: Motion) -> Dimension:
        """The same dimension elsewhere; it shows the new size, its text stays readable."""
        measured = self.measured * motion.scale
        value = self.text.replace("<>", number(measured))
        return replace(
            self,
            anchors=tuple(motion(point) for point in self.anchors),
            measured=measured,
            strokes=tuple(stroke.placed(motion) for stroke in self.strokes),
            label=replace(self.label, value=value).placed(motion),
            axis_deg=math.degrees(motion.direction(math.radians(self.axis_deg))) % 180,
        )

    def points(self) -> Iterator[complex]:
        """Points of its picture."""
        for stroke in self.strokes:
            yield from stroke.points()
        yield from self.label.points()


@dataclass(frozen=True, slots=True)
class Group:
    """A block that is inserted at ``at``; members stand where they are to be seen."""

    name: str
    at: complex
    members: tuple[Line | Arc | Path | Label, ...]
    layer: Layer = Layer.FRAME

    def placed(self, motion: Motion) -> Group:
        """The same block elsewhere."""
        members = tuple(member.placed(motion) for member in self.members)
        return replace(self, at=motion(self.at), members=members)

    def points(self) -> Iterator[complex]:
        """Points of the members."""
        for member in self.members:
            yield from member.points()


Entity = Line | Arc | Path | Solid | Label | Hatch | Dimension | Group
Plan = tuple[Entity, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """An upright box."""

    min_x: float
    min_y: float
    max_x: float
    max_y: float

    @property
    def center(self) -> complex:
        """Its middle."""
        return complex(self.min_x + self.max_x, self.min_y + self.max_y) / 2

    @property
    def width(self) -> float:
        """Along x."""
        return self.max_x - self.min_x

    @property
    def height(self) -> float:
        """Along y."""
        return self.max_y - self.min_y


def extents(entities: Iterable[Entity]) -> Box:
    """The box around all entities; raises ValueError if there are none."""
    points = [point for entity in entities for point in entity.points()]
    xs, ys = [point.real for point in points], [point.imag for point in points]
    return Box(min(xs), min(ys), max(xs), max(ys))


def placed(plan: Plan, motion: Motion) -> Plan:
    """The whole plan elsewhere."""
    return tuple(entity.placed(motion) for entity in plan)
