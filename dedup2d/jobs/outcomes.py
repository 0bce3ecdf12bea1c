"""How jobs ended, kept in the result store; and which of them their receivers do not know yet.

A delivery that was not accepted at once leaves its state beside the outcome, in a folder of its
own. It is the copy that survives the loss of Redis, and while it is there the outcome stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from dedup2d.jobs.model import Outcome
from dedup2d.stores.protocol import FileStore
from dedup2d.tickets.model import Delivery

OUTCOME_FILE: Final = "outcome.json"
MAX_OUTCOME_BYTES: Final = 256 * 1024**2
DELIVERY_FILE: Final = "delivery.json"
MAX_DELIVERY_BYTES: Final = 64 * 1024

_UNDELIVERED: Final = "undelivered-"  # and the job's id: a folder of the result store


async def keep_outcome(results: FileStore, outcome: Outcome) -> None:
    """Store the outcome where the gateway finds it by the job's id."""
    await asyncio.to_thread(
        results.write_bytes, outcome.job_id, OUTCOME_FILE, outcome.model_dump_json().encode()
    )


async def read_outcome(results: FileStore, job_id: str) -> Outcome | None:
    """The stored outcome; None where the job has none (yet, or any more)."""
    data = await asyncio.to_thread(
        results.read_bytes, job_id, OUTCOME_FILE, max_bytes=MAX_OUTCOME_BYTES
    )
    return None if data is None else Outcome.model_validate_json(data)


async def keep_undelivered(results: FileStore, delivery: Delivery) -> None:
    """Keep the state of a delivery that goes on."""
    text = delivery.model_dump_json(exclude_none=True)
    folder = _UNDELIVERED + delivery.job_id
    await asyncio.to_thread(results.write_bytes, folder, DELIVERY_FILE, text.encode())


async def read_undelivered(results: FileStore, job_id: str) -> Delivery | None:
    """The kept state of the job's delivery; None where it has ended or was accepted at once."""
    folder = _UNDELIVERED + job_id
    data = await asyncio.to_thread(
        results.read_bytes, folder, DELIVERY_FILE, max_bytes=MAX_DELIVERY_BYTES
    )
    return None if data is None else Delivery.model_validate_json(data)


async def drop_undelivered(results: FileStore, job_id: str) -> None:
    """The delivery has ended; twice is fine."""
    await asyncio.to_thread(results.delete_folder, _UNDELIVERED + job_id)


def undelivered_jobs(folders: Iterable[str]) -> set[str]:
    """The jobs with a kept delivery, among the result store's folders."""
    return {name.removeprefix(_UNDELIVERED) for name in folders if name.startswith(_UNDELIVERED)}


def is_outcome(folder: str) -> bool:
    """Whether a folder of the result store is a job's, not a delivery's."""
    return not folder.startswith(_UNDELIVERED)
