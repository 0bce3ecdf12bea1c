"""A client of the predecessor's, written from its contract alone: paths, names, shapes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx

PREFIX = "/api/v1/dedup/2d"
Answer = httpx.Response
Upload = tuple[str, bytes]


@dataclass(frozen=True)
class PredecessorsClient:
    """Sends ``X-API-Key`` always, and ``X-Admin-Token`` where the contract says so."""

    http: httpx.Client
    key: str | None
    admin: str | None = None

    def get(self, path: str, **query: Any) -> Answer:
        return self._send("GET", PREFIX + path, params=query)

    def post(self, path: str, **request: Any) -> Answer:
        return self._send("POST", PREFIX + path, **request)

    def put_config(self, config: Any) -> Answer:
        return self._send("PUT", f"{PREFIX}/config", json=config)

    def delete_config(self) -> Answer:
        return self._send("DELETE", f"{PREFIX}/config")

    def search(self, file: Upload | None, geometry: bytes | None = None, **query: Any) -> Answer:
        return self.post("/search", files=_files(file, geom_json=geometry), params=query)

    def index_add(self, file: Upload | None, geometry: bytes | None = None, **query: Any) -> Answer:
        return self.post("/index/add", files=_files(file, geom_json=geometry), params=query)

    def compare(self, left: bytes | None, right: bytes | None) -> Answer:
        files = _files(None, left_geom_json=left, right_geom_json=right)
        return self.post("/precision/compare", files=files)

    def poll(self, poll_url: str, seconds: float = 120) -> dict[str, Any]:
        """The job once it has ended, by the address that the search gave."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = self._send("GET", poll_url)
            assert answer.status_code == 200, answer.text
            job: dict[str, Any] = answer.json()
            if job["status"] in {"completed", "failed", "canceled"}:
                return job
            time.sleep(0.1)
        raise AssertionError(f"not ended: {job}")

    def _send(self, method: str, path: str, **request: Any) -> Answer:
        headers = {} if self.key is None else {"X-API-Key": self.key}
        if self.admin is not None:
            headers["X-Admin-Token"] = self.admin
        return self.http.request(method, path, headers=headers, **request)


def _files(file: Upload | None, **documents: bytes | None) -> list[tuple[str, Any]]:
    parts: list[tuple[str, Any]] = [] if file is None else [("file", file)]
    parts += [
        (name, (f"{name}.json", data)) for name, data in documents.items() if data is not None
    ]
    return parts or [("nothing", ("nothing.bin", b"x"))]


def detail(answer: httpx.Response, status: int) -> Any:
    """The error's detail, after a look at the status."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body.keys() == {"detail"}
    return body["detail"]


def body(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()
