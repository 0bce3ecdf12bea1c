"""Takes runs from the work pool and executes them on one event loop.

Prefect's queue is the truth: what may run, and how many at once, is what
``get_scheduled_flow_runs`` answers. The doorbell only says when to ask. A run is ours when we
hold its lease and the server accepts its transition to Pending; of two workers that try, one is
refused.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import httpx
from prefect import Flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.responses import SetStateStatus, WorkerFlowRunResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import Abort, ObjectNotFound, PrefectException
from prefect.states import Cancelled, Crashed, Pending, Scheduled

from dedup2d.errors import ServiceError
from dedup2d.jobs.ending import final_state
from dedup2d.jobs.interrupts import Stop, interrupt
from dedup2d.jobs.outcomes import read_outcome
from dedup2d.jobs.services import Services
from dedup2d.worker.engine import load_flow, run_hooks, run_in_process
from dedup2d.worker.leases import CLAIMED_BY, HANDED_BACK, LOOK_S, RENEW_S, Leases, LostRuns

logger = logging.getLogger(__name__)

HEARTBEAT_S: Final = 10.0  # to the work pool, so that Prefect's UI shows a live worker
POLL_S: Final = 5.0  # the net under the doorbell
CANCEL_POLL_S: Final = 1.0  # for cancellations that ring no bell (Prefect's UI)
LOOK_AGAIN_S: Final = 0.25  # after a run ended; what waits for a limit of the pool rings no bell
BELL_WAIT_S: Final = 5.0
FULL_PAUSE_S: Final = 0.2
ENTRYPOINT_S: Final = 30.0  # how long a deployment's entrypoint is taken for true
DELIVER_S: Final = 1.0  # between two looks at the webhooks that are to be tried again
ABANDON_S: Final = 3.0  # for the runs to let go of what they hold
HAND_BACK_S: Final = 10.0  # for all of them to get their states
PAUSE_AFTER_FAULT_S: Final = 1.0
API_FAULTS: Final = (httpx.HTTPError, OSError, PrefectException, ServiceError)


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """Which pool to serve, under which name, with how many runs at a time."""

    pool: str
    limit: int
    name: str = f"warm-{socket.gethostname()}-{os.getpid()}"


class WarmWorker:
    """Serves one work pool until told to stop."""

    def __init__(self, config: WorkerConfig, client: PrefectClient, services: Services) -> None:
        self._config = config
        self._client = client
        self._services = services
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._runs: dict[UUID, FlowRun] = {}
        self._leases = Leases(services.queue, config.name)
        finder = Leases(services.queue, f"finder-{config.name}")
        self._lost = LostRuns(client, config.pool, finder, self._close)
        self._wake = asyncio.Event()
        self._more = False  # the last look showed more than there was room for
        self._again: asyncio.TimerHandle | None = None
        self._flows: dict[str, Flow[..., Any]] = {}
        self._entrypoints: dict[UUID, tuple[str, float]] = {}

    async def serve(self, stop: asyncio.Event, *, grace_s: float) -> int:
        """Take and run until ``stop``; then finish within ``grace_s`` or hand the rest back.

        Gives how many runs still sit on this loop after being handed back; the caller ends the
        process without ending them.
        """
        loops = [
            asyncio.create_task(self._repeat(self._heartbeat, HEARTBEAT_S)),
            asyncio.create_task(self._repeat(self._answer_door, 0)),
            asyncio.create_task(self._repeat(self._watch_cancellations, CANCEL_POLL_S)),
            asyncio.create_task(self._repeat(self._renew_leases, RENEW_S)),
            asyncio.create_task(self._repeat(self._find_lost, LOOK_S)),
            asyncio.create_task(self._repeat(self._deliver, DELIVER_S)),
            asyncio.create_task(self._repeat(self._take, 0)),
        ]
        taking = loops[-1]
        try:
            await stop.wait()
            taking.cancel()
            if self._running:
                logger.info("waiting for %d run(s)", len(self._running))
                await asyncio.wait(self._running.values(), timeout=grace_s)
            await self._hand_back()
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
        return len(self._running)

    async def _repeat(self, step: Any, every_s: float) -> None:
        """Run ``step`` for ever; a service that is away is waited for."""
        while True:
            try:
                await step()
                await asyncio.sleep(every_s)
            except API_FAULTS as fault:
                logger.warning("%s: %s", step.__name__.strip("_"), str(fault)[:200])
                await asyncio.sleep(PAUSE_AFTER_FAULT_S)
            except Exception:
                # The edge of one loop: a worker without it would look alive and do nothing.
                logger.exception("%s failed", step.__name__.strip("_"))
                await asyncio.sleep(PAUSE_AFTER_FAULT_S)

    async def _heartbeat(self) -> None:
        await self._client.send_worker_heartbeat(
            self._config.pool, self._config.name, heartbeat_interval_seconds=HEARTBEAT_S
        )

    async def _answer_door(self) -> None:
        if len(self._running) >= self._config.limit:
            await asyncio.sleep(FULL_PAUSE_S)  # another worker may have room for who rings
            return
        for bell in await self._services.queue.bells(self._config.name, block_s=BELL_WAIT_S):
            if bell.kind == "cancel":
                interrupt(bell.job_id, Stop.CANCEL)
            else:
                self._wake.set()

    async def _watch_cancellations(self) -> None:
        if not self._running:
            return
        where = {"id": {"any_": list(self._running)}, "state": {"type": {"any_": ["CANCELLING"]}}}
        asked = FlowRunFilter.model_validate(where)
        for run in await self._client.read_flow_runs(
            flow_run_filter=asked, sort=FlowRunSort.ID_DESC, limit=len(self._running)
        ):
            interrupt(str(run.id), Stop.CANCEL)

    async def _renew_leases(self) -> None:
        for run in await self._leases.renew(list(self._runs.values())):
            logger.warning("run %s was taken over by another worker", run.id)
            interrupt(str(run.id), Stop.ABANDON)

    async def _find_lost(self) -> None:
        await self._lost.look({str(run_id) for run_id in self._runs})

    async def _deliver(self) -> None:
        await self._services.courier.send_due()

    async def _take(self) -> None:
        """One look into Prefect's queue, then sleep until the doorbell, a free place or POLL_S."""
        self._wake.clear()
        if self._again is not None:
            self._again.cancel()
        free = self._config.limit - len(self._running)
        if free > 0:
            waiting = await self._waiting()
            self._more = len(waiting) > free
            for run in waiting:
                if len(self._running) < self._config.limit:
                    await self._claim(run)
            if waiting and not self._running:  # others were quicker; there may be more behind these
                self._look_again()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), POLL_S)

    async def _waiting(self) -> list[FlowRun]:
        """The next runs that Prefect's queue gives out, a few more than we could take.

        Asked without Prefect's own method, which takes no limit: each look would have the server
        send 200 runs with their parameters where many wait.
        """
        answer = await self._client.request(
            "POST",
            "/work_pools/{name}/get_scheduled_flow_runs",
            path_params={"name": self._config.pool},
            json={"scheduled_before": str(datetime.now(UTC)), "limit": 2 * self._config.limit},
        )
        return [r.flow_run for r in WorkerFlowRunResponse.model_validate_list(answer.json())]

    def _look_again(self) -> None:
        self._again = asyncio.get_running_loop().call_later(LOOK_AGAIN_S, self._wake.set)

    async def _claim(self, run: FlowRun) -> None:
        if run.id in self._running or not await self._leases.take(run):
            return
        if not await self._still_waits(run) or not await self._is_given(run):
            await self._leases.give_back(run)
            return
        self._runs[run.id] = run
        task = asyncio.create_task(self._execute(run))
        self._running[run.id] = task
        task.add_done_callback(lambda _: self._ended(run.id))

    async def _is_given(self, run: FlowRun) -> bool:
        """Whether Prefect lets it become Pending, which it then is."""
        answer: Any = await self._client.set_flow_run_state(
            run.id, Pending(message=f"{CLAIMED_BY}{self._config.name}")
        )
        if answer.status is SetStateStatus.ACCEPT:
            run.state = answer.state
            return True
        return False

    async def _still_waits(self, run: FlowRun) -> bool:
        """Whether nobody has run it since the look that showed it.

        Prefect lets a run that has ended begin again. Whoever ended this one kept its outcome
        first and held its lease till then; we hold the lease now.
        """
        with suppress(ServiceError):
            if await read_outcome(self._services.results, str(run.id)) is None:
                return True
        state = (await self._client.read_flow_run(run.id)).state
        return state is not None and state.is_scheduled()

    def _ended(self, run_id: UUID) -> None:
        self._running.pop(run_id, None)
        self._runs.pop(run_id, None)
        if self._more:
            self._wake.set()
        else:
            self._look_again()

    async def _execute(self, run: FlowRun) -> None:
        try:
            flow = await self._flow_of(run)
            state = await run_in_process(flow, run)
            if state is not None and state.is_cancelling():
                await self._settle_cancellation(run)
            with suppress(ServiceError):  # who waits for it looks again soon anyway
                await self._services.queue.tell_moved(str(run.id))
        except Abort as reason:
            logger.info("run %s is not ours any more: %s", run.id, reason)
        except (httpx.HTTPError, ServiceError) as fault:
            # Not the run's fault: without our lease it counts as lost and begins again.
            logger.warning("run %s was lost to a fault of a service: %s", run.id, fault)
        except Exception as error:
            # The edge of one run: it must not take the others down; Prefect is told.
            logger.exception("run %s could not be executed", run.id)
            await self._report_crash(run, error)
        finally:
            with suppress(ServiceError):  # it expires by itself
                await self._leases.give_back(run)

    async def _flow_of(self, run: FlowRun) -> Flow[..., Any]:
        entrypoint = await self._entrypoint_of(run)
        if entrypoint not in self._flows:
            self._flows[entrypoint] = await asyncio.to_thread(load_flow, entrypoint)
        return self._flows[entrypoint]

    async def _entrypoint_of(self, run: FlowRun) -> str:
        """As the deployment has it, asked again when it is older than ``ENTRYPOINT_S``."""
        if run.deployment_id is None:
            raise ObjectNotFound(ValueError(f"run {run.id} has no deployment"))
        now = asyncio.get_running_loop().time()
        known, read_at = self._entrypoints.get(run.deployment_id, ("", -ENTRYPOINT_S))
        if now - read_at < ENTRYPOINT_S:
            return known
        deployment = await self._client.read_deployment(run.deployment_id)
        self._entrypoints[run.deployment_id] = (deployment.entrypoint or "", now)
        return deployment.entrypoint or ""

    async def _settle_cancellation(self, run: FlowRun) -> None:
        """End a run whose cancellation its own body did not hear.

        It came between Pending and Running: then the hooks see to webhook and files. Or it came
        when the job was over and its receiver told: then it was too late, and stays completed.
        """
        state = await self._close(run, Cancelled(message="Cancelled on request."))
        await self._client.set_flow_run_state(run.id, state, force=True)

    async def _close(self, run: FlowRun, state: State[Any]) -> State[Any]:
        """Webhook, files and ticket of a run that cannot see to them, and the state it ends in.

        An end that the job itself had decided on stands.
        """
        await run_hooks(await self._flow_of(run), run, state)
        kept = await read_outcome(self._services.results, str(run.id))
        return state if kept is None else final_state(kept)

    async def _report_crash(self, run: FlowRun, error: Exception) -> None:
        message = f"The worker could not run it: {type(error).__name__}"
        with suppress(*API_FAULTS):
            await self._client.set_flow_run_state(run.id, Crashed(message=message), force=True)

    async def _hand_back(self) -> None:
        """Give what still runs back to the queue, without ending any of it."""
        left = dict(self._running)
        if not left:
            return
        for run_id in left:
            interrupt(str(run_id), Stop.ABANDON)
        await asyncio.wait(left.values(), timeout=ABANDON_S)
        with suppress(TimeoutError, *API_FAULTS):  # what is not handed back is found lost
            async with asyncio.timeout(HAND_BACK_S):
                for run_id in left:
                    await self._requeue(run_id)

    async def _requeue(self, run_id: UUID) -> None:
        run = await self._client.read_flow_run(run_id)
        if run.state is not None and run.state.is_final():
            return  # it was quicker
        state: State[None] = Scheduled(name=HANDED_BACK, message="The worker was stopped.")
        await self._client.set_flow_run_state(run_id, state, force=True)
        logger.info("run %s handed back", run_id)
