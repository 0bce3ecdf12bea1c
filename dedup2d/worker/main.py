"""The worker's process: signals in the main thread, everything else on a loop beside it.

Prefect's engine puts its own SIGTERM handler in place while a flow runs in the main thread,
which with several runs on one loop would end them all as crashed. On another thread it leaves
signals alone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading

from dedup2d.jobs.opening import close_services, services
from dedup2d.memory import return_freed_memory
from dedup2d.settings import Settings
from dedup2d.stack.register import register
from dedup2d.worker.engine import patient_client
from dedup2d.worker.warm import WarmWorker, WorkerConfig


def run(
    settings: Settings, *, name: str | None = None, limit: int | None = None, init: bool = False
) -> int:
    """Serve until SIGTERM or Ctrl-C; a second signal ends at once. ``init`` registers first."""
    _log_to_stderr()
    return_freed_memory()
    config = WorkerConfig(pool=settings.work_pool, limit=limit or settings.worker_max_jobs)
    if name:
        config = WorkerConfig(pool=config.pool, limit=config.limit, name=name)
    service = _Service(settings, config, init=init)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.stop())
    service.start()
    while service.is_alive():
        service.join(0.5)
    return service.exit_status


def _log_to_stderr() -> None:
    """Our own loggers beside Prefect's, which configures the root logger for itself."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        logging.Formatter("%(asctime)s | %(levelname)-7s | %(name)s - %(message)s")
    )
    ours = logging.getLogger("dedup2d")
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    ours.propagate = False


class _Service(threading.Thread):
    """The event loop of a worker."""

    def __init__(self, settings: Settings, config: WorkerConfig, *, init: bool) -> None:
        super().__init__(name="dedup2d-worker", daemon=True)
        self.exit_status = 1
        self._settings = settings
        self._config = config
        self._init = init
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._asked = 0

    def stop(self) -> None:
        """Ask once to finish; ask twice to end now."""
        self._asked += 1
        if self._asked > 1:
            os._exit(1)
        self._loop.call_soon_threadsafe(self._stopping.set)

    def run(self) -> None:
        """Serve, on a loop of this thread's own."""
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
            self.exit_status = 0
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        async with patient_client() as client:  # its connections serve all runs and tasks
            if self._init:
                await register(client, self._settings)
            worker = WarmWorker(self._config, client, await services())
            left = await worker.serve(self._stopping, grace_s=self._settings.worker_grace_s)
        if left:
            # Runs that were handed back still sit on this loop; ending them in an orderly way
            # would run their crash hooks, which delete the files that the next worker needs.
            os._exit(0)
        await close_services()
