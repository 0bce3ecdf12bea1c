"""The environment, read once, in this file only, and passed on as values.

Names and defaults are the predecessor's where it had them (see README, "Environment"). An
empty value means the default. A value that cannot be read is an error that names the variable.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from dedup2d.errors import RequestError
from dedup2d.fileref import Backend


class MatcherKind(StrEnum):
    """Who does the matching."""

    EMBEDDED = "embedded"  # our engine, in child processes of the worker
    VISION = "vision"  # a dedupcad-vision service over HTTP


def _env(*names: str, default: Any = None, **constraints: Any) -> Any:
    return Field(default, validation_alias=AliasChoices(*names), **constraints)


class Settings(BaseModel):
    """Every setting of every process. Times are seconds, sizes bytes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    data_dir: Path = _env("DEDUP2D_DATA_DIR", default=Path("data"))

    # jobs and Redis
    redis_url: str | None = _env("DEDUP2D_REDIS_URL", "REDIS_URL")
    redis_key_prefix: str = _env("DEDUP2D_REDIS_KEY_PREFIX", default="dedup2d")
    max_jobs: int = _env("DEDUP2D_ASYNC_MAX_JOBS", default=200, ge=1)
    max_jobs_per_tenant: int = _env("DEDUP2D_TENANT_MAX_JOBS", default=200, ge=1)
    job_ttl_s: int = _env("DEDUP2D_ASYNC_TTL_SECONDS", default=3600, ge=60)
    job_timeout_s: int = _env("DEDUP2D_ASYNC_JOB_TIMEOUT_SECONDS", default=300, ge=1)
    worker_max_jobs: int = _env("DEDUP2D_WORKER_MAX_JOBS", default=10, ge=1)
    worker_grace_s: float = _env("DEDUP2D_WORKER_GRACE_SECONDS", default=30, ge=0)
    worker_processes: int | None = _env("DEDUP2D_WORKER_PROCESSES", ge=1)
    forced_async_file_size: int = _env(
        "DEDUP2D_FORCED_ASYNC_FILE_SIZE_BYTES", default=5 * 1024**2, ge=0
    )
    forced_async_on_precision: bool = _env("DEDUP2D_FORCED_ASYNC_ON_PRECISION", default=True)
    forced_async_on_mode_precise: bool = _env("DEDUP2D_FORCED_ASYNC_ON_MODE_PRECISE", default=True)
    work_pool: str = _env("DEDUP2D_WORK_POOL", default="dedup2d")

    # file storage
    file_storage: Backend = _env("DEDUP2D_FILE_STORAGE", default=Backend.LOCAL)
    upload_dir: Path | None = _env("DEDUP2D_FILE_STORAGE_DIR")
    result_dir: Path | None = _env("DEDUP2D_RESULT_STORAGE_DIR")
    tenant_dir: Path | None = _env("DEDUP2D_TENANT_STORAGE_DIR")
    geometry_dir: Path | None = _env("DEDUPCAD_GEOM_STORE_DIR")
    config_dir: Path | None = _env("DEDUPCAD_TENANT_CONFIG_DIR")
    cleanup_on_finish: bool = _env("DEDUP2D_FILE_STORAGE_CLEANUP_ON_FINISH", default=True)
    upload_retention_s: int = _env("DEDUP2D_FILE_STORAGE_RETENTION_SECONDS", default=3600, ge=0)
    result_retention_s: int = _env("DEDUP2D_RESULT_RETENTION_SECONDS", default=7 * 86400, ge=60)
    max_upload_bytes: int = _env("DEDUP2D_MAX_UPLOAD_BYTES", default=1024**3, ge=1)
    upload_idle_s: float = _env("DEDUP2D_UPLOAD_IDLE_SECONDS", default=60, gt=0)
    s3_bucket: str | None = _env("DEDUP2D_S3_BUCKET")
    s3_prefix: str = _env("DEDUP2D_S3_PREFIX", default="dedup2d/uploads")
    s3_result_prefix: str = _env("DEDUP2D_S3_RESULT_PREFIX", default="dedup2d/results")
    s3_tenant_prefix: str = _env("DEDUP2D_S3_TENANT_PREFIX", default="dedup2d/tenants")
    s3_geometry_prefix: str = _env("DEDUP2D_S3_GEOMETRY_PREFIX", default="dedup2d/geometry")
    s3_config_prefix: str = _env("DEDUP2D_S3_CONFIG_PREFIX", default="dedup2d/config")
    s3_endpoint: str | None = _env("DEDUP2D_S3_ENDPOINT")
    s3_public_endpoint: str | None = _env("DEDUP2D_S3_PUBLIC_ENDPOINT")
    s3_region: str | None = _env("DEDUP2D_S3_REGION")
    s3_access_key: str | None = _env("DEDUP2D_S3_ACCESS_KEY", repr=False)
    s3_secret_key: str | None = _env("DEDUP2D_S3_SECRET_KEY", repr=False)

    # webhook
    callback_allow_http: bool = _env("DEDUP2D_CALLBACK_ALLOW_HTTP", default=False)
    callback_block_private: bool = _env("DEDUP2D_CALLBACK_BLOCK_PRIVATE_NETWORKS", default=True)
    callback_allowlist: tuple[str, ...] = _env("DEDUP2D_CALLBACK_ALLOWLIST", default=())
    callback_ports: tuple[int, ...] = _env("DEDUP2D_CALLBACK_PORTS", default=())
    callback_hmac_secret: str | None = _env("DEDUP2D_CALLBACK_HMAC_SECRET", repr=False)
    callback_hmac_previous: tuple[str, ...] = _env(
        "DEDUP2D_CALLBACK_HMAC_PREVIOUS_SECRETS", default=(), repr=False
    )
    callback_timeout_s: float = _env("DEDUP2D_CALLBACK_TIMEOUT_SECONDS", default=10, ge=0.1)
    callback_schedule: str | None = _env(
        "DEDUP2D_CALLBACK_SCHEDULE", pattern=r"^(standard|quick|[0-9.]+(\s*,\s*[0-9.]+)*)$"
    )
    callback_max_attempts: int | None = _env("DEDUP2D_CALLBACK_MAX_ATTEMPTS", ge=1)
    callback_backoff_base_s: float | None = _env("DEDUP2D_CALLBACK_BACKOFF_BASE_SECONDS", ge=0)
    callback_backoff_max_s: float | None = _env("DEDUP2D_CALLBACK_BACKOFF_MAX_SECONDS", ge=0)
    callback_disable_after_s: int = _env(
        "DEDUP2D_CALLBACK_DISABLE_AFTER_SECONDS", default=5 * 86400, ge=0
    )

    # matching
    matcher: MatcherKind = _env("DEDUP2D_MATCHER", default=MatcherKind.EMBEDDED)
    index_dir: Path | None = _env("DEDUP2D_INDEX_DIR")
    vision_url: str = _env("DEDUPCAD_VISION_URL", default="http://localhost:58001")
    vision_timeout_s: float = _env("DEDUPCAD_VISION_TIMEOUT_SECONDS", default=60, gt=0)
    vision_max_attempts: int = _env("DEDUPCAD_VISION_RETRY_MAX_ATTEMPTS", default=2, ge=1)
    vision_retry_base_s: float = _env("DEDUPCAD_VISION_RETRY_BASE_DELAY_SECONDS", default=0.5, ge=0)
    vision_retry_max_s: float = _env("DEDUPCAD_VISION_RETRY_MAX_DELAY_SECONDS", default=5, ge=0)
    vision_circuit_enabled: bool = _env("DEDUPCAD_VISION_CIRCUIT_ENABLED", default=True)
    vision_circuit_threshold: int = _env(
        "DEDUPCAD_VISION_CIRCUIT_FAILURE_THRESHOLD", default=5, ge=1
    )
    vision_circuit_recovery_s: float = _env(
        "DEDUPCAD_VISION_CIRCUIT_RECOVERY_TIMEOUT_SECONDS", default=30, ge=0
    )

    # budgets of reading; a drawing over one of them is refused with a code
    max_drawing_bytes: int = _env("DEDUP2D_MAX_DRAWING_BYTES", default=512 * 1024**2, ge=1)
    max_primitives: int = _env("DEDUP2D_MAX_PRIMITIVES", default=1_500_000, ge=1)
    max_pixels: int = _env("DEDUP2D_MAX_PIXELS", default=120_000_000, ge=1)
    read_timeout_s: float = _env("DEDUP2D_READ_TIMEOUT_SECONDS", default=60, gt=0)
    match_timeout_s: float = _env("DEDUP2D_MATCH_TIMEOUT_SECONDS", default=120, gt=0)
    child_memory_bytes: int = _env("DEDUP2D_CHILD_MEMORY_BYTES", default=4 * 1024**3, ge=1)

    # access
    tenant_requests_per_s: float = _env("DEDUP2D_TENANT_REQUESTS_PER_SECOND", default=0, ge=0)
    tenant_upload_bytes_per_day: int = _env("DEDUP2D_TENANT_UPLOAD_BYTES_PER_DAY", default=0, ge=0)
    api_keys: tuple[str, ...] = _env("API_KEYS", "API_KEY", "X_API_KEY", default=(), repr=False)
    admin_token: str | None = _env("ADMIN_TOKEN", repr=False)

    @model_validator(mode="after")
    def _s3_has_a_bucket(self) -> Self:
        if self.file_storage is Backend.S3 and not self.s3_bucket:
            raise ValueError("DEDUP2D_S3_BUCKET is needed when DEDUP2D_FILE_STORAGE is s3")
        return self

    @property
    def callback_secrets(self) -> tuple[str, ...]:
        """What signs the webhooks of tenants without secrets of their own, newest first."""
        newest = (self.callback_hmac_secret,) if self.callback_hmac_secret else ()
        return newest + self.callback_hmac_previous

    @property
    def uploads_path(self) -> Path:
        """Folder of uploads of a local store."""
        return self.upload_dir or self.data_dir / "uploads"

    @property
    def results_path(self) -> Path:
        """Folder of results of a local store."""
        return self.result_dir or self.data_dir / "results"

    @property
    def tenants_path(self) -> Path:
        """Folder of the tenants of a local store."""
        return self.tenant_dir or self.data_dir / "tenants"

    @property
    def geometry_path(self) -> Path:
        """Folder of kept geometry JSON of a local store."""
        return self.geometry_dir or self.data_dir / "geometry"

    @property
    def config_path(self) -> Path:
        """Folder of the tenants' configuration of a local store."""
        return self.config_dir or self.data_dir / "config"

    @property
    def index_path(self) -> Path:
        """Folder of the vault's index."""
        return self.index_dir or self.data_dir / "index"

    @property
    def scratch_path(self) -> Path:
        """Folder for files a running job works on; what killed workers left, the sweep removes."""
        return self.data_dir / "scratch"


_LISTS = (
    "DEDUP2D_CALLBACK_ALLOWLIST",
    "DEDUP2D_CALLBACK_PORTS",
    "DEDUP2D_CALLBACK_HMAC_PREVIOUS_SECRETS",
    "API_KEYS",
    "API_KEY",
    "X_API_KEY",
)


def read_settings(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Settings from the environment (``os.environ`` unless given); ``overrides`` win by field.

    Raises RequestError ``INVALID_SETTING`` that names each variable that cannot be read.
    """
    source = os.environ if environ is None else environ
    known = _variables()
    values: dict[str, Any] = {k: v for k, v in source.items() if k in known and v.strip()}
    for name in _LISTS:
        if name in values:
            values[name] = tuple(part.strip() for part in values[name].split(",") if part.strip())
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise RequestError("INVALID_SETTING", _in_words(error)) from error
    return settings.model_copy(update=overrides) if overrides else settings


def _variables() -> set[str]:
    names: set[str] = set()
    for info in Settings.model_fields.values():
        alias = info.validation_alias
        if isinstance(alias, AliasChoices):
            names.update(str(choice) for choice in alias.choices)
    return names


def _in_words(error: ValidationError) -> str:
    parts = []
    for item in error.errors():
        name = str(item["loc"][0]) if item["loc"] else ""
        text = item["msg"].removeprefix("Value error, ")
        parts.append(f"{name}: {text}, got {item['input']!r}" if name else text)
    return "; ".join(parts)
