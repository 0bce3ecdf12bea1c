"""The log of a job's webhook, and sending it again by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from gateway_kit import API, detail

from dedup2d.settings import read_settings
from dedup2d.tickets.connect import connect
from dedup2d.tickets.deliveries import DeliveryLedger, delivery_id_of, new_delivery
from dedup2d.tickets.model import LoggedAttempt

URL = "https://hooks.example/dedup"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def ledger(data, redis):
    """What a worker writes its attempts into."""
    client = connect(read_settings({}, data_dir=data))
    yield DeliveryLedger(client, prefix="dedup2d", ttl_s=600)
    await client.aclose()


@pytest.fixture
async def ended(client, prefect):
    """A completed job that asked for a callback."""
    job_id = await client.submit(callback_url=URL)
    await client.end(prefect, job_id, result={"total_matches": 0})
    return job_id


def deliveries(job_id):
    return f"{API}/2d/jobs/{job_id}/deliveries"


def replay_of(job_id):
    return f"{deliveries(job_id)}/{delivery_id_of(job_id)}/replay"


async def failed_once(ledger, job_id, tenant):
    """Claimed and tried once by a worker."""
    claimed, _ = await ledger.claim(new_delivery(job_id, tenant_id=tenant, url=URL))
    update = {"attempts": 1, "next_attempt_at": datetime.now(UTC) + timedelta(hours=2)}
    attempt = LoggedAttempt(at=NOW, duration_s=0.25, http_status=503, error="Status 503.")
    await ledger.record(claimed.model_copy(update=update), attempt)


async def test_every_attempt_is_shown_and_the_next_is_announced(client, ledger, ended):
    await failed_once(ledger, ended, client.tenant)
    (shown,) = (await client.http.get(deliveries(ended))).json()["deliveries"]
    assert (shown["delivery_id"], shown["url"]) == (delivery_id_of(ended), URL)
    assert shown["status"] == "pending"
    assert shown["next_attempt_at"] > datetime.now(UTC).timestamp() + 3600
    assert shown["attempts"] == [
        {"at": NOW.timestamp(), "duration_ms": 250, "http_status": 503, "error": "Status 503."}
    ]


async def test_a_job_without_a_callback_has_no_deliveries(client, prefect):
    job_id = await client.submit()
    answer = await client.http.get(deliveries(job_id))
    assert answer.json() == {"job_id": job_id, "deliveries": []}
    assert detail(await client.http.post(replay_of(job_id)), 404)["error"] == "DELIVERY_NOT_FOUND"


async def test_a_replay_is_due_at_once_under_the_same_id(client, ledger, ended):
    await failed_once(ledger, ended, client.tenant)
    answer = await client.http.post(replay_of(ended))
    assert answer.status_code == 202, answer.text
    assert (answer.json()["status"], len(answer.json()["attempts"])) == ("pending", 1)
    due = [d for d in await ledger.due(1000) if d.job_id == ended]
    assert [(d.delivery_id, d.attempts) for d in due] == [(delivery_id_of(ended), 0)]
    await ledger.take(due[0])


async def test_a_replay_needs_no_ledger_that_remembers(client, ledger, ended):
    """Redis was lost: job and outcome are enough."""
    assert (await client.http.get(deliveries(ended))).json()["deliveries"] == []
    assert (await client.http.post(replay_of(ended))).status_code == 202
    (due,) = [d for d in await ledger.due(1000) if d.job_id == ended]
    assert (due.url, due.tenant_id) == (URL, client.tenant)
    await ledger.take(due)


async def test_a_job_that_goes_on_has_nothing_to_replay(client, prefect):
    job_id = await client.submit(callback_url=URL)
    assert detail(await client.http.post(replay_of(job_id)), 409)["error"] == "JOB_NOT_ENDED"


async def test_an_expired_result_cannot_be_replayed(client, ended, data):
    (data / "results" / ended / "outcome.json").unlink()
    assert detail(await client.http.post(replay_of(ended)), 404)["error"] == "JOB_NOT_FOUND"


@pytest.mark.parametrize("delivery_id", ["nonsense", delivery_id_of("another job")])
async def test_a_delivery_of_another_id_is_not_found(client, ended, delivery_id):
    answer = await client.http.post(f"{deliveries(ended)}/{delivery_id}/replay")
    assert detail(answer, 404)["error"] == "DELIVERY_NOT_FOUND"


async def test_another_tenants_deliveries_are_forbidden(client, other, ended):
    for answer in (
        await other.http.get(deliveries(ended)),
        await other.http.post(replay_of(ended)),
    ):
        assert detail(answer, 403) == {"error": "JOB_FORBIDDEN", "job_id": ended}
