"""A webhook receiver for the demo and the tests: keeps what it was sent."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass(frozen=True, slots=True)
class Received:
    """One webhook as it came in."""

    job_id: str
    signature: str
    body: bytes
    delivery_id: str = ""


class Receiver:
    """An HTTP server on a free port of this machine; ``deliveries`` grows as they come."""

    def __init__(self, *, answer_after_s: float = 0.0) -> None:
        self.deliveries: list[Received] = []
        deliveries = self.deliveries

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                job_id = self.headers.get("X-Dedup-Job-Id", "")
                signature = self.headers.get("X-Dedup-Signature", "")
                delivery_id = self.headers.get("X-Dedup-Delivery-Id", "")
                deliveries.append(Received(job_id, signature, body, delivery_id))
                time.sleep(answer_after_s)
                self.send_response(204)
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
