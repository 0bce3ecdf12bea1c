"""Doing what a client does."""

import time
from pathlib import Path
from typing import Any

import httpx
import redis
from stack import Stack

KEYS = ("key-of-a", "key-of-b")
SECRET = "webhook-secret"
ADMIN = "admin-token"
ENDED = {"completed", "failed", "canceled"}


def submit(gateway: httpx.Client, path: Path, **params: str) -> str:
    files = {"file": (path.name, path.read_bytes())}
    answer = gateway.post("/search", params={"async": "true"} | params, files=files)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["job_id"])


def wait_for_end(gateway: httpx.Client, job_id: str, seconds: float = 120) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job: dict[str, Any] = gateway.get(f"/jobs/{job_id}").raise_for_status().json()
        if job["status"] in ENDED:
            return job
        time.sleep(0.05)
    raise AssertionError(f"job {job_id} did not end within {seconds} s: {job}")


def best_match(job: dict[str, Any]) -> dict[str, Any] | None:
    found = job["result"]["duplicates"] + job["result"]["similar"]
    return found[0] if found else None


def left_behind(stack: Stack) -> list[str]:
    """Uploads, folders and tickets that nobody cleaned up."""
    uploads = [str(path) for path in (stack.data / "uploads").rglob("*")]
    socket = next(stack.data.rglob("*.sock"))
    with redis.Redis(unix_socket_path=str(socket)) as client:
        tickets = [key.decode() for key in client.scan_iter("*:ticket:*")]
    return uploads + tickets


def wait_until(condition: Any, seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return bool(condition())
