"""Tenants that are made, rotated, limited and revoked while the gateway serves."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from gateway_kit import API, DRAWING, KEYS, detail

from dedup2d.gateway.auth import tenant_id_of
from dedup2d.settings import read_settings
from dedup2d.stores.build import tenant_store
from dedup2d.tenants.model import Tenant, TenantLimits
from dedup2d.tenants.registry import LOOK_S, TenantRegistry

UNUSED = KEYS[350:]  # the others are handed out by the fixtures


@pytest.fixture
def registry(data):
    return TenantRegistry(tenant_store(read_settings({}, data_dir=data)))


@pytest.fixture
def call(gateway):
    """Ask with a key; the answer."""

    async def ask(key, method="GET", path="/2d/jobs", **more):
        async with httpx.AsyncClient(base_url=gateway.base, timeout=60) as http:
            return await http.request(method, API + path, headers={"X-API-Key": key}, **more)

    return ask


@pytest.fixture
def made(registry):
    """Makes a tenant with these limits; gives it with its key."""

    def make(name, **limits):
        tenant, key, _ = Tenant.new(name)
        tenant = tenant.model_copy(update={"limits": TenantLimits(**limits)})
        registry.save(tenant)
        return tenant, key

    return make


async def until(call, key, status):
    """Wait as long as a gateway may take to notice."""
    deadline = asyncio.get_running_loop().time() + 3 * LOOK_S
    while (answer := await call(key)).status_code != status:
        assert asyncio.get_running_loop().time() < deadline, answer.text
        await asyncio.sleep(0.2)
    return answer


async def submit(call, key):
    answer = await call(key, "POST", "/2d/search?async=true", files={"file": ("part.dxf", DRAWING)})
    assert answer.status_code == 200, answer.text
    return answer.json()["job_id"]


async def test_rotation_loses_no_job_and_ended_and_revoked_keys_are_refused(call, made, registry):
    """C12: the predecessor's tenant was its key, so that a new key saw no old job."""
    tenant, old = made("press-shop")
    gone, revoked = made("revoked")
    await until(call, old, 200)
    await until(call, revoked, 200)
    job_id = await submit(call, old)
    tenant, new = tenant.with_new_key(timedelta(hours=1))
    registry.save(tenant)
    seen = await until(call, new, 200)
    assert [job["job_id"] for job in seen.json()["jobs"]] == [job_id]
    assert (await call(old)).status_code == 200
    for forged in (new[:-1], new[:-1] + ("A" if new[-1] != "A" else "B"), new + "A", new[:20]):
        assert (await call(forged)).status_code == 401

    ended = tenant.keys[1].model_copy(update={"expires_at": datetime.now(UTC)})
    registry.save(tenant.model_copy(update={"keys": (tenant.keys[0], ended)}))
    registry.save(gone.model_copy(update={"revoked_at": datetime.now(UTC)}))
    assert detail(await until(call, old, 401), 401) == "Invalid API Key"
    await until(call, revoked, 401)
    assert (await call(new)).status_code == 200


async def test_a_key_of_api_keys_is_taken_over_with_its_jobs(call, data, gateway):
    """From then on it is rotated and revoked as any other."""
    old = UNUSED[0]
    job_id = await submit(call, old)
    done = await asyncio.to_thread(
        dedup2d, data, "add", "plant", "--existing-key", "--json", given=old
    )
    assert done["tenant_id"] == tenant_id_of(old.encode())
    new = (await asyncio.to_thread(dedup2d, data, "rotate", "plant", "--json"))["api_key"]
    seen = await until(call, new, 200)
    assert [job["job_id"] for job in seen.json()["jobs"]] == [job_id]
    await asyncio.to_thread(dedup2d, data, "revoke", "plant", "--json")
    await until(call, new, 401)
    await until(call, old, 401)


def dedup2d(data, *arguments, given=""):
    command = [sys.executable, "-m", "dedup2d.cli", "tenants", *arguments, "--data", str(data)]
    done = subprocess.run(
        command, env=os.environ, input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def test_too_many_requests_a_second_are_told_when_to_come_back(call, made):
    _, key = made("hasty", requests_per_s=2)
    await until(call, key, 200)
    answers = [await call(key, path="/2d/presets") for _ in range(6)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert detail(refused[0], 429)["error"] == "TOO_MANY_REQUESTS"
    await asyncio.sleep(int(refused[-1].headers["Retry-After"]))
    assert (await call(key, path="/2d/presets")).status_code == 200


async def test_uploads_of_a_day_have_a_limit_whoever_counts_them(call, made):
    """Also where no Content-Length announces them; a refused one leaves nothing behind."""
    _, key = made("large", upload_bytes_per_day=10_000_000)
    await until(call, key, 200)

    async def send(size):
        files = {"file": ("part.dxf", DRAWING + bytes(size))}
        return await call(key, "POST", "/2d/search?async=true", files=files)

    assert [(await send(4_000_000)).status_code for _ in range(2)] == [200, 200]
    answer = await send(4_000_000)
    assert detail(answer, 429)["error"] == "UPLOAD_LIMIT"
    assert 0 < int(answer.headers["Retry-After"]) <= 86400
    assert (await send(1_000_000)).status_code == 200


async def test_files_that_are_sent_directly_count_too(call, made):
    """S3 takes them without asking the gateway, so they count when their addresses are given."""
    _, key = made("direct", upload_bytes_per_day=10_000_000)
    await until(call, key, 200)

    async def ask(size):
        new = {"files": [{"file_name": "part.dxf", "size": size}]}
        return await call(key, "POST", "/2d/uploads", json=new)

    assert (await ask(8_000_000)).status_code == 200
    assert detail(await ask(4_000_000), 429)["error"] == "UPLOAD_LIMIT"
    assert (await ask(2_000_000)).status_code == 200


async def test_a_tenants_own_limit_of_jobs_wins(call, made):
    _, key = made("one-by-one", max_jobs=1)
    await until(call, key, 200)
    await submit(call, key)
    answer = await call(key, "POST", "/2d/search?async=true", files={"file": ("part.dxf", DRAWING)})
    assert detail(answer, 429)["max_jobs"] == 1
