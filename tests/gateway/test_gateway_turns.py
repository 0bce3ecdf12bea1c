"""Turns: a burst is served to its end, a crowd is sent away soon, and nobody's place is lost."""

import asyncio

import pytest

from dedup2d.errors import LimitError
from dedup2d.gateway.turns import CALM_S, CROWDED_PATIENCE_S, PATIENCE_S, Turns

WORK_S = 0.02


async def served(turns):
    """Seconds until a turn had come and its work was done; None where it was refused."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with turns.turn():
            await asyncio.sleep(WORK_S)
    except LimitError:
        return None
    return loop.time() - began


async def crowd(turns, seconds):
    """Twice as many as can be served, evenly over so many seconds."""
    async with asyncio.TaskGroup() as group:
        tasks = []
        for _ in range(round(2 * seconds / WORK_S)):
            tasks.append(group.create_task(served(turns)))
            await asyncio.sleep(WORK_S / 2)
    return [task.result() for task in tasks]


async def test_a_burst_is_served_to_its_end():
    turns = Turns(2)
    burst = await asyncio.gather(*(served(turns) for _ in range(50)))
    assert None not in burst


async def test_in_a_crowd_who_is_served_is_served_soon():
    turns = Turns(1)
    answers = await crowd(turns, PATIENCE_S + 2)
    late = [answer for answer in answers[len(answers) // 2 :] if answer]
    assert len(late) > len(answers) / 8
    assert max(late) < CROWDED_PATIENCE_S + 10 * WORK_S
    async with turns.turn():
        waiting = asyncio.create_task(served(turns))
        await asyncio.sleep(0)
        with pytest.raises(LimitError):
            turns.check()
        assert await waiting is None


async def test_after_a_crowd_there_is_patience_again():
    turns = Turns(1)
    await crowd(turns, PATIENCE_S + 1)
    await asyncio.sleep(CALM_S + WORK_S)
    assert None not in await asyncio.gather(*(served(turns) for _ in range(20)))


async def test_whoever_goes_away_takes_no_turn_along():
    """While waiting, or at the very moment when the turn comes."""
    turns = Turns(1)
    for pause in (0, WORK_S / 2, WORK_S, WORK_S * 1.5):
        tasks = [asyncio.create_task(served(turns)) for _ in range(5)]
        await asyncio.sleep(pause)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert None not in await asyncio.gather(*(served(turns) for _ in range(5)))


async def test_while_nobody_is_served_nobody_is_refused():
    """A service that stands still is no crowd; its own error is what all of them get to see."""
    turns = Turns(1)

    async def fails(seconds):
        async with turns.turn():
            await asyncio.sleep(seconds)
            raise OSError

    tasks = [asyncio.create_task(fails(s)) for s in (PATIENCE_S + 0.5, WORK_S, WORK_S)]
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in ended] == [OSError] * 3
