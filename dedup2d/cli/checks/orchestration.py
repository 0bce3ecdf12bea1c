"""The Prefect server: does it answer, and does it know of us?"""

from __future__ import annotations

import httpx
import prefect
from prefect.client.orchestration import PrefectClient
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings

from dedup2d.cli.checks.finding import Finding, fail, ok, warn
from dedup2d.cli.checks.machine import number_of
from dedup2d.jobs.model import DEPLOYMENT_NAME
from dedup2d.settings import Settings

RUN_INIT = "run 'dedup2d init'"


async def orchestration(settings: Settings) -> list[Finding]:
    """API, versions, deployments, work pool, and a worker that is alive."""
    address = get_current_settings().api.url
    if address is None:
        advice = "set PREFECT_API_URL, for 'dedup2d up' http://127.0.0.1:4200/api; check, diff and index need none"
        return [warn("prefect", "PREFECT_API_URL is not set", advice)]
    async with PrefectClient(api=address) as client:
        failure = await client.api_healthcheck()
        if failure is not None:
            advice = "start it ('dedup2d up', 'prefect server start'), or mend PREFECT_API_URL"
            return [fail("prefect", f"{address} does not answer: {failure}", advice)]
        try:
            return [
                await _version(client, address),
                await _deployment(client),
                *await _workers(client, settings.work_pool),
            ]
        except httpx.HTTPError as error:
            return [fail("prefect", f"{address}: {error}", "see the server's log")]


async def _version(client: PrefectClient, address: str) -> Finding:
    theirs, ours = await client.api_version(), prefect.__version__
    said = f"server {theirs} at {address}, client {ours}"
    if number_of(theirs)[:2] != number_of(ours)[:2]:
        return warn("prefect", said, "use the same version on both sides")
    return ok("prefect", said)


async def _deployment(client: PrefectClient) -> Finding:
    try:
        found = await client.read_deployment_by_name(DEPLOYMENT_NAME)
    except ObjectNotFound:
        return fail("deployment", f"{DEPLOYMENT_NAME} is not there", RUN_INIT)
    if found.paused:
        return warn("deployment", f"{DEPLOYMENT_NAME} is paused", "resume it in Prefect's UI")
    return ok("deployment", f"{DEPLOYMENT_NAME} on pool {found.work_pool_name}")


async def _workers(client: PrefectClient, pool_name: str) -> list[Finding]:
    try:
        pool = await client.read_work_pool(pool_name)
    except ObjectNotFound:
        return [fail("work pool", f"{pool_name} is not there", RUN_INIT)]
    if pool.is_paused:
        findings = [warn("work pool", f"{pool_name} is paused", "resume it in Prefect's UI")]
    else:
        findings = [ok("work pool", f"{pool_name}, type {pool.type}")]
    workers = await client.read_workers_for_work_pool(pool_name)
    online = [worker.name for worker in workers if worker.status == "ONLINE"]
    if not online:
        return [*findings, fail("worker", f"none is alive on {pool_name}", "run 'dedup2d worker'")]
    return [*findings, ok("worker", f"{len(online)} alive: {', '.join(sorted(online)[:5])}")]
