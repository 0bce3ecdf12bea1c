"""Tasks of the child processes: JSON in, JSON out; large things lie in files.

A child keeps the opened index and the drawings it lately verified.
"""

from __future__ import annotations

import json
from pathlib import Path
from time import perf_counter
from typing import Any

from dedup2d.drawing.codec import load
from dedup2d.drawing.model import Drawing
from dedup2d.engine.geometry_json import drawing_from_geometry
from dedup2d.engine.overlays import overlay_of
from dedup2d.engine.search import SearchQuery
from dedup2d.engine.search import search as run_search
from dedup2d.engine.vault import Vault, forget, opened
from dedup2d.errors import DrawingError, ServiceError
from dedup2d.index.index import NewDrawing
from dedup2d.matching.compare import compare
from dedup2d.matching.fingerprint import fingerprint
from dedup2d.matching.subject import measured
from dedup2d.options import SearchOptions
from dedup2d.report import Relation

PICTURE_SIZES = ((1200, 900), (900, 675), (640, 480), (320, 240))


def search(payload: dict[str, Any]) -> dict[str, Any]:
    """Answer with a Report as JSON.

    ``{"index", "tenant", "drawing", "geometry", "file_name", "file_hash", "options", "limit_s"}``.
    """
    query = SearchQuery(_drawing(payload), payload["file_name"], payload["file_hash"])
    options = SearchOptions.model_validate(payload["options"])
    report = run_search(
        _vault(payload), query, options, tenant=payload["tenant"], limit_s=payload["limit_s"]
    )
    return report.model_dump(mode="json")


def add(payload: dict[str, Any]) -> dict[str, Any]:
    """Add a drawing; answer ``{"drawing_id", "milliseconds"}``.

    ``{"index", "tenant", "drawing", "geometry", "file_name", "file_hash", "path", "user_name"}``.
    """
    begun = perf_counter()
    new = NewDrawing(
        tenant=payload["tenant"],
        sha256=payload["file_hash"],
        file_name=payload["file_name"],
        fingerprint=fingerprint(_drawing(payload)),
        path=payload["path"],
        user_name=payload["user_name"],
    )
    (drawing_id,) = _vault(payload).index.add([new])
    return {"drawing_id": drawing_id, "milliseconds": (perf_counter() - begun) * 1e3}


def refresh(payload: dict[str, Any]) -> dict[str, Any]:
    """``{"index", "tenant"}`` -> ``{"refreshed", "drawings"}``: bring old entries up to date."""
    index = _vault(payload).index
    tenant = payload["tenant"]
    return {"refreshed": index.refresh(tenant), "drawings": index.count(tenant)}


def remove(payload: dict[str, Any]) -> dict[str, Any]:
    """``{"index", "tenant", "drawing_id"}`` -> ``{"removed": bool}``."""
    index = _vault(payload).index
    return {"removed": index.remove(payload["tenant"], payload["drawing_id"])}


def listing(payload: dict[str, Any]) -> dict[str, Any]:
    """``{"index", "tenant"}`` -> ``{"drawings": [...]}``, oldest first."""
    entries = _vault(payload).index.entries(payload["tenant"])
    return {
        "drawings": [
            {
                "drawing_id": e.drawing_id,
                "file_hash": e.sha256,
                "file_name": e.file_name,
                "path": e.path,
                "user_name": e.user_name,
                "added_at": e.added_at.isoformat(),
                "primitives": e.primitives,
                "algorithm_version": e.algorithm,
            }
            for e in entries
        ]
    }


def info(payload: dict[str, Any]) -> dict[str, Any]:
    """``{"index"}`` -> counts, versions and size of the index."""
    return _vault(payload).index.info()


def overlay(payload: dict[str, Any]) -> dict[str, Any]:
    """Draw query and match; answer ``{"bytes": n}``, n = 0 where nothing fits.

    ``{"index", "tenant", "drawing", "geometry", "file_name", "drawing_id", "relation", "out",
    "max_bytes"}``; a PNG of n bytes is at ``out``.
    """
    from dedup2d.overlay.png import render_png  # noqa: PLC0415  # only pictures need it

    vault, tenant = _vault(payload), payload["tenant"]
    entry = vault.index.entry(tenant, payload["drawing_id"])
    if entry is None:
        return {"bytes": 0}
    match = vault.subject(entry, tenant=tenant)
    query = vault.weighted(measured(_drawing(payload)), tenant=tenant)
    if match is None or not (query.fingerprint.shape.count or match.fingerprint.shape.count):
        return {"bytes": 0}
    names = (payload["file_name"], entry.file_name)
    relation = Relation(payload["relation"])
    picture = overlay_of(query, match, compare(query, match), names, relation=relation)
    for width, height in PICTURE_SIZES:
        png = render_png(picture, width=width, height=height)
        if len(png) <= payload["max_bytes"]:
            Path(payload["out"]).write_bytes(png)
            return {"bytes": len(png)}
    return {"bytes": 0}


def _vault(payload: dict[str, Any]) -> Vault:
    folder = Path(payload["index"])
    try:
        vault = opened(folder)
        if not (folder / "vault.sqlite3").exists():  # deleted under our feet: start anew
            forget(folder)
            vault = opened(folder)
    except ServiceError:
        forget(folder)
        raise
    return vault


def _drawing(payload: dict[str, Any]) -> Drawing:
    """The parsed drawing; geometry JSON, where given, replaces its strokes if it has none."""
    drawing = load(Path(payload["drawing"]))
    if not payload.get("geometry"):
        return drawing
    try:
        document = json.loads(Path(payload["geometry"]).read_bytes())
    except (ValueError, RecursionError) as error:
        raise DrawingError("GEOMETRY_INVALID", "The geometry file is not JSON.") from error
    described = drawing_from_geometry(document)
    return described if drawing.is_raster and described.primitive_count else drawing
