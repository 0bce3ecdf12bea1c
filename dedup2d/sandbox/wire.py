"""What parent and child say to each other: one JSON object per line, never pickle.

Parent: ``{"task": "package.module:function", "payload": {...}}``. Child: first
``{"ready": true}``, then per task ``{"value": {...}}`` or ``{"error": {...}}`` with the class,
its arguments, and the traceback for the log.
"""

from __future__ import annotations

import json
import traceback
from typing import Any, Final

from dedup2d import errors

MAX_ANSWER_BYTES: Final = 64 * 1024**2


def encode(message: dict[str, Any]) -> bytes:
    """One line. Raises TypeError or ValueError for what JSON cannot say."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """The object of one line. Raises ValueError where it is none."""
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("not an object")  # noqa: TRY004  # the caller asks for one error class
    return message


def error_message(error: BaseException) -> dict[str, Any]:
    """An error of the task as the child's answer."""
    said: dict[str, Any] = {"class": "", "args": []}
    if isinstance(error, MemoryError):
        said["class"] = "MemoryError"
    elif isinstance(error, errors.ServiceError):
        said = {
            "class": "ServiceError",
            "args": [error.service, error.message],
            "kwargs": {"code": error.code, "retry_after_s": error.retry_after_s},
        }
    elif isinstance(error, errors.Dedup2DError):
        known = next(c for c in type(error).__mro__ if c.__module__ == errors.__name__)
        said = {"class": known.__name__, "args": list(error.args)}
    else:
        said["traceback"] = "".join(traceback.format_exception(error))
    return {"error": said}


def raised(said: dict[str, Any]) -> errors.Dedup2DError:
    """The error that the child's answer stands for, of the same class as in the child."""
    name = said["class"]
    if name == "MemoryError":
        return errors.DrawingError("MEMORY_LIMIT", "The drawing needs more memory than allowed.")
    cls = getattr(errors, name, None) if name else None
    if isinstance(cls, type) and issubclass(cls, errors.Dedup2DError):
        return cls(*said["args"], **said.get("kwargs", {}))
    return errors.DrawingError(
        "READ_FAILED", "The drawing could not be processed: its content is not as expected."
    )
