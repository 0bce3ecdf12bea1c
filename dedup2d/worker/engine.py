"""The one place that calls into Prefect's engine below its documented interface.

``prefect.flow_engine.run_flow`` is what ``python -m prefect.flow_engine`` and Prefect's own
runner call. tests/worker checks what we rely on, and fails clearly when Prefect changes it.
"""

from __future__ import annotations

import inspect
from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State
from prefect.flow_engine import run_flow
from prefect.flows import load_flow_from_entrypoint


def load_flow(entrypoint: str) -> Flow[..., Any]:
    """Import the flow of a deployment; ``entrypoint`` is ``package.module.flow``."""
    return load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)


async def run_in_process(flow: Flow[..., Any], flow_run: FlowRun) -> State[Any] | None:
    """Run an async flow here and now, with Prefect's states, hooks and logs; gives its last state.

    The run must be Pending and ours. Raises what the engine raises (``Abort`` when the run was
    taken from us meanwhile).
    """
    running: Any = run_flow(flow, flow_run=flow_run, return_type="state")
    state: State[Any] | None = await running
    return state


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
