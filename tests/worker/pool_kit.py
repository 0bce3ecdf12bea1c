"""A work pool with workers of its own, on the server of a running stack."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from chaos_kit.run import history_of
from stack import ROOT, Stack

POOL = "tests"


class Pool:
    """A work pool of its own on the stack's server, and worker processes that serve it."""

    def __init__(
        self, stack: Stack, name: str = POOL, entrypoint: str = "tiny_flows.tiny", **environ: str
    ) -> None:
        self.api = stack.prefect()
        socket = next(stack.data.rglob("*.sock"))
        self.logs = stack.data / "logs"
        self.environ = os.environ | {
            "PREFECT_API_URL": stack.prefect_api,
            "DEDUP2D_REDIS_URL": f"unix://{socket}",
            "DEDUP2D_REDIS_KEY_PREFIX": f"worker-{name}",
            "DEDUP2D_DATA_DIR": str(stack.data / f"worker-{name}"),
            "DEDUP2D_WORK_POOL": name,
            "DEDUP2D_WORKER_GRACE_SECONDS": "1",
            "PYTHONPATH": str(ROOT / "tests" / "worker"),
        }
        self.environ |= environ
        self.workers: list[subprocess.Popen[bytes]] = []
        self.api.post("/work_pools/", json={"name": name, "type": "process"})
        flow = self.api.post("/flows/", json={"name": entrypoint}).json()
        body = {
            "name": name,
            "flow_id": flow["id"],
            "entrypoint": entrypoint,
            "work_pool_name": name,
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

    def history(self, run_id: str) -> list[dict[str, Any]]:
        return history_of(self.api, run_id)

    def states(self, run_id: str) -> list[str]:
        return [state["name"] for state in self.history(run_id)]

    def close(self) -> None:
        for process in self.workers:
            process.kill()
            process.wait()
        self.api.close()
