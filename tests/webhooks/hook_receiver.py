"""A webhook receiver that answers what it is told, one raw answer per attempt."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser


def status(code: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {code} Said", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


HANG_UP = b""
SILENCE = b"silence"
ENDLESS = b"endless"
DRIP = b"drip"


@dataclass
class Received:
    """One attempt as it came in."""

    headers: Message
    body: bytes
    at: float
    path: str


@dataclass
class HookReceiver:
    """Answers in turn, the last one again and again."""

    answers: list[bytes] = field(default_factory=lambda: [status(200)])
    received: list[Received] = field(default_factory=list)
    port: int = 0
    connections: int = 0
    sent: int = 0
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        first, _, rest = head.partition(b"\r\n")
        headers = BytesParser().parsebytes(rest)
        body = await reader.readexactly(int(headers["Content-Length"]))
        self.received.append(Received(headers, body, time.time(), first.split()[1].decode()))
        answer = self.answers[min(len(self.received), len(self.answers)) - 1]
        if answer == SILENCE:
            self.silent.set()
            await self.closing.wait()
        if answer == ENDLESS:
            await self._stream(writer)
        if answer == DRIP:
            await self._drip(writer)
        if answer in (HANG_UP, SILENCE, ENDLESS, DRIP):
            return False
        writer.write(answer)
        await writer.drain()
        return True

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not self.closing.is_set():
            writer.write(bytes(1024))
            await writer.drain()
            self.sent += 1024
            await asyncio.sleep(0)

    async def _drip(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not self.closing.is_set():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)
