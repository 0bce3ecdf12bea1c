"""Progress: an artifact in Prefect's UI, and what the gateway's listeners see."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from uuid import UUID

import httpx
from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact

from dedup2d.errors import ServiceError
from dedup2d.jobs.model import Job
from dedup2d.jobs.opening import services
from dedup2d.tickets import model
from tasks.policy import CHUNK_SIZE


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a known total is done."""

    artifact_id: UUID | None
    total: int

    @classmethod
    async def begin(cls, description: str, *, total: int) -> Self:
        """Show a bar at nothing; none where everything is done in one chunk."""
        if total <= CHUNK_SIZE:
            return cls(artifact_id=None, total=total)
        artifact_id = await acreate_progress_artifact(progress=0.0, description=description)
        return cls(artifact_id=artifact_id, total=total)

    async def at(self, done: int) -> None:
        """Move the bar; that it stands still is no reason to lose the work."""
        if self.artifact_id is not None:
            with suppress(httpx.HTTPError):
                await aupdate_progress_artifact(
                    artifact_id=self.artifact_id, progress=100.0 * done / self.total
                )


async def tell(job: Job, *, done: int, total: int) -> None:
    """Let those who watch a job of many drawings see how far it is; nothing depends on it."""
    if total == 1:
        return
    with suppress(ServiceError):
        opened = await services()
        await opened.progress.tell(job.job_id, model.Progress(done=done, total=total))
