"""Submit, look at, list and cancel jobs: what the gateway does, on Prefect's client API."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import stamina
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelling

from dedup2d.errors import ConflictError, RequestError, ServiceError
from dedup2d.fileref import FileRef
from dedup2d.jobs.closing import close_job
from dedup2d.jobs.glance import Glances
from dedup2d.jobs.model import (
    DEPLOYMENT_NAME,
    TENANT_TAG,
    ForeignJobError,
    JobRequest,
    JobStatus,
    JobView,
    Outcome,
    Standing,
    UnknownJobError,
)
from dedup2d.jobs.outcomes import read_outcome
from dedup2d.jobs.services import Services
from dedup2d.jobs.views import callback_url_of, filters_of, status_of, view_of, with_outcome
from dedup2d.options import SearchOptions
from dedup2d.stores.bridge import put_stream
from dedup2d.tickets.keys import UNBOUND_TTL_S
from dedup2d.tickets.model import Admission, Bell, Progress, Ticket
from dedup2d.tickets.sessions import UploadSession

CLOSE_AGAIN_S: Final = 5.0
MOST_STANDINGS: Final = 150  # Prefect answers with no more than 200 runs

logger = logging.getLogger(__name__)


@contextmanager
def prefect_faults() -> Iterator[None]:
    """Turn failures of Prefect's API into ServiceError ``PREFECT_UNAVAILABLE``."""
    try:
        yield
    except ObjectNotFound:
        raise
    except (httpx.HTTPError, OSError, RuntimeError) as error:
        raise ServiceError(
            "prefect", "The Prefect server does not answer; try again.", retry_after_s=5
        ) from error


@dataclass(slots=True)
class Intake:
    """A reserved place in the queue, while its upload comes in."""

    service: JobService
    admission: Admission
    job_id: str = ""

    async def store(
        self, chunks: AsyncIterator[bytes], *, file_name: str, media_type: str
    ) -> FileRef:
        """Stream an upload into the store, below this ticket's folder."""
        services = self.service.services
        return await put_stream(
            services.uploads,
            chunks,
            folder=self.admission.ticket.ticket_id,
            file_name=file_name,
            media_type=media_type,
            max_bytes=services.settings.max_upload_bytes,
        )

    async def start(
        self, files: tuple[FileRef, ...], options: SearchOptions, *, geometry: FileRef | None = None
    ) -> str:
        """Create the flow run, bind the ticket to it and ring the doorbell; gives the job id."""
        ticket = self.admission.ticket
        request = JobRequest(
            files=files,
            options=options,
            tenant_id=ticket.tenant_id,
            callback_url=ticket.callback_url,
            geometry=geometry,
            ticket_id=ticket.ticket_id,
        )
        name = files[0].name if len(files) == 1 else f"{len(files)} drawings"
        self.job_id = await self.service.create_run(request, name=name)
        try:
            await self.service.services.queue.bind(ticket.ticket_id, self.job_id)
        except (ServiceError, RequestError) as error:
            # The run exists, so the job is accepted: workers find it by polling Prefect, and it
            # makes itself a ticket in place of one that Redis lost.
            logger.warning("job %s waits for a poll, no bell rang: %s", self.job_id, error)
        return self.job_id


class JobService:
    """Jobs of all tenants; every look-up names the tenant that asks."""

    def __init__(self, services: Services, client: PrefectClient) -> None:
        self.services = services
        self._client = client
        self._glances = Glances(services.queue, client.read_flow_run)
        self._deployment_id: UUID | None = None
        self._closings: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def intake(
        self,
        tenant_id: str,
        *,
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        request_digest: str = "",
        upload: UploadSession | None = None,
    ) -> AsyncIterator[Intake]:
        """Reserve a place; leaving the block without a job deletes the upload and the ticket.

        A direct ``upload`` is kept then, and is the ticket's folder. Raises QueueFullError,
        ConflictError, ServiceError. Where the idempotency key or the direct upload has its job
        already, ``admission.created`` is False and ``job_id`` is set.
        """
        settings = self.services.settings
        limits = await self.services.tenants.limits(tenant_id)
        ticket_id = upload.upload_id if upload else uuid4().hex
        ticket = Ticket(ticket_id=ticket_id, tenant_id=tenant_id, callback_url=callback_url)
        if upload is not None:
            idempotency_key = idempotency_key or f"upload {upload.upload_id}"
            if upload.job_id:
                if upload.request_digest != request_digest:
                    raise ConflictError("UPLOAD_USED", "Another job has this upload.")
                yield Intake(self, Admission(ticket=ticket, created=False), upload.job_id)
                return
        try:
            admission = await self.services.queue.admit(
                ticket,
                max_jobs=settings.max_jobs,
                max_jobs_per_tenant=limits.max_jobs or settings.max_jobs_per_tenant,
                idempotency_key=idempotency_key,
                request_digest=request_digest,
            )
        except ServiceError:
            self._close_later(ticket.ticket_id)
            raise
        if not admission.created:
            if not admission.ticket.job_id:
                raise ConflictError(
                    "IDEMPOTENCY_IN_PROGRESS", "The first request with this key still runs."
                )
            yield Intake(self, admission, admission.ticket.job_id)
            return
        intake = Intake(self, admission)
        try:
            yield intake
        finally:
            if not intake.job_id:
                await asyncio.shield(self._undo(ticket.ticket_id, keep_files=upload is not None))
            elif upload is not None:
                await self._remember(upload, intake.job_id, request_digest)

    async def _remember(self, upload: UploadSession, job_id: str, request_digest: str) -> None:
        try:
            await self.services.sessions.taken(upload, job_id=job_id, request_digest=request_digest)
        except ServiceError as error:  # the idempotency key stands for it
            logger.warning("upload %s forgets its job: %s", upload.upload_id, error)

    async def _undo(self, ticket_id: str, *, keep_files: bool) -> None:
        try:
            if not keep_files:
                await asyncio.to_thread(self.services.uploads.delete_folder, ticket_id)
        finally:
            try:
                await self.services.queue.close(ticket_id)
            except ServiceError:
                self._close_later(ticket_id)
                raise

    def _close_later(self, ticket_id: str) -> None:
        """Close the ticket when Redis answers again: it may yet do what nobody waits for."""
        closing = asyncio.create_task(self._close_when_heard(ticket_id))
        self._closings.add(closing)
        closing.add_done_callback(self._closings.discard)

    async def _close_when_heard(self, ticket_id: str) -> None:
        attempts = stamina.retry_context(
            on=ServiceError,
            attempts=None,
            timeout=UNBOUND_TTL_S,
            wait_initial=CLOSE_AGAIN_S,
            wait_max=CLOSE_AGAIN_S,
        )
        with suppress(ServiceError):  # by then the ticket has expired
            async for attempt in attempts:
                with attempt:
                    await self.services.queue.close(ticket_id)

    async def create_run(self, request: JobRequest, *, name: str) -> str:
        """A scheduled flow run of the deployment ``dedup-job``; the same ticket gives the same.

        The parameters are valid, being a JobRequest; without saying so the server would check
        them against a schema that it checks each time too, which takes longer than all the rest.
        """
        with prefect_faults():
            if self._deployment_id is None:
                self._deployment_id = await self._find_deployment()
            try:
                answer = await self._client.request(
                    "POST",
                    "/deployments/{id}/create_flow_run",
                    path_params={"id": self._deployment_id},
                    json={
                        "parameters": request.model_dump(mode="json", exclude_defaults=True),
                        "enforce_parameter_schema": False,
                        "name": name[:100],
                        "tags": [f"{TENANT_TAG}{request.tenant_id}"],
                        "idempotency_key": request.ticket_id,
                    },
                )
            except httpx.HTTPStatusError as error:
                if error.response.status_code == httpx.codes.NOT_FOUND:
                    self._deployment_id = None  # it was made anew; whoever tries again finds it
                raise
        return str(answer.json()["id"])

    async def _find_deployment(self) -> UUID:
        try:
            return (await self._client.read_deployment_by_name(DEPLOYMENT_NAME)).id
        except ObjectNotFound as error:
            raise ServiceError(
                "prefect",
                f"Prefect has no deployment {DEPLOYMENT_NAME}; run 'dedup2d init'.",
                retry_after_s=30,
            ) from error

    async def get(self, job_id: str, tenant_id: str) -> JobView:
        """The job as its tenant sees it. Raises UnknownJobError, ForeignJobError."""
        run = await self._read(job_id, tenant_id)
        view = view_of(run, tenant_id)
        if view.status.is_terminal:
            outcome = await read_outcome(self.services.results, job_id)
            if outcome is not None:
                view = with_outcome(view, outcome)
            elif view.status is JobStatus.COMPLETED:
                raise UnknownJobError(job_id)
        elif view.status is JobStatus.IN_PROGRESS:
            told = await self._progress_of([job_id])
            view = view.model_copy(update={"progress": told.get(job_id)})
        return await self._with_callback(view, callback_url_of(run))

    async def standings(self, job_ids: Sequence[str]) -> dict[str, Standing]:
        """How these jobs stand, at most ``MOST_STANDINGS``, in one question to Prefect.

        A job that Prefect does not know is left out. Nobody's tenant is checked.
        """
        where = FlowRunFilter.model_validate({"id": {"any_": job_ids}})
        with prefect_faults():
            runs = await self._client.read_flow_runs(
                flow_run_filter=where, sort=FlowRunSort.ID_DESC, limit=MOST_STANDINGS
            )
        await asyncio.gather(*map(self._glances.saw, runs))
        statuses = {str(run.id): status_of(run) for run in runs}
        running = [job for job, status in statuses.items() if status is JobStatus.IN_PROGRESS]
        told = await self._progress_of(running)
        return {
            job_id: Standing(status=status, progress=told.get(job_id))
            for job_id, status in statuses.items()
        }

    async def _progress_of(self, job_ids: Sequence[str]) -> dict[str, Progress]:
        with suppress(ServiceError):  # nice to have: no status depends on it
            return await self.services.progress.of_jobs(job_ids)
        return {}

    async def request_of(self, job_id: str, tenant_id: str) -> JobRequest:
        """What the job was asked to do. Raises UnknownJobError, ForeignJobError."""
        run = await self._read(job_id, tenant_id)
        return JobRequest.model_validate(run.parameters)

    async def _with_callback(self, view: JobView, callback_url: str | None) -> JobView:
        if callback_url is None:
            return view
        last = await self.services.ledger.of_job(view.job_id)
        if last is None:
            return view.model_copy(update={"callback_status": "pending"})
        return view.model_copy(
            update={
                "callback_status": last.status,
                "callback_attempts": last.attempts,
                "callback_http_status": last.http_status,
                "callback_finished_at": last.finished_at.timestamp() if last.finished_at else None,
                "callback_last_error": last.last_error,
            }
        )

    async def list(self, tenant_id: str, *, status: JobStatus | None, limit: int) -> list[JobView]:
        """The tenant's jobs, newest first."""
        own = {"tags": {"all_": [f"{TENANT_TAG}{tenant_id}"]}}
        runs: list[FlowRun] = []
        with prefect_faults():
            for where in filters_of(status):
                runs += await self._client.read_flow_runs(
                    flow_run_filter=FlowRunFilter.model_validate(own | where),
                    sort=FlowRunSort.EXPECTED_START_TIME_DESC,
                    limit=limit,
                )
        views = [view_of(run, tenant_id) for run in runs]
        return sorted(views, key=lambda view: view.created_at or 0.0, reverse=True)[:limit]

    async def cancel(self, job_id: str, tenant_id: str) -> None:
        """Ask for the job's end; a job that has ended stays as it is."""
        run = await self._read(job_id, tenant_id)
        if status_of(run).is_terminal:
            return
        with prefect_faults():
            answer: Any = await self._client.set_flow_run_state(
                run.id, Cancelling(message="Cancelled by the client."), force=False
            )
        with suppress(ServiceError):  # it shows a little later
            await self.services.queue.tell_moved(job_id)
        settled = answer.state is not None and answer.state.is_cancelled()
        if settled:
            await self._close_unstarted(run, tenant_id)
        else:
            await self.services.queue.ring(Bell(kind="cancel", job_id=job_id))

    async def _close_unstarted(self, run: FlowRun, tenant_id: str) -> None:
        outcome = Outcome(job_id=str(run.id), tenant_id=tenant_id, status=JobStatus.CANCELED)
        await close_job(
            self.services,
            outcome,
            ticket_id=run.parameters.get("ticket_id"),
            callback_url=callback_url_of(run),
        )

    async def _read(self, job_id: str, tenant_id: str) -> FlowRun:
        try:
            run_id = UUID(job_id)
        except ValueError as error:
            raise UnknownJobError(job_id) from error
        if str(run_id) != job_id:  # outcome, bells and deliveries know the one spelling only
            raise UnknownJobError(job_id)
        try:
            with prefect_faults():
                run = await self._glances.at(run_id)
        except ObjectNotFound as error:
            raise UnknownJobError(job_id) from error
        owners = [t.removeprefix(TENANT_TAG) for t in run.tags if t.startswith(TENANT_TAG)]
        if not owners:
            raise UnknownJobError(job_id)
        if tenant_id not in owners:
            raise ForeignJobError(job_id)
        return run
