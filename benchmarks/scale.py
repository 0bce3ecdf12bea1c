"""How a query's time grows with the vault, split by stage; ``matching.py scale`` runs it.

Vaults that are larger than the generated parts are filled by repeating their fingerprints. A
repeated one keeps its strokes and the tokens that are common (frames, standard parts); its other
tokens, its signature and its descriptors are moved, so that it is a stranger to all searches but
costs as much.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from bases import Base
from cases import CASES, applied

from dedup2d.drawing.model import Drawing
from dedup2d.engine.search import SearchQuery, search
from dedup2d.engine.vault import Vault
from dedup2d.index.index import NewDrawing
from dedup2d.matching.fingerprint import Fingerprint, fingerprint
from dedup2d.matching.tokens import Hashes
from dedup2d.options import SearchOptions

ASKED: Final = ("resaved", "mirrored", "frame added", "crop 60 %")
STAGES: Final = ("fingerprint_ms", "candidates_ms", "verify_ms", "report_ms")
COMMON: Final = 0.01  # of the drawings: a token of more is a frame's or a standard part's
MOVED: Final = 0.02  # how far each number of a repeated descriptor and signature is moved


def scale(bases: list[Base], strangers: list[Base], sizes: list[int], queries: int) -> None:
    """Medians per stage for vaults of these sizes; each query is asked twice, the second counts."""
    prints = [fingerprint(base.drawing) for base in bases]
    drawings = [base.drawing for base in strangers]
    for base in bases[:: max(1, len(bases) // queries)]:
        made = (applied(case, base.drawing, base.seed) for case in CASES if case.name in ASKED)
        drawings += [m.drawing for m in made if m is not None]
    print(
        f"{len(bases)} generated parts, the rest repeated; {len(drawings)} queries, medians in ms"
    )
    print(f"{'drawings':>9} {'open s':>7} {'MB':>6} {'processor':>9} ", *STAGES)
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            _measured(Path(folder), islice(_filled(prints), size), drawings, size)


def _measured(folder: Path, prints: Iterator[Fingerprint], asked: list[Drawing], size: int) -> None:
    vault = Vault(folder)
    numbered = enumerate(prints)
    while batch := list(islice(numbered, 1000)):
        vault.index.add([NewDrawing("t", f"{k:064x}", f"{k}", fp) for k, fp in batch])
    rows = []
    started = time.process_time()
    search(vault, SearchQuery(asked[0], "q.dxf", ""), SearchOptions(), tenant="t")
    opened = time.process_time() - started
    for drawing in asked:
        for _ in range(2):
            started = time.process_time()
            report = search(vault, SearchQuery(drawing, "q.dxf", ""), SearchOptions(), tenant="t")
            ms = (time.process_time() - started) * 1e3
        rows.append([ms, *(report.timing[stage] for stage in STAGES)])
    vault.index.close()
    total, *stages = np.median(rows, axis=0)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    split = " ".join(f"{ms:{len(name)}.1f}" for name, ms in zip(STAGES, stages, strict=True))
    print(f"{size:9} {opened:7.1f} {memory:6.0f} {total:9.1f}  {split}", flush=True)


def _filled(prints: list[Fingerprint]) -> Iterator[Fingerprint]:
    """The fingerprints, and then strangers made of them without end."""
    yield from prints
    every, counts = np.unique(np.concatenate([fp.sketch for fp in prints]), return_counts=True)
    common = every[counts > COMMON * len(prints)]
    rng = np.random.default_rng(0)
    while True:
        for fp in prints:
            yield _repeated(fp, common, rng)


def _repeated(fp: Fingerprint, common: Hashes, rng: np.random.Generator) -> Fingerprint:
    salt = np.uint32(rng.integers(1, 2**32))
    kept = np.isin(fp.sketch, common)
    descriptor, inner = (
        vector + rng.normal(0, MOVED, vector.shape).astype(np.float32)
        for vector in (fp.descriptor, fp.inner)
    )
    return replace(
        fp,
        sketch=np.unique(np.where(kept, fp.sketch, fp.sketch ^ salt)),
        signature=fp.signature + rng.normal(0, MOVED, fp.signature.shape),
        descriptor=descriptor / np.linalg.norm(descriptor),
        inner=inner / np.linalg.norm(inner),
    )
