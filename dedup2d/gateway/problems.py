"""The bodies of refusals, as the OpenAPI document describes them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Coded(BaseModel):
    """A code for programs and a sentence for people; some codes bring more, such as limits."""

    model_config = ConfigDict(extra="allow")

    error: str = Field(description="upper-case and stable; also in the header X-Error-Code")
    message: str | None = None


class Problem(BaseModel):
    """Why a request was refused; some details are plain sentences, as the predecessor had them."""

    detail: Coded | str


class Invalid(BaseModel):
    """One value that is not what its place asks for."""

    model_config = ConfigDict(extra="allow")

    type: str
    loc: list[str | int] = Field(description="where it stands: query, path, header or body")
    msg: str
    input: Any = None


class InvalidRequest(BaseModel):
    """All values that are not what their places ask for."""

    detail: list[Invalid]


class Authorization(BaseModel):
    """What is wrong with an administrator's token."""

    code: str
    source: str
    severity: str
    message: str
    context: dict[str, str]


class AdminProblem(BaseModel):
    """Why a request was refused that only the administrator may send."""

    detail: Authorization | Coded | str
