"""The research prototype beside the product, in one run, where its files are at hand.

    python benchmarks/prototype.py [FOLDER]

FOLDER holds the prototype (default ../shared/prototype). Reading: MB of real DXF a second.
Verification: each mutation of real drawings against its original; ``same`` is the share that is
called so, ms the processor time of a pair whose drawings are prepared.
"""

from __future__ import annotations

import importlib
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bases import REAL, Base, real
from cases import CASES, applied

from dedup2d.drawing.model import Drawing
from dedup2d.matching.compare import compare
from dedup2d.matching.fingerprint import fingerprint
from dedup2d.matching.subject import subject
from dedup2d.reading.budget import Budget, Meter
from dedup2d.reading.dxf import read_bytes
from dedup2d.report import Relation

DEFAULT = Path(__file__).parents[2] / "shared" / "prototype"
MOST = 3000  # strokes: the prototype needs minutes for more


def seconds(function: Callable[[], object]) -> float:
    """Processor time, the better of two; infinite where it fails."""
    best = math.inf
    for _ in range(2):
        started = time.process_time()
        try:
            function()
        except Exception:  # noqa: BLE001  # the prototype has no error handling
            return math.inf
        best = min(best, time.process_time() - started)
    return best


def reading(tagread: Any) -> None:
    """Both readers on all real DXF files that both can read."""
    files = [path.read_bytes() for path in sorted((REAL / "files").rglob("*.dxf"))]
    ours = np.array([seconds(lambda d=d: read_bytes(d, Meter(Budget()))) for d in files])
    theirs = np.array([seconds(lambda d=d: tagread.read_bytes(d)) for d in files])
    both = np.isfinite(ours) & np.isfinite(theirs)
    megabytes = sum(len(d) for d, ok in zip(files, both, strict=True) if ok) / 1e6
    print(
        f"reading {int(both.sum())} files, {megabytes:.1f} MB: ours {megabytes / ours[both].sum():.1f} MB/s, "
        f"prototype {megabytes / theirs[both].sum():.1f} MB/s"
    )


def representation(modules: dict[str, Any], d: Drawing) -> Any:
    """What the prototype prepares of a drawing."""
    shape = modules["tagread"].P(d.segments, d.arcs, d.curves)
    return modules["verify"].Rep(modules["canon"].canon(shape))


def is_same(found: Any) -> bool:
    """The prototype's rule: no stroke of either is uncovered."""
    return found is not None and not found.uA.sum() and not found.uB.sum()


def verification(modules: dict[str, Any], bases: list[Base]) -> None:
    """Both verifiers on the same pairs."""
    verify = modules["verify"].verify
    known = [(subject(fingerprint(b.drawing)), representation(modules, b.drawing)) for b in bases]
    print(
        f"{'case':16} {'n':>4} {'same ours':>10} {'prototype':>10} {'ms ours':>8} {'prototype':>10}"
    )
    for case in CASES:
        told: list[tuple[bool, bool, float, float]] = []
        for base, (ours, theirs) in zip(bases, known, strict=True):
            m = applied(case, base.drawing, base.seed)
            if m is None:
                continue
            query, other = subject(fingerprint(m.drawing)), representation(modules, m.drawing)
            started = time.process_time()
            mine = compare(query, ours).relation is Relation.SAME
            between = time.process_time()
            its = is_same(verify(other, theirs))
            told.append((mine, its, between - started, time.process_time() - between))
        rows = np.array(told, float)
        share, ms = rows[:, :2].mean(0), np.median(rows[:, 2:], axis=0) * 1e3
        print(
            f"{case.name:16} {len(rows):4d} {share[0]:10.3f} {share[1]:10.3f} {ms[0]:8.1f} {ms[1]:10.1f}",
            flush=True,
        )


def main(folder: Path) -> None:
    """Print both tables."""
    if not (folder / "verify.py").exists():
        sys.exit(f"There is no prototype in {folder.name}; give its folder.")
    sys.path.insert(0, str(folder))
    modules = {name: importlib.import_module(name) for name in ("tagread", "canon", "verify")}
    reading(modules["tagread"])
    bases = [b for b in real() if b.drawing.primitive_count < MOST]
    with np.errstate(all="ignore"):
        verification(modules, bases[::2])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
