"""What dedup2d talks to: Redis, the file store, the matcher, Prefect, receivers of webhooks."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import uuid4

import httpx
from redis.asyncio import Redis
from redis.exceptions import RedisError

from dedup2d.cli.checks.finding import Finding, fail, ok, warn
from dedup2d.cli.checks.machine import number_of
from dedup2d.engine import EmbeddedMatcher
from dedup2d.errors import Dedup2DError
from dedup2d.fileref import Backend
from dedup2d.matcher import Matcher
from dedup2d.settings import MatcherKind, Settings
from dedup2d.stores.build import result_store, tenant_store, upload_store
from dedup2d.stores.protocol import FileStore
from dedup2d.tenants.registry import TenantRegistry
from dedup2d.tickets.connect import connect
from dedup2d.tickets.embedded import EmbeddedRedis
from dedup2d.vision.client import VisionMatcher

OLDEST_REDIS: Final = (6, 2)  # XAUTOCLAIM
SLOW_REDIS_S: Final = 0.05
PINGS: Final = 5  # the fastest tells of the way there, the others of the load
SKEW_WARN_S: Final = 60.0
SKEW_FAIL_S: Final = 900.0  # S3 refuses requests signed further off
PROBE: Final = b"dedup2d doctor\n"


async def queue(settings: Settings) -> list[Finding]:
    """Redis answers, is new enough, and does not throw tickets away."""
    where = "DEDUP2D_REDIS_URL" if settings.redis_url else "the data folder's own Redis"
    client = connect(settings)
    try:
        took_s = min([await _ping_s(client) for _ in range(PINGS)])
        info: dict[str, Any] = await client.info()
    except (RedisError, OSError) as error:
        if settings.redis_url is None:
            return [_no_embedded(settings)]
        return [
            fail("redis", f"{where}: {type(error).__name__}: {error}", "start it, or mend the URL")
        ]
    finally:
        await client.aclose()
    said = f"{info['redis_version']} ({where}), answers in {took_s * 1000:.1f} ms"
    if number_of(str(info["redis_version"])) < OLDEST_REDIS:
        return [fail("redis", said, "use Redis 6.2 or newer")]
    findings = [ok("redis", said)]
    if took_s > SLOW_REDIS_S:
        findings[0] = warn("redis", said, "put Redis near gateway and workers")
    if int(info.get("maxmemory", 0)) and info.get("maxmemory_policy") != "noeviction":
        policy = info.get("maxmemory_policy")
        findings.append(
            warn(
                "redis", f"maxmemory-policy is {policy}", "set noeviction: tickets must not vanish"
            )
        )
    return findings


async def _ping_s(client: Redis) -> float:
    began = time.monotonic()
    await client.ping()
    return time.monotonic() - began


def _no_embedded(settings: Settings) -> Finding:
    address = EmbeddedRedis(settings.data_dir).url
    return warn(
        "redis",
        f"none runs for the data folder ({address})",
        "'dedup2d up' starts it; set DEDUP2D_REDIS_URL for one of your own",
    )


def stores(settings: Settings) -> Iterator[Finding]:
    """A probe can be put, fetched and deleted, in both stores."""
    for name, build in (("uploads", upload_store), ("results", result_store)):
        try:
            _probe(build(settings))
        except Dedup2DError as error:
            yield fail(f"store {name}", error.message, _store_advice(settings))
        else:
            yield ok(f"store {name}", f"{settings.file_storage}: put, fetched and deleted a probe")


def _probe(store: FileStore) -> None:
    folder = f"doctor-{uuid4().hex}"
    try:
        ref = store.put(io.BytesIO(PROBE), folder=folder, file_name="probe.txt")
        with TemporaryDirectory(prefix="dedup2d-doctor-") as scratch:
            store.fetch(ref, Path(scratch) / "probe.txt")
        store.delete(ref)
    finally:
        store.delete_folder(folder)


def _store_advice(settings: Settings) -> str:
    if settings.file_storage is Backend.LOCAL:
        return "see that the folder may be written: DEDUP2D_FILE_STORAGE_DIR, --data"
    return "see DEDUP2D_S3_BUCKET, _ENDPOINT, the keys, and the right to put, get and delete"


def clock(settings: Settings) -> Iterator[Finding]:
    """This machine's clock agrees with the S3 server's, else its signatures are refused."""
    if settings.file_storage is not Backend.S3:
        return
    address = settings.s3_endpoint or "https://s3.amazonaws.com"
    try:
        date = httpx.head(address, timeout=10).headers["Date"]
    except (httpx.HTTPError, KeyError):
        yield warn("clock", f"{address} tells no time", "compare this machine's clock by hand")
        return
    skew_s = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
    said = f"{skew_s:.0f} s from {address}"
    if skew_s > SKEW_FAIL_S:
        yield fail("clock", said, "S3 refuses signatures that far off: set the clock (NTP)")
    elif skew_s > SKEW_WARN_S:
        yield warn("clock", said, "set the clock (NTP)")
    else:
        yield ok("clock", said)


async def matching(settings: Settings) -> list[Finding]:
    """The index can be read, or the vision service answers."""
    if settings.matcher is MatcherKind.EMBEDDED and not settings.index_path.is_dir():
        advice = "'dedup2d index add' makes one; an empty vault matches nothing"
        return [warn("index", f"there is no {settings.index_path} yet", advice)]
    matcher: Matcher = (
        VisionMatcher(settings)
        if settings.matcher is MatcherKind.VISION
        else EmbeddedMatcher(settings)
    )
    name = "vision" if settings.matcher is MatcherKind.VISION else "index"
    try:
        health = await matcher.health()
    except Dedup2DError as error:
        return [fail(name, error.message, "see DEDUP2D_INDEX_DIR or DEDUPCAD_VISION_URL")]
    finally:
        await matcher.aclose()
    status = str(health.get("status"))
    holds = ", ".join(f"{key} {value}" for key, value in health.get("indexes", {}).items())
    said = f"{health.get('service', '')} {health.get('version', '')}: {holds}"
    if status != "healthy":
        return [fail(name, f"{status}: {said}", "see the log of the service")]
    return [ok(name, said)]


def callback(settings: Settings) -> Iterator[Finding]:
    """Webhooks are signed and cannot be turned against the own network."""
    findings = []
    if not settings.callback_hmac_secret:
        findings.append(
            warn("webhook", "webhooks are not signed", "set DEDUP2D_CALLBACK_HMAC_SECRET")
        )
    if settings.callback_allow_http:
        findings.append(
            warn(
                "webhook",
                "callback addresses without TLS are accepted",
                "unset DEDUP2D_CALLBACK_ALLOW_HTTP",
            )
        )
    if not settings.callback_block_private and not settings.callback_allowlist:
        advice = "set DEDUP2D_CALLBACK_ALLOWLIST, or block private networks again"
        findings.append(warn("webhook", "any address of your network may be called", advice))
    yield from findings or [ok("webhook", "signed, public addresses over TLS only")]


def access(settings: Settings) -> Iterator[Finding]:
    """Tenants have keys that cannot be guessed."""
    tenants = sum(t.revoked_at is None for t in TenantRegistry(tenant_store(settings)).all())
    if not settings.api_keys and not tenants:
        advice = "dedup2d tenants add NAME, or set API_KEYS"
        yield warn("access", "no API keys: the gateway serves this machine only", advice)
        return
    short = sum(len(key) < 16 for key in settings.api_keys)  # noqa: PLR2004  # 96 bits in base64
    if short:
        yield warn(
            "access",
            f"{short} of {len(settings.api_keys)} API keys are short",
            "use 16 characters or more",
        )
    else:
        yield ok("access", f"{tenants} tenants, {len(settings.api_keys)} keys in API_KEYS")
