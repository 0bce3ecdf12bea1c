"""The nouns of a job: its status, its outcome, and what clients see of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from dedup2d.errors import Dedup2DError, RequestError
from dedup2d.fileref import FileRef
from dedup2d.matcher import LoadedDrawing
from dedup2d.options import SearchOptions
from dedup2d.report import Report
from dedup2d.tickets.model import Progress

FLOW_NAME: Final = "dedup-job"
DEPLOYMENT_NAME: Final = "dedup-job/dedup-job"
TENANT_TAG: Final = "tenant:"
DEFAULT_TENANT: Final = "default"


class JobStatus(StrEnum):
    """What HTTP clients see; a status never goes backwards."""

    PENDING = "pending"  # accepted, not started
    IN_PROGRESS = "in_progress"  # a worker has it
    COMPLETED = "completed"  # ended, with a result
    FAILED = "failed"  # ended, with an error code
    CANCELED = "canceled"  # ended because somebody asked

    @property
    def is_terminal(self) -> bool:
        """Nothing follows."""
        return self in {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED}


STATUS_OF_STATE: Final[Mapping[str, JobStatus]] = {  # Prefect's state types
    "SCHEDULED": JobStatus.PENDING,
    "PENDING": JobStatus.PENDING,
    "PAUSED": JobStatus.PENDING,
    "RUNNING": JobStatus.IN_PROGRESS,
    "CANCELLING": JobStatus.IN_PROGRESS,
    "COMPLETED": JobStatus.COMPLETED,
    "FAILED": JobStatus.FAILED,
    "CRASHED": JobStatus.FAILED,
    "CANCELLED": JobStatus.CANCELED,
}
STATES_OF_STATUS: Final[Mapping[JobStatus, tuple[str, ...]]] = {
    status: tuple(name for name, seen in STATUS_OF_STATE.items() if seen is status)
    for status in JobStatus
}


class UnknownJobError(RequestError):
    """No job of this id, or its result has expired."""

    def __init__(self, job_id: str) -> None:
        super().__init__("JOB_NOT_FOUND", f"There is no job {job_id}, or it has expired.")
        self.args = (job_id,)


class ForeignJobError(RequestError):
    """The job belongs to another tenant."""

    def __init__(self, job_id: str) -> None:
        super().__init__("JOB_FORBIDDEN", f"Job {job_id} belongs to another tenant.")
        self.args = (job_id,)


class JobError(BaseModel):
    """Why a job failed; ``code`` is stable, ``message`` names no server path."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str

    @classmethod
    def of(cls, error: Dedup2DError) -> JobError:
        """The code and sentence of one of our errors."""
        return cls(code=error.code, message=error.message)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class JobRequest(BaseModel):
    """What the gateway asks a flow run to do: exactly the parameters of ``dedup-job``."""

    model_config = ConfigDict(frozen=True)

    sources: tuple[str, ...] = ()
    files: tuple[FileRef, ...] = ()
    options: SearchOptions = SearchOptions()
    tenant_id: str = DEFAULT_TENANT
    callback_url: str | None = None
    geometry: FileRef | None = None
    ticket_id: str | None = None


class Outcome(BaseModel):
    """How a job ended; ``result`` is the report's JSON where it completed."""

    model_config = ConfigDict(frozen=True)

    job_id: str
    tenant_id: str
    status: JobStatus
    error: JobError | None = None
    result: dict[str, Any] | None = None
    started_at: datetime | None = None
    finished_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class Standing(BaseModel):
    """What changes while a job lives; ``progress`` only of one with many drawings."""

    model_config = ConfigDict(frozen=True)

    status: JobStatus
    progress: Progress | None = None


class JobView(BaseModel):
    """A job as ``GET /2d/jobs/{id}`` shows it; times are seconds since the epoch."""

    model_config = ConfigDict(frozen=True)

    job_id: str
    tenant_id: str
    status: JobStatus
    created_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    progress: Progress | None = Field(None, description="drawings done, of a batch that runs")
    result: dict[str, Any] | None = None
    error: str | None = None
    error_code: str | None = None
    callback_status: str | None = None
    callback_attempts: int | None = None
    callback_http_status: int | None = None
    callback_finished_at: float | None = None
    callback_last_error: str | None = None


class Job(BaseModel):
    """The identity of a running job, handed from task to task."""

    model_config = ConfigDict(frozen=True)

    job_id: str
    tenant_id: str
    folder: str = Field(description="of its uploads, below the store's root")
    ticket_id: str
    callback_url: str | None = None
    started_at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    def ended(
        self,
        status: JobStatus,
        *,
        result: dict[str, Any] | None = None,
        error: JobError | None = None,
    ) -> Outcome:
        """How this job ended, now."""
        return Outcome(
            job_id=self.job_id,
            tenant_id=self.tenant_id,
            status=status,
            result=result,
            error=error,
            started_at=self.started_at,
        )


class Loaded(BaseModel):
    """One drawing of a job after loading: read, or refused with a reason."""

    model_config = ConfigDict(frozen=True)

    ref: FileRef
    drawing: LoadedDrawing | None = None
    error: JobError | None = None


class Answer(BaseModel):
    """What the work of a job gave: each drawing with its report, in the given order."""

    model_config = ConfigDict(frozen=True)

    drawings: tuple[Loaded, ...] = ()
    reports: tuple[Report, ...] = ()

    def joined(self, drawings: Sequence[Loaded], reports: Sequence[Report]) -> Answer:
        """This answer with one more chunk."""
        return Answer(drawings=(*self.drawings, *drawings), reports=(*self.reports, *reports))

    def result(self) -> dict[str, Any]:
        """The report itself for one drawing, a summary with all reports for many."""
        if len(self.reports) == 1:
            return self.reports[0].model_dump(mode="json")
        failed = [report for report in self.reports if report.error is not None]
        return {
            "success": not failed,
            "total_matches": sum(report.total_matches for report in self.reports),
            "drawings": len(self.reports),
            "failed": len(failed),
            "reports": [report.model_dump(mode="json") for report in self.reports],
        }
