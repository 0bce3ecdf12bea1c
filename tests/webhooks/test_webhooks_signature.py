"""Both signatures and the body, byte for byte, against vectors that others made."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from dedup2d.tenants.model import new_secret
from dedup2d.webhooks.body import webhook_body
from dedup2d.webhooks.signature import (
    sign,
    sign_standard,
    signature_headers,
    verify,
    verify_standard,
)

NOW = 1_700_000_000
BODY = b'{"job_id":"j1","status":"completed"}'


@pytest.mark.parametrize(
    ("secret", "job_id", "body", "timestamp", "digest"),
    [
        (
            "s3cret",
            "j1",
            b'{"job_id":"j1","status":"completed"}',
            1700000000,
            "a90648370b03ca0a77b9c1fd5cb6362e662796407a7d2d99ee7de6fa112122a9",
        ),
        (
            "geheim-ü",
            "6f3c1f0e-8d0b-4a38-9b0e-0d6f6f0f6a11",
            '{"error":null,"name":"Flansch Ø40"}'.encode(),
            1795528800,
            "9286c0e8bc68552287ce99ad27a4f1360926a7b65b24c72c340d8556d495132b",
        ),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "j2",
            b"{}",
            1,
            "5e26d89e0b2d6ce74d713a3cdc202d1337fc1c14c8087416eba3ea62433f98e3",
        ),
    ],
)
def test_the_golden_vectors_of_the_predecessor(secret, job_id, body, timestamp, digest):
    """Made with OpenSSL: printf '%s' "$t.$job.$body" | openssl dgst -sha256 -hmac "$secret"."""
    expected = f"t={timestamp},v1={digest}"
    assert sign(secret, job_id, body, timestamp=timestamp) == expected
    assert verify(secret, expected, job_id, body, now=timestamp)


def test_a_signature_fits_its_body_job_secret_and_time_only():
    signature = sign("s3cret", "j1", BODY, timestamp=NOW)
    assert verify("s3cret", signature, "j1", BODY, now=NOW + 299)
    assert not verify("s3cret", signature, "j1", BODY, now=NOW + 301)
    assert not verify("s3cret", signature, "j1", BODY, now=NOW - 301)
    assert not verify("s3cret", signature, "j2", BODY, now=NOW)
    assert not verify("s3cret", signature, "j1", BODY + b" ", now=NOW)
    assert not verify("other", signature, "j1", BODY, now=NOW)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "t=,v1=",
        "v1=" + "0" * 64,
        "t=1,v1=" + "0" * 63,
        "t=1,v1=" + "é" * 64,
        "t=" + "9" * 40 + ",v1=" + "0" * 64,
    ],
)
def test_what_cannot_be_read_does_not_fit(signature):
    assert not verify("s3cret", signature, "j1", BODY, now=1)


def test_the_body_is_compact_sorted_and_unescaped():
    body = webhook_body(
        job_id="j1",
        tenant_id="t1",
        status="completed",
        error=None,
        result={"name": "Flansch Ø40", "a": 1},
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        finished_at=None,
    )
    assert (
        body
        == (
            '{"error":null,"finished_at":null,"job_id":"j1","result":{"a":1,"name":"Flansch Ø40"},'
            '"started_at":1767225600.0,"status":"completed","tenant_id":"t1"}'
        ).encode()
    )
    assert json.loads(body)["result"]["name"] == "Flansch Ø40"


GOLDEN_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
GOLDEN_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
GOLDEN_BODY = b'{"test": 2432232314}'
GOLDEN_TIME = 1614265330


def test_the_golden_vector_of_standard_webhooks():
    signature = sign_standard(GOLDEN_SECRET, GOLDEN_ID, GOLDEN_BODY, timestamp=GOLDEN_TIME)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_standard_signature_fits_its_id_body_secret_and_time_only():
    headers = signature_headers(
        (GOLDEN_SECRET,), delivery_id="d1", job_id="j1", body=BODY, timestamp=NOW
    )
    assert verify_standard(GOLDEN_SECRET, headers, BODY, now=NOW)
    assert not verify_standard(GOLDEN_SECRET, headers, BODY + b" ", now=NOW)
    assert not verify_standard(GOLDEN_SECRET, headers, BODY, now=NOW + 301)
    assert not verify_standard("other", headers, BODY, now=NOW)
    for name in headers.keys() - {"X-Dedup-Signature", "X-Dedup-Signature-Version"}:
        assert not verify_standard(GOLDEN_SECRET, headers | {name: "1"}, BODY, now=NOW), name


def test_during_a_rotation_the_old_and_the_new_secret_fit():
    headers = signature_headers(
        ("new", "old"), delivery_id="d1", job_id="j1", body=BODY, timestamp=NOW
    )
    for secret in ("new", "old"):
        assert verify_standard(secret, headers, BODY, now=NOW)
    assert verify("new", headers["X-Dedup-Signature"], "j1", BODY, now=NOW)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_the_official_library_accepts_each_of_our_secrets(position):
    secrets = [GOLDEN_SECRET, *(new_secret() for _ in range(2))]
    headers = signature_headers(
        secrets, delivery_id="d1", job_id="j1", body=BODY, timestamp=int(time.time())
    )
    assert Webhook(secrets[position]).verify(BODY, headers) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets[position]).verify(BODY + b" ", headers)


@pytest.mark.parametrize("body", [b"{}", '{"name":"Flansch \u00d840"}'.encode(), b"x" * 100_000])
def test_we_sign_as_the_official_library_does_and_accept_what_it_signed(body):
    at = datetime.fromtimestamp(NOW, UTC)
    theirs = Webhook(GOLDEN_SECRET).sign("d1", at, body.decode())
    assert sign_standard(GOLDEN_SECRET, "d1", body, timestamp=NOW) == theirs
    headers = {"Webhook-Id": "d1", "Webhook-Timestamp": str(NOW), "Webhook-Signature": theirs}
    assert verify_standard(GOLDEN_SECRET, headers, body, now=NOW)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_é", "whsec_!", "plain", "ü", " "])
def test_no_secret_breaks_the_signing(secret):
    headers = signature_headers((secret,), delivery_id="d1", job_id="j1", body=BODY, timestamp=NOW)
    assert verify_standard(secret, headers, BODY, now=NOW)
