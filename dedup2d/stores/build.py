"""The stores that the settings ask for."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from dedup2d.fileref import Backend
from dedup2d.settings import Settings
from dedup2d.stores.direct import LocalDirect, S3Direct, open_presigner
from dedup2d.stores.local import LocalStore
from dedup2d.stores.s3 import S3Store, open_client

Store: TypeAlias = LocalStore | S3Store
"""A FileStore that can also ``remove_unfinished``."""


def upload_store(settings: Settings) -> Store:
    """Where uploads live while their job does."""
    return _store(settings, settings.uploads_path, settings.s3_prefix)


def result_store(settings: Settings) -> Store:
    """Where results live until they expire."""
    return _store(settings, settings.results_path, settings.s3_result_prefix)


def tenant_store(settings: Settings) -> Store:
    """Where tenants are kept."""
    return _store(settings, settings.tenants_path, settings.s3_tenant_prefix)


def direct_store(settings: Settings) -> LocalDirect | S3Direct:
    """The upload store's side for direct uploads."""
    if settings.file_storage is Backend.LOCAL or settings.s3_bucket is None:
        return LocalDirect(settings.uploads_path)
    client = open_client(
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
    )
    return S3Direct(settings.s3_bucket, settings.s3_prefix, client, open_presigner(settings))


def geometry_store(settings: Settings) -> Store:
    """Where the geometry JSON of indexed drawings lives until it is replaced."""
    return _store(settings, settings.geometry_path, settings.s3_geometry_prefix)


def config_store(settings: Settings) -> Store:
    """Where the configuration of the tenants lives."""
    return _store(settings, settings.config_path, settings.s3_config_prefix)


def _store(settings: Settings, folder: Path, prefix: str) -> Store:
    if settings.file_storage is Backend.LOCAL or settings.s3_bucket is None:
        return LocalStore(folder)
    return S3Store(
        settings.s3_bucket,
        prefix,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
    )
