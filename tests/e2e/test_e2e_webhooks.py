"""Webhooks that are not accepted at once, on the whole real stack."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e_client import submit, wait_for_end, wait_until
from receiver import Receiver
from stack import Stack

pytestmark = pytest.mark.stack


def test_a_refused_webhook_comes_again_under_its_id_and_can_be_replayed(
    gateway: httpx.Client, samples: Path
) -> None:
    with Receiver([503, 204]) as receiver:
        job_id = submit(gateway, samples / "queries" / "resaved.dxf", callback_url=receiver.url)
        assert wait_for_end(gateway, job_id)["callback_status"] == "pending"
        assert wait_until(lambda: len(receiver.deliveries) == 2)
        log = f"/jobs/{job_id}/deliveries"
        assert wait_until(lambda: gateway.get(log).json()["deliveries"][0]["status"] == "success")
        (shown,) = gateway.get(log).json()["deliveries"]
        assert [attempt["http_status"] for attempt in shown["attempts"]] == [503, 204]
        again = gateway.post(f"{log}/{shown['delivery_id']}/replay")
        assert again.status_code == 202, again.text
        assert wait_until(lambda: len(receiver.deliveries) == 3)
    assert {got.delivery_id for got in receiver.deliveries} == {shown["delivery_id"]}
    assert len({got.body for got in receiver.deliveries}) == 1


def test_a_slow_receiver_changes_nothing_about_its_job(
    gateway: httpx.Client, samples: Path
) -> None:
    """The predecessor's job went from completed to canceled, and was told twice (A3)."""
    with Receiver(pause_s=5) as receiver:
        job_id = submit(gateway, samples / "queries" / "resaved.dxf", callback_url=receiver.url)
        ended = wait_for_end(gateway, job_id)
        assert ended["status"] == "completed"
        assert wait_until(
            lambda: gateway.get(f"/jobs/{job_id}").json()["callback_status"] == "success"
        )
        (told,) = gateway.get(f"/jobs/{job_id}/deliveries").json()["deliveries"]
        assert ended["finished_at"] < told["finished_at"]
        assert gateway.get(f"/jobs/{job_id}").json()["status"] == "completed"
    assert len(receiver.deliveries) == 1


def test_the_deployment_for_stacks_without_a_warm_worker_runs(local_stack: Stack) -> None:
    with local_stack.prefect() as api:
        found = api.get("/deployments/name/deliver-webhooks/deliver-webhooks").raise_for_status()
        path = f"/deployments/{found.json()['id']}/create_flow_run"
        run_id = api.post(path, json={}).raise_for_status().json()["id"]

        def state() -> dict[str, Any]:
            shown: dict[str, Any] = api.get(f"/flow_runs/{run_id}").json()["state"]
            return shown

        assert wait_until(lambda: state()["type"] == "COMPLETED")
        assert state()["message"].endswith(" tried")


def test_a_receiver_that_was_switched_off_is_an_event_in_prefect(local_stack: Stack) -> None:
    code = """
from dedup2d.jobs.events import receiver_disabled
from dedup2d.tickets.deliveries import new_delivery
receiver_disabled(new_delivery("job-1", tenant_id="acme", url="https://plm.example/hook?x=1"))
"""
    environ = os.environ | {"PREFECT_API_URL": local_stack.prefect_api}
    subprocess.run([sys.executable, "-c", code], env=environ, check=True)
    asked = {"filter": {"event": {"name": ["dedup2d.receiver.disabled"]}}}
    with local_stack.prefect() as api:

        def told() -> list[dict[str, Any]]:
            events: list[dict[str, Any]] = api.post("/events/filter", json=asked).json()["events"]
            return events

        assert wait_until(told)
        (event,) = told()
    assert event["resource"]["dedup2d.tenant"] == "acme"
    assert event["payload"]["receiver"] == "https://plm.example"
