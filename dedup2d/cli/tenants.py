"""``dedup2d tenants``: who may use the HTTP interface."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from dedup2d.cli.stack_options import DataOption
from dedup2d.cli.terminal import shown, write_json
from dedup2d.errors import RequestError
from dedup2d.fileref import Backend
from dedup2d.settings import read_settings
from dedup2d.stores.build import tenant_store
from dedup2d.tenants.model import MAX_NAME, StoredKey, Tenant, TenantLimits
from dedup2d.tenants.registry import LOOK_S, TenantRegistry

OVERLAP_HOURS: Final = 24.0

tenants = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", add_completion=False)

NameArgument = Annotated[
    str, typer.Argument(metavar="TENANT", help="Its name or id.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON Lines on stdout, for machines.")]
JobsOption = Annotated[
    int | None, typer.Option("--max-jobs", min=1, help="Jobs that may wait or run.")
]
PaceOption = Annotated[
    float | None, typer.Option("--requests-per-second", min=0, help="0: as many as it likes.")
]
UploadOption = Annotated[
    int | None, typer.Option("--upload-bytes-per-day", min=0, help="0: as many as it likes.")
]


@tenants.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="For people.", show_default=False)],
    *,
    existing_key: Annotated[
        bool,
        typer.Option(
            "--existing-key",
            help="Take over a key of API_KEYS with its jobs; the key is read from stdin.",
        ),
    ] = False,
    max_jobs: JobsOption = None,
    requests_per_second: PaceOption = None,
    upload_bytes_per_day: UploadOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a tenant; its API key and its webhook secret are shown this once.

    The key is kept as a hash only. Limits that are not given are those of the settings.

    [bold]Examples[/]

      dedup2d tenants add press-shop

      dedup2d tenants add press-shop --existing-key < key.txt
    """
    registry = _registry(data)
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise RequestError("INVALID_NAME", f"A name has 1 to {MAX_NAME} printable characters.")
    key = sys.stdin.readline().strip() if existing_key else None
    if key is not None and not key:
        raise RequestError("INVALID_KEY", "No key came on stdin.")
    tenant, key, secret = Tenant.new(name, key=key)
    known = registry.all()
    if any(tenant.tenant_id == other.tenant_id or name in _names(other) for other in known):
        raise RequestError("TENANT_EXISTS", f"There is a tenant {name} already.")
    limits = TenantLimits(
        max_jobs=max_jobs,
        requests_per_s=requests_per_second,
        upload_bytes_per_day=upload_bytes_per_day,
    )
    registry.save(tenant.model_copy(update={"limits": limits}))
    _show_new(tenant, as_json=as_json, api_key=key, webhook_secret=secret)


@tenants.command("list")
def list_(*, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the tenants and when their keys end; keys and secrets are never shown again.

    [bold]Example[/]

      dedup2d tenants list --json | jq -r .name
    """
    found = _registry(data).all()
    if as_json:
        for tenant in found:
            write_json(_facts(tenant))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("id", "name", "keys", "limits", ""):
        table.add_column(column, overflow="fold")
    for tenant in found:
        table.add_row(
            tenant.tenant_id,
            shown(tenant.name),
            "\n".join(_key_in_words(key) for key in _living(tenant)),
            "\n".join(f"{k}: {v}" for k, v in tenant.limits.model_dump(exclude_none=True).items()),
            "revoked" if tenant.revoked_at else "",
        )
    Console(highlight=False).print(table if found else "[dim]no tenants[/]")


@tenants.command()
def rotate(
    name: NameArgument,
    *,
    overlap: Annotated[
        float, typer.Option("--overlap", min=0, help="Hours that the old one is good for.")
    ] = OVERLAP_HOURS,
    webhook_secret: Annotated[
        bool, typer.Option("--webhook-secret", help="The webhook secret instead of the API key.")
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a new API key, or webhook secret; the tenant with its jobs and its vault stays.

    Until the overlap has passed the old key is accepted too, and webhooks carry a signature of
    the old secret beside that of the new one.

    [bold]Examples[/]

      dedup2d tenants rotate press-shop

      dedup2d tenants rotate press-shop --webhook-secret --overlap 168
    """
    registry = _registry(data)
    tenant = registry.find(name)
    if tenant.revoked_at:
        raise RequestError("TENANT_REVOKED", f"Tenant {tenant.name} is revoked.")
    wait = timedelta(hours=overlap)
    if webhook_secret:
        tenant, secret = tenant.with_new_secret(wait)
        made = {"webhook_secret": secret}
    else:
        tenant, key = tenant.with_new_key(wait)
        made = {"api_key": key}
    registry.save(tenant)
    _show_new(tenant, as_json=as_json, **made)


@tenants.command()
def limit(
    name: NameArgument,
    *,
    max_jobs: JobsOption = None,
    requests_per_second: PaceOption = None,
    upload_bytes_per_day: UploadOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set what a tenant may use; what is not given is that of the settings again.

    [bold]Example[/]

      dedup2d tenants limit press-shop --requests-per-second 20
    """
    registry = _registry(data)
    limits = TenantLimits(
        max_jobs=max_jobs,
        requests_per_s=requests_per_second,
        upload_bytes_per_day=upload_bytes_per_day,
    )
    tenant = registry.find(name).model_copy(update={"limits": limits})
    registry.save(tenant)
    _done(tenant, "limited", as_json=as_json)


@tenants.command()
def revoke(name: NameArgument, *, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Refuse every key of a tenant from now on. Its jobs and its vault stay where they are.

    [bold]Example[/]

      dedup2d tenants revoke press-shop
    """
    registry = _registry(data)
    tenant = registry.find(name)
    tenant = tenant.model_copy(update={"revoked_at": tenant.revoked_at or datetime.now(UTC)})
    registry.save(tenant)
    _done(tenant, f"revoked; gateways know within {LOOK_S:g} s", as_json=as_json)


def _registry(data: Any) -> TenantRegistry:
    settings = read_settings() if data is None else read_settings(data_dir=data)
    if settings.file_storage is Backend.LOCAL:  # webhook secrets are nobody else's business
        settings.tenants_path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return TenantRegistry(tenant_store(settings))


def _names(tenant: Tenant) -> set[str]:
    return {tenant.name, tenant.tenant_id}


def _living(tenant: Tenant) -> list[StoredKey]:
    now = datetime.now(UTC)
    return [key for key in tenant.keys if key.expires_at is None or now < key.expires_at]


def _key_in_words(key: StoredKey) -> str:
    end = f", ends {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else ""
    return f"…{shown(key.hint)}{end}"


def _facts(tenant: Tenant) -> dict[str, Any]:
    """What may be shown: no hash, no secret."""
    said = tenant.model_dump(mode="json", include={"tenant_id", "name", "created_at", "revoked_at"})
    keys = [k.model_dump(mode="json", exclude={"sha256"}) for k in _living(tenant)]
    return said | {"keys": keys, "limits": tenant.limits.model_dump(exclude_none=True)}


def _show_new(tenant: Tenant, *, as_json: bool, **made: str) -> None:
    if as_json:
        write_json({"tenant_id": tenant.tenant_id, "name": tenant.name} | made)
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"tenant {shown(tenant.name)}, id {tenant.tenant_id}")
    for what, text in made.items():
        console.print(f"{what.replace('_', ' ')}: {shown(text)}")
    console.print("[dim]This is shown once.[/]")


def _done(tenant: Tenant, what: str, *, as_json: bool) -> None:
    if as_json:
        write_json(_facts(tenant))
    else:
        Console(highlight=False).print(f"tenant {shown(tenant.name)} {what}")
