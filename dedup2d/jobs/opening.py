"""The services of this process, opened on first use and kept for every job that follows."""

from __future__ import annotations

import asyncio
from typing import Final
from weakref import WeakKeyDictionary

from dedup2d.jobs.services import Services
from dedup2d.settings import read_settings

_opened: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[Services]]] = (
    WeakKeyDictionary()
)


async def services() -> Services:
    """Stores, queue, matcher and webhook sender of this event loop."""
    loop = asyncio.get_running_loop()
    opening = _opened.get(loop)
    if opening is None or (opening.done() and opening.exception() is not None):
        opening = loop.create_task(Services.open(read_settings()))
        _opened[loop] = opening
    return await asyncio.shield(opening)


async def close_services() -> None:
    """Give back what ``services`` opened on this event loop; a worker calls it on its way out."""
    opening = _opened.pop(asyncio.get_running_loop(), None)
    if opening is not None:
        await (await opening).aclose()
