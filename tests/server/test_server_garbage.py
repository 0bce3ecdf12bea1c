"""Garbage that holds a cursor of a waiting connection must not stop who holds the lock."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import gc, sqlite3, sys, threading, time
from dedup2d.stack.garbage import collect_in_background

if sys.argv[2] == "in the background":
    collect_in_background()
holder, waiter = (
    sqlite3.connect(sys.argv[1], timeout=4, isolation_level=None, check_same_thread=False)
    for _ in range(2)
)
holder.execute("PRAGMA journal_mode = WAL")
cycle = [waiter.execute("SELECT 1 UNION SELECT 2")]
cycle.append(cycle)
holder.execute("BEGIN IMMEDIATE")

def wait():
    try:
        waiter.execute("BEGIN IMMEDIATE")
        print("got the lock")
    except sqlite3.Error:
        print("stopped")  # what SQLite says of it depends on who asked the connection last

waiting = threading.Thread(target=wait)
waiting.start()
time.sleep(0.5)
del cycle
kept = [[] for _ in range(200_000)]  # as an event loop that goes on working
time.sleep(1)
holder.commit()
waiting.join()
"""


@pytest.mark.parametrize(
    ("collected", "said"),
    [("automatically", "stopped"), ("in the background", "got the lock")],
)
def test_a_collected_cursor_stops_the_collecting_thread_alone(
    tmp_path: Path, collected: str, said: str
) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "a.sqlite3"), collected]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.strip() == said
