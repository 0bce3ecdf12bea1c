"""The predecessor's HTTP contract, line by line, by a client that knows nothing else.

Each test is a line of its table: the answer's body, then every error body.
"""

from __future__ import annotations

import hashlib
import json
import socket
import time
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from e2e_client import ADMIN, KEYS
from predecessors_client import PREFIX, PredecessorsClient
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
NO_HASH = "Invalid file_hash; expected 64-char lowercase hex sha256"
TENANT = hashlib.sha256(KEYS[0].encode()).hexdigest()[:16]

Client = PredecessorsClient
Drawing = tuple[str, bytes]


def detail(answer: httpx.Response, status: int) -> Any:
    """The error's detail, after a look at the status."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body.keys() == {"detail"}
    return body["detail"]


def body(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


# All endpoints


@pytest.mark.parametrize(("key", "said"), [(None, "Missing API Key"), ("x", "Invalid API Key")])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", path) for path in ("presets", "config", "jobs", f"jobs/{NO_JOB}")),
        *(("GET", path) for path in (f"geom/{'0' * 64}/exists",)),
        *(("POST", path) for path in ("search", "index/add", "index/rebuild")),
        *(("POST", path) for path in ("precision/compare", f"jobs/{NO_JOB}/cancel")),
        *(("PUT", "config"), ("DELETE", "config")),
    ],
)
def test_every_endpoint_asks_for_the_key(
    http: httpx.Client, method: str, path: str, key: str | None, said: str
) -> None:
    headers = {} if key is None else {"X-API-Key": key}
    assert detail(http.request(method, f"{PREFIX}/{path}", headers=headers), 401) == said


# GET /2d/health


def test_health(http: httpx.Client, client: Client) -> None:
    assert body(client.get("/health")).keys() >= {"status", "service", "version", "indexes"}
    assert KEYS[0] not in str(body(client.get("/health")))
    assert TENANT not in str(body(http.get(f"{PREFIX}/health"))), "who the tenants are is theirs"


# POST /2d/index/rebuild, GET /2d/presets


def test_rebuild(client: Client) -> None:
    answer = body(client.post("/index/rebuild"))
    assert (answer.keys(), answer["success"]) == ({"success", "message"}, True)


def test_presets(client: Client) -> None:
    presets = body(client.get("/presets"))["presets"]
    names = (
        *("mode", "precision_profile", "precision_top_n", "duplicate_threshold"),
        *("similar_threshold", "precision_visual_weight", "precision_geom_weight", "version_gate"),
    )
    assert {name: tuple(values[n] for n in names) for name, values in presets.items()} == {
        "strict": ("balanced", "strict", 20, 0.95, 0.80, 0.3, 0.7, "off"),
        "version": ("balanced", "version", 50, 0.95, 0.70, 0.5, 0.5, "auto"),
        "loose": ("balanced", "version", 50, 0.90, 0.50, 0.6, 0.4, "off"),
    }


# GET, PUT, DELETE /2d/config

CONFIG = {
    "preset": "version",
    "mode": "fast",
    "precision_profile": "strict",
    "version_gate": "meta",
    "precision_top_n": 1,
    "precision_visual_weight": 0,
    "precision_geom_weight": 0.5,
    "duplicate_threshold": 1,
    "similar_threshold": 0,
}


def test_config(client: Client, administrator: Client, other: Client) -> None:
    empty = {"tenant_id": TENANT, "config": {}}
    assert body(client.get("/config")) == empty
    assert body(administrator.put_config(CONFIG)) == {"tenant_id": TENANT, "config": CONFIG}
    assert body(client.get("/config"))["config"] == CONFIG
    assert body(other.get("/config"))["config"] == {}
    changed = {"preset": "loose", "mode": None}
    assert body(administrator.put_config(changed))["config"] == {"preset": "loose"}
    assert body(administrator.delete_config()) == empty
    assert body(client.get("/config")) == empty


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"preset": "x"}, "Unknown preset: x"),
        ({"mode": "x"}, "Invalid mode: x"),
        ({"precision_profile": "x"}, "Invalid precision_profile: x"),
    ],
)
def test_config_names_that_are_none(
    client: Client, administrator: Client, config: dict[str, str], said: str
) -> None:
    assert detail(administrator.put_config(config), 400) == said
    assert body(client.get("/config"))["config"] == {}


@pytest.mark.parametrize(
    "config",
    [
        {"duplicate_threshold": 1.01},
        {"similar_threshold": -0.01},
        {"similar_threshold": 0.9, "duplicate_threshold": 0.5},
        {"version_gate": "x"},
        {"precision_top_n": 0},
        {"precision_visual_weight": -1},
        {"precision_geom_weight": -1},
    ],
)
def test_config_values_out_of_range(administrator: Client, config: dict[str, Any]) -> None:
    (problem,) = detail(administrator.put_config(config), 422)
    assert problem.keys() >= {"type", "loc", "msg"}
    assert problem["loc"][0] == "body"


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("guess", 403)])
def test_config_is_the_administrators(http: httpx.Client, token: str | None, status: int) -> None:
    client = PredecessorsClient(http, KEYS[0], token)
    for answer in (client.put_config({}), client.delete_config()):
        assert detail(answer, status).keys() == {
            *("code", "source", "severity", "message", "context")
        }


def test_config_holds_for_the_searches(
    client: Client, administrator: Client, drawing: Drawing
) -> None:
    """Query over tenant's values over tenant's preset; an explicit 0 is a 0 (A12)."""
    body(administrator.put_config({"mode": "precise"}))
    assert body(client.search(drawing))["forced_async_reason"] == "mode=precise"
    assert body(client.search(drawing, mode="fast"))["total_matches"] >= 1
    assert body(client.search(drawing, mode="fast", max_results=0))["total_matches"] == 0
    assert "job_id" not in body(client.search(drawing, preset="strict"))


# POST /2d/precision/compare


def test_compare(client: Client, geometry: bytes) -> None:
    answer = body(client.compare(geometry, geometry))
    assert answer.keys() == {"score", "breakdown", "geom_hash_left", "geom_hash_right"}
    assert answer["score"] == 1
    assert set(answer["breakdown"]) == {"entities", "layers", "text_content"}
    assert answer["geom_hash_left"] == answer["geom_hash_right"]
    other = json.loads(geometry) | {"entities": []}
    assert body(client.compare(geometry, json.dumps(other).encode()))["score"] < 0.5


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "Empty geom_json"),
        (b"{", "Invalid geom_json: "),
        (b"[]", "Invalid geom_json: "),
        (b'{"entities": {}}', "Invalid geom_json: "),
    ],
)
def test_compare_of_no_geometry(
    client: Client, geometry: bytes, document: bytes, said: str
) -> None:
    assert detail(client.compare(geometry, document), 400).startswith(said)
    assert detail(client.compare(document, geometry), 400).startswith(said)


def test_compare_of_one_document(client: Client, geometry: bytes) -> None:
    (problem,) = detail(client.compare(geometry, None), 422)
    assert (problem["type"], problem["loc"]) == ("missing", ["body", "right_geom_json"])
    assert len(detail(client.compare(None, None), 422)) == 2


# GET /2d/geom/{file_hash}/exists, POST /2d/index/add


def test_index_add_and_geometry(client: Client, other: Client, geometry: bytes) -> None:
    content = b"0\nSECTION\n2\nENTITIES\n0\nLINE\n8\n0\n10\n0\n20\n0\n11\n77.5\n21\n3\n0\nENDSEC\n0\nEOF\n"
    file_hash = hashlib.sha256(content).hexdigest()
    path = f"/geom/{file_hash}/exists"
    assert body(client.get(path)) == {"file_hash": file_hash, "exists": False}
    plain = body(client.index_add(("line.dxf", content), user_name="ruth", upload_to_s3="true"))
    assert plain.keys() == {
        *("success", "drawing_id", "file_hash", "message", "processing_time_ms", "s3_key")
    }
    assert (plain["success"], plain["file_hash"]) == (True, file_hash)
    assert body(client.get(path))["exists"] is False
    again = body(client.index_add(("line.dxf", content), geometry))
    assert again["drawing_id"] == plain["drawing_id"]
    assert again["message"].endswith("; geom_json stored")
    assert body(client.get(path)) == {"file_hash": file_hash, "exists": True}
    assert body(other.get(path))["exists"] is False


@pytest.mark.parametrize("file_hash", ["x", "0" * 63, "0" * 65, "G" * 64, "A" * 64, "0" * 32])
def test_geometry_of_what_is_no_hash(client: Client, file_hash: str) -> None:
    assert detail(client.get(f"/geom/{file_hash}/exists"), 400) == NO_HASH


def test_geometry_is_checked_before_the_drawing_is_indexed(client: Client) -> None:
    content = (
        b"0\nSECTION\n2\nENTITIES\n0\nLINE\n8\n0\n10\n0\n20\n0\n11\n9\n21\n9\n0\nENDSEC\n0\nEOF\n"
    )
    upload = ("new.dxf", content)
    assert detail(client.index_add(upload, b""), 400) == "Empty geom_json"
    assert detail(client.index_add(upload, b"[]"), 400).startswith("Invalid geom_json: ")
    assert detail(client.index_add(("new.dxf", b"")), 400) == "Empty file"
    assert detail(client.index_add(None), 422)[0]["loc"] == ["body", "file"]
    found = body(client.search(upload, similar_threshold=0))
    hashes = {match["file_hash"] for match in found["duplicates"] + found["similar"]}
    assert hashlib.sha256(content).hexdigest() not in hashes


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
