"""notify: the report leaves the house, as webhook, Prefect events and artifacts."""

from __future__ import annotations

from prefect import task
from prefect.logging import get_run_logger

from dedup2d.jobs.closing import notify_receiver
from dedup2d.jobs.model import Answer, Job, Outcome
from dedup2d.jobs.opening import services
from dedup2d.jobs.outcomes import keep_outcome
from dedup2d.tickets.model import Delivery
from tasks.artifacts import publish
from tasks.events import emit
from tasks.policy import RETRIES


@task(name="notify", task_run_name="notify", **RETRIES)
async def notify(job: Job, outcome: Outcome, answer: Answer) -> Delivery | None:
    """Keep the outcome, show it in Prefect, tell Prefect's automations and the receiver."""
    opened = await services()
    await keep_outcome(opened.results, outcome)
    await publish(opened.matcher, job, answer)
    emit(outcome, answer.reports)
    delivery = await notify_receiver(opened, outcome, job.callback_url)
    get_run_logger().info(
        "%s; webhook: %s", outcome.status, delivery.status if delivery else "none to send"
    )
    return delivery
