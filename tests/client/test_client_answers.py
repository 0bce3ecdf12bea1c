"""Error answers become our errors, whatever shape they have."""

from __future__ import annotations

import httpx
import pytest

from dedup2d.client.answers import error_of
from dedup2d.errors import ConflictError, QueueFullError, RequestError, ServiceError


def test_a_coded_detail_keeps_code_and_sentence() -> None:
    body = {"detail": {"error": "CALLBACK_URL_INVALID", "message": "The address is refused."}}
    error = error_of(httpx.Response(400, json=body))
    assert (type(error), error.code, error.message) == (
        RequestError,
        "CALLBACK_URL_INVALID",
        "The address is refused.",
    )


def test_a_plain_detail_takes_its_code_from_the_header() -> None:
    answer = httpx.Response(
        400, json={"detail": "Empty file"}, headers={"X-Error-Code": "EMPTY_FILE"}
    )
    error = error_of(answer)
    assert (error.code, error.message) == ("EMPTY_FILE", "Empty file")


def test_a_full_queue_says_how_full_and_when_to_come_back() -> None:
    detail = {"error": "JOB_QUEUE_FULL", "message": "", "max_jobs": 7, "current_jobs": 8}
    error = error_of(httpx.Response(429, json={"detail": detail}, headers={"Retry-After": "9"}))
    assert isinstance(error, QueueFullError)
    assert (error.max_jobs, error.current_jobs, error.retry_after_s) == (7, 8, 9)


def test_an_unknown_job_is_named() -> None:
    error = error_of(
        httpx.Response(404, json={"detail": {"error": "JOB_NOT_FOUND", "job_id": "x"}})
    )
    assert error.code == "JOB_NOT_FOUND"
    assert "x" in error.message


def test_validation_errors_name_the_field() -> None:
    detail = [{"loc": ["query", "mode"], "msg": "Input should be 'fast'"}]
    error = error_of(httpx.Response(422, json={"detail": detail}))
    assert error.code == "INVALID_REQUEST"
    assert error.message == "mode: Input should be 'fast'"


def test_a_reused_key_is_a_conflict() -> None:
    body = {"detail": {"error": "IDEMPOTENCY_CONFLICT", "message": "Another request."}}
    assert isinstance(error_of(httpx.Response(409, json=body)), ConflictError)


@pytest.mark.parametrize("content", [b"", b"<html>", b"[1]", b'"words"', b"null"])
def test_an_answer_that_is_not_ours_is_still_an_error_with_a_sentence(content: bytes) -> None:
    error = error_of(httpx.Response(502, content=content, headers={"Retry-After": "3"}))
    assert isinstance(error, ServiceError)
    assert error.message
    assert error.retry_after_s == 3
