"""What lies in a store beside drawings: tenants, and webhooks that go on; on both stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from store_kit import Place

from dedup2d.errors import ServiceError
from dedup2d.jobs.outcomes import (
    drop_undelivered,
    is_outcome,
    keep_undelivered,
    read_undelivered,
    undelivered_jobs,
)
from dedup2d.stores.local import LocalStore
from dedup2d.tenants.model import Tenant
from dedup2d.tenants.registry import TenantRegistry
from dedup2d.tickets.deliveries import new_delivery


async def test_a_tenant_is_known_rotated_and_revoked_by_what_the_store_has(place: Place):
    here, elsewhere = TenantRegistry(place.store), TenantRegistry(place.store)
    tenant, key, secret = Tenant.new("press-shop")
    here.save(tenant)
    assert [t.name for t in elsewhere.all()] == ["press-shop"]
    assert (await elsewhere.authenticate(key.encode()))[1]
    assert await elsewhere.webhook_secrets(tenant.tenant_id) == (secret,)

    rotated, new = tenant.with_new_key(timedelta(0))
    here.save(rotated)
    elsewhere.all()
    assert not (await elsewhere.authenticate(key.encode()))[1]
    assert (await elsewhere.authenticate(new.encode()))[1]
    here.save(rotated.model_copy(update={"revoked_at": datetime.now(UTC)}))
    elsewhere.all()
    assert not (await elsewhere.authenticate(new.encode()))[1]


async def test_everybody_else_is_signed_for_by_the_settings(place: Place):
    registry = TenantRegistry(place.store, secrets=("new", "old"))
    assert await registry.webhook_secrets("9f86d081884c7d65") == ("new", "old")
    assert not await registry.any()


async def test_a_webhook_that_goes_on_is_kept_until_it_has_ended(place: Place):
    delivery = new_delivery("job-1", tenant_id="acme", url="https://plm.example/")
    later = delivery.model_copy(update={"attempts": 1})
    await keep_undelivered(place.store, delivery)
    await keep_undelivered(place.store, later)
    place.store.write_bytes("job-1", "outcome.json", b"{}")
    folders = {file.folder for file in place.store.list()}
    assert undelivered_jobs(folders) == {"job-1"}
    assert [name for name in folders if is_outcome(name)] == ["job-1"]
    assert await read_undelivered(place.store, "job-1") == later
    for _ in range(2):
        await drop_undelivered(place.store, "job-1")
    assert await read_undelivered(place.store, "job-1") is None
    assert len(place.everything()) <= 2  # the outcome and, where there are folders, its own


async def test_a_store_that_is_away_at_the_start_is_said_so_and_later_the_copy_serves_on(
    tmp_path, monkeypatch
):
    folder = tmp_path / "tenants"
    registry = TenantRegistry(LocalStore(folder))
    tenant, key, _ = Tenant.new("press-shop")
    registry.save(tenant)
    assert (await registry.authenticate(key.encode()))[1]
    folder.rename(tmp_path / "moved")
    folder.symlink_to(folder)  # a folder that cannot be read, for root too
    monkeypatch.setattr("dedup2d.tenants.registry.LOOK_S", 0)
    assert (await registry.authenticate(key.encode()))[1]
    with pytest.raises(ServiceError):
        await TenantRegistry(LocalStore(folder)).any()
