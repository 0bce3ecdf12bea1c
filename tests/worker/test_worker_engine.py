"""What we rely on in Prefect's engine below its documented interface."""

import json
import os
import subprocess
import sys

import pytest
from stack import ROOT, Stack

pytestmark = pytest.mark.stack

PROGRAM = """
import asyncio, json, logging, sys, threading
from uuid import UUID
from prefect.context import AsyncClientContext
from prefect.states import Pending
from dedup2d.worker.engine import load_flow, run_in_process

asked = []

class Requests(logging.Handler):
    def emit(self, record):
        method, url = record.args[:2]
        asked.append(f"{method} {str(url).split('/api/')[1]}")

async def main():
    flow = load_flow("tiny_flows.tiny")
    async with AsyncClientContext() as context:
        client = context.client
        deployment = await client.create_deployment(await client.create_flow(flow), "asked")
        run = await client.create_flow_run_from_deployment(
            deployment, parameters={"seconds": 0.01}
        )
        run.state = (await client.set_flow_run_state(run.id, Pending())).state
        logging.getLogger("httpx").addHandler(Requests())
        logging.getLogger("httpx").setLevel(logging.INFO)
        before = set(threading.enumerate())
        state = await run_in_process(flow, run)
        new = {t.name for t in set(threading.enumerate()) - before}
        shown = [a.replace(str(run.id), "ID") for a in asked]
        kept = await client.read_flow_run(run.id)
    print(json.dumps([state.type.value, str(kept.deployment_id) == str(deployment), shown,
                      [name for name in new if "observer" in name]]))

asyncio.run(main())
"""
ONE_RUN = [  # each costs the server 5 to 15 ms, and the job its round trip
    "PATCH flow_runs/ID",
    "POST flow_runs/ID/set_state",
    "GET flow_runs/ID",
    "POST flow_runs/ID/set_state",
]


def test_one_run_asks_the_server_four_times_and_is_not_watched(local_stack: Stack) -> None:
    """No look-up of result storage, no name, no connection of its own, no thread that observes."""
    environ = os.environ | {
        "PREFECT_API_URL": local_stack.prefect_api,
        "PREFECT_LOGGING_TO_API_ENABLED": "0",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "tests" / "worker"), str(ROOT)]),
    }
    command = [sys.executable, "-c", PROGRAM]
    ended = subprocess.run(
        command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    state, has_deployment, asked, observers = json.loads(ended.stdout.strip().splitlines()[-1])
    assert (state, has_deployment, observers) == ("COMPLETED", True, [])
    assert asked == ONE_RUN
