"""``EmbeddedMatcher``: our engine behind the Matcher protocol, in child processes."""

from __future__ import annotations

import asyncio
import os
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from dedup2d import __version__
from dedup2d.errors import DrawingError, ServiceError
from dedup2d.matcher import Indexed, LoadedDrawing
from dedup2d.options import SearchOptions
from dedup2d.report import FindingInfo, Match, Query, Report
from dedup2d.sandbox.pool import ChildPool
from dedup2d.settings import Settings

PRELOAD: Final = ("dedup2d.engine.work", "dedup2d.reading.work")
VERIFYING_SHARE: Final = 0.7  # of the time limit; then what was found is reported
SERVICE: Final = "dedup2d-embedded"


class EmbeddedMatcher:
    """Reads and matches in children with limits; the index lies in ``settings.index_path``.

    Belongs to one event loop. ``aclose`` ends the children.
    """

    def __init__(self, settings: Settings, *, pool: ChildPool | None = None) -> None:
        self._settings = settings
        processes = settings.worker_processes or os.cpu_count() or 1
        self._pool = pool or ChildPool(
            processes=processes, memory_bytes=settings.child_memory_bytes, preload=PRELOAD
        )

    async def load(self, file_path: Path, scratch: Path) -> LoadedDrawing:
        """Read a drawing in a child; the parsed form is left below ``scratch``."""
        out = scratch / f"{uuid4().hex}.drawing"
        size, file_hash = await asyncio.to_thread(_measured, file_path)
        answer = await self._pool.run(
            "dedup2d.reading.work:parse",
            {"path": str(file_path), "out": str(out), "budget": self._budget()},
            timeout_s=self._settings.read_timeout_s,
        )
        return LoadedDrawing(
            file_path=file_path,
            file_name=file_path.name,
            file_hash=file_hash,
            size=size,
            format=answer["format"],
            drawing_path=out,
            primitives=answer["primitives"],
            texts=answer["texts"],
            findings=tuple(FindingInfo(**finding) for finding in answer["findings"]),
        )

    def _budget(self) -> dict[str, Any]:
        return {
            "max_bytes": self._settings.max_drawing_bytes,
            "max_primitives": self._settings.max_primitives,
            "max_pixels": self._settings.max_pixels,
            "max_seconds": self._settings.read_timeout_s,
        }

    async def search(self, query: LoadedDrawing, options: SearchOptions, *, tenant: str) -> Report:
        """Find what has to do with ``query`` in the tenant's vault."""
        payload = self._asked(query, tenant) | {
            "options": options.model_dump(mode="json"),
            "limit_s": VERIFYING_SHARE * self._settings.match_timeout_s,
        }
        answer = await self._run("search", payload)
        return Report.model_validate(answer).model_copy(update={"query": _query(query)})

    async def add(
        self, drawing: LoadedDrawing, *, tenant: str, user_name: str = "", path: str = ""
    ) -> Indexed:
        """Add a drawing to the tenant's vault."""
        payload = self._asked(drawing, tenant) | {"user_name": user_name, "path": path}
        answer = await self._run("add", payload)
        return Indexed(
            drawing_id=answer["drawing_id"],
            file_hash=drawing.file_hash,
            message="The drawing is in the index.",
            processing_time_ms=round(answer["milliseconds"], 3),
        )

    async def remove(self, drawing_id: str, *, tenant: str) -> bool:
        """Remove a drawing from the tenant's vault; False if it is not there."""
        payload = self._where(tenant) | {"drawing_id": drawing_id}
        return bool((await self._run("remove", payload))["removed"])

    async def drawings(self, *, tenant: str) -> list[dict[str, Any]]:
        """The drawings of the tenant's vault, oldest first."""
        listed: list[dict[str, Any]] = (await self._run("listing", self._where(tenant)))["drawings"]
        return listed

    async def rebuild(self, *, tenant: str) -> dict[str, Any]:
        """Fingerprint anew what an older algorithm indexed."""
        answer = await self._run("refresh", self._where(tenant))
        message = f"{answer['refreshed']} of {answer['drawings']} drawings were brought up to date."
        return {"success": True, "message": message}

    async def health(self) -> dict[str, Any]:
        """What the index holds; ``unhealthy`` with the reason if it cannot be used."""
        known = {"service": SERVICE, "version": __version__}
        try:
            indexes = await self._run("info", {"index": str(self._settings.index_path)})
        except (ServiceError, DrawingError) as error:
            return {"status": "unhealthy", **known, "indexes": {}, "error": error.message}
        return {"status": "healthy", **known, "indexes": indexes}

    async def overlay_png(
        self, query: LoadedDrawing, report: Report, *, tenant: str, max_bytes: int
    ) -> bytes | None:
        """Query and best match in one pose; None without a match or below every size."""
        best = _best(report)
        if best is None or query.drawing_path is None:
            return None
        out = query.drawing_path.with_name(f"{uuid4().hex}.png")
        payload = self._asked(query, tenant) | {
            "drawing_id": best.drawing_id,
            "relation": best.relation.value,
            "out": str(out),
            "max_bytes": max_bytes,
        }
        try:
            if not (await self._run("overlay", payload))["bytes"]:
                return None
            return await asyncio.to_thread(out.read_bytes)
        finally:
            await asyncio.to_thread(out.unlink, missing_ok=True)

    async def aclose(self) -> None:
        """End the children."""
        await self._pool.aclose()

    def _where(self, tenant: str) -> dict[str, Any]:
        return {"index": str(self._settings.index_path), "tenant": tenant}

    def _asked(self, drawing: LoadedDrawing, tenant: str) -> dict[str, Any]:
        if drawing.drawing_path is None:
            raise DrawingError("NOT_READ", "The drawing was loaded by another matcher.")
        return self._where(tenant) | {
            "drawing": str(drawing.drawing_path),
            "geometry": str(drawing.geometry_path) if drawing.geometry_path else "",
            "file_name": drawing.file_name,
            "file_hash": drawing.file_hash,
        }

    async def _run(self, task: str, payload: dict[str, Any]) -> dict[str, Any]:
        return await self._pool.run(
            f"dedup2d.engine.work:{task}", payload, timeout_s=self._settings.match_timeout_s
        )


def _best(report: Report) -> Match | None:
    return report.matches[0] if report.matches else None


def _query(query: LoadedDrawing) -> Query:
    return Query(
        file_name=query.file_name,
        file_hash=query.file_hash,
        size=query.size,
        format=query.format,
        primitives=query.primitives,
        texts=query.texts,
        findings=query.findings,
    )


def _measured(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return path.stat().st_size, digest
