"""What Prefect says of a run, asked as rarely as the truth allows.

Clients poll, some every few milliseconds, and each look at a run costs Prefect's server as much
as a part of the job itself. So an answer serves for ``FRESH_S`` seconds, for all who ask, unless
somebody has told in Redis meanwhile that the run moved on: the worker when it ended, or a gateway
that saw it change. That word is looked at each time, so that of two gateways none answers with
what is older than what the other has answered.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from prefect.client.schemas.objects import FlowRun

from dedup2d.errors import ServiceError
from dedup2d.tickets.queue import TicketQueue

FRESH_S: Final = 2.0  # who ends a job tells it; this is for what Prefect's UI does
MOST_KEPT: Final = 1000  # states, the latest


@dataclass(frozen=True, slots=True)
class _Seen:
    run: FlowRun
    moves: int
    at: float  # seconds of the event loop's clock, before Prefect was asked


class Glances:
    """The runs that were lately looked at. Belongs to one event loop."""

    def __init__(self, queue: TicketQueue, read: Callable[[UUID], Awaitable[FlowRun]]) -> None:
        self._queue = queue
        self._read = read
        self._states: OrderedDict[UUID, UUID | None] = OrderedDict()  # the last that was seen
        # As long as they are fresh: the parameters of a job with many drawings take megabytes.
        self._seen: OrderedDict[UUID, _Seen] = OrderedDict()
        self._asking: dict[UUID, tuple[int, asyncio.Task[_Seen]]] = {}

    async def at(self, run_id: UUID) -> FlowRun:
        """The run as it is, or was less than ``FRESH_S`` ago. Raises what ``read`` raises."""
        try:
            moves = await self._queue.moves(str(run_id))
        except ServiceError:  # nobody can tell us: Prefect itself is asked
            return await self._read(run_id)
        seen = self._seen.get(run_id)
        now = asyncio.get_running_loop().time()
        if seen is None or seen.moves != moves or now - seen.at > FRESH_S:
            seen = await self._asked(run_id, moves)
        return seen.run

    async def saw(self, run: FlowRun) -> None:
        """Take in what was learnt of a run in another way, before anybody is answered with it."""
        if self._is_known(run):
            return
        self._know(run)
        self._seen.pop(run.id, None)
        with suppress(ServiceError):
            await self._queue.tell_moved(str(run.id))

    def _is_known(self, run: FlowRun) -> bool:
        return run.id in self._states and self._states[run.id] == run.state_id

    async def _asked(self, run_id: UUID, moves: int) -> _Seen:
        """Ask, or wait for whom asks since the same move."""
        since, asking = self._asking.get(run_id, (-1, None))
        if asking is None or since != moves:
            asking = asyncio.create_task(self._look(run_id, moves))
            self._asking[run_id] = moves, asking
            asking.add_done_callback(lambda done: self._forget(run_id, done))
        return await asyncio.shield(asking)

    def _forget(self, run_id: UUID, done: asyncio.Task[_Seen]) -> None:
        if self._asking.get(run_id, (0, None))[1] is done:
            del self._asking[run_id]
        if not done.cancelled():
            done.exception()  # whoever waits for it has it too

    async def _look(self, run_id: UUID, moves: int) -> _Seen:
        at = asyncio.get_running_loop().time()
        run = await self._read(run_id)
        if not self._is_known(run):
            moves = await self._told(run_id, moves)
        seen = _Seen(run, moves, at)
        self._keep(seen)
        return seen

    def _keep(self, seen: _Seen) -> None:
        self._know(seen.run)
        self._seen[seen.run.id] = seen
        self._seen.move_to_end(seen.run.id)
        stale = asyncio.get_running_loop().time() - FRESH_S
        while self._seen and next(iter(self._seen.values())).at < stale:
            self._seen.popitem(last=False)

    def _know(self, run: FlowRun) -> None:
        self._states[run.id] = run.state_id
        self._states.move_to_end(run.id)
        if len(self._states) > MOST_KEPT:
            self._states.popitem(last=False)

    async def _told(self, run_id: UUID, moves: int) -> int:
        """Tell the other gateways, before anybody is answered; what they told too is not missed."""
        try:
            now = await self._queue.tell_moved(str(run_id))
        except ServiceError:
            return moves
        return now if now == moves + 1 else moves
