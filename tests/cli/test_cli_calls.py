"""A wrong call is status 2 and a sentence, never a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from cli_kit import COMMAND, Run, environ


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check"], "FILE"),
        (["check", "x.dxf", "--index", "nowhere"], "INDEX_NOT_FOUND"),
        (["check", "x.dxf", "--frobnicate"], "--frobnicate"),
        (["check", "x.dxf", "--top", "-1"], "--top"),
        (["check", "x.dxf", "--preset", "lax"], "UNKNOWN_PRESET"),
        (["check", "x.dxf", "--threshold", "2"], "--threshold"),
        (["index", "add", "nowhere"], "PATH_NOT_FOUND"),
        (["diff", "a.dxf", "b.dxf", "-o", "c.bmp"], "UNKNOWN_FORMAT"),
        (["diff", "a.dxf", "b.dxf"], "FILE_MISSING"),
        (["samples", "."], "FOLDER_NOT_EMPTY"),
        (["submit", "nowhere.dxf"], "FILE_MISSING"),
    ],
)
def test_a_wrong_call_is_status_2(
    dedup2d: Run, tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "something").touch()
    done = dedup2d(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_setting_that_cannot_be_read_is_named(dedup2d: Run, tmp_path: Path) -> None:
    done = dedup2d("check", "x.dxf", cwd=tmp_path, DEDUP2D_MAX_PIXELS="many")
    assert done.returncode == 2
    assert "DEDUP2D_MAX_PIXELS" in done.stderr


@pytest.mark.parametrize("command", ["init", "worker", "gc"])
def test_without_a_named_server_none_is_started(dedup2d: Run, tmp_path: Path, command: str) -> None:
    done = dedup2d(command, cwd=tmp_path, PREFECT_HOME=str(tmp_path))
    assert done.returncode == 2
    assert "PREFECT_API_URL" in done.stderr


def test_debug_shows_where_an_error_comes_from(dedup2d: Run, tmp_path: Path) -> None:
    done = dedup2d("--debug", "check", "x.dxf", "--index", "nowhere", cwd=tmp_path)
    assert done.returncode != 0
    assert "Traceback" in done.stderr


def test_a_service_that_does_not_answer_is_status_3(dedup2d: Run) -> None:
    done = dedup2d("jobs", "--url", "http://127.0.0.1:9")
    assert done.returncode == 3
    assert done.stderr.startswith("error: GATEWAY_UNAVAILABLE: ")


def test_a_reader_that_hangs_up_is_no_error(drawings: Path, vault: Path) -> None:
    command = [*COMMAND, "index", "list", "--index", str(vault), "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ()
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_at_once_and_nothing_is_left(
    drawings: Path, vault: Path, tmp_path: Path, number: int, status: int
) -> None:
    queries = [str(path) for path in (drawings / "queries").iterdir()] * 200
    process = subprocess.Popen(
        [*COMMAND, "check", *queries, "--index", str(vault), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ(TMPDIR=str(tmp_path)),
        start_new_session=True,
    )
    assert process.stdout
    assert process.stdout.readline()
    children = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, number)
    began = time.monotonic()
    _, said = process.communicate(timeout=30)
    assert children
    assert process.returncode == status
    assert time.monotonic() - began < 5
    assert b"Traceback" not in said
    assert psutil.wait_procs(children, timeout=5)[1] == []
    assert list(tmp_path.iterdir()) == []
