"""A look into the queue may be old when a worker comes to claim what it showed."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from chaos_kit.run import history_of
from e2e_client import submit, wait_for_end
from stack import ROOT, Stack

pytestmark = pytest.mark.stack

PROGRAM = """
import asyncio, sys
from uuid import UUID
from dedup2d.jobs.opening import close_services, services
from dedup2d.worker.engine import patient_client
from dedup2d.worker.warm import WarmWorker, WorkerConfig

async def main():
    async with patient_client() as client:
        worker = WarmWorker(WorkerConfig("dedup2d", 1, "late"), client, await services())
        await worker._claim(await client.read_flow_run(UUID(sys.argv[1])))
        assert not worker._running
    await close_services()

asyncio.run(main())
"""


def test_a_run_that_has_ended_since_the_look_does_not_begin_again(
    local_stack: Stack, gateway: httpx.Client, samples: Path
) -> None:
    """Prefect would let it: it refuses Pending only to runs that are claimed or run."""
    job_id = submit(gateway, samples / "queries" / "resaved.dxf")
    assert wait_for_end(gateway, job_id)["status"] == "completed"
    socket = next(local_stack.data.rglob("*.sock"))
    environ = {
        **os.environ,
        "PREFECT_API_URL": local_stack.prefect_api,
        "DEDUP2D_DATA_DIR": str(local_stack.data),
        "DEDUP2D_REDIS_URL": f"unix://{socket}",
    }
    command = [sys.executable, "-c", PROGRAM, job_id]
    subprocess.run(command, env=environ, cwd=ROOT, timeout=120, check=True)
    with local_stack.prefect() as api:
        names = [state["name"] for state in history_of(api, job_id)]
    assert names[-1] == "Completed"
    assert names.count("Pending") == 1
