"""Stopping the work of one job among many in a process, and saying why.

A worker runs many flow runs on one event loop. The flow hands the work of its job to
``outcome_of``; whoever has to stop it (a cancellation, a shutdown) calls ``interrupt``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

from dedup2d.errors import Dedup2DError
from dedup2d.jobs.model import Answer, Job, JobError, JobStatus, Outcome

logger = logging.getLogger(__name__)

_working: Final[dict[str, asyncio.Task[Any]]] = {}


def interrupt(job_id: str) -> bool:
    """Stop the work of this job; False where this process does not work on it."""
    task = _working.get(job_id)
    return task is not None and task.cancel()


async def outcome_of(
    job: Job, work: Coroutine[Any, Any, Answer], *, timeout_s: float
) -> tuple[Outcome, Answer]:
    """Run the work to its end, whatever that is.

    The outcome is ``completed`` with the answer's result, ``failed`` with a code
    (``TIME_LIMIT`` after ``timeout_s`` seconds) or ``canceled`` when it was interrupted; the
    answer is empty unless completed. Only a cancellation of the caller itself passes through.
    """
    task = asyncio.ensure_future(work)
    _working[job.job_id] = task
    try:
        answer = await asyncio.wait_for(task, timeout_s)
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            raise
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
    return job.ended(JobStatus.FAILED, error=error), Answer()
