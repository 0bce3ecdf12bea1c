"""A job from upload to verdict, webhook and cleanup, on the whole real stack."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e_client import KEYS, SECRET, best_match, left_behind, submit, wait_for_end, wait_until
from receiver import Receiver
from stack import Stack

from dedup2d.webhooks.signature import verify

pytestmark = pytest.mark.stack


@pytest.mark.parametrize(
    ("query", "relation"),
    [
        ("resaved.dxf", "same"),
        ("rotated.dxf", "same"),
        ("revision.dxf", "revision"),
        ("mirrored.dxf", "variant"),
        ("unrelated.dxf", None),
    ],
)
def test_verdict_is_right_and_nothing_is_left(
    local_stack: Stack, gateway: httpx.Client, samples: Path, query: str, relation: str | None
) -> None:
    job = wait_for_end(gateway, submit(gateway, samples / "queries" / query))
    assert job["status"] == "completed", job
    match = best_match(job)
    assert (match and match["relation"]) == relation
    assert wait_until(lambda: left_behind(local_stack) == [])


def test_webhook_comes_once_signed_and_with_the_result(
    gateway: httpx.Client, samples: Path, receiver: Receiver
) -> None:
    job_id = submit(gateway, samples / "queries" / "resaved.dxf", callback_url=receiver.url)
    job = wait_for_end(gateway, job_id)
    assert wait_until(lambda: len(receiver.deliveries) == 1)
    got = receiver.deliveries[0]
    assert verify(SECRET, got.signature, job_id, got.body)
    body = json.loads(got.body)
    assert body["status"] == "completed"
    assert body["result"] == job["result"]
    assert wait_for_end(gateway, job_id)["callback_status"] == "success"


def test_broken_drawing_fails_with_its_code_and_a_webhook(
    local_stack: Stack, gateway: httpx.Client, samples: Path, receiver: Receiver
) -> None:
    job_id = submit(gateway, samples / "queries" / "broken.dxf", callback_url=receiver.url)
    job = wait_for_end(gateway, job_id)
    assert job["status"] == "failed"
    assert job["error"].startswith("TRUNCATED_DRAWING: ")
    assert str(local_stack.data) not in job["error"]
    assert wait_until(
        lambda: [json.loads(d.body)["status"] for d in receiver.deliveries] == ["failed"]
    )
    assert wait_until(lambda: left_behind(local_stack) == [])


def test_several_drawings_in_one_job_get_a_report_each(
    gateway: httpx.Client, samples: Path
) -> None:
    names = ["resaved.dxf", "broken.dxf", "unrelated.dxf"]
    files = [("file", (n, (samples / "queries" / n).read_bytes())) for n in names]
    answer = gateway.post("/search", params={"async": "true"}, files=files)
    job = wait_for_end(gateway, answer.raise_for_status().json()["job_id"])
    assert job["status"] == "completed", job
    reports = job["result"]["reports"]
    assert [r["query"]["file_name"] for r in reports] == names
    assert [bool(r["error"]) for r in reports] == [False, True, False]


def test_same_idempotency_key_gives_the_same_job(gateway: httpx.Client, samples: Path) -> None:
    def post() -> str:
        answer = gateway.post(
            "/search",
            params={"async": "true"},
            files={"file": ("a.dxf", (samples / "queries" / "resaved.dxf").read_bytes())},
            headers={"Idempotency-Key": "once"},
        )
        return str(answer.raise_for_status().json()["job_id"])

    first = post()
    assert post() == first
    wait_for_end(gateway, first)
    assert post() == first


def test_unknown_job_is_404_and_another_tenants_403(
    local_stack: Stack, gateway: httpx.Client, samples: Path
) -> None:
    job_id = submit(gateway, samples / "queries" / "resaved.dxf")
    unknown = gateway.get("/jobs/00000000-0000-0000-0000-000000000000")
    assert (unknown.status_code, unknown.json()["detail"]["error"]) == (404, "JOB_NOT_FOUND")
    with local_stack.client(KEYS[1]) as other:
        foreign = other.get(f"/jobs/{job_id}")
        assert (foreign.status_code, foreign.json()["detail"]["error"]) == (403, "JOB_FORBIDDEN")
        assert other.post(f"/jobs/{job_id}/cancel").status_code == 403
    wait_for_end(gateway, job_id)


def test_another_tenants_vault_is_not_searched(local_stack: Stack, samples: Path) -> None:
    with local_stack.client(KEYS[1]) as other:
        job = wait_for_end(other, submit(other, samples / "queries" / "resaved.dxf"))
    assert job["result"]["total_matches"] == 0


def _pool(stack: Stack, *, paused: bool) -> None:
    with stack.prefect() as api:
        api.patch("/work_pools/dedup2d", json={"is_paused": paused}).raise_for_status()


def test_cancel_before_the_start_leaves_nothing_and_tells_once(
    local_stack: Stack, gateway: httpx.Client, samples: Path, receiver: Receiver
) -> None:
    _pool(local_stack, paused=True)
    try:
        job_id = submit(gateway, samples / "queries" / "resaved.dxf", callback_url=receiver.url)
        assert gateway.get(f"/jobs/{job_id}").json()["status"] == "pending"
        assert gateway.post(f"/jobs/{job_id}/cancel").json()["canceled"] is True
        assert wait_for_end(gateway, job_id)["status"] == "canceled"
        assert wait_until(lambda: left_behind(local_stack) == [])
    finally:
        _pool(local_stack, paused=False)
    statuses: list[Any] = [json.loads(d.body)["status"] for d in receiver.deliveries]
    assert statuses == ["canceled"]


def test_run_cancelled_in_prefects_ui_before_it_started_is_swept(
    local_stack: Stack, gateway: httpx.Client, samples: Path, receiver: Receiver
) -> None:
    _pool(local_stack, paused=True)
    try:
        job_id = submit(gateway, samples / "queries" / "resaved.dxf", callback_url=receiver.url)
        with local_stack.prefect() as api:
            state = {"state": {"type": "CANCELLING"}}
            api.post(f"/flow_runs/{job_id}/set_state", json=state).raise_for_status()
            assert api.get(f"/flow_runs/{job_id}").json()["state_type"] == "CANCELLED"
    finally:
        _pool(local_stack, paused=False)
    assert left_behind(local_stack), "no hook runs for such a run"
    with local_stack.prefect() as api:
        found = api.get("/deployments/name/collect-garbage/collect-garbage").json()
        api.post(f"/deployments/{found['id']}/create_flow_run", json={}).raise_for_status()
    assert wait_until(lambda: left_behind(local_stack) == [], 30)
    assert wait_until(lambda: len(receiver.deliveries) == 1)
    assert json.loads(receiver.deliveries[0].body)["status"] == "canceled"
