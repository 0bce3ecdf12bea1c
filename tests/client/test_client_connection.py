"""What the client does with connections, whoever is at the other end."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dedup2d.client import Dedup2D
from dedup2d.client.uploads import Slot, send
from dedup2d.errors import RequestError, ServiceError

MIB = 1024**2


class Sink(BaseHTTPRequestHandler):
    """Takes a body, keeps its size, and answers with what is not ours."""

    protocol_version = "HTTP/1.1"
    received = 0
    path = ""

    def do_POST(self) -> None:
        left = int(self.headers["Content-Length"])
        Sink.received = left
        while left:
            left -= len(self.rfile.read(min(left, 65536)))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def do_PUT(self) -> None:
        Sink.path = self.path
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def sink() -> Iterator[str]:
    """A server that is not dedup2d."""
    server = HTTPServer(("127.0.0.1", 0), Sink)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_large_upload_is_never_in_memory_whole(sink: str, tmp_path: Path) -> None:
    large = tmp_path / "large.dxf"
    with large.open("wb") as file:
        file.truncate(64 * MIB)
    tracemalloc.start()
    with Dedup2D(sink) as client, pytest.raises(ServiceError) as answer:
        client.submit(large)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert Sink.received > 64 * MIB
    assert peak < 4 * MIB
    assert answer.value.code == "BAD_ANSWER"


def test_nobody_at_the_other_end_is_a_fault_of_the_service() -> None:
    with Dedup2D("http://127.0.0.1:9") as client, pytest.raises(ServiceError) as error:
        client.job("x")
    assert error.value.code == "GATEWAY_UNAVAILABLE"
    assert "http://127.0.0.1:9" in error.value.message


def test_an_address_without_a_scheme_is_refused() -> None:
    with pytest.raises(RequestError) as error:
        Dedup2D("localhost:8000")
    assert error.value.code == "INVALID_URL"


def test_a_file_that_is_not_there_is_refused_before_anything_is_sent(sink: str) -> None:
    with Dedup2D(sink) as client, pytest.raises(RequestError) as error:
        client.submit("/nowhere/part.dxf")
    assert error.value.code == "FILE_UNREADABLE"


def test_a_file_goes_below_the_path_of_the_gateways_address(sink: str, tmp_path: Path) -> None:
    """A proxy may serve the gateway below a path; the addresses of its answers begin behind it."""
    drawing = tmp_path / "part.dxf"
    drawing.write_bytes(b"EOF")
    slot = Slot(method="PUT", url="/api/v1/x?token=t", headers={"Content-Length": "3"})
    send(f"{sink}/cad/", slot, drawing, timeout_s=5)
    assert Sink.path == "/cad/api/v1/x?token=t"
