"""The sweep on a running stack: what it deletes, what it keeps, and what it says it did."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from chaos_kit.kills import connect, processes
from e2e_client import KEYS, left_behind, submit, wait_for_end, wait_until
from prefect.settings import PREFECT_API_URL, temporary_settings
from receiver import Receiver
from stack import ROOT, Stack

from dedup2d.jobs.sweep import SweepCounts, run
from dedup2d.settings import read_settings

pytestmark = pytest.mark.stack
OLD = 30 * 86400


def environ_of(stack: Stack) -> dict[str, str]:
    return {
        "PREFECT_API_URL": stack.prefect_api,
        "DEDUP2D_REDIS_URL": f"unix://{next(stack.data.rglob('*.sock'))}",
        "DEDUP2D_DATA_DIR": str(stack.data),
        **stack.environ,
    }


def sweep(stack: Stack) -> SweepCounts:
    with temporary_settings({PREFECT_API_URL: stack.prefect_api}):
        return run(read_settings(environ_of(stack)), execute=True)


def looked(stack: Stack) -> dict[str, Any]:
    """What the command line says, which only looks unless told otherwise."""
    done = subprocess.run(
        [sys.executable, "-m", "dedup2d.cli", "gc", "--json"],
        env=os.environ | environ_of(stack),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    counts: dict[str, Any] = json.loads(done.stdout)
    return counts


def orphan(stack: Stack, name: str, age_s: float = OLD) -> Path:
    """An upload that no job knows."""
    folder = stack.data / "uploads" / name
    folder.mkdir(parents=True)
    file = folder / "0f_part.dxf"
    file.write_bytes(b"0\nEOF\n")
    for path in (file, folder):
        os.utime(path, (time.time() - age_s,) * 2)
    return folder


def pause(stack: Stack, *, paused: bool) -> None:
    with stack.prefect() as api:
        api.patch("/work_pools/dedup2d", json={"is_paused": paused}).raise_for_status()


def test_all_orphans_go_in_one_run_and_none_in_a_dry_one(local_stack: Stack) -> None:
    """The predecessor deleted one file per run and crashed (B1), and left the folders (B3)."""
    old = [orphan(local_stack, f"orphan-{n}") for n in range(5)]
    young = orphan(local_stack, "orphan-young", age_s=60)
    would = looked(local_stack)
    assert (would["executed"], would["deleted"]) == (False, 5)
    assert all(folder.exists() for folder in old)
    done = sweep(local_stack)
    assert (done.executed, done.deleted, done.failed) == (True, 5, 0)
    assert [folder for folder in old if folder.exists()] == []
    assert young.exists(), "it may belong to a submit that is just going on"
    (young / "0f_part.dxf").unlink()
    young.rmdir()


def test_file_of_a_waiting_job_is_kept_however_old(
    local_stack: Stack, gateway: httpx.Client, samples: Path, receiver: Receiver
) -> None:
    """The predecessor looked at the age alone (B2); its jobs expired while they waited (A10)."""
    pause(local_stack, paused=True)
    try:
        job_id = submit(gateway, samples / "queries" / "resaved.dxf", callback_url=receiver.url)
        for path in (local_stack.data / "uploads").rglob("*"):
            os.utime(path, (time.time() - OLD,) * 2)
        with connect(local_stack) as client:
            for key in client.scan_iter("dedup2d:ticket:*"):
                client.pexpire(key, 1)
        counts = sweep(local_stack)
        assert (counts.deleted, counts.closed) == (0, 0)
        assert gateway.get(f"/jobs/{job_id}").json()["status"] == "pending"
    finally:
        pause(local_stack, paused=False)
    assert wait_for_end(gateway, job_id)["status"] == "completed"
    assert wait_until(lambda: len(receiver.deliveries) == 1)
    assert wait_until(lambda: left_behind(local_stack) == [])


def test_files_that_vanish_while_it_runs_do_no_harm(local_stack: Stack) -> None:
    folders = [orphan(local_stack, f"vanishing-{n}") for n in range(300)]
    stopped = threading.Event()

    def vanish() -> None:
        for folder in folders:
            (folder / "0f_part.dxf").unlink(missing_ok=True)
            if folder.exists():
                folder.rmdir()
            if stopped.wait(0.01):
                return

    other = threading.Thread(target=vanish)
    other.start()
    counts = sweep(local_stack)
    other.join()
    stopped.set()
    assert counts.failed == 0
    assert [folder for folder in folders if folder.exists()] == []


def test_what_cannot_be_deleted_is_said_and_tried_again(
    local_stack: Stack, gateway: httpx.Client, samples: Path
) -> None:
    """The predecessor swallowed it (B4); the job has ended all the same."""
    pause(local_stack, paused=True)
    try:
        job_id = submit(gateway, samples / "queries" / "resaved.dxf")
        folder = next(path for path in (local_stack.data / "uploads").iterdir())
        stuck = folder / "stuck"
        stuck.mkdir()  # what unlink cannot delete, even for root
    finally:
        pause(local_stack, paused=False)
    assert wait_for_end(gateway, job_id)["status"] == "completed"
    assert sweep(local_stack).failed == 1
    stuck.rmdir()
    assert sweep(local_stack).closed == 1
    assert left_behind(local_stack) == []


def test_upload_of_a_gateway_that_was_killed_is_swept(local_stack: Stack) -> None:
    """The predecessor lost track of it (B5)."""
    with socket.create_connection(("127.0.0.1", local_stack.port)) as connection:
        connection.sendall(
            b"POST /api/v1/dedup/2d/search?async=true HTTP/1.1\r\nHost: x\r\n"
            b"X-API-Key: " + KEYS[0].encode() + b"\r\nContent-Length: 9000000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.dxf"\r\n\r\n'
            + bytes(5_000_000)
        )
        uploads = local_stack.data / "uploads"
        assert wait_until(lambda: any(p.is_file() for p in uploads.rglob("*")), 20)
        for process in processes(local_stack, "gateway"):
            process.kill()
    with connect(local_stack) as client:
        for key in client.scan_iter("dedup2d:ticket:*"):
            client.pexpire(key, 1)
    for path in uploads.rglob("*"):
        os.utime(path, (time.time() - OLD,) * 2)
    counts = sweep(local_stack)
    assert counts.unfinished + counts.deleted >= 1
    assert left_behind(local_stack) == []
    url = f"{local_stack.url}/health"
    assert wait_until(lambda: is_up(url), 90), "it was not started again"


def is_up(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.HTTPError:
        return False


def test_a_place_that_cannot_be_swept_does_not_keep_it_from_the_others(
    local_stack: Stack, gateway: httpx.Client, samples: Path
) -> None:
    """An outcome that nobody can read, of a job whose local copies a killed worker left."""
    job_id = submit(gateway, samples / "queries" / "resaved.dxf")
    assert wait_for_end(gateway, job_id)["status"] == "completed"
    assert wait_until(lambda: left_behind(local_stack) == [])
    outcome = local_stack.data / "results" / job_id / "outcome.json"
    kept = outcome.read_bytes()
    outcome.write_bytes(b"{")
    copies = local_stack.data / "scratch" / job_id
    copies.mkdir(parents=True)
    behind = orphan(local_stack, "orphan-behind")  # places are gone through by name
    assert sweep(local_stack).failed == 1
    assert not behind.exists()
    outcome.write_bytes(kept)
    assert sweep(local_stack).closed == 1
    assert not copies.exists()
