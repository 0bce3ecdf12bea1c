"""Progress: an artifact in Prefect's UI, and what the gateway's listeners see."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from uuid import UUID

import httpx
from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact

from dedup2d.errors import ServiceError
from dedup2d.jobs.opening import services
from dedup2d.tickets import model
from tasks.policy import CHUNK_SIZE


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a known total is done; that it cannot be shown is no reason to lose the work."""

    artifact_id: UUID | None
    job_id: str | None
    total: int

    @classmethod
    async def begin(cls, description: str, *, total: int, job_id: str | None = None) -> Self:
        """Show a bar at nothing; none where everything is done in one chunk.

        With ``job_id`` also to those who watch this job, where it has more than one drawing.
        """
        artifact_id = None
        if total > CHUNK_SIZE:
            artifact_id = await acreate_progress_artifact(progress=0.0, description=description)
        progress = cls(artifact_id, job_id if total > 1 else None, total)
        await progress._tell(0)
        return progress

    async def at(self, done: int) -> None:
        """Move the bar."""
        await self._tell(done)
        if self.artifact_id is not None:
            with suppress(httpx.HTTPError):
                await aupdate_progress_artifact(
                    artifact_id=self.artifact_id, progress=100.0 * done / self.total
                )

    async def _tell(self, done: int) -> None:
        if self.job_id is not None:
            with suppress(ServiceError):
                board = (await services()).progress
                await board.tell(self.job_id, model.Progress(done=done, total=self.total))
