"""From a reference to a drawing that a matcher can search with."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from dedup2d.errors import DrawingError, RequestError
from dedup2d.fileref import FileRef
from dedup2d.jobs.model import Job, JobError, Loaded
from dedup2d.jobs.services import Services
from dedup2d.report import Query, Report, ReportError
from dedup2d.settings import Settings
from dedup2d.stores.protocol import FileStore


def scratch_of(settings: Settings, job_id: str) -> Path:
    """Where the job's local copies lie while it runs."""
    return settings.scratch_path / job_id


def scratch_times(settings: Settings) -> dict[str, datetime]:
    """What lies in this machine's scratch folder, by name (a job's id, mostly), with its time."""
    times = {}
    for path in settings.scratch_path.glob("*"):
        with suppress(FileNotFoundError):  # its job ends just now
            times[path.name] = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return times


def drop_scratch(settings: Settings, job_id: str) -> None:
    """Delete the job's local copies; what is not there is fine."""
    path = scratch_of(settings, job_id)
    if path.is_file():
        path.unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)


async def load_drawing(
    services: Services,
    uploads: FileStore,
    job: Job,
    ref: FileRef,
    *,
    geometry: FileRef | None,
    alone: bool,
) -> Loaded:
    """Fetch, verify and read one drawing.

    Where the drawing is not ``alone``, what is wrong with it is part of the answer; else it is
    raised (DrawingError, RequestError). ServiceErrors are always raised.
    """
    folder = scratch_of(services.settings, job.job_id) / uuid4().hex
    await asyncio.to_thread(folder.mkdir, parents=True)
    try:
        copy = folder / f"drawing{Path(ref.name).suffix[:16]}"
        verified = await asyncio.to_thread(uploads.fetch, ref, copy)
        drawing = await services.matcher.load(copy, folder)
    except (DrawingError, RequestError) as error:
        if alone:
            raise
        return Loaded(ref=ref, error=JobError.of(error))
    geometry_path = None
    if geometry is not None:
        geometry_path = folder / "geometry.json"
        await asyncio.to_thread(uploads.fetch, geometry, geometry_path)
    update = {"file_name": ref.name, "media_type": ref.media_type, "geometry_path": geometry_path}
    return Loaded(ref=verified, drawing=drawing.model_copy(update=update))


def refused(loaded: Loaded) -> Report:
    """The report of a drawing that could not be read."""
    error = loaded.error
    return Report(
        success=False,
        error=ReportError(code=error.code, message=error.message) if error else None,
        query=Query(
            file_name=loaded.ref.name,
            file_hash=loaded.ref.sha256 or "",
            size=loaded.ref.size or 0,
        ),
    )
