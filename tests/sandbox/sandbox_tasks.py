"""What the sandbox tests run in child processes."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

from dedup2d.errors import ConflictError, DrawingError, ServiceError

_CALLS = []


def echo(payload):
    return payload


def calls(payload):
    _CALLS.append(1)
    return {"calls": len(_CALLS), "pid": os.getpid()}


def sleep(payload):
    time.sleep(payload["seconds"])
    return {}


def spin(payload):
    Path(payload["pid_file"]).write_text(str(os.getpid()))
    sum(range(10**12))  # C code that holds the interpreter
    return {}


def slow_once(payload):
    if not (seen := Path(payload["pid_file"])).exists():
        seen.write_text(str(os.getpid()))
        time.sleep(60)
    return {}


def grandchild(payload):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(payload["pid_file"]).write_text(str(child.pid))
    time.sleep(60)
    return {}


def eat(payload):
    return {"length": len(bytearray(payload["bytes"]))}


def die(payload):
    os.abort()


def babble(payload):
    with contextlib.suppress(BlockingIOError):
        for _ in range(3000):
            os.write(2, b"x" * 1000)
    os.write(1, b"noise")
    sys.stdout.write("noise")
    return {}


def long_answer(payload):
    return {"text": "x" * payload["bytes"]}


def fail(payload):
    raise {
        "drawing": DrawingError("BROKEN_DRAWING", "It is broken."),
        "conflict": ConflictError("CONFLICT", "No."),
        "service": ServiceError("store", "Gone.", retry_after_s=2.5),
        "bug": ZeroDivisionError("/secret/path"),
    }[payload["kind"]]


def surroundings(payload):
    targets = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            targets.append(str(descriptor.readlink()))
    return {"fds": targets, "stdin": sys.stdin.read(), "cwd": str(Path.cwd())}
