"""Real S3 over HTTP, faulty networks and streams for the tests of the stores."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
from botocore.config import Config

from dedup2d.fileref import FileRef
from dedup2d.stores.local import LocalStore
from dedup2d.stores.s3 import S3Store

BUCKET = "drawings"
KEYS = {"access_key": "tester", "secret_key": "hush-hush"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_s3() -> Iterator[str]:
    """The address of moto's S3 server in a process of its own, with the bucket ``BUCKET``."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _wait_for(port)
        s3_client(endpoint).create_bucket(Bucket=BUCKET)
        yield endpoint
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("moto does not answer")


def s3_client(endpoint: str):
    """A client that gives up at the first failure."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEYS["access_key"],
        aws_secret_access_key=KEYS["secret_key"],
        config=Config(retries={"total_max_attempts": 1}),
    )


@dataclass
class Place:
    """A store, and everything that lies in it, complete or not."""

    store: LocalStore | S3Store
    everything: Callable[[], list[str]]
    tamper: Callable[[FileRef, bytes], None]
    pointing: Callable[[str], FileRef]


def local_place(root: Path) -> Place:
    return Place(
        store=LocalStore(root),
        everything=lambda: sorted(str(path.relative_to(root)) for path in root.rglob("*")),
        tamper=lambda ref, data: (root / ref.location).write_bytes(data) and None,
        pointing=lambda location: FileRef(backend="local", path=location),
    )


def s3_place(endpoint: str) -> Place:
    client, prefix = s3_client(endpoint), f"place-{uuid.uuid4().hex[:8]}"
    return Place(
        store=S3Store(BUCKET, prefix, client=client),
        everything=lambda: everything_in(client, prefix),
        tamper=lambda ref, data: client.put_object(Bucket=BUCKET, Key=ref.key, Body=data) and None,
        pointing=lambda location: FileRef(backend="s3", bucket=BUCKET, key=f"{prefix}/{location}"),
    )


def everything_in(client, prefix: str) -> list[str]:
    objects = client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    uploads = client.list_multipart_uploads(Bucket=BUCKET, Prefix=prefix).get("Uploads", [])
    return [item["Key"] for item in [*objects, *uploads]]


class Stream:
    """``size`` bytes out of nothing; calls ``at_end`` in place of giving the end."""

    def __init__(self, size: int, at_end: Callable[[], None] = lambda: None) -> None:
        self.left = size
        self.at_end = at_end

    def read(self, size: int = -1, /) -> bytes:
        if not self.left:
            self.at_end()
        taken = min(self.left, 2**16 if size < 0 else size)
        self.left -= taken
        return bytes(taken)


def failing(size: int, error: BaseException) -> Stream:
    """A stream that breaks after ``size`` bytes."""

    def fail() -> None:
        raise error

    return Stream(size, fail)


@dataclass
class FaultyProxy:
    """A network to S3 that answers ``status`` to the requests that ``breaks`` picks."""

    target_port: int
    breaks: Callable[[str, str], bool]
    status: int = 500
    seen: list[str] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[str]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                proxy.seen.append(f"{self.command} {self.path}")
                if proxy.breaks(self.command, self.path):
                    self.send_response(proxy.status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                upstream = HTTPConnection("127.0.0.1", proxy.target_port)
                upstream.request(self.command, self.path, body, dict(self.headers))
                answer = upstream.getresponse()
                data = answer.read()
                upstream.close()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in {"transfer-encoding", "connection", "date", "server"}:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815 - http.server's names

            def log_message(self, *args) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
