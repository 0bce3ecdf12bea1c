"""Many who wait for jobs, and one who asks."""

import asyncio

import pytest

from dedup2d.errors import ServiceError
from dedup2d.gateway.watch import BATCH, JobWatch
from dedup2d.jobs.model import JobStatus, Standing

WAITS = Standing(status=JobStatus.PENDING)
RUNS = Standing(status=JobStatus.IN_PROGRESS)
DONE = Standing(status=JobStatus.COMPLETED)
LONG_S = 30


class Jobs:
    """Jobs that stand as a test says, and how often they were asked about."""

    def __init__(self, *names):
        self.standings = dict.fromkeys(names, WAITS)
        self.asked = []
        self.away = False

    async def ask(self, names):
        self.asked.append(len(names))
        if self.away:
            raise ServiceError("prefect", "It does not answer.")
        return {name: self.standings[name] for name in names if name in self.standings}


async def test_five_hundred_listeners_of_a_job_cost_what_one_does():
    """Each hears of every change, and Prefect is asked about one job."""
    jobs = Jobs("a")
    watch = JobWatch(jobs.ask)

    async def heard():
        async with watch.listen("a") as listener:
            first = await listener.news(LONG_S)
            jobs.standings["a"] = DONE
            return first, await listener.end(LONG_S)

    assert set(await asyncio.gather(*(heard() for _ in range(500)))) <= {
        (WAITS, DONE),
        (DONE, None),
    }
    assert set(jobs.asked) == {1}
    assert len(jobs.asked) < 10


async def test_many_jobs_are_one_question():
    """300 jobs that wait are asked about in batches, not one by one."""
    names = [f"job-{n}" for n in range(2 * BATCH)]
    jobs = Jobs(*names)
    watch = JobWatch(jobs.ask)

    async def heard(name):
        async with watch.listen(name) as listener:
            return await listener.news(LONG_S)

    assert await asyncio.gather(*map(heard, names)) == [WAITS] * len(names)
    assert sum(jobs.asked) < 2 * len(names)
    assert len(jobs.asked) < 6


async def test_nobody_asks_when_nobody_listens():
    """The last one who leaves ends the asking."""
    jobs = Jobs("a")
    watch = JobWatch(jobs.ask)
    async with watch.listen("a") as listener:
        assert await listener.news(LONG_S) == WAITS
    asked = len(jobs.asked)
    await asyncio.sleep(0.3)
    assert len(jobs.asked) == asked


async def test_a_prefect_that_is_away_is_waited_for():
    """Listeners hear of the change when it answers again."""
    jobs = Jobs("a")
    jobs.away = True
    watch = JobWatch(jobs.ask)
    async with watch.listen("a") as listener:
        assert await listener.news(0.2) is None
        jobs.away = False
        assert await listener.news(LONG_S) == WAITS


async def test_a_job_that_is_gone_ends_the_waiting():
    """Nothing will come any more."""
    watch = JobWatch(Jobs().ask)
    async with watch.listen("a") as listener:
        assert await listener.end(LONG_S) is None
        assert listener.is_over


@pytest.mark.parametrize("listeners", [1, 20])
async def test_a_gateway_that_ends_sends_everybody_home(listeners):
    """Who waits is answered at once, not after its time."""
    watch = JobWatch(Jobs("a").ask)

    async def heard():
        async with watch.listen("a") as listener:
            return await listener.end(LONG_S)

    waiting = [asyncio.create_task(heard()) for _ in range(listeners)]
    await asyncio.sleep(0.1)
    watch.stop()
    async with asyncio.timeout(5):
        assert await asyncio.gather(*waiting) == [None] * listeners
