"""The bodies of answers, named and shaped as the predecessor's clients know them."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, Field

from dedup2d.jobs.model import JobStatus, JobView

PREFIX = "/api/v1/dedup"


class Accepted(BaseModel):
    """A search that goes on: poll ``poll_url`` for its end."""

    job_id: str = Field(
        description="also the id of the flow run in Prefect",
        examples=["6f3c1f0e-8d0b-4a38-9b0e-0d6f6f0f6a11"],
    )
    status: JobStatus = JobStatus.PENDING
    poll_url: str = Field(examples=["/api/v1/dedup/2d/jobs/6f3c1f0e-8d0b-4a38-9b0e-0d6f6f0f6a11"])
    forced_async_reason: str | None = Field(
        None,
        description="why a search without async=true was not waited for",
        examples=["mode=precise"],
    )

    @classmethod
    def of(cls, job_id: str, reason: str | None = None) -> Self:
        """The answer for a job that was accepted."""
        return cls(job_id=job_id, poll_url=f"{PREFIX}/2d/jobs/{job_id}", forced_async_reason=reason)


class JobItem(BaseModel):
    """A job in a list."""

    job_id: str
    tenant_id: str
    status: JobStatus
    created_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    error: str | None = None

    @classmethod
    def of(cls, view: JobView) -> Self:
        """The item of one job."""
        return cls(**view.model_dump(include=set(cls.model_fields)))


class JobList(BaseModel):
    """Jobs, newest first; ``total`` counts those in this answer."""

    jobs: list[JobItem]
    total: int


class Canceled(BaseModel):
    """The job was asked to end, or had ended."""

    job_id: str
    tenant_id: str
    canceled: bool = True


class Rebuilt(BaseModel):
    """The index is up to date."""

    success: bool
    message: str


class PresetList(BaseModel):
    """Named sets of search parameters."""

    presets: dict[str, dict[str, Any]]


class Check(BaseModel):
    """One thing that the gateway needs."""

    ok: bool
    message: str = ""
    code: str = Field("", description="of the error, where it is one of ours")


class Health(BaseModel):
    """The gateway can take jobs, and somebody works on them."""

    status: str = "healthy"
    service: str = "dedup2d"
    version: str
    indexes: dict[str, Any]
    checks: dict[str, Check]


class VisionHealth(BaseModel):
    """The engine can be asked."""

    status: str = "healthy"
    service: str = "dedup2d"
    version: str
    indexes: dict[str, Any]
