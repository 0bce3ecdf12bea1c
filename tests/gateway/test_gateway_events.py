"""What happens to a job, as it happens: server-sent events and the long poll."""

import asyncio
import contextlib
import json
from uuid import uuid4

import psutil
import pytest
from gateway_kit import API, KEYS, detail, gateway_process, tenant_client
from redis.asyncio import Redis

from dedup2d.tickets.model import Progress
from dedup2d.tickets.progress import ProgressBoard


async def events_of(lines):
    """``(name, id, data)`` of each event as it arrives."""
    event = {}
    async for line in lines:
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        elif "data" in event:
            yield event["event"], event["id"], json.loads(event["data"])
            event = {}


@contextlib.asynccontextmanager
async def following(client, job_id, **headers):
    url = f"{API}/2d/jobs/{job_id}/events"
    async with client.http.stream("GET", url, headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = events_of(answer.aiter_lines())
        yield events
        await events.aclose()


async def test_a_job_is_followed_to_its_end(client, prefect):
    """How it stands first, then each change of state; the stream ends with the job."""
    job_id = await client.submit()
    async with following(client, job_id) as events:
        assert (await anext(events))[2]["status"] == "pending"
        await asyncio.to_thread(prefect.set_state, job_id, "RUNNING")
        assert (await anext(events))[:2] == ("status", "in_progress")
        await client.end(prefect, job_id, result={"total_matches": 3})
        rest = [event async for event in events]
    ended = {"job_id": job_id, "status": "completed"}
    nothing = dict.fromkeys(("progress", "error", "error_code"))
    assert rest == [("status", "completed", ended | nothing)]


async def test_a_failed_job_says_why(client, prefect):
    """The last event has the error and its code."""
    job_id = await client.submit()
    async with following(client, job_id) as events:
        await client.end(prefect, job_id, "FAILED", message="BROKEN_FILE: It is broken.")
        *_, (_, _, last) = [event async for event in events]
    assert (last["status"], last["error_code"]) == ("failed", "BROKEN_FILE")


async def test_progress_of_a_batch_is_told(client, prefect, redis):
    """An event for each step, and the numbers in the job itself."""
    job_id = await client.submit()
    async with Redis.from_url(redis.url, decode_responses=True) as connection:
        board = ProgressBoard(connection, prefix="dedup2d", ttl_s=60)
        async with following(client, job_id) as events:
            await anext(events)
            await board.tell(job_id, Progress(done=0, total=70))
            await asyncio.to_thread(prefect.set_state, job_id, "RUNNING")
            assert (await anext(events))[2]["progress"] == {"done": 0, "total": 70}
            await board.tell(job_id, Progress(done=32, total=70))
            name, event_id, data = await anext(events)
        assert (name, event_id) == ("progress", "in_progress-32")
        assert data["progress"] == {"done": 32, "total": 70}
        view = (await client.http.get(f"{API}/2d/jobs/{job_id}")).json()
    assert view["progress"] == {"done": 32, "total": 70}
    await client.end(prefect, job_id)


@pytest.mark.parametrize("last", ["", "in_progress", "nonsense", "completed-1", "9" * 500])
async def test_any_last_event_id_gives_the_stream_as_it_stands(client, prefect, last):
    """Nothing is replayed, because the first event says everything."""
    job_id = await client.submit()
    await client.end(prefect, job_id)
    async with following(client, job_id, **{"Last-Event-ID": last}) as events:
        assert [event[1] async for event in events] in (["completed"], [])


async def test_a_browser_that_heard_the_end_is_told_to_stop(client, prefect):
    """204 ends the reconnecting of an EventSource."""
    job_id = await client.submit()
    await client.end(prefect, job_id)
    answer = await client.http.get(
        f"{API}/2d/jobs/{job_id}/events", headers={"Last-Event-ID": "completed"}
    )
    assert answer.status_code == 204


async def test_another_tenants_job_is_not_followed(client, other):
    """The refusals of the job itself, before any stream begins."""
    job_id = await client.submit()
    foreign = await other.http.get(f"{API}/2d/jobs/{job_id}/events")
    assert detail(foreign, 403)["error"] == "JOB_FORBIDDEN"
    unknown = await other.http.get(f"{API}/2d/jobs/{uuid4()}/events")
    assert detail(unknown, 404)["error"] == "JOB_NOT_FOUND"


async def test_listeners_that_hang_up_leave_nothing_behind(client, gateway):
    """Of sixty streams whose clients are gone, no connection stays open in the gateway."""
    job_id = await client.submit()
    process = psutil.Process(gateway.process.pid)
    before = process.num_fds()
    async with contextlib.AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(following(client, job_id)) for _ in range(60)]
        for events in streams:
            await anext(events)
        assert process.num_fds() >= before + 50
    async with asyncio.timeout(30):
        while process.num_fds() > before + 5:  # noqa: ASYNC110  # a process tells nobody
            await asyncio.sleep(0.1)


async def test_a_long_poll_answers_when_the_job_ends(client, prefect):
    """The answer is the ended job, with its result."""
    job_id = await client.submit()
    polling = asyncio.create_task(client.http.get(f"{API}/2d/jobs/{job_id}", params={"wait": 50}))
    await asyncio.sleep(0.3)
    assert not polling.done()
    await client.end(prefect, job_id, result={"total_matches": 1})
    view = (await polling).json()
    assert (view["status"], view["result"]) == ("completed", {"total_matches": 1})


async def test_a_long_poll_is_over_after_its_time(client, prefect):
    """The job as it stands then."""
    job_id = await client.submit()
    answer = await client.http.get(f"{API}/2d/jobs/{job_id}", params={"wait": 0.3})
    assert answer.json()["status"] == "pending"


@pytest.mark.parametrize("wait", ["61", "-1", "long", "nan", "inf"])
async def test_a_wait_without_bounds_is_refused(client, wait):
    """A minute at most."""
    job_id = await client.submit()
    answer = await client.http.get(f"{API}/2d/jobs/{job_id}", params={"wait": wait})
    detail(answer, 422)


async def test_a_gateway_that_is_told_to_stop_does_not_wait_for_listeners(
    data, relay, prefect, tmp_path
):
    """Streams end, long polls answer, and the process is gone in much less than its grace time."""
    starting = gateway_process(data, relay.port, tmp_path / "log", API_KEYS=",".join(KEYS))
    process = await asyncio.to_thread(starting.__enter__)
    try:
        async with tenant_client(process, data) as client:
            job_id = await client.submit()
            poll = client.http.get(f"{API}/2d/jobs/{job_id}", params={"wait": 60})
            async with following(client, job_id) as events:
                polling = asyncio.create_task(poll)
                await anext(events)
                await asyncio.sleep(0.5)
                process.process.terminate()
                assert [event async for event in events] == []
                assert (await polling).json()["status"] == "pending"
            await asyncio.to_thread(process.process.wait, 15)
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)
