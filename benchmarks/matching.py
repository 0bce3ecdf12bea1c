"""Quality and speed of matching, on generated families and on real drawings, with known truth.

    python benchmarks/matching.py pairs --parts 60        # relation, pose, place per mutation
    python benchmarks/matching.py search --parts 2000     # a vault on disk: found? first? how fast?
    python benchmarks/matching.py strangers --parts 7500  # false same and revision per million pairs
    python benchmarks/matching.py scale --parts 10000     # a query's stages at 1k, 10k, 100k drawings

With ``--real`` the mutated drawings are the real ones of ../shared/drawings. Relations are
compared with the set that is right for a case. ``>=`` is the lower end of a 95 % confidence
interval (Wilson). Times are processor time of this process, which uses one thread, as the children
do that read and match: idle threads of the algebra library would wait busily, and count.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from bases import Base, generated, real
from cases import CASES, Case, applied, is_right
from scale import scale

from dedup2d.engine.search import SearchQuery, search
from dedup2d.engine.vault import Vault
from dedup2d.index.index import NewDrawing
from dedup2d.matching.compare import Comparison, compare
from dedup2d.matching.fingerprint import Fingerprint, fingerprint
from dedup2d.matching.subject import Subject, subject
from dedup2d.options import SearchOptions
from dedup2d.report import Region, Relation
from dedup2d.samples import KINDS, drawing
from dedup2d.samples import mutations as mutate
from dedup2d.samples.mutations import Mutation

ONE_THREAD = "OPENBLAS_NUM_THREADS"


@dataclass
class Tally:
    """What came out of one case."""

    relations: Counter[str] = field(default_factory=Counter)
    right: int = 0
    placed: int = 0
    posed: int = 0
    places: int = 0
    ms: list[float] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Number of tries."""
        return self.relations.total()


def wilson(hits: int, n: int) -> float:
    """Lower bound of the 95 % confidence interval of a share."""
    if not n:
        return 0.0
    z, p = 1.96, hits / n
    middle = p + z * z / (2 * n)
    return (middle - z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)


def is_hit(regions: tuple[Region, ...], boxes: tuple[Region, ...], size: float) -> bool:
    """Whether every true box is met by a region not much larger, within 1 % of the diagonal."""
    slack = 0.01 * size

    def met(box: Region) -> bool:
        return any(
            r.min_x - slack <= box.max_x
            and box.min_x <= r.max_x + slack
            and r.min_y - slack <= box.max_y
            and box.min_y <= r.max_y + slack
            for r in regions
        )

    return all(met(box) for box in boxes)


def lies_on(found: Comparison, m: Mutation, size: float) -> bool:
    """Whether the found pose moves the query's middle and turn as the true one does."""
    return (
        abs(found.pose.scale / m.pose.scale - 1) < 1e-4 and found.pose.mirrored is m.pose.mirrored
    ) or size <= 0


def pairs(bases: list[Base]) -> None:
    """Every mutation of every base against its original."""
    before = [(base, subject(fingerprint(base.drawing))) for base in bases]
    print(f"{len(before)} drawings")
    print(
        f"{'case':16} {'n':>4} {'right':>6} {'>=':>6} {'place':>6} {'pose':>6} {'p50 ms':>7} "
        f"{'p90 ms':>7}"
    )
    for case in CASES:
        tally = Tally()
        wrong: list[str] = []
        for base, original in before:
            m = applied(case, base.drawing, base.seed)
            if m is None:
                continue
            found = _tried(case, m, original, tally)
            tally.right += (right := is_right(case, found, base.drawing))
            if not right:
                wrong.append(f"{base.name}:{found.relation}")
        _print_case(case.name, tally, wrong)


def _tried(case: Case, m: Mutation, original: Subject, tally: Tally) -> Comparison:
    query = subject(fingerprint(m.drawing))
    started = time.process_time()
    found = compare(query, original)
    tally.ms.append((time.process_time() - started) * 1e3)
    size = mutate.diagonal(m.drawing)
    tally.relations[found.relation] += 1
    tally.posed += lies_on(found, m, size)
    if case.local:
        tally.places += 1
        tally.placed += is_hit(found.changes.regions, m.boxes, size)
    return found


def _print_case(name: str, t: Tally, wrong: list[str]) -> None:
    place = f"{t.placed / t.places:6.3f}" if t.places else "     -"
    p50, p90 = np.percentile(t.ms, [50, 90])
    print(
        f"{name:16} {t.count:4d} {t.right / t.count:6.3f} {wilson(t.right, t.count):6.3f} {place} "
        f"{t.posed / t.count:6.3f} {p50:7.1f} {p90:7.1f}  {dict(t.relations)} {wrong[:6]}",
        flush=True,
    )


def _batches(bases: list[Base], size: int) -> Iterator[list[Base]]:
    for first in range(0, len(bases), size):
        yield bases[first : first + size]


def vault_of(bases: list[Base], folder: Path) -> Vault:
    """A vault of these drawings on disk."""
    vault = Vault(folder)
    seconds = 0.0
    for batch in _batches(bases, 200):
        started = time.process_time()
        vault.index.add(
            [
                NewDrawing("t", f"{abs(hash(b.name)):064x}", b.name, fingerprint(b.drawing))
                for b in batch
            ]
        )
        seconds += time.process_time() - started
    size = vault.index.info()["bytes"] / len(bases)
    print(
        f"{len(bases)} drawings fingerprinted and indexed at {len(bases) / seconds:.0f}/s per core, "
        f"{size:.0f} bytes each"
    )
    return vault


def found_in_vault(bases: list[Base], fill: int, queries: int) -> None:
    """Mutated drawings against a vault: found at all, first, with the right relation."""
    held = bases + list(generated(max(0, fill - len(bases)), first=200_000))
    with tempfile.TemporaryDirectory() as folder:
        vault = vault_of(held, Path(folder))
        chosen = bases[:: max(1, len(bases) // queries)]
        print(
            f"{'case':16} {'n':>4} {'found':>6} {'first':>6} {'right':>6} {'p50 ms':>7} {'p90 ms':>7} "
            "false duplicates"
        )
        scored: list[tuple[float, bool]] = []
        for case in CASES:
            _search_case(vault, case, chosen, scored)
        print(f"micro average precision over all queries: {average_precision(scored):.4f}")
        _strangers_in_vault(vault, queries)


def _search_case(
    vault: Vault, case: Case, chosen: list[Base], scored: list[tuple[float, bool]]
) -> None:
    counts: Counter[str] = Counter()
    ms, lost = [], []
    for base in chosen:
        m = applied(case, base.drawing, base.seed)
        if m is None:
            continue
        query = SearchQuery(m.drawing, "q.dxf", "")
        started = time.process_time()
        report = search(vault, query, SearchOptions(), tenant="t")
        ms.append((time.process_time() - started) * 1e3)
        names = [match.file_name for match in report.matches]
        own = [match for match in report.matches if match.file_name == base.name]
        right = any(is_right(case, match, base.drawing) for match in own)
        counts["n"] += 1
        counts["found"] += bool(own)
        counts["first"] += names[:1] == [base.name]
        counts["right"] += right
        counts["false"] += sum(match.file_name != base.name for match in report.duplicates)
        scored += [(match.similarity, match.file_name == base.name) for match in report.matches]
        scored += [] if own else [(-1.0, True)]
        if not right:
            lost.append(f"{base.name}:{own[0].relation if own else 'lost'}")
    shares = " ".join(f"{counts[k] / counts['n']:6.3f}" for k in ("found", "first", "right"))
    p50, p90 = np.percentile(ms, [50, 90])
    print(
        f"{case.name:16} {counts['n']:4d} {shares} {p50:7.1f} {p90:7.1f} {counts['false']} "
        f"{lost[:6]}",
        flush=True,
    )


def average_precision(scored: list[tuple[float, bool]]) -> float:
    """Micro average precision of (score, is right); what was not found has a score below zero."""
    total = sum(right for _, right in scored)
    hits, value = 0, 0.0
    ranked = sorted((s for s in scored if s[0] >= 0), key=lambda s: (-s[0], s[1]))
    for rank, (_, right) in enumerate(ranked, start=1):
        hits += right
        value += right * hits / rank
    return value / total if total else 0.0


def _strangers_in_vault(vault: Vault, queries: int) -> None:
    """Queries whose drawing is not in the vault."""
    duplicates, reported = 0, Counter[str]()
    for base in generated(queries, first=100_000):
        report = search(vault, SearchQuery(base.drawing, "q.dxf", ""), SearchOptions(), tenant="t")
        duplicates += bool(report.duplicates)
        reported.update(m.relation for m in report.matches)
    print(f"strangers: {duplicates} of {queries} called duplicate; reported {dict(reported)}")


def strangers(parts: int) -> None:
    """All pairs of distinct parts of one family in one frame; equal geometry is no stranger.

    What is called ``same`` or ``variant`` has signatures within 0.002 (re-saves with noise stay
    below 0.0001): all such pairs are verified. A revision has most of its tokens in common: the
    300 pairs of each family that share most are verified. The rest is counted only.
    """
    total = 0
    relations: Counter[str] = Counter()
    verified = 0
    for kind in KINDS:
        prints = [fingerprint(drawing(kind, s, frame=True)) for s in range(parts // len(KINDS))]
        distinct = [p for p in prints if p.shape.count]
        total += len(distinct) * (len(distinct) - 1) // 2
        for i, j in _close_pairs(distinct):
            verified += 1
            found = compare(distinct[i], distinct[j])
            if not (found.changes.added or found.changes.removed):
                total -= 1
                continue
            relations[found.relation] += 1
            if found.relation in (Relation.SAME, Relation.VARIANT):
                print(f"  {kind} {i} {j}: {found.relation} {found.why}")
    print(f"{total} pairs, {verified} verified: {dict(relations)}")
    for relation in (Relation.SAME, Relation.VARIANT, Relation.REVISION):
        bad = relations[relation]
        print(
            f"false {relation}: {bad / total * 1e6:.2f} per million (< {(bad + 3) / total * 1e6:.1f})"
        )


def _close_pairs(prints: list[Fingerprint], at_most: int = 300) -> list[tuple[int, int]]:
    signatures = np.stack([p.signature for p in prints])
    tokens = [set(p.sketch.tolist()) for p in prints]
    near: list[tuple[int, int]] = []
    alike: list[tuple[float, int, int]] = []
    for i in range(len(prints)):
        apart = np.abs(signatures[i + 1 :] - signatures[i]).max(1)
        near += [(i, int(j) + i + 1) for j in np.flatnonzero(apart < 0.002)]
        for j in range(i + 1, len(prints)):
            shared = len(tokens[i] & tokens[j]) / min(len(tokens[i]), len(tokens[j]))
            if shared > 0.5:
                alike.append((shared, i, j))
    alike.sort(reverse=True)
    return list(dict.fromkeys(near + [(i, j) for _, i, j in alike[:at_most]]))


def main() -> None:
    """Run one of the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", choices=["pairs", "search", "strangers", "scale"])
    parser.add_argument("--parts", type=int, default=60)
    parser.add_argument("--queries", type=int, default=30)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--real", action="store_true", help="mutate the real drawings")
    asked = parser.parse_args()
    if asked.which == "strangers":
        strangers(asked.parts)
        return
    bases = list(real() if asked.real else generated(asked.parts))
    if asked.which == "pairs":
        pairs(bases)
    elif asked.which == "scale":
        scale(
            bases,
            list(generated(asked.queries, first=100_000)),
            asked.sizes,
            asked.queries,
        )
    else:
        found_in_vault(bases, asked.parts, asked.queries)


if __name__ == "__main__":
    if os.environ.get(ONE_THREAD) != "1":  # the library reads it when it is loaded
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, ONE_THREAD: "1"})
    main()
