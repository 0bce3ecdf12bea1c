"""Quality and speed of matching on generated families with known truth.

    python benchmarks/matching.py pairs --parts 60        # relation, pose, place per mutation
    python benchmarks/matching.py search --parts 1000     # a vault on disk: found? first? how fast?
    python benchmarks/matching.py strangers --parts 2500  # false same and revision per million pairs

Relations are compared with the set that the acceptance table allows. ``>=`` is the lower
end of a 95 % confidence interval (Wilson). Times are processor time of this process.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dedup2d.drawing.model import Drawing
from dedup2d.engine.search import SearchQuery, search
from dedup2d.engine.vault import Vault
from dedup2d.index.index import NewDrawing
from dedup2d.matching.compare import Comparison, Subject, compare, subject
from dedup2d.matching.fingerprint import Fingerprint, fingerprint
from dedup2d.options import SearchOptions
from dedup2d.report import Region, Relation
from dedup2d.samples import KINDS, drawing
from dedup2d.samples import edits as edit
from dedup2d.samples import mutations as mutate
from dedup2d.samples.mutations import Mutation

SAME = frozenset({Relation.SAME})
VARIANT = frozenset({Relation.VARIANT})
REVISION = frozenset({Relation.REVISION})
WIDER = frozenset({Relation.CONTAINS, Relation.REVISION})
PART = frozenset({Relation.CONTAINED, Relation.REVISION})


@dataclass(frozen=True)
class Case:
    """A mutation, the relations that are right, and whether its place is known."""

    name: str
    mutation: Callable[[Drawing, int], Mutation]
    right: frozenset[Relation]
    local: bool = False


def _turned(d: Drawing, seed: int, factor: float = 1.0, *, mirror: bool = False) -> Mutation:
    rng = np.random.default_rng(seed)
    m = mutate.resave(d, seed).then(lambda x: mutate.rotate(x, float(rng.uniform(0, 360))))
    if mirror:
        m = m.then(mutate.mirror)
    return m.then(lambda x: mutate.scale(x, factor)) if factor != 1.0 else m


def _inches(d: Drawing, seed: int) -> Mutation:
    return mutate.resave(d, seed).then(lambda x: mutate.scale(x, 1 / 25.4, unit_mm=25.4))


def _noisy(d: Drawing, seed: int) -> Mutation:
    return _turned(d, seed).then(lambda x: mutate.noise(x, 1e-6, seed))


def _changed(change: Callable[[Drawing, int], Mutation]) -> Callable[[Drawing, int], Mutation]:
    """The change, saved again in another pose; some by a hundredth of a percent only."""

    def done(d: Drawing, seed: int) -> Mutation:
        return change(d, seed).then(lambda x: _turned(x, seed))

    return done


def _nudged(d: Drawing, seed: int) -> Mutation:
    return edit.move_hole(d, seed, distance=0.002 * mutate.diagonal(d))


def _sheet(d: Drawing, seed: int) -> Mutation:
    others = [
        drawing(KINDS[(seed + k) % len(KINDS)], 5000 + seed + k, frame=False) for k in (1, 2, 3)
    ]
    return mutate.on_sheet(d, tuple(others), seed)


CASES = (
    Case("resaved", mutate.resave, SAME),
    Case("turned", _turned, SAME),
    Case("inches", _inches, SAME),
    Case("noise 1e-6", _noisy, SAME),
    Case("mirrored", lambda d, s: _turned(d, s, mirror=True), VARIANT),
    Case("scaled 1.7", lambda d, s: _turned(d, s, 1.7), VARIANT),
    Case("hole moved", _changed(edit.move_hole), REVISION, local=True),
    Case("hole nudged .2%", _changed(_nudged), REVISION, local=True),
    Case("hole resized", _changed(edit.resize_hole), REVISION, local=True),
    Case("hole added", _changed(edit.add_hole), REVISION, local=True),
    Case("hole removed", _changed(edit.remove_hole), REVISION, local=True),
    Case("slot added", _changed(edit.add_slot), REVISION, local=True),
    Case("chamfer", _changed(edit.chamfer), REVISION, local=True),
    Case("text", edit.change_text, REVISION),
    Case("frame added", mutate.add_frame, WIDER),
    Case("on a sheet", _sheet, frozenset({Relation.CONTAINS})),
    Case("crop 60 %", lambda d, s: mutate.crop(d, 0.6, s), PART),
)


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


def originals(parts: int, first: int = 0) -> Iterator[tuple[int, Drawing]]:
    """Drawings of all families; two of three are framed."""
    for seed in range(first, first + parts):
        yield seed, drawing(KINDS[seed % len(KINDS)], seed, frame=seed % 3 != 0)


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


def pairs(parts: int) -> None:
    """Every mutation of every part against its original."""
    before = [(seed, d, subject(fingerprint(d))) for seed, d in originals(parts)]
    print(
        f"{'case':16} {'right':>6} {'>=':>6} {'place':>6} {'pose':>6} {'p50 ms':>7} {'p90 ms':>7}"
    )
    for case in CASES:
        tally = Tally()
        wrong: list[str] = []
        for seed, d, original in before:
            if case.local and not len(d.arcs):
                continue
            found = _tried(case, d, seed, original, tally)
            if found.relation not in case.right:
                wrong.append(f"{KINDS[seed % len(KINDS)]}/{seed}:{found.relation}")
        _print_case(case.name, tally, wrong)


def _tried(case: Case, d: Drawing, seed: int, original: Subject, tally: Tally) -> Comparison:
    m = case.mutation(d, seed)
    query = subject(fingerprint(m.drawing))
    started = time.process_time()
    found = compare(query, original)
    tally.ms.append((time.process_time() - started) * 1e3)
    size = mutate.diagonal(m.drawing)
    tally.relations[found.relation] += 1
    tally.right += found.relation in case.right
    tally.posed += lies_on(found, m, size)
    if case.local and m.boxes:
        tally.places += 1
        tally.placed += is_hit(found.changes.regions, m.boxes, size)
    return found


def _print_case(name: str, t: Tally, wrong: list[str]) -> None:
    place = f"{t.placed / t.places:6.3f}" if t.places else "     -"
    p50, p90 = np.percentile(t.ms, [50, 90])
    print(
        f"{name:16} {t.right / t.count:6.3f} {wilson(t.right, t.count):6.3f} {place} "
        f"{t.posed / t.count:6.3f} {p50:7.1f} {p90:7.1f}  {dict(t.relations)} {wrong[:4]}",
        flush=True,
    )


def vault_of(parts: int, folder: Path) -> Vault:
    """A vault of generated parts on disk."""
    vault = Vault(folder)
    batch: list[NewDrawing] = []
    started = time.perf_counter()
    for seed, d in originals(parts):
        batch.append(NewDrawing("t", f"{seed:064x}", f"{seed}.dxf", fingerprint(d)))
        if len(batch) == 200:
            vault.index.add(batch)
            batch = []
    vault.index.add(batch)
    seconds = time.perf_counter() - started
    size = vault.index.info()["bytes"] / parts
    print(f"indexed {parts}: {parts / seconds:.0f}/s with generation, {size:.0f} bytes/drawing")
    return vault


def found_in_vault(parts: int, queries: int) -> None:
    """Mutated drawings against a vault: found at all, first, with the right relation."""
    with tempfile.TemporaryDirectory() as folder:
        vault = vault_of(parts, Path(folder))
        chosen = [s for s, _ in originals(parts)][:: max(1, parts // queries)]
        print(
            f"{'case':16} {'found':>6} {'first':>6} {'right':>6} {'p50 ms':>7} {'p90 ms':>7} dupl."
        )
        for case in CASES:
            _search_case(vault, case, chosen)
        _strangers_in_vault(vault, queries)


def _search_case(vault: Vault, case: Case, chosen: list[int]) -> None:
    found = first = right = false = 0
    ms = []
    for seed in chosen:
        d = drawing(KINDS[seed % len(KINDS)], seed, frame=seed % 3 != 0)
        query = SearchQuery(case.mutation(d, seed).drawing, "q.dxf", "")
        started = time.process_time()
        report = search(vault, query, SearchOptions(), tenant="t")
        ms.append((time.process_time() - started) * 1e3)
        names = [m.file_name for m in report.matches]
        name = f"{seed}.dxf"
        found += name in names
        first += names[:1] == [name]
        right += any(m.file_name == name and m.relation in case.right for m in report.matches)
        false += sum(m.file_name != name for m in report.duplicates)
    n = len(chosen)
    p50, p90 = np.percentile(ms, [50, 90])
    print(
        f"{case.name:16} {found / n:6.3f} {first / n:6.3f} {right / n:6.3f} {p50:7.1f} {p90:7.1f} "
        f"{false}",
        flush=True,
    )


def _strangers_in_vault(vault: Vault, queries: int) -> None:
    """Queries whose drawing is not in the vault."""
    duplicates, reported = 0, Counter[str]()
    for _seed, d in originals(queries, first=100_000):
        report = search(vault, SearchQuery(d, "q.dxf", ""), SearchOptions(), tenant="t")
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
    parser.add_argument("which", choices=["pairs", "search", "strangers"])
    parser.add_argument("--parts", type=int, default=60)
    parser.add_argument("--queries", type=int, default=30)
    asked = parser.parse_args()
    if asked.which == "pairs":
        pairs(asked.parts)
    elif asked.which == "search":
        found_in_vault(asked.parts, asked.queries)
    else:
        strangers(asked.parts)


if __name__ == "__main__":
    main()
