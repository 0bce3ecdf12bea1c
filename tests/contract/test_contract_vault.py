"""The predecessor's HTTP contract, line by line, by a client that knows nothing else: the vault.

Each test is a line of its table: the answer's body, then every error body.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import httpx
import pytest
from e2e_client import KEYS
from predecessors_client import PREFIX, PredecessorsClient, body, detail

pytestmark = pytest.mark.stack

NO_JOB = "6f3c1f0e-8d0b-4a38-9b0e-0d6f6f0f6a11"
NO_HASH = "Invalid file_hash; expected 64-char lowercase hex sha256"
TENANT = hashlib.sha256(KEYS[0].encode()).hexdigest()[:16]

Client = PredecessorsClient
Drawing = tuple[str, bytes]


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
