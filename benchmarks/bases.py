"""Drawings that the benchmarks start from: generated families, and real ones from a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dedup2d.drawing.model import Drawing
from dedup2d.errors import DrawingError
from dedup2d.matching.fingerprint import Fingerprint, fingerprint
from dedup2d.reading import read
from dedup2d.samples import KINDS, drawing

REAL = Path(__file__).parents[2] / "shared" / "drawings"
LEAST, MOST = 10, 20_000  # features of a real drawing that is worth asking about


@dataclass(frozen=True, slots=True)
class Base:
    """A drawing with its name, its seed for mutations and its family.

    Real drawings of one ``family`` belong together (copies, versions, revisions).
    """

    name: str
    seed: int
    drawing: Drawing
    family: str
    path: Path | None = None


def generated(count: int, first: int = 0) -> Iterator[Base]:
    """Drawings of all kinds; two of three are framed."""
    for seed in range(first, first + count):
        kind = KINDS[seed % len(KINDS)]
        yield Base(f"{kind}/{seed}", seed, drawing(kind, seed, frame=seed % 3 != 0), f"{seed}")


def real(folder: Path = REAL, suffixes: tuple[str, ...] = (".dxf",)) -> Iterator[Base]:
    """One drawing of each family of the real ones in ``folder`` that has strokes enough."""
    families = _families(folder)
    seen: list[Fingerprint] = []
    taken: set[str] = set()
    for number, path in enumerate(sorted((folder / "files").rglob("*"))):
        name = str(path.relative_to(folder))
        family = families.get(name, name)
        if path.suffix.lower() not in suffixes or family in taken:
            continue
        try:
            found = read(path)
        except DrawingError:
            continue
        fp = fingerprint(found)
        if not LEAST <= _features(found, fp) <= MOST or any(_alike(fp, other) for other in seen):
            continue
        seen.append(fp)
        taken.add(family)
        yield Base(name.removeprefix("files/"), number, found, family, path)


def _features(d: Drawing, fp: Fingerprint) -> int:
    """Straight strokes and arcs that are no repetitions, and free curves."""
    straight = min(len(d.segments) + len(d.arcs), fp.shape.count)
    return straight + len(np.unique(d.curve_source))


def _alike(one: Fingerprint, other: Fingerprint) -> bool:
    return bool(abs(one.signature - other.signature).max() < 1e-3)  # as the index joins


def _families(folder: Path) -> dict[str, str]:
    """The family of each path: all that any group of groups.json holds together."""
    head: dict[str, str] = {}

    def top(name: str) -> str:
        while head.setdefault(name, name) != name:
            name = head[name]
        return name

    for group in json.loads((folder / "groups.json").read_text())["groups"]:
        if group["kind"] == "weak_name":
            continue
        first, *rest = (member["path"] for member in group["members"])
        for other in rest:
            head[top(other)] = top(first)
    return {name: top(name) for name in head}
