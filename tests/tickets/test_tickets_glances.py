"""Polls share an answer, and no gateway answers with less than another has answered already."""

import asyncio
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, StateType

from dedup2d.jobs.glance import FRESH_S, Glances
from dedup2d.tickets.queue import TicketQueue


class Server:
    """Has one run in some state, and counts who asks."""

    def __init__(self) -> None:
        self.asked = 0
        self.move(StateType.SCHEDULED)

    def move(self, state: StateType) -> None:
        self.run = FlowRun(flow_id=uuid4(), state_type=state, state_id=uuid4())

    async def read(self, run_id: UUID) -> FlowRun:
        self.asked += 1
        run = self.run.model_copy(update={"id": run_id})
        await asyncio.sleep(0.01)
        return run


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def gateway(queue: TicketQueue, server: Server) -> Glances:
    return Glances(queue, server.read)


async def test_polls_of_one_moment_ask_once(gateway: Glances, server: Server) -> None:
    run_id = uuid4()
    await asyncio.gather(*(gateway.at(run_id) for _ in range(20)))
    await gateway.at(run_id)
    assert server.asked == 1


async def test_told_move_is_seen_at_once(
    gateway: Glances, server: Server, queue: TicketQueue
) -> None:
    run_id = uuid4()
    await gateway.at(run_id)
    server.move(StateType.COMPLETED)
    await queue.tell_moved(str(run_id))
    assert (await gateway.at(run_id)).state_type is StateType.COMPLETED


async def test_untold_move_is_seen_when_the_answer_is_old(gateway: Glances, server: Server) -> None:
    run_id = uuid4()
    await gateway.at(run_id)
    server.move(StateType.CANCELLED)
    await asyncio.sleep(FRESH_S)
    assert (await gateway.at(run_id)).state_type is StateType.CANCELLED


async def test_what_one_gateway_answered_no_other_takes_back(
    gateway: Glances, server: Server, queue: TicketQueue
) -> None:
    """The other one has a fresh answer from before, and nobody told it of the move."""
    run_id, other = uuid4(), Glances(queue, server.read)
    await other.at(run_id)
    server.move(StateType.RUNNING)
    assert (await gateway.at(run_id)).state_type is StateType.RUNNING
    assert (await other.at(run_id)).state_type is StateType.RUNNING


async def test_what_was_learnt_otherwise_is_not_taken_back(
    gateway: Glances, server: Server, queue: TicketQueue
) -> None:
    """Listeners are told by a question about many runs; polls of the same gateway and of others."""
    run_id, other = uuid4(), Glances(queue, server.read)
    await gateway.at(run_id)
    await other.at(run_id)
    server.move(StateType.RUNNING)
    await gateway.saw(await server.read(run_id))
    assert (await gateway.at(run_id)).state_type is StateType.RUNNING
    assert (await other.at(run_id)).state_type is StateType.RUNNING


async def test_failure_is_told_and_not_kept(queue: TicketQueue, server: Server) -> None:
    async def away(_run_id: UUID) -> FlowRun:
        raise ConnectionError

    run_id, gateway = uuid4(), Glances(queue, away)
    with pytest.raises(ConnectionError):
        await gateway.at(run_id)
    assert not gateway._seen
    assert not gateway._asking


async def test_stale_answers_are_not_kept(gateway: Glances, server: Server) -> None:
    """The parameters of a job of a thousand drawings take megabytes, and a thousand were kept."""
    for _ in range(20):
        await gateway.at(uuid4())
    await asyncio.sleep(FRESH_S)
    last = uuid4()
    await gateway.at(last)
    await gateway.at(last)
    assert server.asked == 21, "a fresh answer serves twice"
    assert list(gateway._seen) == [last]
