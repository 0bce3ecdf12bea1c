"""Too many jobs, and services that go away: a clear answer, and nothing left behind."""

import asyncio
import collections

import psutil
import pytest
from gateway_kit import API, PER_TENANT, detail
from redis import Redis

from dedup2d.tickets.keys import Keys


async def test_one_tenant_too_many_is_told_to_wait(client, other, empty_uploads):
    """429 with the predecessor's body, nothing kept, and other tenants are not locked out."""
    for _ in range(PER_TENANT):
        await client.submit()
    kept = client.uploads
    answer = await client.search(**{"async": "true"})
    said = detail(answer, 429)
    assert said["error"] == "JOB_QUEUE_FULL"
    assert (said["max_jobs"], said["current_jobs"]) == (PER_TENANT, PER_TENANT)
    assert answer.headers["Retry-After"] == "5"
    assert client.uploads == kept
    await other.submit()


async def test_of_forty_at_once_exactly_the_limit_is_admitted(client, prefect, empty_uploads):
    """Capacity is one step in Redis, not a look and then a step."""
    answers = await asyncio.gather(*(client.search(**{"async": "true"}) for _ in range(40)))
    counted = collections.Counter(answer.status_code for answer in answers)
    assert counted == {200: PER_TENANT, 429: 40 - PER_TENANT}
    folders = [name for name in client.uploads if "/" not in name]
    assert len(folders) == PER_TENANT == len(prefect.runs_of(client.tenant))


async def test_without_redis_nothing_is_accepted(client, redis, empty_uploads):
    """503 that names the queue and when to try again; the next try works."""
    await asyncio.to_thread(redis.stop)
    try:
        answer = await client.search(**{"async": "true"})
        health = await client.http.get(f"{API}/2d/health")
    finally:
        await asyncio.to_thread(redis.start)
    assert detail(answer, 503)["service"] == "queue"
    assert int(answer.headers["Retry-After"]) > 0
    assert detail(health, 503)["checks"]["redis"]["ok"] is False
    assert client.uploads == []
    await client.submit()


async def test_redis_that_stood_still_keeps_no_place(client, redis, data, empty_uploads):
    """What a frozen Redis does with the request afterwards is undone, though nobody waits."""
    await client.submit()
    uploads = client.uploads
    server = psutil.Process(int((data / "redis" / "redis.pid").read_text()))
    server.suspend()
    try:
        answer = await client.search(**{"async": "true"})
    finally:
        server.resume()
    assert detail(answer, 503)["service"] == "queue"
    assert client.uploads == uploads
    with Redis.from_url(redis.url) as asked:
        places = Keys("dedup2d").active_of(client.tenant)
        async with asyncio.timeout(60):
            while asked.zcard(places) > 1:  # noqa: ASYNC110  # Redis tells nobody
                await asyncio.sleep(0.2)


async def test_without_prefect_the_upload_and_its_place_are_given_back(
    client, relay, empty_uploads
):
    """503 that names Prefect; the stored file is deleted and every place is free again."""
    await client.submit()
    before = client.uploads
    await relay.stop()
    try:
        answers = await asyncio.gather(*(client.search(**{"async": "true"}) for _ in range(4)))
        looked = await client.http.get(f"{API}/2d/jobs")
    finally:
        await relay.start()
    for answer in [*answers, looked]:
        assert detail(answer, 503)["service"] == "prefect"
        assert int(answer.headers["Retry-After"]) > 0
    assert client.uploads == before
    for _ in range(PER_TENANT - 1):
        await client.submit()


async def test_a_deployment_that_was_made_anew_is_found(client, prefect):
    """The gateway knows the old one, and said until its own end that Prefect does not answer."""
    await client.submit()
    old = prefect.http.get("/deployments/name/dedup-job/dedup-job").json()
    prefect.http.delete(f"/deployments/{old['id']}").raise_for_status()
    anew = {"name": "dedup-job", "flow_id": old["flow_id"], "work_pool_name": "dedup2d"}
    prefect.post("/deployments/", anew)
    assert await client.submit()


async def test_health_needs_a_worker_that_beats(client, prefect, gateway):
    """503 names what is missing; with a worker everything is well, without a key."""
    del client.http.headers["X-API-Key"]

    async def missing():
        answer = await client.http.get(f"{API}/2d/health")
        checks = detail(answer, 503)["checks"]
        return answer, [name for name, check in checks.items() if not check["ok"]]

    async with asyncio.timeout(30):  # connections may still be those of the faults before
        while (await missing())[1] != ["worker"]:  # noqa: ASYNC110 - an answer
            await asyncio.sleep(1.1)
    answer, _ = await missing()
    assert answer.headers["Retry-After"] == "5"
    prefect.beat()
    await asyncio.sleep(1.1)
    answer = await client.http.get(f"{API}/2d/health")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["status"], body["service"]) == ("healthy", "dedup2d")
    assert body.keys() == {"status", "service", "version", "indexes", "checks"}


async def test_an_unexpected_error_shows_an_id_that_the_log_has(client, gateway, data):
    """No traceback and no path in the answer; both in the log, under the id."""
    job_id = await client.submit()
    broken = data / "results" / job_id
    broken.mkdir(parents=True)
    (broken / "outcome.json").write_text("{}")
    answer = await client.http.post(f"{API}/2d/jobs/{job_id}/cancel")
    said = detail(answer, 500)
    assert said["error"] == "INTERNAL_ERROR"
    assert "Traceback" not in answer.text
    assert str(data) not in answer.text
    assert said["error_id"] in gateway.log.read_text()


@pytest.mark.parametrize("path", ["/nothing", f"{API}/2d/nothing"])
async def test_an_unknown_path_is_not_found(client, path):
    """As FastAPI says it."""
    assert detail(await client.http.get(path), 404) == "Not Found"
