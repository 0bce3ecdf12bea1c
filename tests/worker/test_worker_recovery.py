"""Workers that are killed and started in turn: no run is lost, and none runs twice at a time."""

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from e2e_client import wait_until
from pool_kit import Pool
from stack import Stack

pytestmark = pytest.mark.stack


@pytest.fixture
def pool(local_stack: Stack) -> Iterator[Pool]:
    made = Pool(local_stack, "recovery")
    yield made
    made.close()


def test_a_workers_death_is_noticed_by_another_within_fifteen_seconds(pool: Pool) -> None:
    """The predecessor took 310 s (A4)."""
    workers = {name: pool.worker(name) for name in ("one", "two")}
    run_id = pool.start(seconds=3)
    assert wait_until(pool.is_in("RUNNING", run_id), 90)
    claimed = next(s["message"] for s in pool.history(run_id) if s["name"] == "Pending")
    workers[claimed.removeprefix("Claimed by ")].kill()
    killed_at = time.time()
    assert wait_until(pool.is_in("COMPLETED", run_id), 90)
    lost = next(s["at"] for s in pool.history(run_id) if s["name"] == "WorkerLost")
    assert lost - killed_at < 15
    assert pool.run(run_id)["run_count"] == 2


def test_workers_killed_and_started_in_turn_run_nothing_twice_at_a_time(
    pool: Pool, tmp_path: Path
) -> None:
    """Each execution writes down again and again that it goes on.

    A run that one of Prefect's own workers has claimed, which hold no leases, is left alone.
    """
    journal = tmp_path / "journal"
    foreign = pool.start()
    for state in ("PENDING", "RUNNING"):
        pool.api.post(f"/flow_runs/{foreign}/set_state", json={"state": {"type": state}})
    workers = [pool.worker("w0"), pool.worker("w1")]
    runs = [pool.start(seconds=2, journal=str(journal)) for _ in range(8)]
    assert wait_until(journal.exists, 90)
    for turn in range(3):
        working = int(journal.read_text().split()[-1])
        hit = next((worker for worker in workers if worker.pid == working), workers[0])
        workers.remove(hit)
        hit.kill()
        workers.append(pool.worker(f"w{turn + 2}"))
        time.sleep(4)
    assert wait_until(lambda: all(pool.is_in("COMPLETED", r)() for r in runs), 150)
    assert max(pool.run(r)["run_count"] for r in runs) > 1, "no run was ever hit"
    for run_id in runs:
        names = pool.states(run_id)
        assert names[-1] == "Completed"
        begun = [i for i, name in enumerate(names) if name == "Running"]
        assert all("WorkerLost" in names[a:b] for a, b in pairwise(begun)), names
    assert overlaps(journal.read_text()) == []
    assert pool.states(foreign)[-1] == "Running"


def overlaps(journal: str) -> list[str]:
    """Runs of which one process wrote a line between the lines of another."""
    lines = [line.split() for line in journal.splitlines()]
    seen: dict[str, list[str]] = {}
    for run_id, pid in lines:
        pids = seen.setdefault(run_id, [])
        if not pids or pids[-1] != pid:
            pids.append(pid)
    return [run_id for run_id, pids in seen.items() if len(pids) != len(set(pids))]
