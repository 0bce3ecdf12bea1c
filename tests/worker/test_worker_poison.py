"""Drawings that eat memory, loop or crash their child: one clear error each, and others go on."""

import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from e2e_client import wait_until
from pool_kit import Pool
from stack import Stack

pytestmark = pytest.mark.stack
MEMORY = 1100 * 1024**2
READING = 350 * 1024**2  # an idle child has half of it
LINE = "0\nLINE\n8\n0\n10\n{0}\n20\n{1}\n11\n{1}\n21\n{0}\n"
JOB = "flows.dedup_job.dedup_job"


def lines(path: Path, count: int) -> str:
    """A DXF of so many lines; a million take some 5 s and 1 GB to read."""
    block = "".join(LINE.format(n, n * 7 % 1000) for n in range(1000))
    with path.open("w") as file:
        file.write("0\nSECTION\n2\nENTITIES\n")
        for _ in range(count // 1000):
            file.write(block)
        file.write("0\nENDSEC\n0\nEOF\n")
    return str(path)


@pytest.fixture(scope="module")
def narrow(local_stack: Stack) -> Iterator[Pool]:
    """Little memory for each child."""
    yield from serving(local_stack, "narrow", DEDUP2D_CHILD_MEMORY_BYTES=str(MEMORY))


@pytest.fixture(scope="module")
def hasty(local_stack: Stack) -> Iterator[Pool]:
    """Little time for each drawing."""
    yield from serving(local_stack, "hasty", DEDUP2D_READ_TIMEOUT_SECONDS="2")


def serving(stack: Stack, name: str, **environ: str) -> Iterator[Pool]:
    pool = Pool(stack, name, JOB, **environ)
    pool.worker(name)
    yield pool
    pool.close()


def end(pool: Pool, run_id: str) -> str:
    ended = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
    assert wait_until(lambda: pool.run(run_id)["state_type"] in ended, 120)
    state = pool.run(run_id)["state"]
    return str(state["message"]).partition(":")[0] if state["type"] == "FAILED" else state["type"]


def children(pool: Pool) -> list[psutil.Process]:
    return psutil.Process(pool.workers[0].pid).children()


def test_drawing_that_eats_memory_costs_one_error(
    narrow: Pool, samples: Path, tmp_path: Path
) -> None:
    """Another job goes on meanwhile, and the memory comes back."""
    hungry = narrow.start(sources=[lines(tmp_path / "hungry.dxf", 1_400_000)])
    other = narrow.start(sources=[str(samples / "queries" / "resaved.dxf")])
    assert end(narrow, other) == "COMPLETED"
    assert end(narrow, hungry) == "MEMORY_LIMIT"
    assert narrow.states(hungry).count("Running") == 1
    used = sum(map(resident, children(narrow)))
    assert used < MEMORY, "the child that ate it is gone"


def test_drawing_that_takes_for_ever_costs_one_error(
    hasty: Pool, samples: Path, tmp_path: Path
) -> None:
    endless = hasty.start(sources=[lines(tmp_path / "endless.dxf", 1_400_000)])
    other = hasty.start(sources=[str(samples / "queries" / "resaved.dxf")])
    assert end(hasty, other) == "COMPLETED"
    assert end(hasty, endless) == "TIME_LIMIT"


def test_drawing_that_crashes_its_child_costs_one_error(
    narrow: Pool, samples: Path, tmp_path: Path
) -> None:
    """Two children end by SIGSEGV over it; the second is held to be its fault."""
    crashing = narrow.start(sources=[lines(tmp_path / "crashing.dxf", 900_000)])
    other = narrow.start(sources=[str(samples / "queries" / "resaved.dxf")])
    for _ in range(2):
        child = busiest(narrow)
        child.send_signal(signal.SIGSEGV)
        assert wait_until(lambda child=child: not works(child))
    assert end(narrow, crashing) == "READER_CRASHED"
    assert end(narrow, other) == "COMPLETED"


def busiest(pool: Pool) -> psutil.Process:
    """The child that is in the middle of reading the large drawing."""
    found: list[psutil.Process] = []

    def look() -> bool:
        found[:] = [child for child in children(pool) if resident(child) > READING and works(child)]
        return bool(found)

    assert wait_until(look, 60)
    return found[0]


def works(process: psutil.Process) -> bool:
    """It uses the processor just now."""
    with suppress(psutil.NoSuchProcess):
        return process.cpu_percent(0.2) > 5
    return False


def resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
