"""Perceptual hashes and our engine on the same pairs, in one run.

    pip install imagehash; python benchmarks/hashes.py [--parts 60]

phash and dhash of 64 bits, "duplicate" from a Hamming distance of 10 on, which is imagededup's
default. Ours: a duplicate is ``same``. Each mutation of each framed drawing against its original
says which share is called a duplicate (a revision must not be); pairs of different drawings of
one family in one frame say how many of a million are. Times are processor time per pair, the
hashes' without rendering.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable

import imagehash
import numpy as np
from bases import Base, generated
from cases import CASES, applied
from PIL import Image

from dedup2d.drawing.model import Drawing
from dedup2d.matching.compare import compare
from dedup2d.matching.fingerprint import fingerprint
from dedup2d.matching.subject import subject
from dedup2d.report import Relation
from dedup2d.samples.raster import rasterise

NEAR = 10  # imagededup's max_distance_threshold
WIDTH_PX = 1000


def picture(d: Drawing) -> Image.Image:
    """The drawing as a picture of 1000 pixels."""
    return Image.fromarray(rasterise(d, longer_side_px=WIDTH_PX, line_px=2))


def ways() -> dict[str, tuple[Callable, Callable]]:
    """Name -> what is computed once of a drawing, and whether two of them are duplicates."""
    return {
        "phash": (lambda d: imagehash.phash(picture(d)), lambda a, b: a - b <= NEAR),
        "dhash": (lambda d: imagehash.dhash(picture(d)), lambda a, b: a - b <= NEAR),
        "dedup2d": (
            lambda d: subject(fingerprint(d)),
            lambda a, b: compare(a, b).relation is Relation.SAME,
        ),
    }


def mutations(bases: list[Base]) -> None:
    """The share of each case that each way calls a duplicate."""
    names = list(ways())
    print(f"{'called duplicate':18}" + "".join(f"{name:>9}" for name in names) + "   right")
    known = {name: [make(b.drawing) for b in bases] for name, (make, _) in ways().items()}
    for case in CASES:
        changed = [applied(case, b.drawing, b.seed) for b in bases]
        row = []
        for name, (make, alike) in ways().items():
            said = [
                alike(make(m.drawing), before)
                for m, before in zip(changed, known[name], strict=True)
                if m is not None
            ]
            row.append(float(np.mean(said)))
        right = "1" if Relation.SAME in case.right else "0"
        print(f"{case.name:18}" + "".join(f"{share:9.3f}" for share in row) + f"   {right}")


def strangers(bases: list[Base]) -> None:
    """Pairs of different drawings of one kind, all in the same frame."""
    print(f"\n{'way':10} {'pairs':>8} {'duplicates':>11} {'per million':>12} {'ms a pair':>10}")
    for name, (make, alike) in ways().items():
        kinds: dict[str, list[object]] = {}
        for base in bases:
            kinds.setdefault(base.name.split("/")[0], []).append(make(base.drawing))
        pairs = [p for group in kinds.values() for p in itertools.combinations(group, 2)]
        started = time.process_time()
        false = sum(alike(a, b) for a, b in pairs)
        ms = (time.process_time() - started) * 1e3 / len(pairs)
        print(f"{name:10} {len(pairs):8d} {false:11d} {false / len(pairs) * 1e6:12.0f} {ms:10.3f}")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", type=int, default=60)
    framed = [b for b in generated(parser.parse_args().parts * 3 // 2) if b.seed % 3]
    mutations(framed)
    strangers(framed)


if __name__ == "__main__":
    main()
