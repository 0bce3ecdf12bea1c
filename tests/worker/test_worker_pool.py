"""Workers on one pool of a real Prefect server: nothing runs twice, nothing is lost."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from e2e_client import wait_until
from stack import ROOT, Stack

pytestmark = pytest.mark.stack
POOL = "tests"


class Pool:
    """A work pool of its own on the stack's server, and worker processes that serve it."""

    def __init__(self, stack: Stack) -> None:
        self.api = stack.prefect()
        socket = next(stack.data.rglob("*.sock"))
        self.logs = stack.data / "logs"
        self.environ = os.environ | {
            "PREFECT_API_URL": stack.prefect_api,
            "DEDUP2D_REDIS_URL": f"unix://{socket}",
            "DEDUP2D_REDIS_KEY_PREFIX": "worker-tests",
            "DEDUP2D_DATA_DIR": str(stack.data / "worker-tests"),
            "DEDUP2D_WORK_POOL": POOL,
            "DEDUP2D_WORKER_GRACE_SECONDS": "1",
            "PYTHONPATH": str(ROOT / "tests" / "worker"),
        }
        self.workers: list[subprocess.Popen[bytes]] = []
        self.api.post("/work_pools/", json={"name": POOL, "type": "process"})
        flow = self.api.post("/flows/", json={"name": "tiny"}).json()
        body = {
            "name": "tiny",
            "flow_id": flow["id"],
            "entrypoint": "tiny_flows.tiny",
            "work_pool_name": POOL,
        }
        self.deployment = self.api.post("/deployments/", json=body).json()["id"]

    def worker(self, name: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dedup2d.cli", "worker", "--name", name]
        with (self.logs / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(command, env=self.environ, cwd=ROOT, stderr=log)
        self.workers.append(process)
        return process

    def start(self, **parameters: Any) -> str:
        path = f"/deployments/{self.deployment}/create_flow_run"
        answer = self.api.post(path, json={"parameters": parameters})
        assert answer.is_success, answer.text
        return str(answer.json()["id"])

    def run(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"/flow_runs/{run_id}").json()
        return found

    def is_in(self, state: str, run_id: str) -> Callable[[], bool]:
        return lambda: self.run(run_id)["state_type"] == state

    def states(self, run_id: str) -> list[str]:
        history = self.api.get("/flow_run_states/", params={"flow_run_id": run_id}).json()
        return [state["name"] for state in sorted(history, key=lambda s: s["timestamp"])]

    def close(self) -> None:
        for process in self.workers:
            process.kill()
            process.wait()
        self.api.close()


@pytest.fixture
def pool(local_stack: Stack) -> Iterator[Pool]:
    made = Pool(local_stack)
    yield made
    made.close()


def test_two_workers_share_runs_and_none_runs_twice(pool: Pool) -> None:
    pool.worker("one")
    pool.worker("two")
    runs = [pool.start(seconds=0.1) for _ in range(12)]
    assert wait_until(lambda: all(pool.is_in("COMPLETED", r)() for r in runs), 60)
    assert {pool.run(r)["run_count"] for r in runs} == {1}
    assert [s.count("Running") for s in map(pool.states, runs)] == [1] * len(runs)


def test_killed_workers_run_is_run_again_by_another(pool: Pool) -> None:
    doomed = pool.worker("doomed")
    run_id = pool.start(seconds=5)
    assert wait_until(pool.is_in("RUNNING", run_id), 90)
    doomed.kill()
    doomed.wait()
    killed_at = time.monotonic()
    pool.worker("heir")
    assert wait_until(lambda: "WorkerLost" in pool.states(run_id), 90)
    assert time.monotonic() - killed_at < 25, "noticed late (worker start included)"
    assert wait_until(pool.is_in("COMPLETED", run_id), 90)
    assert pool.run(run_id)["run_count"] == 2


def test_stopped_worker_hands_its_run_back_uncancelled(pool: Pool) -> None:
    leaving = pool.worker("leaving")
    run_id = pool.start(seconds=50)
    assert wait_until(pool.is_in("RUNNING", run_id), 90)
    leaving.terminate()
    assert leaving.wait(60) == 0, (pool.logs / "leaving.log").read_text()
    assert pool.states(run_id)[-1] == "HandedBack"
    pool.api.post(f"/flow_runs/{run_id}/set_state", json={"state": {"type": "CANCELLING"}})


def test_cancelled_run_stops_within_two_seconds(pool: Pool) -> None:
    pool.worker("one")
    run_id = pool.start(seconds=50)
    assert wait_until(pool.is_in("RUNNING", run_id), 90)
    asked = time.monotonic()
    pool.api.post(f"/flow_runs/{run_id}/set_state", json={"state": {"type": "CANCELLING"}})
    assert wait_until(pool.is_in("CANCELLED", run_id), 40)
    assert time.monotonic() - asked < 3
