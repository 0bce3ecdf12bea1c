"""The predecessor's end-to-end check, from outside: a vision service, a receiver, HTTP only."""

import hashlib
import hmac
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from chaos_kit.run import history_of
from e2e_client import ENDED, KEYS, SECRET, left_behind, submit, wait_for_end, wait_until
from receiver import Receiver
from stack import ROOT, Stack, running_stack

sys.path.insert(0, str(ROOT / "tests" / "vision"))
from fake_vision import FakeVision, Misbehaviour

pytestmark = pytest.mark.stack


GEOMETRY = b'{"entities": [{"type": "LINE", "start": [0, 0], "end": [9, 0]}]}'


@pytest.fixture(scope="module")
def vision() -> Iterator[FakeVision]:
    server = FakeVision()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def vision_stack(tmp_path_factory: pytest.TempPathFactory, vision: FakeVision) -> Iterator[Stack]:
    environ = {
        "API_KEYS": ",".join(KEYS),
        "DEDUP2D_CALLBACK_HMAC_SECRET": SECRET,
        "DEDUP2D_CALLBACK_ALLOW_HTTP": "1",
        "DEDUP2D_CALLBACK_BLOCK_PRIVATE_NETWORKS": "0",
        "DEDUP2D_MATCHER": "vision",
        "DEDUPCAD_VISION_URL": vision.url,
        "DEDUPCAD_VISION_RETRY_MAX_ATTEMPTS": "1",
        "DEDUP2D_ASYNC_JOB_TIMEOUT_SECONDS": "8",
        "DEDUP2D_WORKER_GRACE_SECONDS": "1",
        "DEDUP2D_REDIS_KEY_PREFIX": "teamx",  # the predecessor's worker listened elsewhere (A14)
    }
    with running_stack(tmp_path_factory.mktemp("vision"), environ) as stack:
        yield stack


@pytest.fixture
def client(vision_stack: Stack, vision: FakeVision) -> Iterator[httpx.Client]:
    vision.forget()
    with vision_stack.client(KEYS[0]) as client:
        yield client


@pytest.fixture
def png(tmp_path: Path) -> Path:
    path = tmp_path / "drawing.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100)
    return path


def test_predecessors_check_passes(
    vision_stack: Stack, client: httpx.Client, receiver: Receiver, png: Path
) -> None:
    """With a prefix of one's own in Redis (A14)."""
    job_id = submit(client, png, callback_url=receiver.url)
    job = wait_for_end(client, job_id)
    assert job["status"] == "completed", job
    assert job["result"]["duplicates"][0]["file_name"] == "flange.png"
    assert wait_until(lambda: len(receiver.deliveries) == 1)
    got = receiver.deliveries[0]
    parts = dict(part.split("=", 1) for part in got.signature.split(","))
    signed = f"{parts['t']}.{job_id}.".encode() + got.body
    assert parts["v1"] == hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert wait_until(lambda: left_behind(vision_stack) == [])


def test_cancel_while_running_stops_it_and_tells_once(
    vision_stack: Stack, vision: FakeVision, client: httpx.Client, receiver: Receiver, png: Path
) -> None:
    vision.misbehave(Misbehaviour(after_s=7))
    job_id = submit(client, png, callback_url=receiver.url)
    assert wait_until(lambda: vision.seen, 20)
    asked = time.monotonic()
    assert client.post(f"/jobs/{job_id}/cancel").json()["canceled"] is True
    assert time.monotonic() - asked < 1, "asking does not wait for the end (A8)"
    assert wait_for_end(client, job_id)["status"] == "canceled"
    assert time.monotonic() - asked < 3
    assert wait_until(lambda: left_behind(vision_stack) == [])
    assert [json.loads(d.body)["status"] for d in receiver.deliveries] == ["canceled"]


def test_time_limit_is_a_failure_with_its_own_code(
    vision_stack: Stack, vision: FakeVision, client: httpx.Client, receiver: Receiver, png: Path
) -> None:
    vision.misbehave(Misbehaviour(after_s=12))
    job = wait_for_end(client, submit(client, png, callback_url=receiver.url))
    assert job["status"] == "failed"
    assert job["error"].startswith("TIME_LIMIT: ")
    assert wait_until(
        lambda: [json.loads(d.body)["status"] for d in receiver.deliveries] == ["failed"]
    )


def test_malformed_answer_fails_the_job_and_can_be_read(
    vision: FakeVision, client: httpx.Client, png: Path
) -> None:
    broken = {"success": True, "duplicates": [{"drawing_id": "x"}]}
    vision.misbehave(*[Misbehaviour(body=broken)] * 8)
    job = wait_for_end(client, submit(client, png))
    assert job["status"] == "failed"
    assert job["error"].partition(":")[0] in {"VISION_BAD_ANSWER", "TIME_LIMIT"}


def workers(stack: Stack) -> list[psutil.Process]:
    children = psutil.Process(stack.process.pid).children()
    return [child for child in children if "worker" in child.cmdline()]


def test_killed_worker_loses_nothing(
    vision_stack: Stack, vision: FakeVision, client: httpx.Client, receiver: Receiver, png: Path
) -> None:
    """The job runs again from the start (A4)."""
    vision.misbehave(Misbehaviour(after_s=6))
    job_id = submit(client, png, callback_url=receiver.url)
    assert wait_until(lambda: vision.seen, 20)
    workers(vision_stack)[0].kill()
    assert wait_for_end(client, job_id, 90)["status"] == "completed"
    assert wait_until(lambda: len(receiver.deliveries) == 1)
    assert wait_until(lambda: left_behind(vision_stack) == [])


def test_stopped_worker_hands_its_job_back_with_its_file(
    vision_stack: Stack, vision: FakeVision, client: httpx.Client, receiver: Receiver, png: Path
) -> None:
    """Each deploy of the predecessor told "canceled" and deleted the file (A1)."""
    vision.misbehave(Misbehaviour(after_s=7))
    job_id = submit(client, png, callback_url=receiver.url)
    assert wait_until(lambda: vision.seen, 20)
    workers(vision_stack)[0].terminate()
    statuses = []
    while (job := client.get(f"/jobs/{job_id}").json())["status"] not in ENDED:
        statuses.append(job["status"])
        time.sleep(0.1)
    assert job["status"] == "completed", job
    assert set(statuses) == {"in_progress"}, "a status never goes backwards"
    with vision_stack.prefect() as api:
        assert "HandedBack" in [state["name"] for state in history_of(api, job_id)]
    assert wait_until(lambda: len(receiver.deliveries) == 1)
    assert json.loads(receiver.deliveries[0].body)["status"] == "completed"
    assert wait_until(lambda: left_behind(vision_stack) == [])


def test_slow_receiver_does_not_overturn_a_finished_job(
    vision_stack: Stack, client: httpx.Client, png: Path
) -> None:
    """The predecessor sent its webhook inside the job's time limit of, here, 8 s (A3)."""
    with Receiver(pause_s=9) as slow:
        job = wait_for_end(client, submit(client, png, callback_url=slow.url))
        assert wait_until(lambda: left_behind(vision_stack) == [])
        assert client.get(f"/jobs/{job['job_id']}").json()["status"] == "completed"
        assert [json.loads(d.body)["status"] for d in slow.deliveries] == ["completed"]


@pytest.mark.timeout(600)
def test_drawing_that_kills_every_worker_is_given_up(
    vision_stack: Stack, vision: FakeVision, client: httpx.Client, receiver: Receiver, png: Path
) -> None:
    """The predecessor's stayed in progress until it was forgotten (A5)."""
    vision.misbehave(*[Misbehaviour(after_s=7)] * 3)
    job_id = submit(client, png, callback_url=receiver.url)
    for attempt in (1, 2, 3):
        assert wait_until(lambda n=attempt: len(vision.seen) == n, 90)
        workers(vision_stack)[0].kill()
    job = wait_for_end(client, job_id, 90)
    assert job["status"] == "failed"
    assert job["error"].startswith("WORKER_LOST: ")
    assert wait_until(lambda: len(receiver.deliveries) == 1)
    assert json.loads(receiver.deliveries[0].body)["status"] == "failed"
    assert wait_until(lambda: left_behind(vision_stack) == [])


def test_a_hash_that_is_no_sha256_does_not_fail_a_job_with_geometry(
    client: httpx.Client, png: Path
) -> None:
    """The stub gives md5, and one of them failed the whole job (A19)."""
    files = {"file": (png.name, png.read_bytes()), "geom_json": ("g.json", GEOMETRY)}
    accepted = client.post("/search", files=files).json()
    assert accepted["forced_async_reason"] == "enable_precision_with_geom_json"
    job = wait_for_end(client, accepted["job_id"])
    assert job["status"] == "completed", job
    assert len(job["result"]["duplicates"][0]["file_hash"]) == 32


@pytest.mark.parametrize("wait", ["true", "false"])
def test_an_explicit_zero_reaches_the_service(
    client: httpx.Client, vision: FakeVision, png: Path, wait: str
) -> None:
    """It was the default by the time it came there, in jobs only (A12)."""
    files = {"file": (png.name, png.read_bytes())}
    query = {"max_results": "0", "async": wait}
    answer = client.post("/search", params=query, files=files).json()
    if wait == "true":
        wait_for_end(client, answer["job_id"])
    asked = next(seen for seen in vision.seen if seen.path == "/api/v2/search")
    assert asked.form["max_results"] == "0"


def test_index_calls_without_the_service_get_the_predecessors_sentences(
    client: httpx.Client, vision: FakeVision, png: Path
) -> None:
    """Last of this module: the gateway's circuit stays open for half a minute."""
    files = {"file": (png.name, png.read_bytes())}
    assert client.post("/index/add", files=files).json()["drawing_id"] == "7"
    vision.misbehave(Misbehaviour(body={"success": True, "drawing_id": 1}))
    answer = client.post("/index/add", files=files)
    assert answer.status_code == 502
    assert answer.json()["detail"] == "dedupcad-vision response missing file_hash"
    # The client of the tests asks again after a 503, which would be answered rightly.
    with httpx.Client(base_url=client.base_url, headers=client.headers, timeout=60) as once:
        said = []
        while "dedupcad-vision circuit open" not in said:
            vision.misbehave(Misbehaviour(status=500))
            refused = once.post("/index/rebuild")
            assert refused.status_code == 503, refused.text
            assert int(refused.headers["Retry-After"]) > 0
            said.append(refused.json()["detail"])
        assert set(said[:-1]) == {"dedupcad-vision unavailable"}
        health = once.get("/health")
        while health.status_code == 200:  # an answer is good for a second
            health = once.get("/health")
        assert health.json()["detail"] == "dedupcad-vision circuit open"
