from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass
class Tls:
    """An https server whose certificate is for ``hook.example``."""

    port: int
    trusting: ssl.SSLContext
    server_names: list[str | None] = field(default_factory=list)


def certificate(folder: Path) -> tuple[Path, Path]:
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        key,
        "-out",
        cert,
        "-days",
        "1",
        "-subj",
        "/CN=hook.example",
        "-addext",
        "subjectAltName=DNS:hook.example",
    ]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


@pytest.fixture
async def tls(tmp_path: Path) -> AsyncIterator[Tls]:
    cert, key = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    serving = Tls(0, ssl.create_default_context(cafile=str(cert)))
    context.sni_callback = lambda _socket, name, _context: serving.server_names.append(name)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    serving.port = server.sockets[0].getsockname()[1]
    yield serving
    server.close()
    await server.wait_closed()
