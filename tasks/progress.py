"""A progress artifact in Prefect's UI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a known total is done."""

    artifact_id: UUID
    total: int

    @classmethod
    async def begin(cls, description: str, *, total: int) -> Self:
        """Show a bar at nothing."""
        artifact_id = await acreate_progress_artifact(progress=0.0, description=description)
        return cls(artifact_id=artifact_id, total=total)

    async def at(self, done: int) -> None:
        """Move the bar."""
        await aupdate_progress_artifact(
            artifact_id=self.artifact_id, progress=100.0 * done / max(self.total, 1)
        )
