"""GET /2d/health: 200 only when a job that is submitted now would be worked on."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from dedup2d import __version__
from dedup2d.errors import Dedup2DError, ServiceError
from dedup2d.fileref import Backend
from dedup2d.gateway.bodies import Check, Health
from dedup2d.gateway.documents import answers
from dedup2d.gateway.errors import ERROR_HEADER, RETRY_AFTER_S, predecessors_sentence
from dedup2d.gateway.examples import HEALTH
from dedup2d.gateway.refusals import HEALTH_PROBLEMS
from dedup2d.gateway.state import Gateway, gateway_of
from dedup2d.jobs.model import DEPLOYMENT_NAME

logger = logging.getLogger(__name__)
router = APIRouter(tags=["health"])

CHECK_S: Final = 4.0  # a check that takes longer has failed
FRESH_S: Final = 1.0  # an answer is given to everybody who asks within that time
SILENCE: Final = timedelta(seconds=45)  # a worker beats every 10 s
MOST_WORKERS: Final = 200  # the server's own limit for one answer
TENANTS: Final = "tenants"  # of an index; who they are is not for everybody
PROBE: Final = "health-probe"  # a folder that no job has


@router.get(
    "/2d/health",
    summary="Can jobs be taken and worked on?",
    response_model=Health,
    responses=answers(HEALTH, HEALTH_PROBLEMS),
)
async def health(request: Request) -> Response:
    """Needs no API key. 503 names the checks that failed."""
    gateway = gateway_of(request)
    async with gateway.examined.lock:
        now = asyncio.get_running_loop().time()
        if gateway.examined.answer is None or now - gateway.examined.at > FRESH_S:
            gateway.examined.answer = await examine(gateway)
            gateway.examined.at = now
        found: Health = gateway.examined.answer
    body = found.model_dump(mode="json")
    failed = sorted(name for name, check in found.checks.items() if not check.ok)
    if not failed:
        return JSONResponse(body)
    code = found.checks[failed[0]].code if len(failed) == 1 else ""
    detail: Any = predecessors_sentence(code)
    if detail is None:
        code = "UNHEALTHY"
        detail = body | {"error": code, "message": f"Not ready: {', '.join(failed)}."}
    headers = {"Retry-After": str(RETRY_AFTER_S), ERROR_HEADER: code}
    return JSONResponse({"detail": detail}, 503, headers=headers)


async def examine(gateway: Gateway) -> Health:
    """Ask everything that a job needs, at the same time."""
    checks = {
        "prefect": _prefect(gateway),
        "redis": _redis(gateway),
        "store": _store(gateway),
        "worker": _worker(gateway),
        "matcher": _matcher(gateway),
    }
    done = await asyncio.gather(*(_checked(name, check) for name, check in checks.items()))
    results = dict(zip(checks, done, strict=True))
    healthy = all(check.ok for check in results.values())
    return Health(
        status="healthy" if healthy else "unhealthy",
        version=__version__,
        indexes=gateway.examined.indexes,
        checks=results,
    )


async def check_matcher(gateway: Gateway) -> Check:
    """Whether drawings can be matched; ``examined.indexes`` is up to date then."""
    return await _checked("matcher", _matcher(gateway))


async def _checked(name: str, check: Coroutine[Any, Any, None]) -> Check:
    try:
        async with asyncio.timeout(CHECK_S):
            await check
    except TimeoutError:
        return Check(ok=False, message=f"no answer within {CHECK_S:g} s")
    except Dedup2DError as error:
        return Check(ok=False, message=error.message, code=error.code)
    except Exception as error:
        # The edge of one check: the others must be reported, and the log says what this one had.
        logger.warning("health check %s failed", name, exc_info=error)
        return Check(ok=False, message=f"failed ({type(error).__name__})")
    return Check(ok=True)


async def _prefect(gateway: Gateway) -> None:
    from prefect.exceptions import ObjectNotFound  # noqa: PLC0415 - takes seconds

    from dedup2d.jobs.service import prefect_faults  # noqa: PLC0415 - imports Prefect

    try:
        with prefect_faults():
            await gateway.prefect.read_deployment_by_name(DEPLOYMENT_NAME)
    except ObjectNotFound:
        raise ServiceError(
            "prefect", f"There is no deployment {DEPLOYMENT_NAME}; run 'dedup2d init'."
        ) from None


async def _worker(gateway: Gateway) -> None:
    from prefect.exceptions import ObjectNotFound  # noqa: PLC0415 - takes seconds

    from dedup2d.jobs.service import prefect_faults  # noqa: PLC0415 - imports Prefect

    pool = gateway.settings.work_pool
    try:
        with prefect_faults():
            # The server refuses the client's own defaults, which are null.
            workers = await gateway.prefect.read_workers_for_work_pool(
                pool, offset=0, limit=MOST_WORKERS
            )
    except ObjectNotFound:
        raise ServiceError("worker", f"There is no work pool {pool}; run 'dedup2d init'.") from None
    limit = datetime.now(UTC) - SILENCE
    beats = (worker.last_heartbeat_time for worker in workers)
    if not any(beat is not None and beat > limit for beat in beats):
        raise ServiceError("worker", f"No worker serves the work pool {pool}.")


async def _redis(gateway: Gateway) -> None:
    await gateway.services.queue.counts()


async def _store(gateway: Gateway) -> None:
    """A look-up that finds nothing; it fails where the folder or bucket cannot be used."""
    for store in (gateway.services.uploads, gateway.services.results):
        await asyncio.to_thread(store.read_bytes, PROBE, PROBE, max_bytes=1)
    settings = gateway.settings
    if settings.file_storage is Backend.LOCAL:
        for path in (settings.uploads_path, settings.results_path):
            await asyncio.to_thread(_check_writable, path)


def _check_writable(folder: Path) -> None:
    while not folder.exists():
        folder = folder.parent  # it is made with the first file
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ServiceError("store", "The folder of the file store cannot be written to.")


async def _matcher(gateway: Gateway) -> None:
    """Its own health; starting the first child may take longer than one check has time."""
    examined = gateway.examined
    if examined.asking is None or examined.asking.done():
        examined.asking = asyncio.create_task(gateway.services.matcher.health())
    answer = await asyncio.shield(examined.asking)
    holds = answer.get("indexes", {})
    # Whoever asks is nobody's tenant: who the tenants are is not theirs to know.
    examined.indexes = {name: about for name, about in holds.items() if name != TENANTS}
    if answer.get("status") == "unhealthy":
        raise ServiceError("matcher", answer.get("error", "The matcher is not healthy."))
