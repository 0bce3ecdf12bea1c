"""The tenants of an installation: one document each, in the configured store.

The store and not Redis, because tenants must outlive every cache; one document each, because
object stores have no locks: two administrators who work on two tenants cannot undo each other.
Every gateway and worker keeps a copy in memory and looks for changes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from dedup2d.errors import RequestError, ServiceError
from dedup2d.stores.protocol import FileStore, StoredFile
from dedup2d.tenants.model import Tenant, TenantLimits, is_tenant_id, named_tenant

logger = logging.getLogger(__name__)

TENANT_FILE: Final = "tenant.json"
MAX_TENANT_BYTES: Final = 1024**2
LOOK_S: Final = 5.0  # how old the copy in memory may be: so long a revoked key goes on
LOOK_FOR_STRANGER_S: Final = 1.0  # and when nobody knows the key that asks
PATIENCE_S: Final = 2.0  # with a slow store, once in that time
UNREADABLE: Final = "(unreadable)"
YOUNG_S: Final = 60.0  # a document may change twice within the resolution of its time


class TenantRegistry:
    """Tenants in ``store``. ``secrets`` sign the webhooks of everybody else, newest first."""

    def __init__(self, store: FileStore, *, secrets: Sequence[str] = ()) -> None:
        self._store = store
        self._secrets = tuple(secrets)
        self._tenants: dict[str, Tenant] = {}
        self._seen: dict[str, tuple[int, datetime]] = {}
        self._looked_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def authenticate(self, key: bytes, *, known: bool = False) -> tuple[Tenant | None, bool]:
        """The tenant that a key can only belong to, and whether it is one of the tenant's keys.

        The tenant is None where there is none of this id; ``known``: then the key is somebody's
        all the same. Raises ServiceError while no copy could be had yet.
        """
        tenant_id = named_tenant(key)
        familiar = known or tenant_id in self._tenants
        await self._look(LOOK_S if familiar else LOOK_FOR_STRANGER_S)
        tenant = self._tenants.get(tenant_id)
        return tenant, tenant is not None and tenant.accepts(key, datetime.now(UTC))

    async def any(self) -> bool:
        """Whether there are tenants, revoked ones included."""
        await self._look(LOOK_S)
        return bool(self._tenants)

    async def limits(self, tenant_id: str) -> TenantLimits:
        """What differs from the settings."""
        await self._look(LOOK_S)
        tenant = self._tenants.get(tenant_id)
        return tenant.limits if tenant else TenantLimits()

    async def webhook_secrets(self, tenant_id: str) -> Sequence[str]:
        """What signs a tenant's webhooks, newest first: its own alone, where it has any."""
        await self._look(LOOK_S)
        tenant = self._tenants.get(tenant_id)
        return tenant.signing(datetime.now(UTC)) if tenant else self._secrets

    def all(self) -> list[Tenant]:
        """Every tenant by name, from the store itself. Blocking."""
        self._read()
        return sorted(self._tenants.values(), key=lambda t: (t.name, t.tenant_id))

    def find(self, name_or_id: str) -> Tenant:
        """Raises RequestError ``TENANT_NOT_FOUND``. Blocking."""
        for tenant in self.all():
            if name_or_id in {tenant.name, tenant.tenant_id}:
                return tenant
        raise RequestError("TENANT_NOT_FOUND", f"There is no tenant {name_or_id}.")

    def save(self, tenant: Tenant) -> None:
        """Keep the tenant's document. Blocking."""
        self._store.write_bytes(tenant.tenant_id, TENANT_FILE, tenant.model_dump_json().encode())

    async def _look(self, max_age_s: float) -> None:
        """Bring the copy up to date; with the store away or slow an older one serves on."""
        if time.monotonic() - self._looked_at < max_age_s:
            return
        is_first = self._looked_at == float("-inf")
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(asyncio.to_thread(self._read))
        reading = self._reading
        await asyncio.wait({reading}, timeout=None if is_first else PATIENCE_S)
        if reading.done() and (failure := reading.exception()) is not None:
            if is_first or not isinstance(failure, ServiceError):
                raise failure
            logger.warning("tenants are those of before: %s", failure)
        self._looked_at = time.monotonic()

    def _read(self) -> None:
        listed = self._store.list()
        found = {file.folder: file for file in listed if is_tenant_id(file.folder)}
        tenants, seen = {}, {}
        for tenant_id, file in found.items():
            mark = (file.size, file.modified_at)
            tenant = self._tenants.get(tenant_id)
            if tenant is None or self._seen.get(tenant_id) != mark or _is_young(file):
                tenant = self._document(tenant_id)
            if tenant is not None:
                tenants[tenant_id], seen[tenant_id] = tenant, mark
        self._tenants, self._seen = tenants, seen

    def _document(self, tenant_id: str) -> Tenant | None:
        data = self._store.read_bytes(tenant_id, TENANT_FILE, max_bytes=MAX_TENANT_BYTES)
        if data is None:
            return None
        try:
            return Tenant.model_validate_json(data)
        except ValueError:
            logger.exception("tenant %s is refused: its document cannot be read", tenant_id)
            now = datetime.now(UTC)
            return Tenant(tenant_id=tenant_id, name=UNREADABLE, created_at=now, revoked_at=now)


def _is_young(file: StoredFile) -> bool:
    return (datetime.now(UTC) - file.modified_at).total_seconds() < YOUNG_S
