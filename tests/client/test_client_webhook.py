"""A receiver believes only what is signed, fresh, and of the job it says."""

from __future__ import annotations

import time

import pytest

from dedup2d.client import Dedup2D
from dedup2d.errors import RequestError
from dedup2d.webhooks.signature import sign

BODY = b'{"job_id":"j-1","status":"completed"}'


def headers(*, body: bytes = BODY, age_s: int = 0, secret: str = "s") -> dict[str, str]:
    signature = sign(secret, "j-1", body, timestamp=int(time.time()) - age_s)
    return {"x-dedup-signature": signature, "X-DEDUP-JOB-ID": "j-1"}


def test_a_good_webhook_gives_its_content() -> None:
    assert Dedup2D.verify_webhook(headers(), BODY, "s")["status"] == "completed"


@pytest.mark.parametrize(
    "given",
    [
        {},
        headers(secret="another"),
        headers(age_s=301),
        headers(body=b"{}"),
        headers() | {"X-DEDUP-JOB-ID": "j-2"},
        {"X-Dedup-Signature": "t=1,v1=zz", "X-Dedup-Job-Id": "j-1"},
    ],
)
def test_anything_else_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(RequestError) as refused:
        Dedup2D.verify_webhook(given, BODY, "s")
    assert refused.value.code == "BAD_SIGNATURE"


def test_a_body_of_another_job_is_refused() -> None:
    body = b'{"job_id":"j-9"}'
    with pytest.raises(RequestError):
        Dedup2D.verify_webhook(headers(body=body), body, "s")
