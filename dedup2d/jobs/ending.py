"""The state in which Prefect shows the end of a job."""

from __future__ import annotations

from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Failed

from dedup2d.jobs.model import JobStatus, Outcome


def final_state(outcome: Outcome) -> State[None]:
    """Prefect's state for an outcome; a failure's message is ``CODE: sentence``."""
    if outcome.status is JobStatus.COMPLETED:
        found = (outcome.result or {}).get("total_matches", 0)
        return Completed(message=f"{found} match(es)")
    if outcome.status is JobStatus.CANCELED:
        return Cancelled(message="Cancelled on request.")
    return Failed(message=str(outcome.error))
