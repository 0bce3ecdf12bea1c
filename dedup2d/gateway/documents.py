"""What the OpenAPI document says beyond the types: bodies, and examples of answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel

DRAWING_TYPES: Final = ", ".join(  # what is read; the content decides, not this header
    [
        *("image/vnd.dxf", "image/vnd.dwg", "application/pdf", "image/svg+xml"),
        *("image/png", "image/jpeg", "image/tiff", "application/octet-stream"),
    ]
)
Responses = dict[int | str, dict[str, Any]]


def form_body(files: Mapping[str, str], fields: type[BaseModel] | None = None) -> dict[str, Any]:
    """A multipart form of these files (with what each is) and of the fields of a model."""
    properties = {name: _file(about) for name, about in files.items()}
    if fields is not None:
        properties |= _schema(fields)["properties"]
    return _form(list(files), properties)


def json_body(model: type[BaseModel], example: Mapping[str, Any]) -> dict[str, Any]:
    """A small JSON document."""
    content = {"schema": _schema(model), "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def answers(example: Any, problems: Responses, *, status: int = 200, **more: Any) -> Responses:
    """The example of a good answer (more of them by name), and what else may be answered."""
    content = {"application/json": examples_of({"answer": example} | more)}
    return {status: {"content": content}} | problems


def one_of(names: Iterable[str]) -> dict[str, Any]:
    """The schema of an optional name that is looked up later, for a better refusal than 422."""
    return {"enum": [*map(str, names), None]}


def _file(about: str) -> dict[str, Any]:
    return {"type": "string", "format": "binary", "description": about}


def _form(required: list[str], properties: Mapping[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "required": required, "properties": properties}
    encoding = {
        name: {"contentType": DRAWING_TYPES if name == "file" else "application/json"}
        for name, about in properties.items()
        if about.get("format") == "binary"
    }
    content = {"multipart/form-data": {"schema": schema, "encoding": encoding}}
    return {"requestBody": {"required": True, "content": content}}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    """The model's schema without references, which would lead out of a request body."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def whole(part: Any) -> Any:
        if isinstance(part, list):
            return [whole(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return whole(definitions[part["$ref"].rpartition("/")[2]] | _without_ref(part))
        return {name: whole(value) for name, value in part.items()}

    return dict(whole(schema))


def _without_ref(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name != "$ref"}


def examples_of(named: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a media type that has one example for each name."""
    return {"examples": {name: {"value": value} for name, value in named.items()}}


UPLOAD: Final = _form(
    ["file"],
    {
        "file": _file("the drawing; repeated for a batch"),
        "geom_json": _file("geometry JSON of the drawing, at most 64 MB"),
    },
)
BY_REFERENCE: Final[dict[str, Any]] = {
    "schema": {
        "type": "object",
        "properties": {
            "upload_id": {"type": "string", "description": "of POST /2d/uploads"},
            "file_ref": {"type": "object", "description": "or one of its FileRefs, or a list"},
        },
    },
    "example": {"upload_id": "5b0c7f0e8d0b4a389b0e0d6f6f0f6a11"},
}
SEARCH_UPLOAD: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": UPLOAD["requestBody"]["content"] | {"application/json": BY_REFERENCE},
    }
}
OCTETS: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
