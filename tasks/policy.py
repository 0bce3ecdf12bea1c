"""Retries, delays and sizes of the pipeline's tasks, in one place."""

from __future__ import annotations

from typing import Any, Final

from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from dedup2d.errors import ServiceError

CHUNK_SIZE: Final = 32  # drawings of one load and one dedup task
CONCURRENT_FILES: Final = 4  # files that one task moves at a time
DELIVERING_S: Final = 240.0  # of one run of deliver-webhooks; the next comes a minute later
MAX_PICTURE_BYTES: Final = 150_000  # of an artifact's picture; Prefect takes about 200 KB


async def is_service_fault(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Retry what a service broke, never what is wrong with a drawing or a request."""
    try:
        await state.aresult(raise_on_failure=True)
    except ServiceError:
        return True
    except Exception:  # noqa: BLE001 - any other kind of failure is final, whatever it is
        return False
    return False


# A service that is away for a minute or two is waited for; the sum is 130 s, before jitter.
DELAYS_S: Final = [1.0, 2.0, 4.0, 8.0, *[11.5] * 10]
RETRIES: Final[dict[str, Any]] = {
    "retries": len(DELAYS_S),
    "retry_delay_seconds": DELAYS_S,
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": is_service_fault,
    "persist_result": False,
}
FEW_RETRIES: Final = RETRIES | {"retries": 2, "retry_delay_seconds": DELAYS_S[:2]}
"""For what the sweep does in any case: the end of a job does not wait for it."""
