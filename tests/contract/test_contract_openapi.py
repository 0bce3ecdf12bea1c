"""The OpenAPI document says what the gateway does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from conformance import PHASES, walk
from e2e_client import ADMIN, KEYS
from jsonschema import Draft202012Validator
from stack import Stack

from dedup2d.gateway.app import create_app
from dedup2d.gateway.errors import STATUS_OF_CODE
from dedup2d.settings import read_settings

DOCUMENT = create_app(read_settings({})).openapi()
HTTP = (Path(__file__).parents[2] / "docs" / "http.md").read_text("utf-8")
GOOD = {"200", "202", "204"}
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def examples_of(content: dict[str, Any]) -> list[Any]:
    """Every example of one media type."""
    named = [example["value"] for example in content.get("examples", {}).values()]
    return named + ([content["example"]] if "example" in content else [])


def holds(schema: dict[str, Any], value: Any) -> None:
    Draft202012Validator(schema | {"components": DOCUMENT["components"]}).validate(value)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_of_every_endpoint_has_true_examples(name: str) -> None:
    """Each documented status has an example that its own schema allows."""
    for status, response in OPERATIONS[name]["responses"].items():
        if "content" not in response:
            assert status == "204" or (status == "200" and name.startswith("HEAD "))
            continue
        (content,) = response["content"].values()
        if status == "422" and content["schema"].get("$ref", "").endswith("HTTPValidationError"):
            continue  # FastAPI's own
        examples = examples_of(content)
        assert examples, f"{name}: {status} has no example"
        for example in examples:
            holds(content["schema"], example)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_endpoint_documents_what_can_always_happen(name: str) -> None:
    """401 and 403 where a key is asked for, 500 and 503 everywhere, a form's own refusals."""
    operation = OPERATIONS[name]
    statuses = set(operation["responses"])
    assert {"500", "503"} <= statuses
    assert statuses & GOOD
    assert ({"401", "403"} <= statuses) == ("security" in operation)
    if "multipart/form-data" in operation.get("requestBody", {}).get("content", {}):
        assert {"400", "408", "413", "415", "422"} <= statuses
    assert operation["summary"]


def test_every_code_and_status_is_in_the_document_for_people() -> None:
    table = HTTP[HTTP.index("## Errors") :]
    for code in STATUS_OF_CODE:
        assert f"`{code}`" in table, code
    documented = {status for o in OPERATIONS.values() for status in o["responses"]}
    assert set(re.findall(r"\b[45]\d\d\b", table)) >= documented - GOOD


@pytest.mark.stack
def test_generated_requests_are_answered_as_documented(local_stack: Stack, tmp_path: Path) -> None:
    """No 5xx, no undocumented status, type, schema or method, no endpoint without its key."""
    url = f"http://127.0.0.1:{local_stack.port}"
    walked = walk(
        url, key=KEYS[1], admin=ADMIN, examples=2, seed=1, folder=tmp_path, phases=PHASES[:3]
    )
    assert walked.failures == [], walked.text
    assert walked.operations == len(OPERATIONS)
    assert walked.requests >= 200
    assert not [status for status in walked.statuses if status >= 500]
    with local_stack.client(KEYS[1]) as client:  # half a direct upload stays open for a day
        for half in {path.parent.name for path in (local_stack.data / "uploads").rglob("*.part")}:
            client.delete(f"/uploads/{half}").raise_for_status()


@pytest.mark.stack
def test_the_served_document_is_the_described_one(local_stack: Stack) -> None:
    served = httpx.get(f"http://127.0.0.1:{local_stack.port}/openapi.json", timeout=60)
    assert served.json() == DOCUMENT
