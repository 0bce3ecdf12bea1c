"""The tenant's own search parameters: who may set them, what is refused, and what they do."""

import pytest
from gateway_kit import ADMIN, API, detail

from dedup2d.stores.local import LocalStore
from dedup2d.tenant_config import TenantConfig, TenantConfigs

URL = f"{API}/2d/config"
TOKEN = {"X-Admin-Token": ADMIN}


async def put(client, config, headers=TOKEN):
    return await client.http.put(URL, json=config, headers=headers)


async def options_of(client, prefect, **query):
    """What the job of a search with this query was told."""
    return prefect.run(await client.submit(**query))["parameters"].get("options", {})


async def test_a_configuration_is_set_read_replaced_and_deleted(client, other):
    """Nulls are left out, zeros stay, and other tenants keep theirs."""
    nothing = {"tenant_id": client.tenant, "config": {}}
    assert (await client.http.get(URL)).json() == nothing
    config = {"preset": "loose", "precision_visual_weight": 0, "mode": None}
    answer = await put(client, config)
    kept = {"preset": "loose", "precision_visual_weight": 0}
    assert answer.json() == {"tenant_id": client.tenant, "config": kept}
    assert (await client.http.get(URL)).json()["config"] == kept
    assert (await other.http.get(URL)).json()["config"] == {}
    assert (await put(client, {"mode": "fast"})).json()["config"] == {"mode": "fast"}
    assert (await client.http.delete(URL, headers=TOKEN)).json() == nothing
    assert (await client.http.get(URL)).json() == nothing


@pytest.mark.parametrize(
    ("config", "status", "said"),
    [
        ({"preset": "x"}, 400, "Unknown preset: x"),
        ({"mode": "x"}, 400, "Invalid mode: x"),
        ({"precision_profile": "x"}, 400, "Invalid precision_profile: x"),
        ({"version_gate": "x"}, 422, "version_gate"),
        ({"duplicate_threshold": 1.5}, 422, "duplicate_threshold"),
        ({"similar_threshold": -0.1}, 422, "similar_threshold"),
        ({"similar_threshold": "0.5"}, 422, "similar_threshold"),
        ({"similar_threshold": 0.96}, 422, "similar_threshold (0.96)"),
        ({"duplicate_threshold": 0.5}, 422, "duplicate_threshold (0.5)"),
        ({"precision_top_n": 0}, 422, "precision_top_n"),
        ({"precision_top_n": 1.5}, 422, "precision_top_n"),
        ({"precision_geom_weight": -1}, 422, "precision_geom_weight"),
        ({"presets": "loose"}, 422, "presets"),
        ([], 422, "body"),
    ],
)
async def test_what_no_search_could_use_is_refused_and_not_kept(client, config, status, said):
    """The predecessor's sentences; what was set before stays."""
    await put(client, {"mode": "fast"})
    assert said in str(detail(await put(client, config), status))
    assert (await client.http.get(URL)).json()["config"] == {"mode": "fast"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\rD\xffp",
        b'{"similar_threshold": NaN}',
        b'{"precision_geom_weight": Infinity}',
        b'{"version_gate": "\\ud800"}',
        b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
async def test_a_body_that_is_no_json_is_refused(client, body):
    """422, also where the refused value could not be said in JSON."""
    detail(await client.http.put(URL, content=body, headers=TOKEN), 422)


async def test_a_body_without_end_is_refused(client):
    """It is read into memory, so it has a small limit, which the answer names."""
    answer = await client.http.put(URL, content=b" " * 70_000, headers=TOKEN)
    said = detail(answer, 413)
    assert (said["error"], "65536" in said["message"]) == ("FILE_TOO_LARGE", True)


@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"X-Admin-Token": "guess"}, 403)])
async def test_only_the_administrator_may_change_it(client, headers, status):
    """In the predecessor's shape; reading needs the API key only."""
    for answer in (await put(client, {}, headers), await client.http.delete(URL, headers=headers)):
        said = detail(answer, status)
        assert said.keys() == {"code", "source", "severity", "message", "context"}
        assert answer.headers["X-Error-Code"] == said["code"] == "AUTHORIZATION_FAILED"
    answer = await client.http.put(URL, headers=TOKEN | {"X-API-Key": "wrong"}, json={})
    assert detail(answer, 401) == "Invalid API Key"


@pytest.mark.parametrize(
    ("config", "query", "expected"),
    [
        ({"similar_threshold": 0.6}, {}, {"similar_threshold": 0.6}),
        ({"preset": "loose"}, {}, {"similar_threshold": 0.5, "precision_top_n": 50}),
        ({"preset": "loose", "similar_threshold": 0}, {}, {"similar_threshold": 0}),
        ({"preset": "loose"}, {"similar_threshold": 0.4}, {"similar_threshold": 0.4}),
        ({"precision_top_n": 7}, {"preset": "version"}, {"precision_top_n": 50}),
        ({"mode": "precise"}, {"preset": "loose"}, {"precision_top_n": 50}),
        ({"preset": "loose"}, {"preset": "version"}, {"similar_threshold": 0.7}),
        (
            {"precision_top_n": 7, "similar_threshold": 0.6},
            {"preset": "version", "precision_top_n": 3},
            {"precision_top_n": 3, "similar_threshold": 0.7},
        ),
    ],
)
async def test_an_explicit_value_wins_over_preset_over_tenant(
    client, prefect, config, query, expected
):
    """Query, preset, tenant's values, tenant's preset, default: in this order."""
    assert (await put(client, config)).status_code == 200
    options = await options_of(client, prefect, **query)
    assert {name: options[name] for name in expected} == expected


async def test_a_search_that_the_tenants_values_forbid_is_refused_before_a_job(client, prefect):
    """The thresholds are looked at after all of them were merged."""
    await put(client, {"duplicate_threshold": 0.85})
    answer = await client.search(similar_threshold=0.9)
    assert "duplicate_threshold (0.85)" in detail(answer, 400)["message"]
    assert prefect.runs_of(client.tenant) == []


async def test_the_tenants_mode_precise_is_not_waited_for(client):
    """It is as good as one that came with the request."""
    await put(client, {"mode": "precise"})
    assert (await client.search()).json()["forced_async_reason"] == "mode=precise"


async def test_the_same_idempotency_key_gives_the_same_job_after_a_change(client):
    """A client that tries again has said the same; what its tenant said is not its request."""
    key = {"Idempotency-Key": "order-1"}
    first = (await client.search(headers=key, **{"async": "true"})).json()
    await put(client, {"mode": "fast"})
    assert (await client.search(headers=key, **{"async": "true"})).json() == first


async def test_what_another_gateway_has_set_holds_at_once(client, prefect, data):
    """Nothing is remembered beside the store (C15)."""
    await put(client, {"similar_threshold": 0.6})
    TenantConfigs(LocalStore(data / "config")).write(
        client.tenant, TenantConfig(similar_threshold=0.3)
    )
    assert (await client.http.get(URL)).json()["config"] == {"similar_threshold": 0.3}
    assert (await options_of(client, prefect))["similar_threshold"] == 0.3


async def test_a_damaged_configuration_is_told_and_mended(client, data):
    """No search runs on silent defaults (C15); setting it again or deleting it mends it."""
    LocalStore(data / "config").write_bytes(client.tenant, "config.json", b"{")
    for answer in (await client.http.get(URL), await client.search()):
        assert detail(answer, 503)["error"] == "TENANT_CONFIG_DAMAGED"
        assert str(data) not in answer.text
    assert (await client.http.delete(URL, headers=TOKEN)).status_code == 200
    await client.submit()
