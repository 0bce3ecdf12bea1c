"""The predecessor's HTTP contract, line by line: searches and their jobs. See the vault's part."""

from __future__ import annotations

import hashlib
import socket
import time
from contextlib import ExitStack

import httpx
import pytest
from e2e_client import ADMIN, KEYS
from predecessors_client import PREFIX, PredecessorsClient, body, detail
from stack import Stack

pytestmark = pytest.mark.stack

SEARCH_KEYS = {
    *("success", "total_matches", "duplicates", "similar", "final_level", "timing"),
    *("level_stats", "warnings", "error"),
}
MATCH_KEYS = {
    *("drawing_id", "file_hash", "file_name", "similarity", "confidence", "match_level"),
    *("verdict", "levels"),
}
JOB_KEYS = {
    *("job_id", "tenant_id", "status", "created_at", "started_at", "finished_at", "result"),
    *("error", "callback_status", "callback_attempts", "callback_http_status"),
    *("callback_finished_at", "callback_last_error"),
}
LISTED_KEYS = {
    *("job_id", "tenant_id", "status", "created_at", "started_at", "finished_at", "error"),
}
NO_JOB = "6f3c1f0e-8d0b-4a38-9b0e-0d6f6f0f6a11"
TENANT = hashlib.sha256(KEYS[0].encode()).hexdigest()[:16]

Client = PredecessorsClient
Drawing = tuple[str, bytes]


# POST /2d/search


def test_search(client: Client, drawing: Drawing) -> None:
    report = body(client.search(drawing))
    assert report.keys() >= SEARCH_KEYS
    (match,) = (m for m in report["duplicates"] if m["similarity"] == 1)
    assert match.keys() >= MATCH_KEYS
    assert match["file_hash"] == hashlib.sha256(drawing[1]).hexdigest()
    assert report["timing"]["total_ms"] > 0


def test_search_as_a_job(client: Client, drawing: Drawing) -> None:
    """HTTP 200, these four names; sync and async find the same."""
    accepted = body(client.search(drawing, **{"async": "true"}))
    job_id = accepted["job_id"]
    assert accepted == {
        "job_id": job_id,
        "status": "pending",
        "poll_url": f"/api/v1/dedup/2d/jobs/{job_id}",
        "forced_async_reason": None,
    }
    job = client.poll(accepted["poll_url"])
    assert job.keys() >= JOB_KEYS
    assert (job["status"], job["error"], job["tenant_id"]) == ("completed", None, TENANT)
    assert job["created_at"] <= job["started_at"] <= job["finished_at"]
    here = body(client.search(drawing))
    for section in ("duplicates", "similar"):
        assert job["result"][section] == here[section]


@pytest.mark.parametrize(
    ("size", "with_geometry", "query", "reason"),
    [
        (5 * 1024**2 + 1, True, {"mode": "precise"}, "file_size>5MB"),
        (0, True, {"mode": "precise"}, "enable_precision_with_geom_json"),
        (0, True, {"enable_precision": "false", "mode": "precise"}, "mode=precise"),
        (0, False, {"mode": "precise"}, "mode=precise"),
        (0, True, {"enable_precision": "false"}, None),
    ],
)
def test_search_is_forced_to_be_a_job_in_this_order(
    client: Client,
    drawing: Drawing,
    geometry: bytes,
    size: int,
    with_geometry: bool,
    query: dict[str, str],
    reason: str | None,
) -> None:
    name, content = drawing
    upload = (name, content + b"999\n" * ((size - len(content)) // 4 + 1) if size else content)
    answer = body(client.search(upload, geometry if with_geometry else None, **query))
    assert answer.get("forced_async_reason") == reason
    if reason:
        assert client.poll(answer["poll_url"])["status"] in {"completed", "failed"}


def test_search_of_nothing(client: Client, drawing: Drawing) -> None:
    assert detail(client.search(("a.dxf", b"")), 400) == "Empty file"
    assert detail(client.search(drawing, b""), 400) == "Empty geom_json"
    assert detail(client.search(drawing, b"nonsense"), 400).startswith("Invalid geom_json: ")
    assert detail(client.search(None), 422)[0]["loc"] == ["body", "file"]


def test_search_with_an_unknown_preset(client: Client, drawing: Drawing) -> None:
    assert detail(client.search(drawing, preset="x"), 400) == "Unknown preset: x"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"callback_url": "https://8.8.8.8/"}, "CALLBACK_URL_INVALID"),  # not on the allowlist
        ({"callback_url": "nonsense", "async": "true"}, "CALLBACK_URL_INVALID"),
        ({"callback_url": "http://127.0.0.1:9/"}, "CALLBACK_UNSUPPORTED"),
    ],
)
def test_search_with_a_callback_that_cannot_be(
    client: Client, drawing: Drawing, query: dict[str, str], code: str
) -> None:
    said = detail(client.search(drawing, **query), 400)
    assert (said.keys(), said["error"]) == ({"error", "message"}, code)


@pytest.mark.parametrize(
    "query",
    [
        {"mode": "bogus"},
        {"version_gate": "bogus"},
        {"precision_profile": "bogus"},
        {"duplicate_threshold": "2"},
        {"precision_top_n": "0"},
        {"precision_visual_weight": "-1"},
        {"similar_threshold": "0.9", "duplicate_threshold": "0.5"},
    ],
)
@pytest.mark.parametrize("wait", ["true", "false"])
def test_search_is_checked_before_it_is_accepted(
    client: Client, drawing: Drawing, query: dict[str, str], wait: str
) -> None:
    """Sync and async alike: no job that will fail later or never is accepted (A13)."""
    answer = client.search(drawing, **query, **{"async": wait})
    assert answer.status_code in {400, 422}
    assert all(name in answer.text for name in query)


def test_search_while_too_many_wait(
    local_stack: Stack, client: Client, other: Client, drawing: Drawing
) -> None:
    """429 with both numbers; uploads that are under way have their place already."""
    head = "\r\n".join(
        [
            f"POST {PREFIX}/search?async=true HTTP/1.1",
            "Host: 127.0.0.1",
            f"X-API-Key: {KEYS[1]}",
            "Content-Length: 1000000",
            "Content-Type: multipart/form-data; boundary=b",
            *("", "--b", 'Content-Disposition: form-data; name="file"; filename="a.dxf"', "", ""),
        ]
    )

    def begin_upload() -> None:
        sending = socket.create_connection(("127.0.0.1", local_stack.port))
        uploads.enter_context(sending)
        sending.sendall(head.encode())

    with ExitStack() as uploads:
        for _ in range(200):
            begin_upload()
        deadline = time.monotonic() + 60
        while (answer := other.search(drawing, **{"async": "true"})).status_code == 200:
            assert time.monotonic() < deadline, "the places were never all taken"
            other.poll(body(answer)["poll_url"])
            begin_upload()  # this job had its place, and somebody was refused
        said = detail(answer, 429)
    assert said.keys() == {"error", "message", "max_jobs", "current_jobs"}
    assert (said["error"], said["max_jobs"], said["current_jobs"]) == ("JOB_QUEUE_FULL", 200, 200)
    assert answer.headers["Retry-After"] == "5"
    while (answer := client.search(drawing)).status_code == 429:
        assert time.monotonic() < deadline, "the places are not given back"
        time.sleep(0.2)
    assert body(answer)["total_matches"] >= 1


# GET /2d/jobs/{job_id}, POST .../cancel, GET /2d/jobs


def test_jobs_are_their_tenants(client: Client, other: Client, drawing: Drawing) -> None:
    job_id = body(client.search(drawing, **{"async": "true"}))["job_id"]
    unknown = {"error": "JOB_NOT_FOUND", "job_id": NO_JOB}
    forbidden = {"error": "JOB_FORBIDDEN", "job_id": job_id}
    assert detail(client.get(f"/jobs/{NO_JOB}"), 404) == unknown
    assert detail(client.post(f"/jobs/{NO_JOB}/cancel"), 404) == unknown
    assert detail(other.get(f"/jobs/{job_id}"), 403) == forbidden
    assert detail(other.post(f"/jobs/{job_id}/cancel"), 403) == forbidden
    assert detail(client.get("/jobs/x"), 404) == {"error": "JOB_NOT_FOUND", "job_id": "x"}
    client.poll(f"{PREFIX}/jobs/{job_id}")


def test_a_finished_job_can_be_canceled_and_stays(client: Client, drawing: Drawing) -> None:
    accepted = body(client.search(drawing, **{"async": "true"}))
    client.poll(accepted["poll_url"])
    answer = body(client.post(f"/jobs/{accepted['job_id']}/cancel"))
    assert answer == {"job_id": accepted["job_id"], "tenant_id": TENANT, "canceled": True}
    assert client.poll(accepted["poll_url"])["status"] == "completed"


def test_a_failed_job_says_why(local_stack: Stack, client: Client) -> None:
    """With a code, and no server path (C11)."""
    accepted = body(client.search(("a.dxf", b"no drawing"), **{"async": "true"}))
    job = client.poll(accepted["poll_url"])
    assert (job["status"], job["result"]) == ("failed", None)
    assert job["error"].partition(":")[0].isupper()
    assert str(local_stack.data) not in job["error"]


def test_list_of_jobs(client: Client, drawing: Drawing) -> None:
    ids = [body(client.search(drawing, **{"async": "true"}))["job_id"] for _ in range(2)]
    for job_id in ids:
        client.poll(f"{PREFIX}/jobs/{job_id}")
    listed = body(client.get("/jobs"))
    assert listed.keys() == {"jobs", "total"}
    assert listed["total"] == len(listed["jobs"]) <= 50
    assert all(job.keys() == LISTED_KEYS for job in listed["jobs"])
    assert [job["job_id"] for job in listed["jobs"]][:2] == ids[::-1]
    assert body(client.get("/jobs", limit=1))["total"] == 1
    done = body(client.get("/jobs", status="completed"))["jobs"]
    assert {job["status"] for job in done} == {"completed"}


def test_list_of_jobs_with_a_wrong_filter(client: Client) -> None:
    said = detail(client.get("/jobs", status="done"), 400)
    assert (said.keys(), said["error"]) == ({"error", "message"}, "INVALID_STATUS_FILTER")
    for limit in (0, 201):
        assert detail(client.get("/jobs", limit=limit), 422)[0]["loc"] == ["query", "limit"]


def test_the_administrators_token_is_no_key(http: httpx.Client) -> None:
    assert detail(PredecessorsClient(http, ADMIN).get("/config"), 401) == "Invalid API Key"
