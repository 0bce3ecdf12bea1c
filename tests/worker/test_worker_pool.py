"""Workers on one pool of a real Prefect server: nothing runs twice, nothing is lost."""

import time
from collections.abc import Iterator

import pytest
from e2e_client import wait_until
from pool_kit import Pool
from stack import Stack

pytestmark = pytest.mark.stack


@pytest.fixture
def pool(local_stack: Stack) -> Iterator[Pool]:
    made = Pool(local_stack)
    yield made
    made.close()


def test_two_workers_share_runs_and_none_runs_twice(pool: Pool) -> None:
    pool.worker("one")
    pool.worker("two")
    runs = [pool.start(seconds=0.1) for _ in range(12)]
    assert wait_until(lambda: all(pool.is_in("COMPLETED", r)() for r in runs), 60)
    assert {pool.run(r)["run_count"] for r in runs} == {1}
    assert [s.count("Running") for s in map(pool.states, runs)] == [1] * len(runs)


def test_stopped_worker_hands_its_run_back_uncancelled(pool: Pool) -> None:
    leaving = pool.worker("leaving")
    run_id = pool.start(seconds=50)
    assert wait_until(pool.is_in("RUNNING", run_id), 90)
    leaving.terminate()
    assert leaving.wait(60) == 0, (pool.logs / "leaving.log").read_text()
    assert pool.states(run_id)[-1] == "HandedBack"
    pool.api.post(f"/flow_runs/{run_id}/set_state", json={"state": {"type": "CANCELLING"}})


def test_cancelled_run_stops_within_two_seconds(pool: Pool) -> None:
    pool.worker("one")
    run_id = pool.start(seconds=50)
    assert wait_until(pool.is_in("RUNNING", run_id), 90)
    asked = time.monotonic()
    pool.api.post(f"/flow_runs/{run_id}/set_state", json={"state": {"type": "CANCELLING"}})
    assert wait_until(pool.is_in("CANCELLED", run_id), 40)
    assert time.monotonic() - asked < 3
