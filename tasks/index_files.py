"""Adding files to a vault, as tasks."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prefect import task
from prefect.logging import get_run_logger

from dedup2d.errors import DrawingError
from dedup2d.jobs.opening import services
from tasks.policy import CONCURRENT_FILES, RETRIES

SUFFIXES = frozenset({".dxf", ".dwg", ".pdf", ".svg", ".png", ".jpg", ".jpeg", ".tif", ".tiff"})


@dataclass(frozen=True, slots=True)
class IndexCounts:
    """Of one chunk."""

    added: int
    refused: int


@task(name="find-drawings", **RETRIES)
async def find_drawings(folder: Path) -> list[Path]:
    """Every drawing below the folder, by suffix, sorted."""

    def found() -> list[Path]:
        return sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())

    return await asyncio.to_thread(found)


@task(name="index-files", **RETRIES)
async def index_files(paths: Sequence[Path], tenant_id: str) -> IndexCounts:
    """Read and add each file; what cannot be read is logged with its code."""
    opened = await services()
    logger = get_run_logger()
    turn = asyncio.Semaphore(CONCURRENT_FILES)

    async def added(path: Path) -> bool:
        async with turn:
            with tempfile.TemporaryDirectory(prefix="dedup2d-") as scratch:
                try:
                    drawing = await opened.matcher.load(path, Path(scratch))
                    await opened.matcher.add(drawing, tenant=tenant_id, path=str(path))
                except DrawingError as error:
                    logger.warning("%s: %s %s", path.name, error.code, error)
                    return False
        return True

    done = await asyncio.gather(*map(added, paths))
    return IndexCounts(added=sum(done), refused=len(done) - sum(done))
