"""Services that go away while jobs wait and run: the jobs wait, go on, and are told once."""

import json
import time
from pathlib import Path

import pytest
from chaos_kit.kills import away, connect, processes
from chaos_kit.s3 import SwitchedS3
from e2e_client import KEYS, left_behind, submit, wait_for_end, wait_until
from receiver import Receiver
from stack import Stack

pytestmark = pytest.mark.stack
AWAY_S = 8.0
JOBS = 4


def submit_some(stack: Stack, samples: Path, receiver: Receiver) -> list[str]:
    names = ["resaved.dxf", "rotated.dxf", "revision.dxf", "mirrored.dxf"]
    with stack.client(KEYS[0]) as gateway:
        return [
            submit(gateway, samples / "queries" / name, callback_url=receiver.url)
            for name in names[:JOBS]
        ]


def all_completed_and_told_once(stack: Stack, jobs: list[str], receiver: Receiver) -> None:
    with stack.client(KEYS[0]) as gateway:
        ends = {job_id: wait_for_end(gateway, job_id)["status"] for job_id in jobs}
    assert ends == dict.fromkeys(jobs, "completed")
    assert wait_until(lambda: {d.job_id for d in receiver.deliveries} == set(jobs))
    assert {json.loads(d.body)["status"] for d in receiver.deliveries} == {"completed"}
    assert len({d.delivery_id for d in receiver.deliveries}) == len(jobs)
    assert wait_until(lambda: left_behind(stack) == [])


@pytest.mark.parametrize("service", ["redis", "prefect"])
def test_jobs_wait_for_a_service_that_is_away(
    local_stack: Stack, samples: Path, receiver: Receiver, service: str
) -> None:
    """Some of the jobs are running at that moment, some are not."""
    jobs = submit_some(local_stack, samples, receiver)
    with away(local_stack, service):
        time.sleep(AWAY_S)
    all_completed_and_told_once(local_stack, jobs, receiver)


def test_jobs_wait_for_an_s3_that_says_503(
    s3_stack: Stack, switched: SwitchedS3, samples: Path, receiver: Receiver
) -> None:
    jobs = submit_some(s3_stack, samples, receiver)
    switched.away.set()
    try:
        time.sleep(AWAY_S)
    finally:
        switched.away.clear()
    all_completed_and_told_once(s3_stack, jobs, receiver)


def test_jobs_are_found_again_when_redis_has_lost_everything(
    local_stack: Stack, samples: Path, receiver: Receiver
) -> None:
    """Tickets, leases, bells and the ledger are gone; Prefect and the files are the truth."""
    with local_stack.prefect() as api:
        api.patch("/work_pools/dedup2d", json={"is_paused": True}).raise_for_status()
        jobs = submit_some(local_stack, samples, receiver)
        with connect(local_stack) as client:
            client.flushall()
        for process in processes(local_stack, "redis"):
            process.kill()
        api.patch("/work_pools/dedup2d", json={"is_paused": False}).raise_for_status()
    all_completed_and_told_once(local_stack, jobs, receiver)
