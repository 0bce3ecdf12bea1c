"""One attempt: what is to be tried again, what is not, and that receivers' faults never raise."""

from __future__ import annotations

import asyncio
import time

import pytest
from hook_receiver import DRIP, ENDLESS, HANG_UP, SILENCE, HookReceiver, status

from dedup2d.net.guard import AddressGuard
from dedup2d.settings import read_settings
from dedup2d.webhooks.schedule import parse_retry_after
from dedup2d.webhooks.sender import WebhookSender
from dedup2d.webhooks.signature import verify, verify_standard

SECRET = "hook-secret"
BODY = b'{"job_id":"j1"}'


class Deliverer:
    """One attempt with a sender of these settings."""

    def __init__(self, clock=time.time, **changes) -> None:
        given = {
            "callback_allow_http": True,
            "callback_block_private": False,
            "callback_hmac_secret": SECRET,
            "callback_timeout_s": 2.0,
        }
        settings = read_settings({}).model_copy(update=given | changes)
        self.sender = WebhookSender(settings, AddressGuard(settings), clock=clock)

    async def __call__(self, url: str):
        try:
            return await self.sender.attempt("d-1", url, job_id="j1", tenant_id="acme", body=BODY)
        finally:
            await self.sender.aclose()


async def test_an_accepted_webhook_has_the_predecessors_headers(hook: HookReceiver):
    attempt = await Deliverer()(hook.url)
    assert (attempt.http_status, attempt.error) == (200, None)
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
    assert (await Deliverer()(hook.url)).error is None


@pytest.mark.parametrize(
    "answer", [status(408), status(425), status(429), status(500), status(503), HANG_UP]
)
async def test_what_may_pass_is_to_be_tried_again(hook, answer):
    hook.answers = [answer]
    attempt = await Deliverer()(hook.url)
    assert attempt.error
    assert attempt.retryable


@pytest.mark.parametrize("code", [301, 302, 307, 400, 401, 403, 404, 409, 410, 413, 422])
async def test_everything_else_ends_it(hook, code):
    hook.answers = [status(code, Location="/elsewhere")]
    attempt = await Deliverer()(hook.url)
    assert (attempt.http_status, attempt.retryable) == (code, False)
    assert [got.path for got in hook.received] == ["/hook"]
    assert str(code) in attempt.error


async def test_the_signature_is_of_the_moment_and_of_every_secret(hook):
    now = 1_700_000_000.0
    await Deliverer(clock=lambda: now, callback_hmac_previous=("older", "oldest"))(hook.url)
    (got,) = hook.received
    assert got.headers["webhook-timestamp"] == "1700000000"
    for secret in (SECRET, "older", "oldest"):
        assert verify_standard(secret, dict(got.headers), got.body, now=now)
    assert verify(SECRET, got.headers["X-Dedup-Signature"], "j1", got.body, now=now)


async def test_a_tenants_webhooks_are_signed_by_its_own_secrets_alone(hook):
    async def secrets_of(tenant):
        return (f"secret of {tenant}",)

    settings = Deliverer().sender._settings
    sender = WebhookSender(settings, AddressGuard(settings), secrets_of=secrets_of)
    await sender.attempt("d-1", hook.url, job_id="j1", tenant_id="acme", body=BODY)
    await sender.aclose()
    (got,) = hook.received
    assert verify_standard("secret of acme", dict(got.headers), got.body)
    assert not verify_standard(SECRET, dict(got.headers), got.body)


async def test_retry_after_is_told(hook):
    hook.answers = [status(429, Retry_After="7")]
    assert (await Deliverer()(hook.url)).retry_after_s == 7


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
        ("Tue, 14 Nov 99999999999 22:13:30 GMT", 0),
        ("Tue, 14 Nov 2023 22:13:30 +9999999999999999999999", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert parse_retry_after(value, 1_700_000_000) == seconds


async def test_a_silent_receiver_costs_one_time_limit(hook):
    hook.answers = [SILENCE]
    began = time.monotonic()
    attempt = await Deliverer(callback_timeout_s=0.2)(hook.url)
    assert 0.2 <= time.monotonic() - began < 1
    assert (attempt.http_status, attempt.retryable) == (None, True)
    assert "in time" in attempt.error


async def test_a_receiver_that_drips_its_answer_costs_one_time_limit_too(hook):
    """The limit is on the whole exchange: no pause of this receiver is longer than 50 ms."""
    hook.answers = [DRIP]
    began = time.monotonic()
    attempt = await Deliverer(callback_timeout_s=0.5)(hook.url)
    assert 0.5 <= time.monotonic() - began < 2
    assert "in time" in attempt.error


async def test_a_receiver_that_never_stops_talking_is_not_listened_to(hook):
    hook.answers = [ENDLESS]
    attempt = await Deliverer()(hook.url)
    assert (attempt.http_status, attempt.error) == (200, None)
    await asyncio.sleep(0.05)
    assert hook.sent < 2_000_000  # what fits into the sockets


async def test_a_closed_port_is_a_network_error():
    attempt = await Deliverer()("http://127.0.0.1:1/hook")
    assert attempt.retryable
    assert "ConnectError" in attempt.error


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/", "http://127.1/", "ftp://x/", "nonsense", ""]
)
async def test_an_address_refused_at_call_time_fails_without_a_connection(hook, url):
    attempt = await Deliverer()(url)
    assert (attempt.http_status, attempt.retryable) == (None, False)
    assert "refused" in attempt.error
    assert hook.connections == 0


async def test_the_guard_is_asked_again_at_call_time(hook):
    attempt = await Deliverer(callback_block_private=True, callback_ports=(hook.port,))(hook.url)
    assert "private network" in attempt.error
    assert hook.connections == 0


async def test_connections_are_reused(hook):
    deliver = Deliverer()
    for _ in range(5):
        await deliver.sender.attempt("d", hook.url, job_id="j", tenant_id="t", body=BODY)
    await deliver.sender.aclose()
    assert hook.connections == 1


@pytest.mark.parametrize("tenant", ["Müller & Söhne", "evil\r\nX-Injected: 1"])
async def test_no_tenant_name_breaks_the_delivery_or_its_headers(hook, tenant):
    deliver = Deliverer()
    await deliver.sender.attempt("d", hook.url, job_id="j", tenant_id=tenant, body=BODY)
    await deliver.sender.aclose()
    assert all(got.headers["X-Injected"] is None for got in hook.received)


async def test_a_cancelled_attempt_stops_at_once(hook):
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
        await deliver.sender.attempt("d", hook.url, job_id="j", tenant_id=tenant, body=BODY)
    await deliver.sender.aclose()
    assert [got.headers["Cookie"] for got in hook.received] == [None, None]
