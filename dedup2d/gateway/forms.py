"""Bodies that are not a search's: small JSON documents, and forms with other parts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from dedup2d.errors import RequestError
from dedup2d.gateway.multipart import Part
from dedup2d.gateway.uploads import MAX_PARTS, Limits, body_of, check_body, parts_of

SMALL_BODY_S: Final = 30.0
MAX_FIELD_BYTES: Final = 4096  # of one field that is no file
Model = TypeVar("Model", bound=BaseModel)


async def read_json(
    request: Request, model: type[Model], limits: Limits, *, max_bytes: int
) -> Model:
    """The body as ``model``, held in memory up to ``max_bytes``.

    Raises RequestValidationError as FastAPI does, RequestError ``FILE_TOO_LARGE``.
    """
    body = bytearray()
    async for chunk in body_of(request, max_bytes, replace(limits, upload_s=SMALL_BODY_S)):
        body += chunk
    try:
        return model.model_validate_json(bytes(body))
    except ValidationError as error:
        raise _in_the_body(error) from error


def read_fields(fields: Mapping[str, str], model: type[Model]) -> Model:
    """The texts of a form as ``model``. Raises RequestValidationError."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise _in_the_body(error) from error


async def parts_of_form(request: Request, limits: Limits) -> AsyncIterator[Part]:
    """The parts of a form, while it comes in. Raises as ``uploads.receive``."""
    count = 0
    async for part in parts_of(request, check_body(request, limits), limits):
        count += 1
        if count > MAX_PARTS:
            raise RequestError("TOO_MANY_FILES", f"A form of more than {MAX_PARTS} parts.")
        yield part


async def text_of(part: Part) -> str:
    """A field's value. Raises RequestError ``FIELD_TOO_LONG``."""
    value = bytearray()
    async for block in part.blocks():
        value += block
        if len(value) > MAX_FIELD_BYTES:
            raise RequestError(
                "FIELD_TOO_LONG",
                f"The field {part.name[:50]} is longer than {MAX_FIELD_BYTES} bytes.",
            )
    return value.decode("utf-8", "replace")


def missing_part(*names: str) -> RequestValidationError:
    """What FastAPI says of a form without these files."""
    problem: dict[str, Any] = {"type": "missing", "msg": "Field required", "input": None}
    return RequestValidationError([problem | {"loc": ("body", name)} for name in names])


def _in_the_body(error: ValidationError) -> RequestValidationError:
    problems = error.errors(include_url=False, include_context=False)
    return RequestValidationError(
        [{**problem, "loc": ("body", *problem["loc"])} for problem in problems]
    )
