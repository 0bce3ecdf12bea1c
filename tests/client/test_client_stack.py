"""The client against the whole real stack."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e_client import KEYS
from stack import Stack

from dedup2d.client import Dedup2D
from dedup2d.errors import ConflictError, RequestError, ServiceError
from dedup2d.jobs.model import JobStatus
from dedup2d.report import Relation

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def client(local_stack: Stack) -> Iterator[Dedup2D]:
    """Tenant a."""
    with Dedup2D(f"http://127.0.0.1:{local_stack.port}", KEYS[0]) as connected:
        yield connected


@pytest.fixture(scope="module")
def drawing(samples: Path) -> Path:
    """A drawing of the vault."""
    return min((samples / "vault").glob("*.dxf"))


def test_check_gives_the_report(client: Dedup2D, drawing: Path) -> None:
    assert client.check(drawing).matches[0].relation is Relation.EXACT


def test_check_waits_where_the_server_makes_a_job_of_it(client: Dedup2D, drawing: Path) -> None:
    assert client.check(drawing, mode="precise").matches[0].relation is Relation.EXACT


def test_check_says_why_a_drawing_cannot_be_read(client: Dedup2D, tmp_path: Path) -> None:
    broken = tmp_path / "broken.dxf"
    broken.write_text("no drawing")
    with pytest.raises(RequestError) as error:
        client.check(broken)
    assert error.value.code.isupper()
    assert error.value.code != "BAD_REQUEST"


def test_a_submitted_job_ends_with_its_result(client: Dedup2D, drawing: Path) -> None:
    sent = client.submit(drawing, max_results=1)
    job = client.wait(sent.job_id)
    assert job.status is JobStatus.COMPLETED
    assert job.result
    assert job.result["total_matches"] == 1
    assert sent.job_id in {listed.job_id for listed in client.iter_jobs("completed")}


def test_several_drawings_are_one_job_with_a_report_of_each(client: Dedup2D, drawing: Path) -> None:
    job = client.wait(client.submit(drawing, drawing).job_id)
    assert job.result
    assert len(job.result["reports"]) == 2


@pytest.mark.parametrize("store", ["local_stack", "s3_stack"])
def test_drawings_are_sent_to_the_store_itself(
    request: pytest.FixtureRequest, drawing: Path, store: str
) -> None:
    stack = request.getfixturevalue(store)
    with Dedup2D(f"http://127.0.0.1:{stack.port}", KEYS[0]) as client:
        job = client.wait(client.submit(drawing, drawing, direct=True).job_id)
    assert job.status is JobStatus.COMPLETED, job.error
    assert job.result
    exact = [report["duplicates"][0]["relation"] for report in job.result["reports"]]
    assert exact == ["exact", "exact"]


def test_what_was_sent_and_not_used_is_swept(local_stack: Stack, drawing: Path) -> None:
    with Dedup2D(f"http://127.0.0.1:{local_stack.port}", KEYS[0]) as client:
        upload_id = client.upload(drawing)
    folder = local_stack.data / "uploads" / upload_id
    (sent,) = folder.iterdir()
    assert sent.read_bytes() == drawing.read_bytes()
    sweep(local_stack)
    assert sent.exists()
    old = time.time() - 3700
    os.utime(sent, (old, old))
    sweep(local_stack)
    assert not folder.exists()


def sweep(stack: Stack) -> None:
    """What the schedule does, by hand."""
    command = [sys.executable, "-m", "dedup2d.cli", "gc", "--execute", "--data", str(stack.data)]
    redis = next(stack.data.rglob("*.sock"))
    environ = {"PREFECT_API_URL": stack.prefect_api, "DEDUP2D_REDIS_URL": f"unix://{redis}"}
    subprocess.run(command, env=os.environ | environ, check=True, timeout=120)


def test_the_same_key_gives_the_same_job(client: Dedup2D, drawing: Path) -> None:
    first = client.submit(drawing, idempotency_key="order-1")
    assert client.submit(drawing, idempotency_key="order-1").job_id == first.job_id
    with pytest.raises(ConflictError):
        client.submit(drawing, idempotency_key="order-1", max_results=3)


def test_waiting_ends_when_told_and_the_job_goes_on(client: Dedup2D, drawing: Path) -> None:
    sent = client.submit(drawing)
    with pytest.raises(ServiceError) as error:
        client.wait(sent.job_id, timeout_s=0)
    assert error.value.code == "WAIT_TIMEOUT"
    assert client.wait(sent.job_id).status is JobStatus.COMPLETED


def test_a_cancelled_job_has_ended(client: Dedup2D, drawing: Path) -> None:
    sent = client.submit(drawing)
    client.cancel(sent.job_id)
    assert client.wait(sent.job_id).status.is_terminal


@pytest.mark.parametrize("job_id", ["nope", "00000000-0000-4000-8000-000000000000", "a/../b"])
def test_an_unknown_job_is_an_error_with_its_code(client: Dedup2D, job_id: str) -> None:
    with pytest.raises(RequestError) as error:
        client.job(job_id)
    assert error.value.code in {"JOB_NOT_FOUND", "NOT_FOUND"}


def test_a_wrong_key_is_refused(local_stack: Stack) -> None:
    with (
        Dedup2D(f"http://127.0.0.1:{local_stack.port}", "wrong") as client,
        pytest.raises(RequestError) as error,
    ):
        list(client.iter_jobs())
    assert error.value.code == "UNAUTHORIZED"


def test_health_and_presets_of_a_running_stack(client: Dedup2D) -> None:
    assert client.health()["status"] == "healthy"
