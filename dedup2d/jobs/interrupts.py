"""Stopping the work of one job among many in a process, and saying why.

A worker runs many flow runs on one event loop. The flow hands the work of its job to
``outcome_of``; whoever has to stop it calls ``interrupt``: because somebody cancelled the job, or
because the run is no longer ours (a shutdown, a lease that another worker took).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from enum import StrEnum
from typing import Any, Final

from prefect.exceptions import Abort

from dedup2d.errors import Dedup2DError
from dedup2d.jobs.model import Answer, Job, JobError, JobStatus, Outcome

logger = logging.getLogger(__name__)


class Stop(StrEnum):
    """Why the work of a job is stopped."""

    CANCEL = "cancel"  # somebody asked: the job ends as canceled
    ABANDON = "abandon"  # the run goes on elsewhere: nothing of it is ended or deleted here


_working: Final[dict[str, asyncio.Task[Any]]] = {}
_abandoned: Final[set[str]] = set()


def interrupt(job_id: str, why: Stop) -> bool:
    """Stop the work of this job; False where this process does not work on it."""
    task = _working.get(job_id)
    if task is None:
        return False
    if why is Stop.ABANDON:
        _abandoned.add(job_id)
    return task.cancel()


async def outcome_of(
    job: Job, work: Coroutine[Any, Any, Answer], *, timeout_s: float
) -> tuple[Outcome, Answer]:
    """Run the work to its end, whatever that is.

    The outcome is ``completed`` with the answer's result, ``failed`` with a code
    (``TIME_LIMIT`` after ``timeout_s`` seconds) or ``canceled`` when it was interrupted; the
    answer is empty unless completed. A cancellation of the caller itself passes through, and
    abandoned work raises Prefect's ``Abort``: the engine then leaves the run's state alone.
    """
    task = asyncio.ensure_future(work)
    _working[job.job_id] = task
    try:
        answer = await asyncio.wait_for(task, timeout_s)
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            raise
        if job.job_id in _abandoned:
            raise Abort("The run goes on elsewhere.") from None
        return job.ended(JobStatus.CANCELED), Answer()
    except TimeoutError:
        error = JobError(code="TIME_LIMIT", message=f"The job ran longer than {timeout_s:g} s.")
    except Dedup2DError as fault:
        error = JobError.of(fault)
    except Exception:
        # The edge of the job: whatever went wrong, the job ends with a code, and the log has it.
        logger.exception("job %s failed", job.job_id)
        error = JobError(
            code="INTERNAL_ERROR", message="The job failed unexpectedly; the worker's log says why."
        )
    else:
        return job.ended(JobStatus.COMPLETED, result=answer.result()), answer
    finally:
        _working.pop(job.job_id, None)
        _abandoned.discard(job.job_id)
    return job.ended(JobStatus.FAILED, error=error), Answer()
