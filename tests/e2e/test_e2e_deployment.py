"""Runs that Prefect starts: by API or UI, with a path or an S3 address, on the real stack."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e_client import wait_until
from stack import BUCKET, ROOT, Stack, s3_client

pytestmark = pytest.mark.stack
SIX = ["store-file", "enqueue-ref", "load", "dedup", "notify", "cleanup"]


def start_run(api: httpx.Client, parameters: dict[str, Any]) -> str:
    deployment = api.get("/deployments/name/dedup-job/dedup-job").raise_for_status().json()
    run = api.post(
        f"/deployments/{deployment['id']}/create_flow_run", json={"parameters": parameters}
    )
    return str(run.raise_for_status().json()["id"])


def end_state(api: httpx.Client, run_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while True:
        state: dict[str, Any] = api.get(f"/flow_runs/{run_id}").json()["state"]
        if state["type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}:
            return state
        assert time.monotonic() < deadline, state
        time.sleep(0.1)


def task_names(api: httpx.Client, run_id: str) -> list[str]:
    where = {"flow_runs": {"id": {"any_": [run_id]}}, "sort": "EXPECTED_START_TIME_ASC"}
    runs = api.post("/task_runs/filter", json=where).json()
    return [run["name"] for run in runs]


def artifact_keys(api: httpx.Client, run_id: str) -> set[str]:
    where = {"artifacts": {"flow_run_id": {"any_": [run_id]}}}
    return {a["key"] for a in api.post("/artifacts/filter", json=where).json()}


def test_run_with_a_local_path_has_the_six_tasks_and_artifacts(
    local_stack: Stack, samples: Path
) -> None:
    source = str(min((samples / "vault").glob("*.dxf")))
    with local_stack.prefect() as api:
        run_id = start_run(api, {"sources": [source]})
        assert end_state(api, run_id)["type"] == "COMPLETED"
        assert wait_until(lambda: sorted(task_names(api, run_id)) == sorted(SIX))
        assert "dedup2d-matches" in artifact_keys(api, run_id)
        assert api.get(f"/flow_runs/{run_id}").json()["name"] == Path(source).name
    assert list((local_stack.data / "uploads").rglob("*")) == []
    assert Path(source).exists(), "a source that is not ours is never deleted"


def test_run_with_an_s3_address_reads_it_and_leaves_it(s3_stack: Stack, samples: Path) -> None:
    s3 = s3_client(s3_stack.environ)
    s3.upload_file(str(samples / "queries" / "resaved.dxf"), BUCKET, "inbox/resaved.dxf")
    with s3_stack.prefect() as api:
        run_id = start_run(api, {"sources": [f"s3://{BUCKET}/inbox/resaved.dxf"]})
        assert end_state(api, run_id)["type"] == "COMPLETED"
        assert wait_until(lambda: sorted(task_names(api, run_id)) == sorted(SIX))
    left = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert "inbox/resaved.dxf" in left
    assert not [key for key in left if key.startswith("dedup2d/uploads")]


def test_run_with_a_missing_source_says_so_without_a_path_of_ours(local_stack: Stack) -> None:
    with local_stack.prefect() as api:
        state = end_state(api, start_run(api, {"sources": ["no/such/file.dxf"]}))
    assert state["type"] == "FAILED"
    assert state["message"].startswith("SOURCE_NOT_FOUND: ")


def planned_runs(api: httpx.Client, deployment: str) -> list[dict[str, Any]]:
    found = api.get(f"/deployments/name/{deployment}").raise_for_status().json()
    where = {"deployments": {"id": {"any_": [found["id"]]}}}
    runs: list[dict[str, Any]] = api.post("/flow_runs/filter", json=where).json()
    return [run for run in runs if run["auto_scheduled"]]


def test_prefects_scheduler_plans_the_sweep(local_stack: Stack) -> None:
    """With SQLAlchemy 2.1 Prefect 3.8.8 registered the schedule and never planned a run."""
    with local_stack.prefect() as api:
        assert wait_until(lambda: planned_runs(api, "collect-garbage/collect-garbage"), 90)


def test_prefect_deploy_all_works_beside_ours(local_stack: Stack) -> None:
    command = [Path(sys.executable).parent / "prefect", "--no-prompt", "deploy", "--all"]
    environ = {"PREFECT_API_URL": local_stack.prefect_api, "PATH": str(Path(sys.executable).parent)}
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("stack_name", "block"),
    [("local_stack", "dedup2d-local-store"), ("s3_stack", "dedup2d-s3-store")],
)
def test_run_uses_the_store_block_that_was_picked(
    request: pytest.FixtureRequest, samples: Path, stack_name: str, block: str
) -> None:
    stack: Stack = request.getfixturevalue(stack_name)
    with stack.prefect() as api:
        documents = api.get(f"/block_types/slug/{block}/block_documents").json()
        picked = {"$ref": {"block_document_id": documents[0]["id"]}}
        source = str(samples / "queries" / "resaved.dxf")
        state = end_state(api, start_run(api, {"sources": [source], "store": picked}))
    assert state["type"] == "COMPLETED", state
