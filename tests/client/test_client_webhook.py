"""A receiver believes only what is signed, fresh, and of the job it says."""

from __future__ import annotations

import time

import pytest

from dedup2d.client import Dedup2D
from dedup2d.errors import RequestError
from dedup2d.webhooks.signature import sign, signature_headers

BODY = b'{"job_id":"j-1","status":"completed"}'


def predecessors(*, body: bytes = BODY, age_s: int = 0, secret: str = "s") -> dict[str, str]:
    """Headers as the predecessor's receivers know them."""
    signature = sign(secret, "j-1", body, timestamp=int(time.time()) - age_s)
    return {"x-dedup-signature": signature, "X-DEDUP-JOB-ID": "j-1"}


def standard(*, body: bytes = BODY, age_s: int = 0, secret: str = "s") -> dict[str, str]:
    """Headers with both signatures."""
    stamp = int(time.time()) - age_s
    signed = signature_headers([secret], delivery_id="d", job_id="j-1", body=body, timestamp=stamp)
    return signed | {"X-Dedup-Job-Id": "j-1"}


@pytest.mark.parametrize("headers", [predecessors, standard])
def test_a_good_webhook_gives_its_content(headers) -> None:
    assert Dedup2D.verify_webhook(headers(), BODY, "s")["status"] == "completed"


@pytest.mark.parametrize("headers", [predecessors, standard])
@pytest.mark.parametrize("fault", [{"secret": "another"}, {"age_s": 301}, {"body": b"{}"}])
def test_a_wrong_or_old_signature_is_refused(headers, fault) -> None:
    with pytest.raises(RequestError) as refused:
        Dedup2D.verify_webhook(headers(**fault), BODY, "s")
    assert refused.value.code == "BAD_SIGNATURE"


@pytest.mark.parametrize(
    "given", [{}, {"X-Dedup-Signature": "t=1,v1=zz"}, {"webhook-signature": ""}]
)
def test_a_missing_signature_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(RequestError):
        Dedup2D.verify_webhook(given, BODY, "s")


@pytest.mark.parametrize("headers", [predecessors, standard])
def test_a_body_of_another_job_is_refused(headers) -> None:
    body = b'{"job_id":"j-9"}'
    with pytest.raises(RequestError):
        Dedup2D.verify_webhook(headers(body=body), body, "s")
