"""A webhook receiver for the demo and the tests: keeps what it was sent."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass(frozen=True, slots=True)
class Received:
    """One webhook as it came in."""

    job_id: str
    delivery_id: str
    signature: str
    body: bytes


class Receiver:
    """An HTTP server on a free port of this machine; ``deliveries`` grows as they come.

    It answers with ``statuses`` in turn, the last one again and again, after ``pause_s``.
    """

    def __init__(self, statuses: Sequence[int] = (204,), *, pause_s: float = 0) -> None:
        self.deliveries: list[Received] = []
        deliveries = self.deliveries

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    return  # its sender was killed
                job_id = self.headers.get("X-Dedup-Job-Id", "")
                signature = self.headers.get("X-Dedup-Signature", "")
                delivery_id = self.headers.get("webhook-id", "")
                deliveries.append(Received(job_id, delivery_id, signature, body))
                time.sleep(pause_s)
                self.send_response(statuses[min(len(deliveries), len(statuses)) - 1])
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def free_port() -> int:
    """A port that nobody has right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
