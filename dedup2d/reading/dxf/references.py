"""Entities that put a block in place: INSERT, the dimensions, ACAD_TABLE."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dedup2d.drawing.model import Floats
from dedup2d.reading.blocks import Grid, Placement
from dedup2d.reading.dxf.group import Group
from dedup2d.reading.dxf.ocs import axes
from dedup2d.reading.dxf.texts import measured


def inserts(group: Group) -> list[tuple[int, Placement]]:
    """Row and placement of each INSERT."""
    names = names_of(group)
    scale = np.column_stack([group.number(code, 1.0) for code in (41, 42)])
    scale[scale == 0] = 1.0
    frames = axes(group.normal())[:, :2]
    turned = frames[:, :, :2] @ _rotations(np.radians(group.number(50)))
    matrices = turned * scale[:, None, :]
    shifts = np.einsum("nij,nj->ni", frames, group.point(10))
    steps = np.column_stack([group.number(44), group.number(45)])
    counts = np.maximum(np.column_stack([group.flags(70), group.flags(71)]), 1)
    usable = np.isfinite(matrices).all(axis=(1, 2)) & np.isfinite(shifts).all(axis=1)
    usable &= np.isfinite(steps).all(axis=1)
    found: list[tuple[int, Placement]] = []
    for k, row in enumerate(group.rows.tolist()):
        if not names[k] or not usable[k]:
            continue
        columns, rows = counts[k].tolist()
        grid = None
        if columns * rows > 1:
            across, up = turned[k, :, 0] * steps[k, 0], turned[k, :, 1] * steps[k, 1]
            grid = Grid(columns, rows, across, up)
        found.append((row, Placement(names[k], matrices[k], shifts[k], grid)))
    return found


def _rotations(angles: Floats) -> Floats:
    """(n, 2, 2) rotation matrices for (n,) radians."""
    cos, sin = np.cos(angles), np.sin(angles)
    return np.stack([np.stack([cos, -sin], axis=1), np.stack([sin, cos], axis=1)], axis=1)


def dimensions(group: Group) -> list[tuple[int, Placement]]:
    """Row and placement of each dimension's own block; its point 12 moves the block."""
    shift = group.point(12)
    values = measured(group)
    return [
        (row, replace(placement, role="dimension", measured=value))
        for (row, placement), value in zip(
            _placed(group, np.where(np.isfinite(shift), shift, 0.0)[:, :2]), values, strict=True
        )
        if placement.block
    ]


def tables(group: Group) -> list[tuple[int, Placement]]:
    """Row and placement of each ACAD_TABLE's block."""
    placed = _placed(group, group.point(10)[:, :2])
    return [(row, placement) for row, placement in placed if placement.block]


def _placed(group: Group, shift: Floats) -> list[tuple[int, Placement]]:
    names = names_of(group)
    return [
        (row, Placement(names[k], np.eye(2), shift[k])) for k, row in enumerate(group.rows.tolist())
    ]


def names_of(group: Group) -> list[str]:
    """The lower-case name of the block that each entity refers to."""
    document = group.document
    names = [""] * len(group.rows)
    for at in np.flatnonzero(group.codes == 2)[::-1].tolist():  # noqa: PLR2004  # group code
        names[int(group.entity[at])] = document.decoder(
            document.tags.values[int(group.places[at])]
        ).lower()
    return names
