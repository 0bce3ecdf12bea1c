"""How many DWG files open, and whether they say the same as the DXF that was saved from them.

    python benchmarks/reading_dwg.py [FOLDER]

FOLDER holds files/ and groups.json (default ../shared/drawings). Twins: a DWG and a DXF of one
group of kind cross_format_same_folder, and files of one folder whose names differ in nothing but
the version (sample_AC1032.dwg, sample_AC1009_ascii.dxf). An entity is in both if both have
strokes of its handle; it agrees if the strokes cover each other to 99.9 % within 0.2 % of the
diagonal. ``DWG on DXF``: how much of all strokes of the DWG lies on the DXF, and back.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from reading import NEAR, covered, strokes

from dedup2d.drawing import Drawing
from dedup2d.errors import DrawingError
from dedup2d.reading import read
from dedup2d.reading.geometry import flatten_arcs

DEFAULT = Path(__file__).parents[2] / "shared" / "drawings"
VERSION = re.compile(r"_AC10\d\d.*")


def attempt(path: Path) -> Drawing | str:
    """The drawing, or the code of the refusal."""
    try:
        return read(path)
    except DrawingError as error:
        return error.code


def twins(folder: Path) -> list[tuple[Path, Path]]:
    """Pairs of a DWG and a DXF."""
    found = set()
    for group in json.loads((folder / "groups.json").read_text())["groups"]:
        if group["kind"] == "cross_format_same_folder":
            paths = sorted(folder / member["path"] for member in group["members"])
            if [path.suffix for path in paths] == [".dwg", ".dxf"]:
                found.add((paths[0], paths[1]))
    for path in folder.rglob("*_AC10*.dwg"):
        stem = VERSION.sub("", path.stem)
        others = path.parent.glob(f"{stem}_AC10*.dxf")
        found |= {(path, other) for other in others if VERSION.sub("", other.stem) == stem}
    return sorted(found)


def by_handle(drawing: Drawing) -> dict[str, np.ndarray]:
    """(n, 4) straight pieces of each entity."""
    chords, row = flatten_arcs(drawing.arcs)
    pieces = np.concatenate([drawing.segments, drawing.curves, chords])
    owners = [drawing.segment_source, drawing.curve_source, drawing.arc_source[row]]
    found = defaultdict(list)
    for piece, owner in zip(pieces, np.concatenate(owners).tolist(), strict=True):
        found[drawing.sources[owner].handle].append(piece)
    return {handle: np.array(own) for handle, own in found.items()}


def compare(dwg: Drawing, dxf: Drawing) -> tuple[int, int, float, float]:
    """Entities in both, those that agree, and the covered shares of all strokes."""
    both = [strokes(dwg), strokes(dxf)]
    near = NEAR * float(np.hypot(*np.ptp(np.concatenate(both).reshape(-1, 2), axis=0)))
    one, other = by_handle(dwg), by_handle(dxf)
    common = sorted(set(one) & set(other))
    same = sum(
        min(covered(one[h], other[h], near), covered(other[h], one[h], near)) >= 0.999
        for h in common
    )
    return len(common), same, covered(*both, near), covered(*both[::-1], near)


def main(folder: Path) -> None:
    """Print both tables."""
    codes = Counter(
        found if isinstance(found, str) else "read"
        for found in (attempt(path) for path in sorted((folder / "files").rglob("*.dwg")))
    )
    opened = (codes["read"] + codes["EMPTY_DRAWING"]) / codes.total()
    print(f"opened: {opened:.3f} of {codes.total()} DWG files {dict(codes)}")
    print(f"{'twins':>52} {'in both':>8} {'agree':>6} {'DWG on DXF':>11} {'DXF on DWG':>11}")
    total = np.zeros(2)
    for dwg_path, dxf_path in twins(folder):
        dwg, dxf = attempt(dwg_path), attempt(dxf_path)
        name = f"{dwg_path.name} {dxf_path.suffix if dwg_path.stem == dxf_path.stem else dxf_path.name}"
        if isinstance(dwg, str) or isinstance(dxf, str):
            print(
                f"{name:>52} {dwg if isinstance(dwg, str) else 'read'} {dxf if isinstance(dxf, str) else 'read'}"
            )
            continue
        row = compare(dwg, dxf)
        total += row[:2]
        print(f"{name:>52} {row[0]:8d} {row[1]:6d} {row[2]:11.4f} {row[3]:11.4f}")
    print(f"agreement on the entities that both have: {total[1] / total[0]:.4f} of {total[0]:.0f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
