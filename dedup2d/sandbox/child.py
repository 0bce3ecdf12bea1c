"""A child process: runs one task after the other until its parent is gone.

Started as ``python -m dedup2d.sandbox.child SOCKET_FD MEMORY_BYTES [MODULE...]``. It imports
next to nothing by itself, so that it answers early; what tasks import stays imported.

The parent's death is noticed by the closed socket: between tasks by reading its end, during a
task by SIGIO, whose default action ends the process even where C code holds the interpreter.
(PR_SET_PDEATHSIG would fire when the *thread* that started the child ends.)
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import os
import resource
import select
import socket
import sys
from collections.abc import Iterator
from typing import Any

from dedup2d.sandbox.wire import MAX_ANSWER_BYTES, decode, encode, error_message

# Native thread pools would multiply the address space and fight over the cores.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def main(arguments: list[str]) -> None:
    """Serve the socket whose number is the first argument."""
    _limit(int(arguments[1]))
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123  # open for good
    for module in arguments[2:]:
        importlib.import_module(module)
    with socket.socket(fileno=int(arguments[0])) as channel, channel.makefile("rb") as requests:
        channel.sendall(encode({"ready": True}))
        for line in requests:
            with _tied_to_parent(channel):
                answer = _answer(decode(line))
            channel.sendall(answer)


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


@contextlib.contextmanager
def _tied_to_parent(channel: socket.socket) -> Iterator[None]:
    flags = fcntl.fcntl(channel, fcntl.F_GETFL)
    fcntl.fcntl(channel, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(channel, fcntl.F_SETFL, flags | os.O_ASYNC)
    if select.select([channel], [], [], 0)[0]:
        sys.exit(0)  # the parent went away before the signal was armed
    yield
    fcntl.fcntl(channel, fcntl.F_SETFL, flags)


def _answer(request: dict[str, Any]) -> bytes:
    try:
        module, _, name = request["task"].partition(":")
        function = getattr(importlib.import_module(module), name)
        answer = encode({"value": function(request["payload"])})
    except Exception as error:  # noqa: BLE001  # process edge: the parent raises it
        return encode(error_message(error))
    if len(answer) > MAX_ANSWER_BYTES:
        said = {"class": "DrawingError", "args": ["OUTPUT_LIMIT", "The result is too large."]}
        return encode({"error": said})
    return answer


if __name__ == "__main__":
    main(sys.argv[1:])
