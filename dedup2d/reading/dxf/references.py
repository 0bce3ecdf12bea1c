"""Entities that put a block in place: INSERT, the dimensions, ACAD_TABLE."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

import numpy as np

from dedup2d.drawing.model import Floats
from dedup2d.reading.blocks import Grid, Placement
from dedup2d.reading.builder import DrawingBuilder
from dedup2d.reading.dxf.dimension_text import Overridden
from dedup2d.reading.dxf.document import Document
from dedup2d.reading.dxf.group import Group
from dedup2d.reading.dxf.ocs import axes
from dedup2d.reading.dxf.tags import number, whole
from dedup2d.reading.dxf.texts import ANGULAR, DIMENSION_SORT, measured
from dedup2d.reading.dxf.xclips import clips

_DIMLFAC: Final = 144  # group code


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
    shown = clips(group)
    found: list[tuple[int, Placement]] = []
    for k, row in enumerate(group.rows.tolist()):
        if not names[k] or not usable[k]:
            continue
        columns, rows = counts[k].tolist()
        grid = None
        if columns * rows > 1:
            across, up = turned[k, :, 0] * steps[k, 0], turned[k, :, 1] * steps[k, 1]
            grid = Grid(columns, rows, across, up)
        clip = shown.get(row)
        block = group.document.blocks.get(names[k])
        if clip and block:
            clip = clip.moved(-np.array(block.base))
        found.append((row, Placement(names[k], matrices[k], shifts[k], grid, clip)))
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


def overridden(group: Group, builder: DrawingBuilder) -> None:
    """Find the dimensions whose own text (code 1) does not fit what they measure."""
    own = Group(group.document, group.rows[group.has(1)])
    if not len(own.rows):
        return
    styles = _length_factors(own.document)
    sorts, values = own.flags(70) & DIMENSION_SORT, measured(own)
    decode = own.document.decoder
    checked = Overridden()
    for k, (_, items) in enumerate(own.items()):
        text = next((decode.verbatim(value) for code, value in items if code == 1), "")
        style = next((decode(value).lower() for code, value in items if code == 3), "")  # noqa: PLR2004
        factors = (styles.get(style, 1.0), _own_length_factor(items))
        checked.check(text, values[k], factors=factors, is_angle=int(sorts[k]) in ANGULAR)
    checked.report(builder)


def _length_factors(document: Document) -> dict[str, float]:
    """What dimension styles multiply measured lengths by (DIMLFAC), by lower-case name."""
    if "DIMSTYLE" not in document.kinds:
        return {}
    rows = np.flatnonzero(document.kind == document.kinds.index("DIMSTYLE"))
    group = Group(document, rows)
    return dict(zip(names_of(group), group.number(_DIMLFAC, 1.0).tolist(), strict=True))


def _own_length_factor(items: list[tuple[int, Any]]) -> float:
    """The same where the dimension overrides its style: 1070 names it, 1040 follows."""
    for (code, name), (next_code, value) in pairwise(items):
        if code == 1070 and next_code == 1040 and whole(name) == _DIMLFAC:  # noqa: PLR2004
            return number(value)
    return 1.0


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
