"""The gateway in place of a dedupcad-vision service, for an installation of the predecessor."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e_client import KEYS
from jsonschema import Draft202012Validator
from stack import Stack

from dedup2d.options import SearchOptions
from dedup2d.settings import read_settings
from dedup2d.vision.client import VisionMatcher

pytestmark = pytest.mark.stack

SCHEMAS = Path(__file__).parent / "schemas"
Drawing = tuple[str, bytes]


def conforms(answer: httpx.Response, name: str) -> Any:
    """The body of a good answer that the schema allows."""
    assert answer.status_code == 200, answer.text
    schema = json.loads((SCHEMAS / f"dedupcad_vision_{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(answer.json())
    return answer.json()


@pytest.fixture
def vision(local_stack: Stack) -> Iterator[httpx.Client]:
    """What DEDUPCAD_VISION_URL makes of the predecessor's client: no header, a key before the @."""
    url = f"http://vision:{KEYS[0]}@127.0.0.1:{local_stack.port}"
    with httpx.Client(base_url=url, timeout=60) as client:
        yield client


def search(vision: httpx.Client, file: Drawing, **fields: str) -> httpx.Response:
    usual = {
        "mode": "balanced",
        "max_results": "50",
        "compute_diff": "true",
        "enable_ml": "false",
        "enable_geometric": "false",
    }
    return vision.post("/api/v2/search", files={"file": file}, data=usual | fields)


def test_health(vision: httpx.Client) -> None:
    answer = conforms(vision.get("/health"), "health")
    assert (answer["status"], answer["service"]) == ("healthy", "dedup2d")
    assert answer["indexes"]["drawings"] > 0
    assert "tenants" not in answer["indexes"]


@pytest.mark.parametrize("mode", ["fast", "balanced", "precise"])
def test_search_finds_the_drawing_at_once(
    vision: httpx.Client, drawing: Drawing, mode: str
) -> None:
    answer = conforms(search(vision, drawing, mode=mode), "search")
    best = answer["duplicates"][0]
    assert best["file_hash"] == hashlib.sha256(drawing[1]).hexdigest()
    assert (best["similarity"], best["verdict"], best["match_level"]) == (1, "duplicate", 1)


@pytest.mark.parametrize("name", ["resaved.dxf", "revision.dxf", "mirrored.dxf", "unrelated.dxf"])
def test_every_answer_conforms(vision: httpx.Client, samples: Path, name: str) -> None:
    file = (name, (samples / "queries" / name).read_bytes())
    answer = conforms(search(vision, file), "search")
    assert answer["total_matches"] == len(answer["duplicates"]) + len(answer["similar"])
    assert bool(answer["total_matches"]) == (name != "unrelated.dxf")


def test_search_in_an_empty_vault_conforms(local_stack: Stack, drawing: Drawing) -> None:
    """The key is the tenant, and every tenant has its vault."""
    url = f"http://vision:{KEYS[1]}@127.0.0.1:{local_stack.port}"
    with httpx.Client(base_url=url, timeout=60) as other:
        assert conforms(search(other, drawing), "search")["total_matches"] == 0


def test_the_drawing_itself_can_be_left_out(vision: httpx.Client, drawing: Drawing) -> None:
    itself = hashlib.sha256(drawing[1]).hexdigest()
    answer = conforms(search(vision, drawing, exclude_self="true", max_results="1"), "search")
    found = answer["duplicates"] + answer["similar"]
    assert itself not in {match["file_hash"] for match in found}
    assert answer["total_matches"] == len(found) <= 1
    assert conforms(search(vision, drawing, max_results="0"), "search")["total_matches"] == 0


def test_add_and_rebuild(vision: httpx.Client, drawing: Drawing) -> None:
    query = {"user_name": "cad-ml-platform", "upload_to_s3": "true"}
    answer = vision.post("/api/index/add", params=query, files={"file": drawing})
    assert answer.status_code == 200, answer.text
    added = answer.json()
    assert added["file_hash"] == hashlib.sha256(drawing[1]).hexdigest()
    assert added.keys() == {
        *("success", "drawing_id", "file_hash", "message", "processing_time_ms", "s3_key")
    }
    rebuilt = vision.post("/api/v2/index/rebuild").json()
    assert (rebuilt.keys(), rebuilt["success"]) == ({"success", "message"}, True)


@pytest.mark.parametrize(
    ("file", "fields", "status", "said"),
    [
        (("a.dxf", b""), {}, 400, "Empty file"),
        (("a.dxf", b"no drawing"), {}, 400, "error"),
        (None, {}, 422, "mode"),
        (None, {"mode": "bogus"}, 422, "mode"),
        (None, {"max_results": "-1"}, 422, "max_results"),
        (None, {"max_results": "many"}, 422, "max_results"),
        (None, {"compute_diff": "perhaps"}, 422, "compute_diff"),
        (None, {"mode": "x" * 5000}, 400, "FIELD_TOO_LONG"),
    ],
)
def test_what_cannot_be_searched_is_the_callers_fault(
    vision: httpx.Client,
    drawing: Drawing,
    file: Drawing | None,
    fields: dict[str, str],
    status: int,
    said: str,
) -> None:
    """4xx, which the predecessor's client neither repeats nor counts against its circuit."""
    if file is None and not fields:
        answer = vision.post("/api/v2/search", files={"other": drawing}, data={"mode": "fast"})
        said = "file"
    else:
        answer = search(vision, file or drawing, **fields)
    assert answer.status_code == status, answer.text
    assert said in answer.text


async def test_our_own_client_of_such_a_service_is_served(
    local_stack: Stack, drawing: Drawing, tmp_path: Path
) -> None:
    """One dedup2d can be another's vision service, by the address alone."""
    path = tmp_path / drawing[0]
    path.write_bytes(drawing[1])
    url = f"http://vision:{KEYS[0]}@127.0.0.1:{local_stack.port}"
    matcher = VisionMatcher(read_settings({"DEDUPCAD_VISION_URL": url}))
    loaded = await matcher.load(path, tmp_path)
    report = await matcher.search(loaded, SearchOptions(), tenant="t")
    assert report.duplicates[0].file_hash == loaded.file_hash
    assert (await matcher.add(loaded, tenant="t")).file_hash == loaded.file_hash
    assert (await matcher.rebuild(tenant="t"))["success"] is True
    assert (await matcher.health())["status"] == "healthy"
    await matcher.aclose()


def test_two_drawings_are_one_too_many(vision: httpx.Client, drawing: Drawing) -> None:
    answer = vision.post("/api/v2/search", files=[("file", drawing)] * 2)
    assert answer.status_code == 400
    assert answer.json()["detail"]["error"] == "ONE_FILE_EXPECTED"


@pytest.mark.parametrize("user", ["", "vision:wrong@", f"{KEYS[0]}:@"])
def test_without_the_key_nothing_is_served_but_health(
    local_stack: Stack, drawing: Drawing, user: str
) -> None:
    url = f"http://{user}127.0.0.1:{local_stack.port}"
    with httpx.Client(base_url=url, timeout=60) as stranger:
        assert search(stranger, drawing).status_code == 401
        assert stranger.post("/api/index/add", files={"file": drawing}).status_code == 401
        assert stranger.post("/api/v2/index/rebuild").status_code == 401
        assert stranger.get("/health").status_code == 200


def test_the_usual_header_will_do_too(local_stack: Stack, drawing: Drawing) -> None:
    headers = {"X-API-Key": KEYS[0]}
    url = f"http://127.0.0.1:{local_stack.port}"
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        assert conforms(search(client, drawing), "search")["duplicates"]
