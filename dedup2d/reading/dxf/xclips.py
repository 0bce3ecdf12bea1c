"""Clip boundaries of block references: the SPATIAL_FILTER in an INSERT's extension dictionary.

INSERT -360-> DICTIONARY -"ACAD_FILTER"-> DICTIONARY -"SPATIAL"-> SPATIAL_FILTER
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np

from dedup2d.drawing.model import Floats
from dedup2d.reading.clipping import Clip
from dedup2d.reading.dxf.document import Document
from dedup2d.reading.dxf.group import Group
from dedup2d.reading.dxf.tags import CLIPPING, number, whole

_FILTER: Final = CLIPPING.decode()
_MATRIX: Final = 12  # values of a 3 x 4 matrix, row by row
_CORNERS: Final = 2  # two points stand for the rectangle between them

Items = list[tuple[int, Any]]


def clips(group: Group) -> dict[int, Clip]:
    """By row of the INSERT, what is shown of its block, in the block's coordinates."""
    document = group.document
    if _FILTER not in document.kinds:
        return {}
    filters, dictionaries, records = (
        _objects(document, kind) for kind in (_FILTER, "DICTIONARY", "XRECORD")
    )

    def extension(items: Items, *names: str) -> str:
        handle = _extension_dictionary(document, items)
        for name in names:
            handle = _entry(document, dictionaries.get(handle, []), name)
        return handle

    found = {}
    for row, items in group.items():
        spatial = filters.get(extension(items, "ACAD_FILTER", "SPATIAL"))
        if spatial is None or not _is_on(spatial):
            continue
        hole = _hole(document, records.get(extension(spatial, "ACAD_XREC_ROUNDTRIP"), []))
        polygon = _in_block(spatial, _points(hole or spatial))
        if polygon is not None:
            found[row] = Clip(polygon, is_inverted=bool(hole))
    return found


def _objects(document: Document, kind: str) -> dict[str, Items]:
    """The tags of all objects of a kind, by handle."""
    if kind not in document.kinds:
        return {}
    rows = np.flatnonzero(document.kind == document.kinds.index(kind))
    return {
        next((_handle(document, value) for code, value in items if code == 5), ""): items  # noqa: PLR2004
        for _, items in Group(document, rows).items()
    }


def _handle(document: Document, value: Any) -> str:
    return document.decoder(value).lstrip("0").lower()


def _extension_dictionary(document: Document, items: Items) -> str:
    """The handle behind the mark {ACAD_XDICTIONARY."""
    for (code, mark), (_, value) in pairwise(items):
        if code == 102 and document.decoder(mark) == "{ACAD_XDICTIONARY":  # noqa: PLR2004
            return _handle(document, value)
    return ""


def _entry(document: Document, items: Items, name: str) -> str:
    """The handle that follows a name in a dictionary."""
    for (code, key), (_, value) in pairwise(items):
        if code == 3 and document.decoder(key).upper() == name:  # noqa: PLR2004
            return _handle(document, value)
    return ""


def _is_on(spatial: Items) -> bool:
    return next((whole(value) != 0 for code, value in spatial if code == 71), True)  # noqa: PLR2004


def _hole(document: Document, record: Items) -> Items:
    """The tags of the hole of an inverted clip; the filter's own points may leave it out."""
    marks = [k for k, (code, _) in enumerate(record) if code == 102]  # noqa: PLR2004
    for start, stop in pairwise([*marks, len(record)]):
        if document.decoder(record[start][1]) == "ACAD_INVERTEDCLIP_ROUNDTRIP":
            return record[start:stop]
    return []


def _points(items: Items) -> Floats:
    """(k, 2) points; two are corners of a rectangle."""
    x, y = ([number(value) for code, value in items if code == axis] for axis in (10, 20))
    points = np.array([x, y]).T if len(x) == len(y) else np.empty((0, 2))
    if len(points) == _CORNERS:
        (x0, y0), (x1, y1) = points.tolist()
        points = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    return points


def _in_block(spatial: Items, points: Floats) -> Floats | None:
    """(k, 2) points of the clip's plane in the block; None where they, or the filter, are no good."""
    values = np.array([number(value) for code, value in spatial if code == 40])[-2 * _MATRIX :]  # noqa: PLR2004
    if len(points) <= _CORNERS or len(values) < 2 * _MATRIX:
        return None
    block_of_world, clip_of_world = values.reshape(2, 3, 4)
    turn, shift = clip_of_world[:, :3], clip_of_world[:, 3]
    if not (np.isfinite(values).all() and np.isfinite(points).all() and np.linalg.det(turn)):
        return None
    flat = np.column_stack([points, np.zeros(len(points))])
    world = np.linalg.solve(turn, (flat - shift).T)
    return np.asarray((block_of_world[:, :3] @ world)[:2].T + block_of_world[:2, 3])
