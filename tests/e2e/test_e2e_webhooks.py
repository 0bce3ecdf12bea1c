"""Webhooks that are not accepted at once, on the whole real stack."""

from pathlib import Path

import httpx
import pytest
from e2e_client import submit, wait_for_end, wait_until
from receiver import Receiver

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
