"""What a tenant has set once instead of sending it with every search."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dedup2d.errors import ServiceError
from dedup2d.options import Mode, PrecisionProfile, VersionGate
from dedup2d.stores.protocol import FileStore

FILE_NAME: Final = "config.json"
MAX_BYTES: Final = 64 * 1024


class TenantConfig(BaseModel):
    """Search parameters of one tenant; None is not set. An explicit parameter wins over them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: str | None = None
    mode: Mode | None = None
    precision_profile: PrecisionProfile | None = None
    version_gate: VersionGate | None = None
    precision_top_n: int | None = Field(None, ge=1, le=1000)
    precision_visual_weight: float | None = Field(None, ge=0, allow_inf_nan=False)
    precision_geom_weight: float | None = Field(None, ge=0, allow_inf_nan=False)
    duplicate_threshold: float | None = Field(None, ge=0, le=1)
    similar_threshold: float | None = Field(None, ge=0, le=1)

    def values(self) -> dict[str, Any]:
        """What is set, as JSON has it."""
        return self.model_dump(mode="json", exclude_none=True)


class TenantConfigs:
    """Each tenant's configuration as a file of a store, read anew by every request.

    Blocking. A memory of it would be old on every other gateway as soon as one changes it.
    """

    def __init__(self, store: FileStore) -> None:
        self._store = store

    def read(self, tenant: str) -> TenantConfig:
        """What the tenant has set; nothing where there is no file.

        Raises ServiceError, ``TENANT_CONFIG_DAMAGED`` where the file is none of ours: searching
        with defaults instead would give other answers than the tenant has asked for.
        """
        data = self._store.read_bytes(tenant, FILE_NAME, max_bytes=MAX_BYTES)
        if data is None:
            return TenantConfig()
        try:
            return TenantConfig.model_validate_json(data)
        except ValidationError as error:
            raise ServiceError(
                "store",
                "The stored configuration of this tenant is damaged; set it again or delete it.",
                code="TENANT_CONFIG_DAMAGED",
            ) from error

    def write(self, tenant: str, config: TenantConfig) -> None:
        """Replace what the tenant has set; durable when this returns."""
        self._store.write_bytes(
            tenant, FILE_NAME, config.model_dump_json(exclude_none=True).encode()
        )

    def delete(self, tenant: str) -> None:
        """Go back to the defaults."""
        self._store.delete_folder(tenant)
