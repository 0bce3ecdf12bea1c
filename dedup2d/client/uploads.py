"""Sending files to the addresses of a direct upload."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import httpx
from pydantic import BaseModel, ConfigDict

from dedup2d.client.answers import SERVICE, error_of
from dedup2d.errors import RequestError, ServiceError

TRIES: Final = 4
CONFLICT_PAUSE_S: Final = 0.5
BLOCK_BYTES: Final = 256 * 1024


class Slot(BaseModel):
    """Where one file goes."""

    model_config = ConfigDict(frozen=True)

    method: str
    url: str
    headers: dict[str, str] = {}


class Opened(BaseModel):
    """The gateway's answer: an upload, with a slot for each file."""

    model_config = ConfigDict(frozen=True)

    upload_id: str
    files: tuple[Slot, ...]


def announced(path: Path) -> dict[str, object]:
    """What the gateway is told of a file. Raises RequestError ``FILE_UNREADABLE``."""
    try:
        return {"file_name": path.name, "size": path.stat().st_size}
    except OSError as error:
        raise _unreadable(path, error) from error


def send(origin: str, slot: Slot, path: Path, *, timeout_s: float) -> None:
    """Send a file, again where the connection breaks, and from there on where that is possible.

    Without an API key: the address alone gives the right. Raises as the client's methods.
    """
    resumable = not slot.url.startswith(("http://", "https://"))
    url = origin.rstrip("/") + slot.url if resumable else slot.url  # below a proxy's path too
    with httpx.Client(timeout=timeout_s) as http:
        for attempt in range(1, TRIES + 1):
            try:
                answer = _send_once(http, slot, url, path, resume=resumable and attempt > 1)
            except httpx.TransportError as error:
                if attempt == TRIES:
                    message = f"The connection broke {TRIES} times while {path.name} was sent."
                    raise ServiceError(SERVICE, message) from error
                continue
            if answer.status_code == httpx.codes.CONFLICT and 1 < attempt < TRIES:
                time.sleep(CONFLICT_PAUSE_S)  # the broken connection is not noticed yet
                continue
            if not answer.is_success:
                raise error_of(answer)
            return


def _send_once(
    http: httpx.Client, slot: Slot, url: str, path: Path, *, resume: bool
) -> httpx.Response:
    try:
        with path.open("rb") as file:
            if not resume:
                return http.request(slot.method, url, content=_blocks(file), headers=slot.headers)
            looked = http.head(url)
            offset = int(looked.headers.get("Upload-Offset", 0))
            file.seek(offset)
            size = int(looked.headers.get("Upload-Length", 0))
            if looked.is_success and offset == size:
                return looked
            headers = {"Upload-Offset": str(offset), "Content-Length": str(size - offset)}
            return http.patch(url, content=_blocks(file), headers=headers)
    except OSError as error:
        raise _unreadable(path, error) from error


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(BLOCK_BYTES):
        yield block


def _unreadable(path: Path, error: OSError) -> RequestError:
    return RequestError("FILE_UNREADABLE", f"{path}: {error.strerror or 'unreadable'}.")
