"""How the work of a job ends, and that one job's end is no other's."""

import asyncio

import pytest
from prefect.exceptions import Abort

from dedup2d.errors import DrawingError
from dedup2d.jobs.interrupts import Stop, interrupt, outcome_of
from dedup2d.jobs.model import Answer, Job, JobStatus


def job(job_id: str = "j") -> Job:
    return Job(job_id=job_id, tenant_id="t", folder="f", ticket_id="f")


async def sleeping() -> Answer:
    await asyncio.sleep(30)
    return Answer()


async def test_work_over_its_time_fails_with_a_code() -> None:
    outcome, _ = await outcome_of(job(), sleeping(), timeout_s=0.05)
    assert (outcome.status, outcome.error and outcome.error.code) == (
        JobStatus.FAILED,
        "TIME_LIMIT",
    )


async def test_interrupted_work_is_canceled_and_other_work_goes_on() -> None:
    async def short() -> Answer:
        await asyncio.sleep(0.2)
        return Answer()

    stopped = asyncio.create_task(outcome_of(job("a"), sleeping(), timeout_s=30))
    other = asyncio.create_task(outcome_of(job("b"), short(), timeout_s=30))
    await asyncio.sleep(0.05)
    assert interrupt("a", Stop.CANCEL)
    assert (await stopped)[0].status is JobStatus.CANCELED
    assert (await other)[0].status is JobStatus.COMPLETED
    assert not interrupt("a", Stop.CANCEL), "an ended job cannot be interrupted"


async def test_drawing_error_keeps_its_code() -> None:
    async def broken() -> Answer:
        raise DrawingError("TRUNCATED_DRAWING", "The file ends too early.")

    outcome, _ = await outcome_of(job(), broken(), timeout_s=5)
    assert str(outcome.error) == "TRUNCATED_DRAWING: The file ends too early."


async def test_unexpected_error_says_nothing_of_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def buggy() -> Answer:
        raise ValueError("/srv/secret/path")

    outcome, _ = await outcome_of(job(), buggy(), timeout_s=5)
    assert outcome.error is not None
    assert outcome.error.code == "INTERNAL_ERROR"
    assert "/srv" not in outcome.error.message
    assert "/srv/secret/path" in caplog.text, "the log keeps the cause"


async def test_cancelling_the_caller_passes_through() -> None:
    task = asyncio.create_task(outcome_of(job(), sleeping(), timeout_s=30))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_abandoned_work_leaves_the_state_of_the_run_alone() -> None:
    task = asyncio.create_task(outcome_of(job("gone"), sleeping(), timeout_s=30))
    await asyncio.sleep(0.05)
    assert interrupt("gone", Stop.ABANDON)
    with pytest.raises(Abort):
        await task
