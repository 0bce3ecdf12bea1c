"""Who may ask, with and without configured keys; and how the process starts and ends."""

import asyncio
import signal

import httpx
import pytest
from gateway_kit import API, DRAWING, detail, gateway_process

from dedup2d.errors import RequestError
from dedup2d.gateway.auth import tenant_id_of
from dedup2d.gateway.serve import serve
from dedup2d.settings import read_settings


@pytest.mark.parametrize(
    ("key", "said"),
    [(None, "Missing API Key"), ("", "Missing API Key"), ("wrong", "Invalid API Key")],
)
async def test_without_a_valid_key_nothing_is_served(gateway, key, said):
    """401 with the predecessor's sentences."""
    headers = {} if key is None else {"X-API-Key": key}
    async with httpx.AsyncClient(base_url=gateway.base, headers=headers) as http:
        for method, path in (("GET", "/2d/jobs"), ("GET", "/2d/presets"), ("POST", "/2d/search")):
            assert detail(await http.request(method, API + path), 401) == said


async def test_a_key_is_refused_before_the_upload_is_read(gateway):
    """A stranger's large upload gets its 401, not a broken connection."""
    async with httpx.AsyncClient(base_url=gateway.base) as http:
        files = {"file": b"x" * 5_000_000}
        assert detail(await http.post(f"{API}/2d/search", files=files), 401) == "Missing API Key"


async def test_presets_are_the_predecessors(client):
    """Three of them, with the values of the contract."""
    presets = (await client.http.get(f"{API}/2d/presets")).json()["presets"]
    assert presets.keys() == {"strict", "version", "loose"}
    assert presets["loose"]["duplicate_threshold"] == 0.90
    assert presets["version"]["version_gate"] == "auto"


@pytest.fixture(scope="module")
async def open_gateway(data, redis, relay, tmp_path_factory):
    """A gateway without keys, started and ended by the tests of this module."""
    folder = tmp_path_factory.mktemp("open")
    alone = {"API_KEYS": "", "DEDUP2D_TENANT_STORAGE_DIR": str(folder / "tenants")}
    starting = gateway_process(data, relay.port, folder / "log", **alone)
    yield await asyncio.to_thread(starting.__enter__)
    await asyncio.to_thread(starting.__exit__, None, None, None)


async def test_without_configured_keys_this_machine_is_served(open_gateway):
    """Any key is its tenant, no key the default tenant; and the log says that it is open."""
    async with httpx.AsyncClient(base_url=open_gateway.base, timeout=30) as http:
        for key, tenant in (("test", tenant_id_of(b"test")), (None, "default")):
            headers = {} if key is None else {"X-API-Key": key}
            url = f"{API}/2d/search?async=true"
            job_id = (await http.post(url, files={"file": DRAWING}, headers=headers)).json()[
                "job_id"
            ]
            view = (await http.get(f"{API}/2d/jobs/{job_id}", headers=headers)).json()
            assert view["tenant_id"] == tenant
    assert "There are no API keys" in open_gateway.log.read_text()


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "192.0.2.7"},  # a proxy on this machine speaks for somebody else
        {"Host": "evil.example"},  # DNS rebinding
        {"Origin": "https://evil.example"},  # a web page in a browser on this machine
    ],
)
async def test_without_configured_keys_others_are_refused(open_gateway, headers):
    """403 with a sentence that says what to set."""
    async with httpx.AsyncClient(base_url=open_gateway.base) as http:
        said = detail(await http.get(f"{API}/2d/jobs", headers=headers), 403)
    assert said["error"] == "LOOPBACK_ONLY"
    assert "API_KEYS" in said["message"]


async def test_without_an_admin_token_nobody_is_the_administrator(open_gateway):
    """500 in the predecessor's shape, which says what to set; 401 where no token is given."""
    async with httpx.AsyncClient(base_url=open_gateway.base) as http:
        for method in ("PUT", "DELETE"):
            headers = {"X-Admin-Token": "guess"}
            said = detail(await http.request(method, f"{API}/2d/config", headers=headers), 500)
            assert said.keys() == {"code", "source", "severity", "message", "context"}
            assert "ADMIN_TOKEN" in said["context"]["hint"]
            missing = detail(await http.request(method, f"{API}/2d/config"), 401)
            assert missing["message"] == "Missing admin token"


async def test_without_configured_keys_the_vision_contract_is_served_to_this_machine(open_gateway):
    """The predecessor's client, which sends no key, needs none there; others get 403."""
    async with httpx.AsyncClient(base_url=open_gateway.base, timeout=60) as http:
        assert (await http.post("/api/v2/index/rebuild")).status_code == 200
        far = {"X-Forwarded-For": "192.0.2.7"}
        answer = await http.post("/api/v2/index/rebuild", headers=far)
    assert detail(answer, 403)["error"] == "LOOPBACK_ONLY"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.com"])
def test_an_open_bind_without_keys_is_refused(host):
    """Nothing is served to a network by accident."""
    with pytest.raises(RequestError, match="API_KEYS"):
        serve(read_settings({}), host, 0)


async def test_sigterm_ends_it_in_order(open_gateway):
    """The process ends by itself, with status 0 or the signal's, within seconds."""
    open_gateway.process.send_signal(signal.SIGTERM)
    status = await asyncio.to_thread(open_gateway.process.wait, 15)
    assert status in {0, -signal.SIGTERM}
    assert "Traceback" not in open_gateway.log.read_text()
