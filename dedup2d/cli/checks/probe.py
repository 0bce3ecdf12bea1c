"""What the doctor has a child process do."""

from __future__ import annotations

from typing import Any


def echo(payload: dict[str, Any]) -> dict[str, Any]:
    """Give back what was given."""
    return payload


def swallow(payload: dict[str, Any]) -> dict[str, Any]:
    """Take ``bytes`` of memory; over the limit that is a MemoryError."""
    return {"taken": len(bytearray(int(payload["bytes"])))}
