"""Collecting garbage in a thread of its own, so that it never stops an event loop for long.

CPython collects cycles in whatever thread allocates next. In Prefect's server on SQLite that is
the event loop, and what it collects may hold a cursor. Ending a cursor waits for its connection
(``sqlite3_reset`` takes the connection's mutex), which another thread may be using to wait for
the write lock, which a transaction holds that only the event loop can commit. Everything then
stands still until SQLite's busy timeout, 60 s in Prefect. Here a thread that nobody waits for
takes that wait.
"""

from __future__ import annotations

import gc
import threading
import time
from typing import Final

YOUNG_S: Final = 0.25
ROUNDS_PER_MIDDLE: Final = 10  # as CPython's thresholds: each generation ten times as rarely
ROUNDS_PER_OLD: Final = 100
ROUNDS_TO_SETTLE: Final = 120  # by then what a server keeps for good has been built


def collect_in_background() -> None:
    """Switch automatic collection off; a daemon thread collects all three generations."""
    gc.disable()
    threading.Thread(target=_collect_for_ever, name="garbage", daemon=True).start()


def _collect_for_ever() -> None:
    rounds = 0
    while True:
        time.sleep(YOUNG_S)
        rounds += 1
        if rounds == ROUNDS_TO_SETTLE:
            gc.collect(2)
            gc.freeze()  # collecting holds the interpreter's lock; what stays is not looked at again
        elif rounds % ROUNDS_PER_OLD == 0:
            gc.collect(2)
        elif rounds % ROUNDS_PER_MIDDLE == 0:
            gc.collect(1)
        else:
            gc.collect(0)
