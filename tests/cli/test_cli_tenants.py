"""``dedup2d tenants``: a key is shown once, kept as a hash, and rotates under a fixed id."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Run, environ, json_lines
from typer.testing import CliRunner

from dedup2d.cli.root import load
from dedup2d.cli.tenants import tenants
from dedup2d.settings import read_settings
from dedup2d.stores.build import tenant_store
from dedup2d.tenants.model import Tenant, tenant_id_of
from dedup2d.tenants.registry import TenantRegistry


@pytest.fixture
def call(tmp_path: Path) -> Any:
    """One command in this process; the object it printed."""

    def run(*arguments: str, given: str = "") -> Any:
        command = [*arguments, "--data", str(tmp_path), "--json"]
        env = environ(DEDUP2D_DATA_DIR=str(tmp_path))
        done = CliRunner().invoke(tenants, command, input=given, env=env, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


@pytest.fixture
def registry(tmp_path: Path) -> TenantRegistry:
    return TenantRegistry(tenant_store(read_settings({}, data_dir=tmp_path)))


async def fits(registry: TenantRegistry, key: str) -> bool:
    return (await registry.authenticate(key.encode()))[1]


async def test_a_key_is_shown_once_and_kept_as_a_hash(call, registry, tmp_path):
    (made,) = call("add", "press-shop")
    assert made["api_key"].startswith(f"d2_{made['tenant_id']}_")
    assert made["webhook_secret"].startswith("whsec_")
    assert await fits(registry, made["api_key"])
    kept = next(tmp_path.rglob("tenant.json")).read_text()
    assert made["api_key"] not in kept
    (listed,) = call("list")
    assert listed["name"] == "press-shop"
    assert listed["keys"][0]["hint"] == made["api_key"][-4:]
    assert made["webhook_secret"] not in json.dumps(listed)
    assert "sha256" not in json.dumps(listed)


def test_only_the_owner_may_look_into_the_folder(call, tmp_path):
    call("add", "press-shop")
    assert stat.S_IMODE((tmp_path / "tenants").stat().st_mode) == 0o700


async def test_rotating_keeps_the_id_and_the_old_key_for_the_overlap(call, registry):
    (made,) = call("add", "press-shop")
    (turned,) = call("rotate", "press-shop")
    assert turned["tenant_id"] == made["tenant_id"]
    assert await fits(registry, made["api_key"])
    assert await fits(registry, turned["api_key"])
    tenant = registry.find("press-shop")
    tomorrow = datetime.now(UTC) + timedelta(hours=25)
    assert tenant.accepts(turned["api_key"].encode(), tomorrow)
    assert not tenant.accepts(made["api_key"].encode(), tomorrow)


async def test_without_an_overlap_the_old_key_ends_at_once(call, registry):
    (made,) = call("add", "press-shop")
    call("rotate", made["tenant_id"], "--overlap", "0")
    assert not await fits(registry, made["api_key"])


async def test_both_webhook_secrets_sign_during_the_overlap(call, registry):
    (made,) = call("add", "press-shop")
    (turned,) = call("rotate", "press-shop", "--webhook-secret")
    signing = await registry.webhook_secrets(made["tenant_id"])
    assert signing == (turned["webhook_secret"], made["webhook_secret"])
    assert "api_key" not in turned


async def test_a_revoked_tenant_has_no_key_and_gets_none(call, registry, dedup2d: Run, tmp_path):
    (made,) = call("add", "press-shop")
    (revoked,) = call("revoke", "press-shop")
    assert revoked["revoked_at"]
    assert not await fits(registry, made["api_key"])
    done = dedup2d("tenants", "rotate", "press-shop", "--data", tmp_path)
    assert (done.returncode, "TENANT_REVOKED" in done.stderr) == (2, True)


async def test_a_key_of_api_keys_is_taken_over_under_its_id(call, registry):
    (made,) = call("add", "plant", "--existing-key", given="old-key-of-the-plant\n")
    assert made["tenant_id"] == tenant_id_of(b"old-key-of-the-plant")
    assert made["api_key"] == "old-key-of-the-plant"
    (turned,) = call("rotate", "plant", "--overlap", "0")
    assert not await fits(registry, "old-key-of-the-plant")
    assert await fits(registry, turned["api_key"])


def test_limits_are_set_and_unset(call):
    (made,) = call("add", "press-shop", "--max-jobs", "7")
    (listed,) = call("limit", "press-shop", "--requests-per-second", "2.5")
    assert listed["limits"] == {"requests_per_s": 2.5}
    assert call("list") == [listed]
    assert made["name"] == "press-shop"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rotate", "nobody"], "TENANT_NOT_FOUND"),
        (["add", "taken"], "TENANT_EXISTS"),
        (["add", " "], "INVALID_NAME"),
        (["add", "other", "--existing-key"], "INVALID_KEY"),
        (["limit", "taken", "--max-jobs", "0"], "--max-jobs"),
    ],
)
def test_a_wrong_call_is_status_2(call, dedup2d: Run, tmp_path, arguments, said):
    call("add", "taken")
    done = dedup2d("tenants", *arguments, "--data", tmp_path)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_for_people_the_key_stands_on_one_line(dedup2d: Run, tmp_path: Path):
    done = dedup2d("tenants", "add", "[bold]x", "--data", tmp_path, COLUMNS="40")
    key = next(line for line in done.stdout.splitlines() if line.startswith("api key: "))
    assert len(key) == len("api key: d2__") + 16 + 43
    assert "[bold]x" in done.stdout
    listed = dedup2d("tenants", "list", "--data", tmp_path).stdout
    assert "[bold]x" in listed
    assert json_lines(dedup2d("tenants", "list", "--json", "--data", tmp_path).stdout)


async def test_two_administrators_who_work_on_two_tenants_undo_nothing(tmp_path):
    """Each has an old copy in memory; a tenant is a document of its own."""
    store = tenant_store(read_settings({}, data_dir=tmp_path))
    one, two = TenantRegistry(store), TenantRegistry(store)
    (a, _, _), (b, _, _) = Tenant.new("a"), Tenant.new("b")
    assert one.all() == two.all() == []
    one.save(a)
    two.save(b)
    one.save(a.model_copy(update={"revoked_at": datetime.now(UTC)}))
    assert [(t.name, bool(t.revoked_at)) for t in two.all()] == [("a", True), ("b", False)]


async def test_a_spoilt_document_locks_out_its_tenant_and_nobody_else(call, registry, tmp_path):
    (spoilt,) = call("add", "spoilt", "--existing-key", given="key-of-old\n")
    (good,) = call("add", "good")
    document = tmp_path / "tenants" / spoilt["tenant_id"] / "tenant.json"
    document.write_bytes(document.read_bytes()[:40])
    (tmp_path / "tenants" / "lost+found").mkdir()
    (tmp_path / "tenants" / "notes").mkdir()
    (tmp_path / "tenants" / "notes" / "read.me").write_text("x")
    assert await fits(registry, good["api_key"])
    tenant, is_theirs = await registry.authenticate(b"key-of-old", known=True)
    assert tenant is not None
    assert not is_theirs


def test_the_command_is_found_by_its_name():
    assert set(load("tenants").commands) == {"add", "list", "rotate", "limit", "revoke"}
