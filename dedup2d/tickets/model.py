"""The Ticket: what Redis knows of a job. References and parameters, never bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from dedup2d.fileref import FileRef

MAX_TICKET_BYTES: Final = 4096
MAX_LISTED_FILES: Final = 4


class Ticket(BaseModel):
    """One job's place in the queue.

    ``ticket_id`` is also the folder of the job's uploads; it exists before the flow run does.
    ``job_id`` is the flow run's id, empty until the run is created. ``files`` lists the first
    ``MAX_LISTED_FILES`` references; all of them are in the flow run's parameters.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    ticket_id: str
    job_id: str = ""
    tenant_id: str
    files: tuple[FileRef, ...] = Field((), max_length=MAX_LISTED_FILES)
    file_count: int = 0
    callback_url: str | None = None
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class Admission(BaseModel):
    """``created`` is False when the idempotency key had its job already: that ticket is given."""

    model_config = ConfigDict(frozen=True)

    ticket: Ticket
    created: bool


class Bell(BaseModel):
    """One ring of the doorbell: ``kind`` is ``run`` (a job waits) or ``cancel`` (stop it)."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["run", "cancel"]
    job_id: str


class Progress(BaseModel):
    """How many of a job's drawings have their reports."""

    model_config = ConfigDict(frozen=True)

    done: int
    total: int


class Delivery(BaseModel):
    """One webhook to one receiver; ``delivery_id`` is fixed over all attempts.

    ``attempts`` counts from the last time the schedule began. ``replayed``: asked for by hand,
    so it goes even to a receiver that is switched off.
    """

    model_config = ConfigDict(frozen=True)

    delivery_id: str
    job_id: str
    tenant_id: str
    url: str
    status: Literal["pending", "success", "failed", "skipped"] = "pending"
    attempts: int = 0
    http_status: int | None = None
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    next_attempt_at: datetime | None = None
    finished_at: datetime | None = None
    last_error: str | None = None
    replayed: bool = False

    @property
    def receiver(self) -> str:
        """Scheme, host and port: what is switched off when it keeps failing."""
        return "/".join(self.url.split("/", 3)[:3]).lower()


class LoggedAttempt(BaseModel):
    """One POST of a delivery; ``error`` is None where the receiver accepted."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    duration_s: float
    http_status: int | None = None
    error: str | None = None
