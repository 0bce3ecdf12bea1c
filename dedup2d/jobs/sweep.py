"""The sweep: makes certain what hooks only make prompt.

``decide`` is a pure function of what was seen: never the files of a live job, always those of
a dead one. ``collect`` looks, decides and acts; it survives what vanishes while it runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any, Final, TypeAlias
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort
from pydantic import BaseModel, ConfigDict

from dedup2d.errors import ServiceError
from dedup2d.jobs.closing import close_job
from dedup2d.jobs.loading import drop_scratch, scratch_times
from dedup2d.jobs.model import DEFAULT_TENANT, STATUS_OF_STATE, JobStatus, Outcome
from dedup2d.jobs.outcomes import is_outcome, undelivered_jobs
from dedup2d.jobs.services import Services
from dedup2d.jobs.views import callback_url_of, error_of, state_type_of
from dedup2d.settings import Settings
from dedup2d.stores.protocol import FileStore
from dedup2d.tickets.model import Ticket

logger = logging.getLogger(__name__)

UploadsOf: TypeAlias = Callable[[FlowRun], Awaitable[FileStore]]

BATCH: Final = 150  # ids in one question to Prefect
UNFINISHED_AFTER: Final = timedelta(days=1)  # longer than any upload takes


class Decision(StrEnum):
    """What happens to one place: an upload folder, the ticket of its name, local copies of a job."""

    KEEP = "keep"  # its job lives, or it is too young to say
    CLOSE = "close"  # its job has ended: webhook if it was not sent, files and ticket away
    DELETE = "delete"  # nobody needs it any more, and it is past its retention


@dataclass(frozen=True, slots=True)
class Place:
    """What was seen of one place; ``newest`` is its youngest file, folder of copies or ticket."""

    name: str
    newest: datetime
    has_ticket: bool
    job: JobStatus | None  # None: Prefect knows no run of it


class SweepCounts(BaseModel):
    """What a sweep did, or would do."""

    model_config = ConfigDict(frozen=True)

    executed: bool
    kept: int = 0
    closed: int = 0
    deleted: int = 0
    webhooks_found: int = 0  # that Redis had lost
    results_deleted: int = 0
    unfinished: int = 0  # parts and empty folders that killed processes left
    failed: int = 0


def decide(
    place: Place, *, now: datetime, retention: timedelta | None, cleanup: bool = True
) -> Decision:
    """Say what happens to a place.

    Without ``cleanup`` the uploads of ended jobs stay for the retention, as those that nobody
    knows do; ``retention`` None keeps both for ever.
    """
    if place.job is not None and not place.job.is_terminal:
        return Decision.KEEP
    if place.job is not None and (cleanup or place.has_ticket):
        return Decision.CLOSE
    if place.has_ticket or retention is None:
        return Decision.KEEP
    return Decision.DELETE if now - place.newest > retention else Decision.KEEP


def expired_results(
    newest: Mapping[str, datetime], *, now: datetime, retention: timedelta
) -> list[str]:
    """The result folders that are older than ``retention``, but for those of pending webhooks."""
    undelivered = undelivered_jobs(newest)
    outcomes = [name for name in newest if is_outcome(name) and name not in undelivered]
    return [name for name in outcomes if now - newest[name] > retention]


def run(settings: Settings, *, execute: bool) -> SweepCounts:
    """One sweep from the command line; only looks unless ``execute``."""

    async def swept() -> SweepCounts:
        services = await Services.open(settings)
        try:
            async with get_client() as client:
                return await collect(services, client, execute=execute)
        finally:
            await services.aclose()

    return asyncio.run(swept())


async def collect(
    services: Services,
    client: PrefectClient,
    *,
    execute: bool,
    uploads_of: UploadsOf | None = None,
) -> SweepCounts:
    """Look at every upload folder, open ticket and local copy, and end what has to end.

    ``uploads_of`` gives the store that a run was told to use; the configured one by default.
    """
    now = datetime.now(UTC)
    tickets = {ticket.ticket_id: ticket async for ticket in services.queue.open_tickets()}
    folders = await asyncio.to_thread(newest_by_folder, services.uploads)
    folders = await asyncio.to_thread(scratch_times, services.settings) | folders
    runs = await _runs_of(client, tickets, folders)
    retention_s = services.settings.upload_retention_s
    retention = timedelta(seconds=retention_s) if retention_s else None
    counts = dict.fromkeys(Decision, 0)
    failed = 0
    for name in sorted(folders.keys() | tickets.keys()):
        ticket, run = tickets.get(name), runs.get(name)
        newest = folders.get(name) or (ticket.created_at if ticket else now)
        status = STATUS_OF_STATE[state_type_of(run)] if run else None
        place = Place(name=name, newest=newest, has_ticket=ticket is not None, job=status)
        decision = decide(
            place, now=now, retention=retention, cleanup=services.settings.cleanup_on_finish
        )
        counts[decision] += 1
        if execute and decision is not Decision.KEEP:
            failed += not await _carry_out(
                services, uploads_of, name, decision, ticket=ticket, run=run
            )
    results = await asyncio.to_thread(newest_by_folder, services.results)
    found = await services.courier.recover(undelivered_jobs(results)) if execute else 0
    expired = expired_results(
        results, now=now, retention=timedelta(seconds=services.settings.result_retention_s)
    )
    if execute:
        for name in expired:
            await asyncio.to_thread(services.results.delete_folder, name)
    unfinished = await asyncio.to_thread(_remove_unfinished, services, now) if execute else 0
    return SweepCounts(
        executed=execute,
        kept=counts[Decision.KEEP],
        closed=counts[Decision.CLOSE],
        deleted=counts[Decision.DELETE],
        webhooks_found=found,
        results_deleted=len(expired),
        unfinished=unfinished,
        failed=failed,
    )


def newest_by_folder(store: FileStore) -> dict[str, datetime]:
    """Each folder of a store with the time of its youngest file."""
    newest: dict[str, datetime] = {}
    for file in store.list():
        newest[file.folder] = max(newest.get(file.folder, file.modified_at), file.modified_at)
    return newest


async def _runs_of(
    client: PrefectClient, tickets: Mapping[str, Ticket], folders: Iterable[str]
) -> dict[str, FlowRun]:
    """The flow run of each place: by the ticket's job, by idempotency key, by its own id."""
    names = sorted({*tickets, *folders})
    places: dict[str, set[str]] = {name: {name} for name in names}
    for name, ticket in tickets.items():
        places.setdefault(ticket.job_id or name, set()).add(name)
    runs: dict[str, FlowRun] = {}
    for batch in _batches(filter(_is_run_id, places)):
        for run in await _read(client, {"id": {"any_": batch}}):
            runs |= dict.fromkeys(places[str(run.id)], run)
    for batch in _batches([name for name in names if name not in runs]):
        for run in await _read(client, {"idempotency_key": {"any_": batch}}):
            runs[str(run.idempotency_key)] = run
    return runs


async def _read(client: PrefectClient, where: dict[str, Any]) -> list[FlowRun]:
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter.model_validate(where),
        sort=FlowRunSort.ID_DESC,
        limit=BATCH,
    )


def _is_run_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _batches(ids: Iterable[str]) -> Iterable[list[str]]:
    rest = iter(ids)
    while batch := list(islice(rest, BATCH)):
        yield batch


async def _carry_out(
    services: Services,
    uploads_of: UploadsOf | None,
    name: str,
    decision: Decision,
    *,
    ticket: Ticket | None,
    run: FlowRun | None,
) -> bool:
    """Close or delete one place; a failure is logged and left to the next sweep."""
    try:
        store = await uploads_of(run) if uploads_of and run else services.uploads
        if decision is Decision.DELETE or run is None:
            await asyncio.to_thread(store.delete_folder, name)
            await asyncio.to_thread(drop_scratch, services.settings, name)
            return True
        await close_job(
            services,
            outcome_of_run(run),
            ticket_id=ticket.ticket_id if ticket else name,
            callback_url=callback_url_of(run),
            uploads=store,
        )
    except ServiceError as error:
        logger.warning("place %s could not be swept: %s", name, error)
        return False
    except Exception:
        # The edge of one place: what is wrong with it (its store's block was deleted, its outcome
        # cannot be read) must not keep the sweep from all the others, and that each time.
        logger.exception("place %s could not be swept", name)
        return False
    return True


def outcome_of_run(run: FlowRun) -> Outcome:
    """The outcome of a run that ended without keeping one."""
    status = STATUS_OF_STATE[state_type_of(run)]
    return Outcome(
        job_id=str(run.id),
        tenant_id=str(run.parameters.get("tenant_id") or DEFAULT_TENANT),
        status=status,
        error=error_of(run.state) if status is JobStatus.FAILED else None,
        started_at=run.start_time,
    )


def _remove_unfinished(services: Services, now: datetime) -> int:
    removed = 0
    for store in (services.uploads, services.results):
        try:
            removed += store.remove_unfinished(now - UNFINISHED_AFTER)
        except ServiceError as error:  # not every S3 lets us list unfinished uploads
            logger.warning("unfinished uploads could not be removed: %s", error)
    return removed
