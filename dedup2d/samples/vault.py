"""Generates a vault of drawings and queries against it, with the truth about each."""

from __future__ import annotations

from pathlib import Path

from dedup2d.errors import RequestError
from dedup2d.samples.dxf import dxf_text
from dedup2d.samples.parts import KINDS
from dedup2d.samples.queries import RECIPES, Entry
from dedup2d.samples.truth import QueryTruth, Truth


def generate(folder: Path, *, seed: int = 7, parts: int = 24) -> Truth:
    """Write ``vault/*.dxf``, ``queries/*`` and ``truth.json`` below ``folder``.

    The same seed and number of parts give byte-identical files. Six parts, one of each family,
    are the least and give the queries of the demo; 24 give all queries.
    """
    if parts < len(KINDS):
        raise RequestError("INVALID_OPTIONS", f"parts: at least {len(KINDS)}, got {parts}.")
    entries = [Entry(KINDS[i % len(KINDS)], seed * 100 + i, i // len(KINDS)) for i in range(parts)]
    (folder / "vault").mkdir(parents=True, exist_ok=True)
    (folder / "queries").mkdir(exist_ok=True)
    for entry in entries:
        (folder / entry.path).write_text(dxf_text(entry.plan), encoding="utf-8", newline="\n")
    queries = _queries(folder, {(entry.kind, entry.ordinal): entry for entry in entries})
    truth = Truth(seed=seed, vault=tuple(entry.path for entry in entries), queries=queries)
    text = truth.model_dump_json(indent=1) + "\n"
    (folder / "truth.json").write_text(text, encoding="utf-8", newline="\n")
    return truth


def _queries(folder: Path, vault: dict[tuple[str, int], Entry]) -> tuple[QueryTruth, ...]:
    truths = []
    for recipe in RECIPES:
        entry = vault.get((recipe.kind, recipe.ordinal))
        if entry is None:
            continue  # a small vault has no such part
        query = recipe.query(entry)
        (folder / query.truth.file).write_bytes(query.content)
        truths.append(query.truth)
    return tuple(truths)
