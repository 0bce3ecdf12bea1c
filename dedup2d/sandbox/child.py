"""A child process: runs one task after the other until its parent is gone.

Started as ``python -m dedup2d.sandbox.child SOCKET_FD LIFELINE_FD MEMORY_BYTES [MODULE...]``.
It imports next to nothing by itself, so that it answers early; what tasks import stays imported.

The parent's death closes the lifeline, a pipe that nobody writes to; the kernel then sends
SIGIO, whose default action ends the process even where C code holds the interpreter.
(PR_SET_PDEATHSIG would fire when the *thread* that started the child ends; SIGIO on the socket
itself may come late for a request that was already read, and kill a child that works for it.)
"""

from __future__ import annotations

import fcntl
import importlib
import os
import resource
import select
import socket
import sys
from typing import Any

from dedup2d.sandbox.wire import MAX_ANSWER_BYTES, decode, encode, error_message

# Native thread pools would multiply the address space and fight over the cores.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def main(arguments: list[str]) -> None:
    """Serve the socket whose number is the first argument, while the lifeline is open."""
    _tie_to_parent(int(arguments[1]))
    _limit(int(arguments[2]))
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123  # open for good
    for module in arguments[3:]:
        importlib.import_module(module)
    with socket.socket(fileno=int(arguments[0])) as channel, channel.makefile("rb") as requests:
        channel.sendall(encode({"ready": True}))
        for line in requests:
            channel.sendall(_answer(decode(line)))


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _tie_to_parent(lifeline: int) -> None:
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([lifeline], [], [], 0)[0]:
        sys.exit(0)  # the parent went away before the signal was armed


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
