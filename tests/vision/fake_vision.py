"""A dedupcad-vision service that answers as it is told, over real HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import UploadFile


@dataclass
class Misbehaviour:
    """What one request gets instead of the right answer."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None  # text is sent as it is, everything else as JSON; None: the right answer
    after_s: float = 0.0


@dataclass
class Seen:
    """What one request brought."""

    path: str
    form: dict[str, str]
    query: dict[str, str]
    file_name: str = ""
    size: int = 0
    sha256: str = ""


def candidate(**changes: Any) -> dict[str, Any]:
    """One match as the service words it; its hash is an md5, as the predecessor's stub gave."""
    match = {
        "drawing_id": "d-1",
        "file_hash": "0" * 32,
        "file_name": "flange.png",
        "similarity": 0.97,
        "confidence": 0.9,
        "match_level": 4,
        "verdict": "duplicate",
        "levels": {"l4": {"score": 0.97}},
    }
    return match | changes


def search_answer(**changes: Any) -> dict[str, Any]:
    """Body of a good search answer."""
    answer = {
        "success": True,
        "total_matches": 1,
        "duplicates": [candidate()],
        "similar": [],
        "final_level": 4,
        "timing": {"total_ms": 12.0},
        "level_stats": {"l1": {"candidates": 3}},
        "warnings": [],
        "error": None,
    }
    return answer | changes


class FakeVision:
    """The service in a thread of its own; ``misbehave`` tells what the next requests get."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.search_body = search_answer()
        self._next: deque[Misbehaviour] = deque()
        self._listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(self._app(), log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        run = {"sockets": [self._listener]}
        self._thread = threading.Thread(target=self._server.run, kwargs=run, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def misbehave(self, *how: Misbehaviour) -> None:
        self._next.extend(how)

    def forget(self) -> None:
        self.seen.clear()
        self._next.clear()
        self.search_body = search_answer()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._listener.close()

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.api_route("/{path:path}", methods=["GET", "POST"])
        async def answer(request: Request, path: str) -> Response:
            seen = await _looked_at(request)
            self.seen.append(seen)
            how = self._next.popleft() if self._next else Misbehaviour()
            await asyncio.sleep(how.after_s)
            body = self._right(seen) if how.body is None and how.status == 200 else how.body
            if isinstance(body, str):
                return Response(body, how.status, how.headers)
            return JSONResponse(body, how.status, how.headers)

        return app

    def _right(self, seen: Seen) -> Any:
        return {
            "/health": {"status": "healthy", "service": "fake", "indexes": {"l1": 3}},
            "/api/v2/search": self.search_body,
            "/api/v2/index/rebuild": {"success": True, "message": "rebuilt"},
            "/api/index/add": {
                "success": True,
                "drawing_id": 7,
                "file_hash": seen.sha256,
                "message": "added",
                "processing_time_ms": 3.5,
                "s3_key": None,
            },
        }[seen.path]


async def _looked_at(request: Request) -> Seen:
    seen = Seen(request.url.path, {}, dict(request.query_params))
    if request.headers.get("content-type", "").startswith("multipart/"):
        async with request.form() as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    digest = hashlib.file_digest(value.file, "sha256")
                    seen.file_name, seen.size = value.filename or "", value.size or 0
                    seen.sha256 = digest.hexdigest()
                else:
                    seen.form[name] = value
    return seen
