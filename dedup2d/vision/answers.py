"""What a vision service answers, checked on arrival and turned into our nouns."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from dedup2d.errors import ServiceError
from dedup2d.matcher import LoadedDrawing
from dedup2d.report import Match, Query, Relation, Report, ReportError, Verdict

BAD_ANSWER: Final = "VISION_BAD_ANSWER"
_ROUNDING: Final = 1e-6  # a cosine of float32 vectors may be a little above 1
_SENTENCE: Final = 200  # characters of a foreign message that we pass on
_PATH: Final = re.compile(r"(?:[A-Za-z]:)?(?:[/\\][\w.~-]+){2,}")


def _unit(value: Any) -> Any:
    if isinstance(value, int | float) and 1 < value <= 1 + _ROUNDING:
        return 1.0
    return value


_Share = Annotated[float, BeforeValidator(_unit), Field(ge=0, le=1)]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


class Candidate(_Answer):
    """One match; ``file_hash`` is kept as it is, also where it is no sha256 in hex."""

    drawing_id: str
    file_hash: str
    file_name: str
    similarity: _Share
    confidence: _Share
    match_level: int
    verdict: str
    levels: dict[str, Any]


class SearchAnswer(_Answer):
    """Body of ``POST /api/v2/search``."""

    success: bool
    total_matches: int = Field(ge=0)
    duplicates: tuple[Candidate, ...]
    similar: tuple[Candidate, ...]
    final_level: int
    timing: dict[str, float]
    level_stats: dict[str, Any] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: str | dict[str, Any] | None = None


class AddAnswer(_Answer):
    """Body of ``POST /api/index/add``."""

    success: bool
    drawing_id: str
    file_hash: str = ""
    message: str = ""
    processing_time_ms: float = 0.0
    s3_key: str | None = None


class RebuildAnswer(_Answer):
    """Body of ``POST /api/v2/index/rebuild``."""

    success: bool
    message: str = ""


class HealthAnswer(BaseModel):
    """Body of ``GET /health``; everything but the status is passed through."""

    model_config = ConfigDict(frozen=True, extra="allow")

    status: str


_Model = TypeVar("_Model", bound=BaseModel)


def read_answer(model: type[_Model], body: bytes) -> _Model:
    """The checked answer. Raises ServiceError ``VISION_BAD_ANSWER`` that names what is wrong."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise ServiceError(
            "vision",
            f"The vision service answered wrongly ({where}: {first['msg']}).",
            code=BAD_ANSWER,
        ) from error


def to_report(answer: SearchAnswer, query: LoadedDrawing) -> Report:
    """The report; the service's sorting into duplicates and similar ones is kept."""
    return Report(
        success=answer.success,
        total_matches=answer.total_matches,
        duplicates=_matches(answer.duplicates, Verdict.DUPLICATE, query),
        similar=_matches(answer.similar, Verdict.SIMILAR, query),
        final_level=answer.final_level,
        timing=answer.timing,
        level_stats=answer.level_stats,
        warnings=answer.warnings,
        error=_error(answer),
        query=Query(
            file_name=query.file_name,
            file_hash=query.file_hash,
            size=query.size,
            format=query.format,
            findings=query.findings,
        ),
    )


def detail_of(body: bytes) -> str:
    """The message of an error body (FastAPI's ``detail``) as one short text without paths."""
    try:
        content = json.loads(body)
    except ValueError:
        return ""
    detail = content.get("detail") if isinstance(content, dict) else None
    return _without_paths(detail) if isinstance(detail, str) else ""


def _matches(
    candidates: tuple[Candidate, ...], verdict: Verdict, query: LoadedDrawing
) -> tuple[Match, ...]:
    found = (_match(candidate, verdict, query) for candidate in candidates)
    return tuple(sorted(found, key=lambda match: (-match.similarity, match.drawing_id)))


def _match(candidate: Candidate, verdict: Verdict, query: LoadedDrawing) -> Match:
    same_bytes = candidate.file_hash.lower() == query.file_hash
    return Match(
        **candidate.model_dump(exclude={"verdict"}),
        verdict=verdict,
        relation=Relation.EXACT if same_bytes else Relation.SIMILAR,
    )


def _error(answer: SearchAnswer) -> ReportError | None:
    if answer.success and not answer.error:
        return None
    error = answer.error
    text = error.get("message", "") if isinstance(error, dict) else error
    message = _without_paths(str(text or "")) or "The vision service gave no reason."
    return ReportError(code="VISION_SEARCH_FAILED", message=message)


def _without_paths(text: str) -> str:
    return _PATH.sub("...", " ".join(text.split()))[:_SENTENCE]
