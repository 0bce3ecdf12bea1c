"""Clients that are slow, silent or gone: others are served, and nothing is left on disk."""

import asyncio
import contextlib
import time

import psutil
import pytest
from gateway_kit import API, DRAWING, KEYS, gateway_process, tenant_client

MANY = 60
IDLE_S = 4
MB = 1024**2
HEAD = b'--B\r\nContent-Disposition: form-data; name="%s"; filename="part.dxf"\r\n\r\n'


@pytest.fixture(scope="module")
async def gateway(data, redis, relay, tmp_path_factory):
    """A gateway that gives silent clients up after four seconds."""
    log = tmp_path_factory.mktemp("slow_gateway") / "log"
    settings = {"DEDUP2D_UPLOAD_IDLE_SECONDS": str(IDLE_S), "DEDUP2D_TENANT_MAX_JOBS": str(MANY)}
    starting = gateway_process(data, relay.port, log, API_KEYS=",".join(KEYS), **settings)
    process = await asyncio.to_thread(starting.__enter__)
    yield process
    await asyncio.to_thread(starting.__exit__, None, None, None)


@pytest.fixture
async def client(gateway, data):
    """A tenant of this gateway."""
    async with tenant_client(gateway, data) as client:
        yield client


async def connected(gateway, *lines, body=b""):
    reader, writer = await asyncio.open_connection(*address(gateway))
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    await writer.drain()
    return reader, writer


async def begun(gateway, client, part=b"file", content=b"x" * 2 * MB):
    """An upload of which so much has come that a part of it is on disk."""
    lines = [
        f"POST {API}/2d/search?async=true HTTP/1.1",
        "Host: 127.0.0.1",
        f"X-API-Key: {client.key}",
        f"Content-Length: {50 * MB}",
        "Content-Type: multipart/form-data; boundary=B",
    ]
    return await connected(gateway, *lines, body=HEAD % part + content)


async def settled(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


def left(client):
    """Whatever lies in the upload store and the inbox."""
    inbox = client.data / "inbox"
    return [*client.uploads, *(path.name for path in inbox.rglob("*"))]


async def test_uploads_that_fall_silent_are_given_up(
    gateway, client, other, prefect, empty_uploads
):
    """Another tenant is served meanwhile; each gets 408, and its place and its bytes are free."""
    hanging = [await begun(gateway, client) for _ in range(MANY)]
    await settled(lambda: len(client.uploads) > MANY)  # all of them wait for the next byte
    own = await other.submit()
    statuses = await asyncio.gather(*(reader.readline() for reader, _ in hanging))
    assert {status.split()[1] for status in statuses} == {b"408"}
    for _, writer in hanging:
        writer.close()
    await settled(lambda: len(left(client)) == 2)  # the other's folder and file
    assert (await other.http.get(f"{API}/2d/jobs/{own}")).status_code == 200
    assert (await client.search(**{"async": "true"})).status_code == 200


async def test_uploads_whose_clients_are_gone_leave_nothing(gateway, client, empty_uploads):
    """However far they had come, drawing or geometry."""
    hanging = [
        *[await begun(gateway, client, content=b"x" * n * 80_000) for n in range(MANY // 2)],
        *[await begun(gateway, client, b"geom_json", b"[1") for _ in range(MANY // 3)],
    ]
    for _, writer in hanging:
        writer.transport.abort()
    await settled(lambda: not left(client))
    assert (await client.search(**{"async": "true"})).status_code == 200


async def test_a_request_that_never_ends_its_headers_is_closed(gateway, client):
    """Silence, or a byte now and then: the connection goes, and others are served meanwhile."""
    process = psutil.Process(gateway.process.pid)
    before = process.num_fds()

    async def silent():
        reader, writer = await asyncio.open_connection(*address(gateway))
        assert await reader.read() == b""
        writer.close()

    async def dripping():
        reader, writer = await asyncio.open_connection(*address(gateway))
        with contextlib.suppress(OSError):
            while not reader.at_eof():
                writer.write(b"G")
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(1), 0.3)
        writer.close()

    slow = [asyncio.create_task(f()) for f in (silent, dripping) for _ in range(MANY // 2)]
    await asyncio.sleep(0.5)
    assert (await client.http.get(f"{API}/2d/jobs")).status_code == 200
    async with asyncio.timeout(60):
        await asyncio.gather(*slow)
    await settled(lambda: process.num_fds() <= before + 5)


def address(gateway):
    return "127.0.0.1", int(gateway.base.split(":")[-1])


async def test_a_slow_but_steady_client_is_waited_for(client, prefect):
    """Every byte gives it time again: only silence ends an upload."""

    async def body():
        yield HEAD % b"file"
        for start in range(0, len(DRAWING), 16):
            await asyncio.sleep(0.6 * IDLE_S)
            yield DRAWING[start : start + 8]
        yield b"\r\n--B--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    answer = await client.http.post(f"{API}/2d/search?async=true", content=body(), headers=headers)
    assert answer.status_code == 200, answer.text


async def test_a_keep_alive_connection_outlives_the_limit_of_a_head(client):
    """The pause between two requests is not the time of a request."""
    for _ in range(2):
        assert (await client.http.get(f"{API}/2d/jobs")).status_code == 200
        await asyncio.sleep(1.2 * IDLE_S)


@pytest.mark.parametrize(
    "garbage",
    [
        b"zz\r\nnot a chunk\r\n",
        b"5\r\nhello",
        b"-5\r\nhello\r\n",
        b"FFFFFFFFFFFFFFFFF\r\n",
    ],
)
async def test_chunks_that_are_none_leave_nothing(gateway, client, empty_uploads, garbage):
    """A body that breaks the rules of its transfer is a broken connection."""
    begin = HEAD % b"file" + b"x" * 2 * MB
    lines = [
        f"POST {API}/2d/search?async=true HTTP/1.1",
        "Host: 127.0.0.1",
        f"X-API-Key: {client.key}",
        "Transfer-Encoding: chunked",
        "Content-Type: multipart/form-data; boundary=B",
    ]
    chunk = f"{len(begin):X}\r\n".encode() + begin + b"\r\n"
    reader, writer = await connected(gateway, *lines, body=chunk)
    await settled(lambda: client.uploads)
    writer.write(garbage)
    await writer.drain()
    assert (await reader.readline()).split()[1] in {b"400", b"408"}
    writer.close()
    await settled(lambda: not left(client))


async def test_a_half_closed_connection_is_a_broken_upload(gateway, client, empty_uploads):
    """The announced length never comes: the client has said that it is done."""
    reader, writer = await begun(gateway, client)
    writer.write_eof()
    await reader.read()
    writer.close()
    await settled(lambda: not left(client))


@pytest.mark.parametrize(("key", "status"), [("nobody's", 401), (None, 413)])
async def test_what_announces_an_upload_is_never_held_whole(gateway, client, key, status):
    """Who has no key hears so before the body has come, who has one as soon as it is too long."""
    lines = [
        f"POST {API}/2d/uploads HTTP/1.1",
        "Host: 127.0.0.1",
        f"X-API-Key: {key or client.key}",
        f"Content-Length: {50 * MB}",
        "Content-Type: application/json",
    ]
    reader, writer = await connected(gateway, *lines, body=b" " * MB)
    answer = await asyncio.wait_for(reader.readline(), IDLE_S)
    writer.close()
    assert f" {status} ".encode() in answer
