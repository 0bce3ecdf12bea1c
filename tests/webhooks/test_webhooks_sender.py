"""Delivery: what is tried again, what ends it, and that the receiver's faults never raise."""

from __future__ import annotations

import asyncio
import time

import pytest
from hook_receiver import ENDLESS, HANG_UP, SILENCE, HookReceiver, status

from dedup2d.net.guard import AddressGuard
from dedup2d.settings import read_settings
from dedup2d.webhooks.schedule import Schedule, parse_retry_after
from dedup2d.webhooks.sender import WebhookSender
from dedup2d.webhooks.signature import verify, verify_standard

SECRET = "hook-secret"
BODY = b'{"job_id":"j1"}'


class Deliverer:
    """A sender whose waits are written down and not waited for."""

    def __init__(self, **changes) -> None:
        self.waits: list[float] = []
        given = {
            "callback_allow_http": True,
            "callback_block_private": False,
            "callback_hmac_secret": SECRET,
            "callback_timeout_s": 2.0,
        }
        settings = read_settings({}).model_copy(update=given | changes)
        self.sender = WebhookSender(
            settings, AddressGuard(settings), sleep=self._sleep, jitter=lambda _, high: high
        )

    async def _sleep(self, delay_s: float) -> None:
        self.waits.append(delay_s)

    async def __call__(self, url: str, **more):
        try:
            return await self.sender.deliver(
                "d-1", url, job_id="j1", tenant_id="acme", body=BODY, **more
            )
        finally:
            await self.sender.aclose()


async def test_an_accepted_webhook_has_the_predecessors_headers(hook: HookReceiver):
    delivery = await Deliverer()(hook.url)
    assert (delivery.status, delivery.attempts, delivery.http_status) == ("success", 1, 200)
    assert delivery.last_error is None
    assert delivery.finished_at is not None
    (got,) = hook.received
    assert got.body == BODY
    expected = {
        "Content-Type": "application/json",
        "User-Agent": "cad-ml-platform/dedup2d-webhook",
        "X-Dedup-Job-Id": "j1",
        "X-Dedup-Tenant-Id": "acme",
        "X-Dedup-Signature-Version": "v1",
        "X-Dedup-Delivery-Id": "d-1",
    }
    assert {name: got.headers[name] for name in expected} == expected
    assert verify(SECRET, got.headers["X-Dedup-Signature"], "j1", got.body)
    assert got.headers["webhook-id"] == "d-1"
    assert verify_standard(SECRET, dict(got.headers), got.body)


async def test_without_a_secret_nothing_is_signed(hook):
    await Deliverer(callback_hmac_secret=None)(hook.url)
    assert hook.received[0].headers["X-Dedup-Signature"] is None
    assert hook.received[0].headers["webhook-signature"] is None


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
async def test_every_2xx_is_success(hook, code):
    hook.answers = [status(code)]
    assert (await Deliverer()(hook.url)).status == "success"


@pytest.mark.parametrize(
    "answer", [status(408), status(425), status(429), status(500), status(503), HANG_UP]
)
async def test_what_may_pass_is_tried_again(hook, answer):
    hook.answers = [answer, answer, status(200)]
    delivery = await Deliverer()(hook.url)
    assert (delivery.status, delivery.attempts) == ("success", 3)


@pytest.mark.parametrize("code", [301, 302, 307, 400, 401, 403, 404, 409, 410, 413, 422])
async def test_everything_else_ends_it(hook, code):
    hook.answers = [status(code, Location="/elsewhere")]
    delivery = await Deliverer()(hook.url)
    assert (delivery.status, delivery.attempts, delivery.http_status) == ("failed", 1, code)
    assert [got.path for got in hook.received] == ["/hook"]
    assert str(code) in delivery.last_error


async def test_the_delivery_id_is_fixed_and_the_signature_is_fresh(hook, monkeypatch):
    clock = iter(range(1_700_000_000, 1_700_009_000, 100))
    monkeypatch.setattr("dedup2d.webhooks.sender.time.time", lambda: float(next(clock)))
    hook.answers = [status(503)]
    await Deliverer()(hook.url)
    assert {got.headers["X-Dedup-Delivery-Id"] for got in hook.received} == {"d-1"}
    assert len({got.headers["X-Dedup-Signature"] for got in hook.received}) == 3


async def test_waits_double_up_to_their_limit(hook):
    hook.answers = [status(503)]
    deliver = Deliverer(callback_max_attempts=6)
    delivery = await deliver(hook.url)
    assert deliver.waits == [1, 2, 4, 8, 10]
    assert (delivery.status, delivery.attempts, delivery.http_status) == ("failed", 6, 503)


async def test_each_attempt_before_the_last_is_told(hook):
    told = []

    async def progress(delivery):
        told.append((delivery.status, delivery.attempts, delivery.http_status))

    hook.answers = [status(503), HANG_UP, status(200)]
    await Deliverer()(hook.url, progress=progress)
    assert told == [("pending", 1, 503), ("pending", 2, None)]


async def test_the_attempts_of_a_sender_that_died_count(hook):
    hook.answers = [status(503)]
    deliver = Deliverer()
    assert (await deliver(hook.url, attempts_before=2)).attempts == 3
    assert len(hook.received) == 1
    assert deliver.waits == []


async def test_retry_after_is_honoured(hook):
    hook.answers = [status(429, Retry_After="7"), status(200)]
    deliver = Deliverer()
    assert (await deliver(hook.url)).status == "success"
    assert deliver.waits == [7]


async def test_a_retry_after_beyond_all_patience_ends_the_round(hook):
    hook.answers = [status(503, Retry_After="86400")]
    delivery = await Deliverer()(hook.url)
    assert (delivery.status, delivery.attempts) == ("failed", 1)


def test_waits_are_drawn_between_nothing_and_the_schedules_limit():
    schedule = Schedule((1, 60))
    assert schedule.wait_s(2, 0, lambda low, high: (low + high) / 2) == 30
    assert schedule.wait_s(2, 25, lambda low, high: low) == 25
    assert schedule.wait_s(3, 0, max) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5),
        (" 5 ", 5),
        ("Tue, 14 Nov 2023 22:13:30 GMT", 10),
        ("Tue, 14 Nov 2023 22:13:00 GMT", 0),
        ("", 0),
        ("soon", 0),
        ("-1", 0),
        ("Tue, 99 Nov 2023 99:99:99 GMT", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert parse_retry_after(value, 1_700_000_000) == seconds


async def test_a_silent_receiver_costs_one_time_limit_per_attempt(hook):
    hook.answers = [SILENCE]
    began = time.monotonic()
    delivery = await Deliverer(callback_timeout_s=0.2, callback_max_attempts=2)(hook.url)
    assert 0.4 <= time.monotonic() - began < 1
    assert (delivery.status, delivery.attempts, delivery.http_status) == ("failed", 2, None)
    assert "in time" in delivery.last_error


async def test_a_receiver_that_never_stops_talking_is_not_listened_to(hook):
    hook.answers = [ENDLESS]
    delivery = await Deliverer()(hook.url)
    assert (delivery.status, delivery.http_status) == ("success", 200)
    await asyncio.sleep(0.05)
    assert hook.sent < 2_000_000  # what fits into the sockets


async def test_a_closed_port_is_a_network_error(hook):
    delivery = await Deliverer()("http://127.0.0.1:1/hook")
    assert (delivery.status, delivery.attempts) == ("failed", 3)
    assert "ConnectError" in delivery.last_error


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/", "http://127.1/", "ftp://x/", "nonsense", ""]
)
async def test_an_address_refused_at_call_time_fails_without_a_connection(hook, url):
    delivery = await Deliverer()(url)
    assert (delivery.status, delivery.http_status) == ("failed", None)
    assert "refused" in delivery.last_error
    assert hook.connections == 0


async def test_the_guard_is_asked_again_at_call_time(hook):
    delivery = await Deliverer(callback_block_private=True, callback_ports=(hook.port,))(hook.url)
    assert delivery.status == "failed"
    assert "private network" in delivery.last_error
    assert hook.connections == 0


async def test_connections_are_reused(hook):
    deliver = Deliverer()
    for _ in range(5):
        await deliver.sender.deliver("d", hook.url, job_id="j", tenant_id="t", body=BODY)
    await deliver.sender.aclose()
    assert hook.connections == 1


@pytest.mark.parametrize("tenant", ["Müller & Söhne", "evil\r\nX-Injected: 1"])
async def test_no_tenant_name_breaks_the_delivery_or_its_headers(hook, tenant):
    deliver = Deliverer(callback_max_attempts=1)
    await deliver.sender.deliver("d", hook.url, job_id="j", tenant_id=tenant, body=BODY)
    await deliver.sender.aclose()
    assert all(got.headers["X-Injected"] is None for got in hook.received)


async def test_a_cancelled_delivery_stops_at_once(hook):
    hook.answers = [SILENCE]
    delivering = asyncio.create_task(Deliverer()(hook.url))
    await asyncio.sleep(0.1)
    delivering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await delivering


async def test_no_cookie_travels_from_one_delivery_to_the_next(hook):
    hook.answers = [status(200, Set_Cookie="seen=1; Path=/")]
    deliver = Deliverer()
    for tenant in ("a", "b"):
        await deliver.sender.deliver("d", hook.url, job_id="j", tenant_id=tenant, body=BODY)
    await deliver.sender.aclose()
    assert [got.headers["Cookie"] for got in hook.received] == [None, None]
