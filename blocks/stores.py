"""File stores as blocks: ours, and Prefect's own wherever ours are accepted.

Importing this module imports prefect-aws, which takes seconds: only flows, tasks and what
registers blocks do so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import boto3
from prefect.blocks.core import Block
from prefect.filesystems import LocalFileSystem
from prefect_aws.credentials import AwsCredentials, MinIOCredentials
from prefect_aws.s3 import S3Bucket
from pydantic import Field, HttpUrl, field_validator

from blocks.about import DOCUMENTATION_URL, logo
from dedup2d.errors import RequestError
from dedup2d.fileref import Backend
from dedup2d.settings import Settings
from dedup2d.stores.build import result_store, upload_store
from dedup2d.stores.local import LocalStore
from dedup2d.stores.protocol import FileStore
from dedup2d.stores.s3 import S3Store, client_config

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UPLOADS: Final = "uploads"  # folders of Prefect's own blocks, which have one for everything
RESULTS: Final = "results"

Credentials: TypeAlias = AwsCredentials | MinIOCredentials


@dataclass(frozen=True, slots=True)
class Stores:
    """Where uploads and where results are kept."""

    uploads: FileStore
    results: FileStore


class LocalStoreBlock(Block):
    """Keeps uploads and results in folders that all workers see."""

    _block_type_name = "dedup2d Local Store"
    _block_type_slug = "dedup2d-local-store"
    _logo_url = logo("filesystem")
    _documentation_url = DOCUMENTATION_URL
    _description = "Keeps the uploads and results of dedup2d in folders that all workers see."

    upload_folder: str = Field(
        title="Upload folder",
        description="Where uploads live while their job does; made if it is not there.",
    )
    result_folder: str = Field(
        title="Result folder",
        description="Where results live until they expire; made if it is not there.",
    )

    def build_stores(self) -> Stores:
        """The two stores; no folder is made before its first file."""
        return Stores(
            uploads=LocalStore(Path(self.upload_folder).expanduser()),
            results=LocalStore(Path(self.result_folder).expanduser()),
        )


class S3StoreBlock(Block):
    """Keeps uploads and results in a bucket of S3, MinIO or anything that speaks S3."""

    _block_type_name = "dedup2d S3 Store"
    _block_type_slug = "dedup2d-s3-store"
    _logo_url = logo("filesystem")
    _documentation_url = DOCUMENTATION_URL
    _description = (
        "Keeps the uploads and results of dedup2d in a bucket of S3, MinIO or anything that "
        "speaks S3."
    )

    bucket: str = Field(description="The bucket; it must exist.", min_length=1)
    prefix: str = Field(
        "dedup2d/uploads", description="Where in the bucket uploads live while their job does."
    )
    result_prefix: str = Field(
        "dedup2d/results",
        title="Result prefix",
        description="Where in the bucket results live until they expire.",
    )
    credentials: Credentials = Field(
        default_factory=AwsCredentials,
        description="AWS or MinIO credentials; empty ones mean the worker's own (settings, role, profile).",
    )
    endpoint: HttpUrl | None = Field(
        None,
        description="Address of the service if it is not AWS, e.g. http://minio:9000. Wins over "
        "the endpoint of the credentials.",
    )
    region: str | None = Field(
        None, description="The bucket's region. Wins over the region of the credentials."
    )

    @field_validator("credentials", mode="before")
    @classmethod
    def _of_the_stored_kind(cls, value: Any) -> Any:
        """A stored document becomes the block it was; a union alone takes the first that fits."""
        if not isinstance(value, dict):
            return value
        kind = MinIOCredentials if "minio_root_user" in value else AwsCredentials
        return kind.model_validate(value)

    def build_stores(self, settings: Settings | None = None) -> Stores:
        """The two stores, over one client; without credentials those of ``settings`` are used."""
        credentials = self.credentials
        if settings is not None and settings.s3_access_key and _is_empty(credentials):
            credentials = AwsCredentials(
                aws_access_key_id=settings.s3_access_key,
                aws_secret_access_key=settings.s3_secret_key,
            )
        endpoint = str(self.endpoint).rstrip("/") if self.endpoint else None
        client = client_of(credentials, endpoint=endpoint, region=self.region)
        return Stores(
            uploads=S3Store(self.bucket, self.prefix, client=client),
            results=S3Store(self.bucket, self.result_prefix, client=client),
        )


StoreBlock: TypeAlias = LocalStoreBlock | S3StoreBlock | LocalFileSystem | S3Bucket
"""Every block that ``stores_from`` takes, as the type of a flow's parameter."""


def stores_from(block: StoreBlock | None, settings: Settings) -> Stores:
    """The stores of a block; those of the settings where there is none.

    Prefect's own blocks have one place for everything: uploads and results are below it. One
    without a place is refused with RequestError ``STORE_UNSUPPORTED``, as is any other block.
    """
    match block:
        case None:
            return Stores(uploads=upload_store(settings), results=result_store(settings))
        case LocalStoreBlock():
            return block.build_stores()
        case S3StoreBlock():
            return block.build_stores(settings)
        case LocalFileSystem() if block.basepath:
            root = Path(block.basepath).expanduser()
            return Stores(uploads=LocalStore(root / UPLOADS), results=LocalStore(root / RESULTS))
        case S3Bucket():
            client = client_of(block.credentials)
            place = block.bucket_folder.strip("/")
            return Stores(
                uploads=S3Store(block.bucket_name, f"{place}/{UPLOADS}", client=client),
                results=S3Store(block.bucket_name, f"{place}/{RESULTS}", client=client),
            )
        case _:
            raise RequestError(
                "STORE_UNSUPPORTED",
                "The store is no dedup2d store, Local File System with a base path, or S3 Bucket.",
            )


def default_store(settings: Settings) -> LocalStoreBlock | S3StoreBlock:
    """The store of the settings as a block, for the picker in Prefect's UI.

    Secret keys are not copied: workers take them from their own environment.
    """
    if settings.file_storage is Backend.LOCAL:
        return LocalStoreBlock(
            upload_folder=str(settings.uploads_path.absolute()),
            result_folder=str(settings.results_path.absolute()),
        )
    return S3StoreBlock.model_validate(
        {
            "bucket": settings.s3_bucket,
            "prefix": settings.s3_prefix,
            "result_prefix": settings.s3_result_prefix,
            "endpoint": settings.s3_endpoint,
            "region": settings.s3_region,
        }
    )


def client_of(
    credentials: Credentials, *, endpoint: str | None = None, region: str | None = None
) -> S3Client:
    """A client with the block's credentials and parameters, and our timeouts and retries.

    Equal blocks share one, since making it takes tens of milliseconds and every task of a job
    asks for it; not where a role is assumed, because its keys expire.
    """
    if isinstance(credentials, AwsCredentials) and credentials.assume_role_arn:
        return _new_client(credentials, endpoint, region)
    return _shared_client(credentials, endpoint, region)


def _new_client(credentials: Credentials, endpoint: str | None, region: str | None) -> S3Client:
    parameters: dict[str, Any] = credentials.aws_client_parameters.get_params_override()
    if endpoint:
        parameters["endpoint_url"] = endpoint
    if region or credentials.region_name:
        parameters["region_name"] = region or credentials.region_name
    ours = client_config(parameters.get("endpoint_url"))
    theirs = parameters.get("config")
    parameters["config"] = ours.merge(theirs) if theirs else ours
    session: boto3.Session = credentials.get_boto3_session()
    client: S3Client = session.client("s3", **parameters)
    return client


_shared_client = lru_cache(maxsize=8)(_new_client)


def _is_empty(credentials: Credentials) -> bool:
    """Nothing says where keys come from, so boto3 would look for the process's own."""
    if not isinstance(credentials, AwsCredentials):
        return False
    sources = (credentials.aws_access_key_id, credentials.profile_name, credentials.assume_role_arn)
    return not any(sources)
