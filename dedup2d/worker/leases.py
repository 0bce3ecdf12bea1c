"""Who works on what, and what happens to the runs of a worker that is gone.

A worker holds a lease on the place (ticket) of each of its runs and renews it. A run that
Prefect calls pending or running while nobody holds its lease is lost: whoever notices takes the
lease, so that only one does, and gives the run back to the queue, or ends it when it has cost
too many workers already.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import FlowRunFilter, WorkPoolFilter
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Cancelled, Failed, Scheduled

from dedup2d.tickets.queue import TicketQueue

logger = logging.getLogger(__name__)

Close: TypeAlias = Callable[[FlowRun, State[Any]], Awaitable[State[Any]]]
"""Ends a job in this state, or in that which it had decided on itself; gives the state."""

LEASE_S: Final = 8.0  # a worker that is silent for longer has lost its runs
RENEW_S: Final = 2.0
LOOK_S: Final = 2.0  # lease, two looks and the way there: a death is noticed within 15 s
YOUNG: Final = timedelta(seconds=6)  # a run that has just changed its state is not judged
MAX_ATTEMPTS: Final = 3  # workers that one run may cost
HANDED_BACK: Final = "HandedBack"
CLAIMED_BY: Final = "Claimed by "  # and the worker's name: the message of our state Pending
MAX_LOST: Final = 100  # looked at in one go
LOST_AND_GIVEN_UP: Final = (
    f"WORKER_LOST: The job lost its worker {MAX_ATTEMPTS} times and was given up."
)


def place_of(run: FlowRun) -> str:
    """The name of a run's lease: its ticket, or itself where it came without one."""
    return str(run.parameters.get("ticket_id") or run.id)


class Leases:
    """The leases of one worker."""

    def __init__(self, queue: TicketQueue, holder: str) -> None:
        self._queue = queue
        self._holder = holder

    async def take(self, run: FlowRun) -> bool:
        """Take or renew; False where another worker has it."""
        return await self._queue.lease(place_of(run), self._holder, LEASE_S)

    async def is_free(self, run: FlowRun) -> bool:
        """Nobody has it."""
        return await self._queue.holder(place_of(run)) is None

    async def give_back(self, run: FlowRun) -> None:
        """Another worker may take it at once."""
        await self._queue.release(place_of(run), self._holder)

    async def renew(self, runs: Iterable[FlowRun]) -> list[FlowRun]:
        """Renew all; gives those that another worker has taken meanwhile."""
        return [run for run in runs if not await self.take(run)]


class LostRuns:
    """Finds runs whose worker is gone, and sees to them."""

    def __init__(self, client: PrefectClient, pool: str, leases: Leases, close: Close) -> None:
        self._client = client
        self._pool = pool
        self._leases = leases
        self._close = close
        self._suspects: set[str] = set()
        self._foreign: set[str] = set()

    async def look(self, own: set[str]) -> None:
        """Recover each run that was without a lease in two looks in a row.

        One look is not enough: after a Redis that lost its data, the leases of living workers
        are missing until they are renewed.
        """
        suspects: set[str] = set()
        for run in await self._claimed():
            run_id = str(run.id)
            if run_id in own | self._foreign or not await self._leases.is_free(run):
                continue
            if run_id not in self._suspects:
                suspects.add(run_id)
            elif await self._leases.take(run):
                try:
                    await self._recover(run)
                finally:
                    await self._leases.give_back(run)
        self._suspects = suspects

    async def _claimed(self) -> list[FlowRun]:
        """Runs that some worker claimed, and that had their state for a while."""
        where = {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}}
        runs = await self._client.read_flow_runs(
            flow_run_filter=FlowRunFilter.model_validate(where),
            work_pool_filter=WorkPoolFilter.model_validate({"name": {"any_": [self._pool]}}),
            sort=FlowRunSort.EXPECTED_START_TIME_ASC,  # so that none stays behind newer ones
            limit=MAX_LOST,
        )
        return [run for run in runs if _is_settled(run)]

    async def _recover(self, run: FlowRun) -> None:
        """Look again while holding the lease, then give back or give up."""
        now = await self._client.read_flow_run(run.id)
        if now.state_type != run.state_type or now.state_id != run.state_id:
            return
        history = await self._client.read_flow_run_states(run.id)
        if not _is_ours(history):
            self._foreign.add(str(run.id))
            return
        state: State[Any] = Scheduled(name="WorkerLost", message="Its worker is gone; once more.")
        if run.state_type is StateType.CANCELLING:
            state = await self._close(run, Cancelled(message="Cancelled; its worker was gone."))
        elif run.state_type is StateType.RUNNING and _attempts(history) >= MAX_ATTEMPTS:
            state = await self._close(run, Failed(message=LOST_AND_GIVEN_UP))
        await self._client.set_flow_run_state(run.id, state, force=True)
        logger.warning("run %s lost its worker: %s", run.id, state.name)


def _is_ours(history: Sequence[State[Any]]) -> bool:
    """A warm worker has it; Prefect's own workers hold no leases, and watch their runs themselves."""
    claims = [state for state in history if state.is_pending()]
    newest = max(claims, key=lambda state: state.timestamp, default=None)
    return newest is not None and (newest.message or "").startswith(CLAIMED_BY)


def _attempts(history: Sequence[State[Any]]) -> int:
    """How often it was begun, without those that a worker which was told to stop gave back."""
    return sum(s.is_running() for s in history) - sum(s.name == HANDED_BACK for s in history)


def _is_settled(run: FlowRun) -> bool:
    return run.state is not None and datetime.now(UTC) - run.state.timestamp > YOUNG
