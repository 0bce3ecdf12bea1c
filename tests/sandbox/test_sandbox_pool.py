"""Children do the work, and what goes wrong in one costs one clear error."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from dedup2d.errors import ConflictError, DrawingError, ServiceError
from dedup2d.sandbox import ChildPool


async def run(pool, name, timeout_s=20.0, **payload):
    return await pool.run(f"sandbox_tasks:{name}", payload, timeout_s=timeout_s)


async def wait_for(path, timeout_s=10.0):
    end = time.monotonic() + timeout_s
    while not path.exists() or not path.read_text():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)
    return int(path.read_text())


async def test_child_answers_and_is_reused(pool):
    first = await run(pool, "calls")
    second = await run(pool, "calls")
    assert (first["calls"], second["calls"]) == (1, 2)
    assert first["pid"] == second["pid"] != os.getpid()


async def test_large_payloads_pass_both_ways(pool):
    assert await run(pool, "echo", text="x" * 3_000_000) == {"text": "x" * 3_000_000}


async def test_children_work_at_the_same_time(pool):
    start = time.monotonic()
    await asyncio.gather(*(run(pool, "sleep", seconds=3) for _ in range(2)))
    assert time.monotonic() - start < 5.5, "one after the other takes 6 s"


@pytest.mark.parametrize(
    ("kind", "cls", "code"),
    [
        ("drawing", DrawingError, "BROKEN_DRAWING"),
        ("conflict", ConflictError, "CONFLICT"),
        ("service", ServiceError, "STORE_UNAVAILABLE"),
    ],
)
async def test_our_errors_cross_the_border_unchanged(pool, kind, cls, code):
    with pytest.raises(cls) as caught:
        await run(pool, "fail", kind=kind)
    assert type(caught.value) is cls
    assert caught.value.code == code
    assert getattr(caught.value, "retry_after_s", 2.5) == 2.5


async def test_other_errors_become_a_sentence_and_the_traceback_is_logged(pool, caplog):
    with pytest.raises(DrawingError) as caught:
        await run(pool, "fail", kind="bug")
    assert caught.value.code == "READ_FAILED"
    assert "/secret" not in str(caught.value)
    assert "ZeroDivisionError: /secret/path" in caplog.text


async def test_memory_over_the_limit_is_one_error(pool):
    with pytest.raises(DrawingError) as caught:
        await run(pool, "eat", bytes=2 * 1024**3)
    assert caught.value.code == "MEMORY_LIMIT"
    assert await run(pool, "eat", bytes=1000) == {"length": 1000}


async def test_time_over_the_limit_kills_the_whole_group(pool, tmp_path, is_running):
    with pytest.raises(DrawingError) as caught:
        await run(pool, "grandchild", timeout_s=1.0, pid_file=str(tmp_path / "pid"))
    assert caught.value.code == "TIME_LIMIT"
    grandchild = int((tmp_path / "pid").read_text())
    await asyncio.sleep(0.2)
    assert not is_running(grandchild)


async def test_death_of_a_child_costs_one_error_and_it_is_replaced(pool):
    with pytest.raises(DrawingError) as caught:
        await run(pool, "die")
    assert caught.value.code == "READER_CRASHED"
    assert await run(pool, "echo", a=1) == {"a": 1}


async def test_a_task_whose_child_was_killed_from_outside_is_done_by_another(pool, tmp_path):
    task = asyncio.ensure_future(run(pool, "slow_once", pid_file=str(tmp_path / "pid")))
    os.kill(await wait_for(tmp_path / "pid"), signal.SIGKILL)
    assert await task == {}


async def test_child_that_died_while_idle_costs_no_error(pool):
    pid = (await run(pool, "calls"))["pid"]
    os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0.1)
    assert (await run(pool, "calls"))["calls"] == 1


async def test_too_long_an_answer_is_refused(pool):
    with pytest.raises(DrawingError) as caught:
        await run(pool, "long_answer", bytes=65 * 1024**2)
    assert caught.value.code == "OUTPUT_LIMIT"


async def test_noise_on_stdout_and_stderr_does_no_harm(pool):
    assert await run(pool, "babble") == {}


async def test_cancelling_kills_the_child_within_a_second_and_others_go_on(
    pool, tmp_path, is_running
):
    other = asyncio.ensure_future(run(pool, "sleep", seconds=1.5))
    task = asyncio.ensure_future(run(pool, "spin", pid_file=str(tmp_path / "pid")))
    pid = await wait_for(tmp_path / "pid")
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.5)
    assert not is_running(pid)
    assert await other == {}


async def test_closing_ends_children_at_work(pool, tmp_path, is_running):
    task = asyncio.ensure_future(run(pool, "spin", pid_file=str(tmp_path / "pid")))
    pid = await wait_for(tmp_path / "pid")
    await pool.aclose()
    assert not is_running(pid)
    with pytest.raises(DrawingError):
        await task
    with pytest.raises(ServiceError):
        await run(pool, "echo")


async def test_child_inherits_nothing(pool, tmp_path):
    with (tmp_path / "open").open("w") as kept:
        os.set_inheritable(kept.fileno(), True)
        around = await run(pool, "surroundings")
    assert not any(str(tmp_path) in target for target in around["fds"])
    assert sum(target.startswith("socket:") for target in around["fds"]) == 1
    assert (around["stdin"], around["cwd"]) == ("", str(Path.cwd()))


async def test_waiting_for_a_child_does_not_block_the_loop(pool):
    worst, last = 0.0, time.monotonic()
    task = asyncio.ensure_future(run(pool, "sleep", seconds=0.5))
    while not task.done():
        await asyncio.sleep(0.005)
        worst, last = max(worst, time.monotonic() - last), time.monotonic()
    assert worst < 0.25


async def test_task_that_does_not_exist_is_an_error_not_a_crash(pool):
    with pytest.raises(DrawingError) as caught:
        await pool.run("no_such_module:f", {}, timeout_s=10)
    assert caught.value.code == "READ_FAILED"


async def test_child_that_cannot_start_is_a_fault_of_the_service():
    async with ChildPool(processes=1, memory_bytes=1024**3, preload=("no_such_module",)) as broken:
        with pytest.raises(ServiceError):
            await broken.run("json:dumps", {}, timeout_s=10)


@pytest.mark.parametrize("task", ["spin", "calls"])
async def test_killed_parent_leaves_no_child_behind(task, tmp_path, is_running, pool):
    script = f"""
import asyncio, os
from dedup2d.sandbox import ChildPool
async def main():
    pool = ChildPool(processes=1, memory_bytes=1024**3)
    answer = await pool.run("sandbox_tasks:calls", {{}}, timeout_s=20)
    open({str(tmp_path / "idle")!r}, "w").write(str(answer["pid"]))
    await pool.run("sandbox_tasks:{task}", {{"pid_file": {str(tmp_path / "pid")!r}}}, timeout_s=60)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    child = await wait_for(tmp_path / ("pid" if task == "spin" else "idle"))
    parent.kill()
    await parent.wait()
    await asyncio.sleep(0.5)
    assert not is_running(child)
