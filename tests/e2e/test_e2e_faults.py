"""Faults that the predecessor had, caused on the whole real stack."""

from pathlib import Path

import httpx
import pytest
from e2e_client import KEYS, left_behind, submit, wait_for_end, wait_until
from receiver import Receiver
from stack import BUCKET, Stack, s3_client

pytestmark = pytest.mark.stack
LINE = "0\nLINE\n8\n0\n10\n%d\n20\n0\n11\n%d\n21\n9\n"


def test_completed_is_never_seen_without_its_result(gateway: httpx.Client, samples: Path) -> None:
    """The predecessor showed it to 46 of 60 clients that polled as fast as they could (A6)."""
    jobs = {submit(gateway, samples / "queries" / "resaved.dxf") for _ in range(10)}
    while jobs:
        for job_id in sorted(jobs):
            job = gateway.get(f"/jobs/{job_id}").raise_for_status().json()
            if job["status"] == "completed":
                assert job["result"]["success"] is True
                jobs.remove(job_id)


def test_heavy_drawing_does_not_hold_up_another_job(
    gateway: httpx.Client, samples: Path, tmp_path: Path
) -> None:
    """One drawing of 41 s made everybody wait for 41 s (A15)."""
    heavy = tmp_path / "heavy.dxf"
    lines = "".join(LINE % (n, n + 1) for n in range(1000)) * 1400
    heavy.write_text("0\nSECTION\n2\nENTITIES\n" + lines + "0\nENDSEC\n0\nEOF\n")
    first = submit(gateway, heavy)
    assert wait_until(lambda: gateway.get(f"/jobs/{first}").json()["status"] == "in_progress", 30)
    assert wait_for_end(gateway, submit(gateway, samples / "queries" / "resaved.dxf"))["result"]
    assert gateway.get(f"/jobs/{first}").json()["status"] == "in_progress", "it was not heavy"
    gateway.post(f"/jobs/{first}/cancel").raise_for_status()
    assert wait_for_end(gateway, first)["status"] == "canceled"


def test_upload_that_was_altered_fails_instead_of_being_searched(
    local_stack: Stack, gateway: httpx.Client, samples: Path, receiver: Receiver
) -> None:
    """The predecessor searched with whatever lay there (B7)."""
    with local_stack.prefect() as api:
        api.patch("/work_pools/dedup2d", json={"is_paused": True}).raise_for_status()
        job_id = submit(gateway, samples / "queries" / "resaved.dxf", callback_url=receiver.url)
        upload = next(path for path in (local_stack.data / "uploads").rglob("*") if path.is_file())
        upload.write_bytes((samples / "queries" / "unrelated.dxf").read_bytes())
        api.patch("/work_pools/dedup2d", json={"is_paused": False}).raise_for_status()
    job = wait_for_end(gateway, job_id)
    assert job["status"] == "failed"
    assert job["error"].startswith("FILE_ALTERED: ")
    assert wait_until(lambda: len(receiver.deliveries) == 1)
    assert wait_until(lambda: left_behind(local_stack) == [])


def test_uploads_to_s3_are_cleaned_up_without_being_asked_to(
    s3_stack: Stack, samples: Path
) -> None:
    """The predecessor's default was to keep them (B11)."""
    with s3_stack.client(KEYS[0]) as gateway:
        job_id = submit(gateway, samples / "queries" / "resaved.dxf")
        assert wait_for_end(gateway, job_id)["status"] == "completed"
    s3 = s3_client(s3_stack.environ)
    where = {"Bucket": BUCKET, "Prefix": "dedup2d/uploads"}
    assert s3.list_objects_v2(**where).get("Contents", []) == []
