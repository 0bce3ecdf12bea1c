"""Similarity transforms of the plane as complex numbers: z -> a z + b, or a conj(z) + b."""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

import numpy as np

from dedup2d.drawing.model import Floats
from dedup2d.matching.shape import Bools, Complexes, Shape
from dedup2d.report import Pose


@dataclass(frozen=True, slots=True)
class Similarity:
    """Mirrors (y -> -y) if ``mirrored``, then turns and scales by ``a``, then shifts by ``b``."""

    a: complex = 1 + 0j
    b: complex = 0j
    mirrored: bool = False

    @property
    def scale(self) -> float:
        """How much longer lengths become."""
        return abs(self.a)

    def apply(self, z: Complexes) -> Complexes:
        """The images of points."""
        moved: Complexes = self.a * (z.conj() if self.mirrored else z) + self.b
        return moved

    def at(self, z: complex) -> complex:
        """The image of one point."""
        return self.a * (z.conjugate() if self.mirrored else z) + self.b

    def inverse(self) -> Similarity:
        """The transform that takes the images back."""
        if self.mirrored:
            a = 1 / self.a.conjugate()
            return Similarity(a, -a * self.b.conjugate(), mirrored=True)
        return Similarity(1 / self.a, -self.b / self.a)

    def move(self, shape: Shape) -> Shape:
        """The image of a shape; arcs stay counter-clockwise."""
        s, arcs = shape.segments, shape.arcs
        start, end = self.apply(s[:, 0] + 1j * s[:, 1]), self.apply(s[:, 2] + 1j * s[:, 3])
        centre = self.apply(arcs[:, 0] + 1j * arcs[:, 1])
        turn = cmath.phase(self.a)
        low, high = arcs[:, 3] + turn, arcs[:, 4] + turn
        if self.mirrored:
            low, high = turn - arcs[:, 4], turn - arcs[:, 3]
        full = high - low >= math.tau - 1e-3
        low, high = np.where(full, 0.0, low), np.where(full, math.tau, high)
        radius = arcs[:, 2] * self.scale
        return Shape(
            np.column_stack([start.real, start.imag, end.real, end.imag]),
            np.column_stack([centre.real, centre.imag, radius, low, high]),
            shape.curved,
        )

    def pose(self) -> Pose:
        """As a report shows it."""
        degrees = math.degrees(cmath.phase(self.a)) % 360.0
        if degrees > 360.0 - 1e-9:
            degrees = 0.0
        return Pose(
            rotation_deg=degrees,
            mirrored=self.mirrored,
            scale=self.scale,
            shift=(self.b.real, self.b.imag),
        )

    @classmethod
    def of_pose(cls, pose: Pose) -> Similarity:
        """The transform that a report's pose describes."""
        a = cmath.rect(pose.scale, math.radians(pose.rotation_deg))
        return cls(a, complex(*pose.shift), pose.mirrored)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Many transforms as arrays (h,), so that they are tried at once."""

    a: Complexes
    b: Complexes
    mirrored: Bools

    def __len__(self) -> int:
        return len(self.a)

    def apply(self, z: Complexes) -> Complexes:
        """(h, k) images of (k,) points under each transform."""
        points = np.where(self.mirrored[:, None], z.conj(), z)
        moved: Complexes = self.a[:, None] * points + self.b[:, None]
        return moved

    def inverse(self) -> Bundle:
        """The transforms that take the images back."""
        a = np.where(self.mirrored, 1 / self.a.conj(), 1 / self.a)
        b = -a * np.where(self.mirrored, self.b.conj(), self.b)
        return Bundle(a, b, self.mirrored)

    def __getitem__(self, k: int) -> Similarity:
        return Similarity(complex(self.a[k]), complex(self.b[k]), bool(self.mirrored[k]))

    def kept(self, keep: Bools) -> Bundle:
        """Only some of them."""
        return Bundle(self.a[keep], self.b[keep], self.mirrored[keep])


def bundle(transforms: list[Similarity]) -> Bundle:
    """Transforms as arrays."""
    return Bundle(
        np.array([t.a for t in transforms], np.complex128),
        np.array([t.b for t in transforms], np.complex128),
        np.array([t.mirrored for t in transforms], np.bool_),
    )


def joined(bundles: list[Bundle]) -> Bundle:
    """Several bundles as one, in order."""
    return Bundle(
        np.concatenate([b.a for b in bundles]),
        np.concatenate([b.b for b in bundles]),
        np.concatenate([b.mirrored for b in bundles]),
    )


def as_pairs(z: Complexes) -> Floats:
    """(k, 2) x, y."""
    return np.column_stack([z.real, z.imag])
