"""dedup-job: one job from upload to verdict, webhook and cleanup."""

from __future__ import annotations

from contextlib import suppress

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from blocks.stores import StoreBlock
from dedup2d.errors import ServiceError
from dedup2d.fileref import FileRef
from dedup2d.jobs.ending import final_state
from dedup2d.jobs.model import DEFAULT_TENANT, FLOW_NAME, Answer, Job
from dedup2d.jobs.opening import services
from dedup2d.options import SearchOptions
from flows.endings import close_after, given_back_on_fault, only_outcome_of
from tasks.cleanup import cleanup
from tasks.dedup import dedup
from tasks.enqueue_ref import enqueue_ref
from tasks.load import load
from tasks.notify import notify
from tasks.policy import CHUNK_SIZE
from tasks.progress import Progress
from tasks.store_file import store_file

DEFAULT_OPTIONS = SearchOptions()


def run_name() -> str:
    """The drawing's name, so that a list of runs can be read."""
    given = [*flow_run.parameters["files"], *flow_run.parameters["sources"]]
    if len(given) != 1:
        return f"{len(given)} drawings"
    first = given[0]
    return first.name if isinstance(first, FileRef) else str(first).rsplit("/", 1)[-1]


@flow(
    name=FLOW_NAME,
    flow_run_name=run_name,
    persist_result=False,
    on_failure=[close_after],
    on_crashed=[close_after],
    on_cancellation=[close_after],
)
async def dedup_job(  # noqa: PLR0917 - parameters of a flow are a form, not a call
    sources: list[str] = [],  # noqa: B006 - a schema default, never changed
    options: SearchOptions = DEFAULT_OPTIONS,
    store: StoreBlock | None = None,
    tenant_id: str = DEFAULT_TENANT,
    callback_url: str | None = None,
    files: list[FileRef] = [],  # noqa: B006 - a schema default, never changed
    geometry: FileRef | None = None,
    ticket_id: str | None = None,
) -> State[None]:
    """Say whether the vault has these drawings: same file, same geometry, revision, variant, part.

    The report is kept in the result store, shown as artifacts and sent to the callback address.

    Args:
        sources: Drawings: paths that the worker can read, http(s) addresses, s3://bucket/key
        options: How to search, and what counts as a duplicate
        store: Where files are kept while the job runs; the configured store if empty
        tenant_id: Whose vault is searched
        callback_url: Where the signed webhook goes when the job ends
        files: Drawings that are stored already, as FileRefs
        geometry: FileRef of the drawing's geometry JSON, if there is one
        ticket_id: Set by the gateway; leave empty
    """
    job = begin(tenant_id, callback_url, ticket_id)

    async def work() -> Answer:
        refs = await store_file(job, [*files, *sources], store)
        await enqueue_ref(job, refs)
        progress = await Progress.begin("drawings searched", total=len(refs), job_id=job.job_id)
        answer = Answer()
        for start in range(0, len(refs), CHUNK_SIZE):
            chunk = refs[start : start + CHUNK_SIZE]
            drawings = await load(job, chunk, geometry=geometry, store=store)
            answer = answer.joined(drawings, await dedup(job, drawings, options))
            await progress.at(len(answer.reports))
        return answer

    opened = await services()
    with given_back_on_fault():
        outcome, answer = await only_outcome_of(job, work, timeout_s=opened.settings.job_timeout_s)
        await notify(job, outcome, answer)
    with suppress(ServiceError):  # the sweep finds what is left
        await cleanup(job, store)
    return final_state(outcome)


def begin(tenant_id: str, callback_url: str | None, ticket_id: str | None) -> Job:
    """The job of this flow run; without a ticket from the gateway its own id names its folder."""
    job_id = str(flow_run.id)
    place = ticket_id or job_id
    return Job(
        job_id=job_id,
        tenant_id=tenant_id,
        folder=place,
        ticket_id=place,
        callback_url=callback_url,
    )
