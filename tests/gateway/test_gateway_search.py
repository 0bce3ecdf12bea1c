"""What a search may be asked, and what it answers."""

import asyncio

import pytest
from gateway_kit import API, DRAWING, detail

REPORT = {"success": True, "total_matches": 0, "duplicates": [], "similar": []}


async def job_of(client, prefect):
    """The id of this tenant's job, as soon as there is one."""
    for _ in range(200):
        if runs := await asyncio.to_thread(prefect.runs_of, client.tenant):
            return runs[0]["id"]
        await asyncio.sleep(0.02)
    pytest.fail("no flow run was made")


async def test_an_async_search_answers_as_the_predecessor_did(client, prefect):
    """HTTP 200 with these four names; the job is a flow run with the tenant's tag."""
    answer = await client.search(**{"async": "true"})
    job_id = answer.json()["job_id"]
    poll_url = f"/api/v1/dedup/2d/jobs/{job_id}"
    assert answer.json() == {
        "job_id": job_id,
        "status": "pending",
        "poll_url": poll_url,
        "forced_async_reason": None,
    }
    run = prefect.run(job_id)
    assert run["tags"] == [f"tenant:{client.tenant}"]
    assert run["parameters"]["tenant_id"] == client.tenant
    assert (await client.http.get(poll_url)).json()["status"] == "pending"


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ({"mode": "bogus"}, (422, "mode")),
        ({"version_gate": "bogus"}, (422, "version_gate")),
        ({"precision_profile": "bogus"}, (422, "precision_profile")),
        ({"max_results": "many"}, (422, "max_results")),
        ({"max_results": -1}, (422, "max_results")),
        ({"duplicate_threshold": 1.5}, (422, "duplicate_threshold")),
        ({"precision_top_n": 0}, (422, "precision_top_n")),
        ({"async": "perhaps"}, (422, "async")),
        ({"precision_geom_weight": "inf"}, (422, "precision_geom_weight")),
        ({"precision_diff_top_n": 10**30}, (422, "precision_diff_top_n")),
        ({"preset": "bogus"}, (400, "Unknown preset: bogus")),
        ({"similar_threshold": 0.9, "duplicate_threshold": 0.5}, (400, "similar_threshold")),
        ({"similar_threshold": 0.92, "preset": "loose"}, (400, "similar_threshold")),
        ({"callback_url": "https://127.0.0.1/hook"}, (400, "CALLBACK_URL_INVALID")),
        ({"callback_url": "http://example.com/hook"}, (400, "CALLBACK_URL_INVALID")),
        ({"callback_url": "nonsense"}, (400, "CALLBACK_URL_INVALID")),
        ({"callback_url": "https://8.8.8.8/", "async": "false"}, (400, "CALLBACK_UNSUPPORTED")),
    ],
)
async def test_a_wrong_parameter_is_refused_before_anything_is_kept(
    client, prefect, empty_uploads, query, refusal
):
    """No job, no file, and an answer that names the value."""
    status, said = refusal
    answer = await client.search(**{"async": "true"} | query)
    assert said in str(detail(answer, status))
    assert client.uploads == []
    assert prefect.runs_of(client.tenant) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {}),
        ({"max_results": 0}, {"max_results": 0}),
        ({"precision_visual_weight": 0}, {"precision_visual_weight": 0}),
        ({"preset": "version"}, {"similar_threshold": 0.7, "version_gate": "auto"}),
        ({"preset": "version", "similar_threshold": 0}, {"similar_threshold": 0}),
        ({"preset": "loose", "version_gate": "meta"}, {"version_gate": "meta"}),
        ({"preset": ""}, {}),
        ({"something": "else"}, {}),
    ],
)
async def test_an_explicit_value_wins_over_the_preset(client, prefect, query, expected):
    """Also an explicit 0; unknown parameters are passed over as they always were."""
    options = prefect.run(await client.submit(**query))["parameters"].get("options", {})
    assert {name: options[name] for name in expected} == expected


async def test_a_callback_address_goes_with_the_job(client, prefect):
    """The worker calls it when the job ends."""
    job_id = await client.submit(callback_url="https://8.8.8.8/hook")
    assert prefect.run(job_id)["parameters"]["callback_url"] == "https://8.8.8.8/hook"


async def test_a_sync_search_answers_with_the_report(client, prefect):
    """It waits for the job's end and gives the result itself."""
    waiting = asyncio.create_task(client.search())
    await client.end(prefect, await job_of(client, prefect), result=REPORT)
    assert (await waiting).json() == REPORT


@pytest.mark.parametrize(
    ("kind", "message", "told"),
    [
        ("FAILED", "DXF_TRUNCATED: The drawing ends early.", (400, "DXF_TRUNCATED")),
        ("FAILED", "TIME_LIMIT: Too long.", (504, "TIME_LIMIT")),
        ("FAILED", "QUEUE_UNAVAILABLE: Away.", (503, "QUEUE_UNAVAILABLE")),
        ("FAILED", "VISION_BAD_ANSWER: What?", (502, "VISION_BAD_ANSWER")),
        ("FAILED", "Traceback in /srv/secret/file.py", (500, "JOB_FAILED")),
        ("CRASHED", "", (503, "WORKER_LOST")),
        ("CANCELLED", "", (409, "JOB_CANCELED")),
    ],
)
async def test_a_sync_search_tells_why_there_is_no_report(client, prefect, kind, message, told):
    """The job's code with a fitting status, and never a server path."""
    waiting = asyncio.create_task(client.search())
    await client.end(prefect, await job_of(client, prefect), kind, message=message)
    answer = await waiting
    status, code = told
    assert detail(answer, status)["error"] == code
    assert answer.headers["X-Error-Code"] == code
    assert "/srv" not in answer.text


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("VISION_UNAVAILABLE", "dedupcad-vision unavailable"),
        ("VISION_CIRCUIT_OPEN", "dedupcad-vision circuit open"),
    ],
)
async def test_a_sync_search_without_its_vision_service_is_told_so(client, prefect, code, said):
    """The predecessor's sentences; the code is in the header."""
    waiting = asyncio.create_task(client.search())
    await client.end(prefect, await job_of(client, prefect), "FAILED", message=f"{code}: Away.")
    answer = await waiting
    assert detail(answer, 503) == said
    assert answer.headers["X-Error-Code"] == code
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_sync_client_that_hangs_up_ends_its_job(client, prefect):
    """Nobody could ask for the result: the job is cancelled and its upload deleted."""
    waiting = asyncio.create_task(client.search())
    job_id = await job_of(client, prefect)
    waiting.cancel()
    for _ in range(100):
        if prefect.run(job_id)["state_type"] == "CANCELLED":
            return
        await asyncio.sleep(0.05)
    pytest.fail("the job goes on")


GEOMETRY = [("geom_json", ("g.json", b"{}"))]


@pytest.mark.parametrize(
    ("query", "size", "extra", "reason"),
    [
        ({"mode": "precise"}, 10, (), "mode=precise"),
        ({}, 5 * 1024**2 + 1, (), "file_size>5MB"),
        ({}, 10, GEOMETRY, "enable_precision_with_geom_json"),
        ({"mode": "precise"}, 10, GEOMETRY, "enable_precision_with_geom_json"),
        ({"callback_url": "https://8.8.8.8/", "mode": "precise"}, 10, (), "mode=precise"),
    ],
)
async def test_what_takes_long_is_not_waited_for(client, query, size, extra, reason):
    """The predecessor's reasons, in its order."""
    answer = await client.search(("a.dxf", b"x" * size), extra=extra, **query)
    assert answer.json()["forced_async_reason"] == reason


async def test_the_same_idempotency_key_gives_the_same_job(client, other, empty_uploads):
    """For the same tenant; other options or another drawing under the key are a conflict."""
    key = {"Idempotency-Key": "order-1"}
    first = await client.search(headers=key, **{"async": "true"})
    files = client.uploads
    again = await client.search(headers=key, **{"async": "true"})
    assert again.json() == first.json()
    assert client.uploads == files
    for file, query in ((DRAWING, {"mode": "fast"}), (DRAWING + b"\n", {})):
        conflict = await client.search(("a", file), headers=key, **{"async": "true"}, **query)
        assert detail(conflict, 409)["error"] == "IDEMPOTENCY_CONFLICT"
    foreign = await other.search(headers=key, **{"async": "true"})
    assert foreign.json()["job_id"] != first.json()["job_id"]


async def test_a_key_whose_request_failed_may_be_used_again(client):
    """A refused upload does not burn its key."""
    key = {"Idempotency-Key": "order-2"}
    detail(await client.search(("a.dxf", b""), headers=key, **{"async": "true"}), 400)
    answer = await client.search(("a.dxf", DRAWING), headers=key, **{"async": "true"})
    assert answer.status_code == 200


async def test_the_interface_describes_itself(client):
    """Every path of the contract is in the OpenAPI document, with the upload's parts."""
    document = (await client.http.get("/openapi.json")).json()
    paths = {path.removeprefix(API) for path in document["paths"]}
    assert paths >= {"/2d/search", "/2d/jobs", "/2d/jobs/{job_id}", "/2d/jobs/{job_id}/cancel"}
    assert paths >= {"/2d/index/add", "/2d/index/rebuild", "/2d/health", "/2d/presets"}
    search = document["paths"][f"{API}/2d/search"]["post"]
    form = search["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["file"]
    assert {"async", "preset", "duplicate_threshold"} <= {p["name"] for p in search["parameters"]}
    assert "dedup2d" in (await client.http.get("/")).text
