"""Looking at jobs, listing and cancelling them."""

import asyncio
from uuid import UUID

import pytest
from gateway_kit import API, detail

FIELDS = {
    *("job_id", "tenant_id", "status", "created_at", "started_at", "finished_at", "result"),
    *("error", "callback_status", "callback_attempts", "callback_http_status"),
    *("callback_finished_at", "callback_last_error"),
}


async def test_a_job_has_the_predecessors_fields(client, prefect):
    """All thirteen, null where there is nothing to say."""
    job_id = await client.submit()
    view = (await client.http.get(f"{API}/2d/jobs/{job_id}")).json()
    assert view.keys() >= FIELDS
    assert (view["status"], view["result"], view["tenant_id"]) == ("pending", None, client.tenant)


async def test_a_completed_job_comes_with_its_result(client, prefect):
    """``completed`` and the result are seen together."""
    job_id = await client.submit()
    await client.end(prefect, job_id, result={"total_matches": 3})
    view = (await client.http.get(f"{API}/2d/jobs/{job_id}")).json()
    assert (view["status"], view["result"]) == ("completed", {"total_matches": 3})
    assert view["finished_at"] >= view["created_at"]


async def test_a_failed_job_shows_no_server_path(client, prefect):
    """What is not ours to say is in the server's log only."""
    job_id = await client.submit()
    await client.end(prefect, job_id, "FAILED", message="boom in /srv/secret.py line 3")
    answer = await client.http.get(f"{API}/2d/jobs/{job_id}")
    assert answer.json()["status"] == "failed"
    assert "/srv" not in answer.text


@pytest.mark.parametrize("job_id", ["nonsense", str(UUID(int=4711)), "%2e%2e%2fetc"])
async def test_an_unknown_job_is_not_found(client, job_id):
    """The predecessor's body, for reading and for cancelling."""
    for call in (client.http.get, lambda url: client.http.post(f"{url}/cancel")):
        answer = await call(f"{API}/2d/jobs/{job_id}")
        if job_id.startswith("%"):
            assert answer.status_code == 404
        else:
            assert detail(answer, 404) == {"error": "JOB_NOT_FOUND", "job_id": job_id}


@pytest.mark.parametrize("spelled", [str.upper, "{{{}}}".format, "urn:uuid:{}".format])
async def test_a_job_has_one_id(client, prefect, spelled):
    """Other spellings of a UUID found the run, but neither its outcome nor its worker."""
    job_id = spelled(await client.submit())
    for call in (client.http.get, lambda url: client.http.post(f"{url}/cancel")):
        answer = await call(f"{API}/2d/jobs/{job_id}")
        assert detail(answer, 404) == {"error": "JOB_NOT_FOUND", "job_id": job_id}


async def test_another_tenants_job_is_forbidden(client, other):
    """It can be neither read nor cancelled, and is not in the list."""
    job_id = await client.submit()
    for call in (other.http.get, lambda url: other.http.post(f"{url}/cancel")):
        answer = await call(f"{API}/2d/jobs/{job_id}")
        assert detail(answer, 403) == {"error": "JOB_FORBIDDEN", "job_id": job_id}
    assert (await other.http.get(f"{API}/2d/jobs")).json() == {"jobs": [], "total": 0}


async def test_the_list_is_newest_first_and_can_be_filtered(client, prefect):
    """By status, and cut at the limit; ``total`` is the length of the list."""
    jobs = [await client.submit() for _ in range(3)]
    await client.end(prefect, jobs[0], "FAILED", message="X_Y: z")

    async def listed(**query):
        answer = (await client.http.get(f"{API}/2d/jobs", params=query)).json()
        assert answer["total"] == len(answer["jobs"])
        return [job["job_id"] for job in answer["jobs"]]

    assert await listed() == jobs[::-1]
    assert await listed(status="failed") == jobs[:1]
    assert await listed(status="PENDING", limit=1) == jobs[2:]


async def test_a_job_that_waits_for_its_second_worker_is_in_progress(client, prefect):
    """A status never goes backwards, neither in the job's answer nor in the lists."""
    job_id = await client.submit()
    for kind in ("PENDING", "RUNNING", "SCHEDULED"):
        await asyncio.to_thread(prefect.set_state, job_id, kind)
    assert (await client.http.get(f"{API}/2d/jobs/{job_id}")).json()["status"] == "in_progress"
    for status, found in (("in_progress", [job_id]), ("pending", [])):
        answer = await client.http.get(f"{API}/2d/jobs", params={"status": status})
        assert [job["job_id"] for job in answer.json()["jobs"]] == found


async def test_the_end_that_a_job_decided_on_is_shown(client, prefect):
    """Also where Prefect ended the run by itself; the receiver was told the former."""
    job_id = await client.submit()
    await client.end(prefect, job_id, result={"total_matches": 3})
    await asyncio.to_thread(prefect.set_state, job_id, "CANCELLED", "Cancellation timed out.")
    view = (await client.http.get(f"{API}/2d/jobs/{job_id}")).json()
    assert (view["status"], view["result"]) == ("completed", {"total_matches": 3})


async def test_a_wrong_filter_is_refused(client):
    """With the predecessor's code; limits are checked by FastAPI."""
    answer = await client.http.get(f"{API}/2d/jobs", params={"status": "bogus"})
    assert detail(answer, 400)["error"] == "INVALID_STATUS_FILTER"
    for limit in (0, 201, "x"):
        answer = await client.http.get(f"{API}/2d/jobs", params={"limit": limit})
        detail(answer, 422)


async def test_cancelling_a_waiting_job_ends_it_at_once(client, prefect, empty_uploads):
    """Its upload is gone, its place free, and cancelling again changes nothing."""
    job_id = await client.submit()
    for _ in range(2):
        answer = await client.http.post(f"{API}/2d/jobs/{job_id}/cancel")
        expected = {"job_id": job_id, "tenant_id": client.tenant, "canceled": True}
        assert answer.json() == expected
    assert (await client.http.get(f"{API}/2d/jobs/{job_id}")).json()["status"] == "canceled"
    assert client.uploads == []
    for _ in range(5):
        await client.submit()


async def test_cancelling_an_ended_job_leaves_it_as_it_is(client, prefect):
    """``canceled: true`` as the predecessor said, and the result stays."""
    job_id = await client.submit()
    await client.end(prefect, job_id, result={})
    answer = await client.http.post(f"{API}/2d/jobs/{job_id}/cancel")
    assert answer.json()["canceled"] is True
    assert (await client.http.get(f"{API}/2d/jobs/{job_id}")).json()["status"] == "completed"
