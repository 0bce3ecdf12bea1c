"""How fast DXF is read, against ezdxf in the same run, and how well the two agree.

    python benchmarks/reading.py [FOLDER]

Times are processor seconds of
this process, so that other work on the machine counts little; each file is read twice, the
faster time counts. Agreement: strokes cover each other to 99.9 % of their length within 0.2 %
of the diagonal, and the total lengths differ by at most 0.5 %. Pattern lines of hatches, which are
kept beside the strokes, count as strokes do; the seams of filled areas, which nobody sees, do not.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from dedup2d.drawing import Drawing
from dedup2d.errors import DrawingError
from dedup2d.reading import Budget
from dedup2d.reading.budget import Meter
from dedup2d.reading.dxf import read_bytes
from dedup2d.reading.dxf.by_ezdxf import read_with_ezdxf
from dedup2d.reading.geometry import flatten_arcs

DEFAULT = Path(__file__).parents[2] / "shared" / "drawings" / "files"
NEAR = 0.002
# Where ours is right; tests/reading/test_reading_dxf.py has it in small.
OURS_RIGHT = {
    "arcs-as-splines.dxf": "ezdxf leaves out splines with a wrong number of knots",
    "reduced.dxf": "ezdxf takes a file without version for R12 and drops the closed flag",
}


@dataclass(frozen=True, slots=True)
class Result:
    """One file by one reader: the drawing or its error code, and processor seconds."""

    drawing: Drawing | None
    code: str
    seconds: float


def timed(function: Callable[[], Drawing], rounds: int) -> Result:
    """The result of the fastest of some rounds."""
    best, drawing, code = float("inf"), None, ""
    for _ in range(rounds):
        start = time.process_time()
        try:
            drawing = function()
        except DrawingError as error:
            code = error.code
        best = min(best, time.process_time() - start)
    return Result(drawing, code, best)


def strokes(drawing: Drawing) -> np.ndarray:
    """(n, 4) everything that is seen, as straight pieces."""
    chords = flatten_arcs(drawing.arcs)[0]
    return np.concatenate([drawing.segments, drawing.curves, chords, drawing.hatching])


def sampled(segments: np.ndarray, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) points along the strokes and (n,) the length that each stands for."""
    length = np.hypot(*(segments[:, 2:] - segments[:, :2]).T)
    pieces = np.maximum(1, np.ceil(length / spacing)).astype(int)
    row = np.repeat(np.arange(len(segments)), pieces)
    step = np.arange(len(row)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    t = ((step + 0.5) / pieces[row])[:, None]
    return segments[row, :2] * (1 - t) + segments[row, 2:] * t, (length / pieces)[row]


def covered(one: np.ndarray, other: np.ndarray, near: float) -> float:
    """The share of the length of ``one`` that lies on ``other``."""
    total = float(np.hypot(*(one[:, 2:] - one[:, :2]).T).sum())
    there = float(np.hypot(*(other[:, 2:] - other[:, :2]).T).sum())
    points, weight = sampled(one, max(total / 4000, 1e-12))
    away, _ = cKDTree(sampled(other, max(near, there / 60000))[0]).query(points)
    return float(weight[away <= 1.5 * near].sum() / weight.sum())


def verdict(ours: Result, theirs: Result) -> str:
    """What comparing the two readers says about one file."""
    if ours.drawing is None or theirs.drawing is None:
        mine = "read" if ours.drawing else "refused"
        return f"ours {mine}, ezdxf {'read' if theirs.drawing else 'refused'}"
    counts = ours.drawing.primitive_count, theirs.drawing.primitive_count
    if not all(counts):
        return "differ: one is empty" if any(counts) else "both empty"
    a, b = (strokes(result.drawing) for result in (ours, theirs))
    near = NEAR * float(np.hypot(*np.ptp(np.concatenate([a, b]).reshape(-1, 2), axis=0)))
    lengths = [float(np.hypot(*(s[:, 2:] - s[:, :2]).T).sum()) for s in (a, b)]
    if abs(lengths[0] - lengths[1]) > 0.005 * max(lengths):
        return "differ: length"
    is_same = min(covered(a, b, near), covered(b, a, near)) >= 0.999
    return "agree" if is_same else "differ: place"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=DEFAULT, help="real drawings")
    folder = parser.parse_args().folder
    logging.getLogger("ezdxf").setLevel(logging.CRITICAL)
    files = {hashlib.sha256(p.read_bytes()).digest(): p for p in sorted(folder.rglob("*.dxf"))}
    if not files:
        sys.exit(f"{folder} has no DXF files: name a folder that has")
    rows = []
    for path in sorted(files.values()):
        data = path.read_bytes()
        ours = timed(lambda data=data: read_bytes(data, Meter(Budget())), rounds=2)
        theirs = timed(lambda path=path: read_with_ezdxf(path, Meter(Budget())), rounds=1)
        said = verdict(ours, theirs)
        if said.startswith("differ"):
            why = OURS_RIGHT.get(path.name.split("__")[-1], "")
            print(f"{said}: {path.relative_to(folder)} {why}")
            said = "ours is right" if why else said
        rows.append((len(data), ours.seconds, theirs.seconds, said))
    print_speed(np.array([row[:3] for row in rows]))
    counts = Counter(row[3] for row in rows)
    for name, count in counts.most_common():
        print(f"{count:6d}  {name}")
    differ = sum(count for name, count in counts.items() if name.startswith("differ"))
    both = counts["agree"] + counts["ours is right"] + differ
    print(f"agreement where both read strokes: {counts['agree'] / both:.4f}")
    print(f"and where they differ for no known reason: {differ}")


def print_speed(table: np.ndarray) -> None:
    """(n, 3) bytes, our seconds, ezdxf's seconds."""
    print(
        f"{'files':>28} {'MB':>7} {'ours MB/s':>10} {'ezdxf MB/s':>11} {'times':>6} {'median':>7}"
    )
    for name, chosen in (
        ("all", table[:, 0] > 0),
        ("over 50 kB", table[:, 0] > 50e3),
        ("over 200 kB", table[:, 0] > 200e3),
    ):
        size, ours, theirs = table[chosen].sum(axis=0)
        median = np.median(table[chosen, 2] / table[chosen, 1])
        label = f"{name} ({int(chosen.sum())})"
        print(
            f"{label:>28} {size / 1e6:7.1f} {size / 1e6 / ours:10.1f} "
            f"{size / 1e6 / theirs:11.2f} {theirs / ours:6.1f} {median:7.1f}"
        )


if __name__ == "__main__":
    main()
