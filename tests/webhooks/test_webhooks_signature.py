"""The predecessor's signature and body, byte for byte."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest

from dedup2d.webhooks.body import webhook_body
from dedup2d.webhooks.signature import sign, verify

NOW = 1_700_000_000
BODY = b'{"job_id":"j1","status":"completed"}'


def test_a_golden_vector():
    assert sign("s3cret", "j1", BODY, timestamp=NOW) == (
        "t=1700000000,v1="
        + hmac.new(b"s3cret", b"1700000000.j1." + BODY, hashlib.sha256).hexdigest()
    )


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
