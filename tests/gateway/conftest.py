"""The fixtures of the gateway's tests; what they are made of is in gateway_kit."""

import asyncio
import shutil
import sys
from dataclasses import replace

import pytest
from gateway_kit import (
    ADMIN,
    KEYS,
    PROFILE,
    Prefect,
    Relay,
    free_port,
    gateway_process,
    running,
    tenant_client,
    wait_for,
)
from stack import s3_client, s3_server

from dedup2d.tickets.embedded import EmbeddedRedis


@pytest.fixture(scope="session")
def prefect(tmp_path_factory):
    home = tmp_path_factory.mktemp("prefect")
    port = free_port()
    lines = [line.partition("=") for line in PROFILE.read_text().splitlines()]
    env = {key.strip(): value.strip() for key, _, value in lines if key and key[0] != "#"}
    env |= {"PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    env |= {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api", "DO_NOT_TRACK": "1"}
    command = [sys.executable, "-m", "dedup2d.stack.prefect_server", "--port", str(port)]
    log = home / "log"
    with running(command, env, log) as process:
        wait_for(f"http://127.0.0.1:{port}/api/health", {200}, process=process, log=log)
        server = Prefect(port)
        server.register()
        yield server
        server.http.close()


@pytest.fixture(scope="session")
async def relay(prefect):
    relay = Relay(prefect.port)
    await relay.start()
    yield relay
    await relay.stop()


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def redis(data):
    server = EmbeddedRedis(data)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
async def gateway(data, redis, relay, tmp_path_factory):
    log = tmp_path_factory.mktemp("gateway") / "log"
    keys = ",".join(KEYS)
    starting = gateway_process(data, relay.port, log, API_KEYS=keys, ADMIN_TOKEN=ADMIN)
    # The relay serves on this loop, which must go on while the gateway starts.
    process = await asyncio.to_thread(starting.__enter__)
    yield process
    await asyncio.to_thread(starting.__exit__, None, None, None)


@pytest.fixture
async def client(gateway, data):
    """A tenant that nobody was before."""
    async with tenant_client(gateway, data) as client:
        yield client


@pytest.fixture
async def other(gateway, data):
    """Another tenant."""
    async with tenant_client(gateway, data) as client:
        yield client


@pytest.fixture
def empty_uploads(data):
    """The upload store, emptied, so that what is left can be counted."""
    shutil.rmtree(data / "uploads", ignore_errors=True)
    return data / "uploads"


@pytest.fixture(scope="session")
def s3_settings(tmp_path_factory):
    with s3_server(tmp_path_factory.mktemp("s3")) as settings:
        yield settings


@pytest.fixture(scope="session")
async def s3_gateway(data, redis, relay, s3_settings, tmp_path_factory):
    """A gateway whose files lie in a bucket; beside the other one, in the same Redis."""
    log = tmp_path_factory.mktemp("s3_gateway") / "log"
    starting = gateway_process(data, relay.port, log, API_KEYS=",".join(KEYS), **s3_settings)
    process = await asyncio.to_thread(starting.__enter__)
    yield process
    await asyncio.to_thread(starting.__exit__, None, None, None)


@pytest.fixture
async def s3_client_of_gateway(s3_gateway, s3_settings, data):
    """A tenant that nobody was before, where files lie in a bucket."""
    async with tenant_client(s3_gateway, data) as client:
        yield replace(client, bucket=s3_client(s3_settings))
