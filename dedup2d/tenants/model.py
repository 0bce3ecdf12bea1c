"""A tenant: a name, an id that never changes, keys and webhook secrets that do.

An API key is ``d2_{tenant id}_{32 random bytes}``. Only its SHA-256 is kept: a random key of 256
bits needs no slow hash. Webhook secrets are kept as they are, since signing needs them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

KEY_BYTES: Final = 32
SECRET_BYTES: Final = 32  # Standard Webhooks asks for 24 to 64
SHOWN_CHARS: Final = 4  # of a key, so that people can tell theirs
MAX_NAME: Final = 100

_TENANT_ID: Final = re.compile(r"[0-9a-f]{16}")
_KEY: Final = re.compile(rb"d2_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")


def tenant_id_of(api_key: bytes) -> str:
    """The tenant of a key of ``API_KEYS``: 16 hex digits of its sha256 (predecessor's rule)."""
    return hashlib.sha256(api_key).hexdigest()[:16]


def is_tenant_id(text: str) -> bool:
    """Whether ``text`` has the form of a tenant's id."""
    return _TENANT_ID.fullmatch(text) is not None


def named_tenant(api_key: bytes) -> str:
    """The id of the tenant that a key can only belong to, be the key right or wrong."""
    form = _KEY.fullmatch(api_key)
    return form[1].decode() if form else tenant_id_of(api_key)


class StoredKey(BaseModel):
    """A key as it is kept; ``hint`` is its end. ``expires_at`` None: until it is rotated."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    hint: str
    created_at: datetime
    expires_at: datetime | None = None


class StoredSecret(BaseModel):
    """A webhook secret."""

    model_config = ConfigDict(frozen=True)

    secret: str = Field(repr=False)
    created_at: datetime
    expires_at: datetime | None = None


class TenantLimits(BaseModel):
    """What differs from the settings for this tenant; 0 is no limit, None the setting."""

    model_config = ConfigDict(frozen=True)

    max_jobs: int | None = Field(None, ge=1)
    requests_per_s: float | None = Field(None, ge=0)
    upload_bytes_per_day: int | None = Field(None, ge=0)


T = TypeVar("T", StoredKey, StoredSecret)


class Tenant(BaseModel):
    """One tenant, as its document in the store has it; keys and secrets newest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    tenant_id: str = Field(pattern=r"^[0-9a-f]{16}$")
    name: str = Field(min_length=1, max_length=MAX_NAME)
    created_at: datetime
    revoked_at: datetime | None = None
    keys: tuple[StoredKey, ...] = ()
    secrets: tuple[StoredSecret, ...] = ()
    limits: TenantLimits = TenantLimits()

    @classmethod
    def new(cls, name: str, *, key: str | None = None) -> tuple[Self, str, str]:
        """A tenant with a key and a webhook secret, which are given too.

        ``key``: one of API_KEYS, whose tenant this becomes under the same id.
        """
        now = datetime.now(UTC)
        tenant_id = secrets.token_hex(8) if key is None else tenant_id_of(key.encode())
        text = new_key(tenant_id) if key is None else key
        secret = new_secret()
        tenant = cls(
            tenant_id=tenant_id,
            name=name,
            created_at=now,
            keys=(_stored(text, now),),
            secrets=(StoredSecret(secret=secret, created_at=now),),
        )
        return tenant, text, secret

    def accepts(self, key: bytes, now: datetime) -> bool:
        """Whether this is a key of the tenant; compared in constant time with each."""
        given = hashlib.sha256(key).hexdigest()
        fits = [hmac.compare_digest(given, k.sha256) and _lives(k, now) for k in self.keys]
        return any(fits) and self.revoked_at is None

    def signing(self, now: datetime) -> tuple[str, ...]:
        """What its webhooks are signed with, newest first."""
        return tuple(s.secret for s in self.secrets if _lives(s, now))

    def with_new_key(self, overlap: timedelta) -> tuple[Self, str]:
        """A key more; those before it are good for ``overlap`` still."""
        now = datetime.now(UTC)
        text = new_key(self.tenant_id)
        older = [_ending(k, now + overlap) for k in self.keys if _lives(k, now)]
        return self.model_copy(update={"keys": (_stored(text, now), *older)}), text

    def with_new_secret(self, overlap: timedelta) -> tuple[Self, str]:
        """A webhook secret more; those before it sign too for ``overlap``."""
        now = datetime.now(UTC)
        text = new_secret()
        older = [_ending(s, now + overlap) for s in self.secrets if _lives(s, now)]
        stored = StoredSecret(secret=text, created_at=now)
        return self.model_copy(update={"secrets": (stored, *older)}), text


def new_key(tenant_id: str) -> str:
    """A fresh API key."""
    return f"d2_{tenant_id}_{secrets.token_urlsafe(KEY_BYTES)}"


def new_secret() -> str:
    """A fresh webhook secret in the form of Standard Webhooks."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def _stored(key: str, now: datetime) -> StoredKey:
    digest = hashlib.sha256(key.encode()).hexdigest()
    return StoredKey(sha256=digest, hint=key[-SHOWN_CHARS:], created_at=now)


def _lives(kept: StoredKey | StoredSecret, now: datetime) -> bool:
    return kept.expires_at is None or now < kept.expires_at


def _ending(kept: T, at: datetime) -> T:
    ends = at if kept.expires_at is None else min(at, kept.expires_at)
    return kept.model_copy(update={"expires_at": ends})
