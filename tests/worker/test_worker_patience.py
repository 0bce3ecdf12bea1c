"""The worker's client of Prefect waits for a server that is away, for whoever uses it."""

import asyncio
import json
from contextlib import asynccontextmanager

import httpx
import pytest
from prefect import __version__
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from receiver import free_port

from dedup2d.worker.engine import PatientTransport, patient_client


@asynccontextmanager
async def server(port: int, *statuses: int):
    """Answers each request with Prefect's version, with these statuses before the last one."""
    left = list(statuses)
    asked = []

    async def serve(reader, writer) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split()[1].decode())
        body = json.dumps(__version__).encode()
        status = left.pop(0) if left else 200
        writer.write(f"HTTP/1.1 {status} x\r\nConnection: close\r\n".encode())
        writer.write(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    serving = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield asked
    finally:
        serving.close()
        await serving.wait_closed()


async def test_a_server_that_comes_late_goes_away_or_is_busy_is_waited_for():
    """Fails if Prefect's client no longer lets us in where ``patient_client`` gets in."""
    port = free_port()

    async def asking(gone: asyncio.Event) -> str:
        async with patient_client() as client:
            assert get_client() is client, "runs and tasks would use another one"
            gone.set()
            return await client.api_version()

    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{port}/api"}):
        entered = asyncio.Event()
        answer = asyncio.create_task(asking(entered))
        await asyncio.sleep(0.3)
        async with server(port, 503) as asked:
            await asyncio.wait_for(entered.wait(), 20)
            assert len(asked) == 2, "once for the 503"
        await asyncio.sleep(0.3)
        async with server(port, 502):
            assert await asyncio.wait_for(answer, 20) == __version__


async def test_patience_ends():
    transport = PatientTransport(httpx.AsyncHTTPTransport(), patience_s=0.3)
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{free_port()}/")
