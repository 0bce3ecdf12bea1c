"""The one place that calls into Prefect's engine and client below its documented interface.

``prefect.flow_engine.run_flow`` is what ``python -m prefect.flow_engine`` and Prefect's own
runner call. tests/worker checks what we rely on, and fails clearly when Prefect changes it.
"""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import copy
from pathlib import Path
from typing import Any, Final

import httpx
from prefect import Flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import AsyncClientContext
from prefect.flow_engine import run_flow
from prefect.flows import load_flow_from_entrypoint
from prefect.settings import get_current_settings

PATIENCE_S: Final = 600.0  # a server that is away for longer is somebody's business
START_PATIENCE_S: Final = 120.0  # a wrong address should be told sooner
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0
AWAY: Final = frozenset({httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE})
LOST: Final = (
    *(httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadError, httpx.WriteError),
    httpx.RemoteProtocolError,
)


class PatientTransport(httpx.AsyncBaseTransport):
    """Sends a request again while the server is away, or on SQLite, busy.

    Prefect's client gives up after a minute, with pauses of up to half of one, and a client
    that never reached its server at once; the engine then crashes or fails the run. It repeats
    lost requests too, so whatever is sent here may be sent twice.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, *, patience_s: float) -> None:
        self._inner = inner
        self.patience_s = patience_s

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The first answer, or what is wrong after ``patience_s``."""
        clock = asyncio.get_running_loop()
        deadline, pause_s = clock.time() + self.patience_s, FIRST_PAUSE_S
        while True:
            try:
                response = await self._inner.handle_async_request(request)
                if response.status_code not in AWAY or clock.time() > deadline:
                    return response
                await response.aclose()
            except LOST:
                if clock.time() > deadline:
                    raise
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311 - jitter
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


@asynccontextmanager
async def patient_client() -> AsyncIterator[PrefectClient]:
    """A client that waits for its server; every run and task in this context uses it."""
    context = AsyncClientContext()
    http = context.client._client  # noqa: SLF001 - Prefect's own takes no transport for all its users
    patient = PatientTransport(http._transport, patience_s=START_PATIENCE_S)  # noqa: SLF001
    http._transport = patient  # noqa: SLF001
    async with context:
        patient.patience_s = PATIENCE_S
        yield context.client


def load_flow(entrypoint: str) -> Flow[..., Any]:
    """Import the flow of a deployment; ``entrypoint`` is ``package.module.flow``."""
    return load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)


async def run_in_process(flow: Flow[..., Any], flow_run: FlowRun) -> State[Any] | None:
    """Run an async flow here and now, with Prefect's states, hooks and logs; gives its last state.

    The run must be Pending and ours. Raises what the engine raises (``Abort`` when the run was
    taken from us meanwhile).
    """
    # A run of a deployment is watched for being suspended, by a thread and a subscription to the
    # server's events, and beginning and ending that blocks the event loop. The engine reads the
    # run again before it runs the body, which so finds its deployment.
    unwatched = flow_run.model_copy(update={"deployment_id": None})
    running: Any = run_flow(
        _with_fewer_questions(flow, flow_run), flow_run=unwatched, return_type="state"
    )
    state: State[Any] | None = await running
    return state


def _with_fewer_questions(flow: Flow[..., Any], flow_run: FlowRun) -> Flow[..., Any]:
    """The flow, so that its run asks the server for nothing that is known.

    Where results lie: no result is ever stored, but a flow that does not say where has the
    engine ask, twice per run and blocking the event loop. And the run's name, where whoever
    made the run has given it: the gateway does.
    """
    quiet = copy(flow)
    quiet.result_storage = Path(get_current_settings().results.local_storage_path)
    if flow_run.parameters.get("ticket_id"):
        quiet.flow_run_name = None
    return quiet


async def run_hooks(flow: Flow[..., Any], run: FlowRun, state: State[Any]) -> None:
    """The flow's hooks for this end, for a run whose own process cannot call them any more."""
    hooks = flow.on_failure_hooks
    if state.is_cancelled():
        hooks = flow.on_cancellation_hooks
    elif state.is_crashed():
        hooks = flow.on_crashed_hooks
    for hook in hooks:
        done: Any = hook(flow, run, state)
        if inspect.isawaitable(done):
            await done
