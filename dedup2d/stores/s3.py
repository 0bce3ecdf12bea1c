"""A file store in a bucket of anything that speaks S3: streamed, multipart, aborted on failure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dedup2d.errors import RequestError, ServiceError
from dedup2d.fileref import Backend, FileRef
from dedup2d.stores.measured import (
    MeasuredReader,
    check_size,
    completed,
    copy_verified,
    foreign_ref,
    missing_file,
    source_errors_as_they_were,
    too_large,
)
from dedup2d.stores.names import (
    checked_folder,
    is_folder,
    plain_media_type,
    sanitised,
    shown,
    unique_name,
)
from dedup2d.stores.protocol import Readable, StoredFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef, ObjectTypeDef

PART_BYTES: Final = 8 * 1024**2  # the 10,000 parts that S3 allows make 80 GB
PARTS_IN_MEMORY: Final = 2
CONNECT_TIMEOUT_S: Final = 10
READ_TIMEOUT_S: Final = 60
MAX_ATTEMPTS: Final = 4

GONE: Final = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchUpload"})


def client_config(endpoint: str | None) -> Config:
    """Time limits and retries of every S3 client of ours."""
    # Where an endpoint is named it may not know the checksums that AWS has added since 2024.
    checksums: Literal["when_required", "when_supported"] = (
        "when_required" if endpoint else "when_supported"
    )
    return Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": MAX_ATTEMPTS},
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
    )


def open_client(
    *,
    endpoint: str | None = None,
    region: str | None = None,
    access_key: str | None = None,
    secret_key: str | None = None,
) -> S3Client:
    """A client for S3 or what speaks it; without keys boto3's usual chain finds credentials."""
    try:
        client: S3Client = boto3.Session().client(
            "s3",
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=client_config(endpoint),
        )
    except (BotoCoreError, ValueError) as error:  # a ValueError is a malformed endpoint
        raise ServiceError("store", "The S3 endpoint, region or keys are malformed.") from error
    return client


def key_prefix(prefix: str) -> str:
    """``prefix`` as keys begin with it: empty, or with one slash at its end."""
    return "".join(f"{part}/" for part in prefix.split("/") if part)


class S3Store:
    """``FileStore`` at ``s3://{bucket}/{prefix}``.

    The client is made once and may be used by many threads; a ``client`` that somebody else
    has configured is taken as it is.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str,
        *,
        endpoint: str | None = None,
        region: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        client: S3Client | None = None,
    ) -> None:
        self._bucket = bucket
        self._prefix = key_prefix(prefix)
        self._client = client or open_client(
            endpoint=endpoint, region=region, access_key=access_key, secret_key=secret_key
        )

    def put(
        self,
        source: Readable,
        *,
        folder: str,
        file_name: str,
        media_type: str = "",
        max_bytes: int | None = None,
    ) -> FileRef:
        """See ``FileStore.put``."""
        key = self._key(folder, unique_name(file_name))
        reader = MeasuredReader(source, max_bytes=max_bytes)
        media_type = plain_media_type(media_type)
        with source_errors_as_they_were():
            reader.require_content()
            try:
                self._upload(reader, key, media_type)
            except BaseException:
                # boto3 has aborted the parts. An object can be there all the same: where the
                # answer to the last request was lost, or the interrupt came after it.
                with suppress(ClientError, BotoCoreError):
                    self._client.delete_object(Bucket=self._bucket, Key=key)
                raise
        return self._ref(key, reader.sha256, reader.size, file_name, media_type)

    def fetch(self, ref: FileRef, target: Path) -> FileRef:
        """See ``FileStore.fetch``; the folder of ``target`` must be there."""
        with storage_errors("copy the file"), self._opened(ref) as (reader, _):
            return copy_verified(reader, ref, target)

    def verify(self, ref: FileRef) -> FileRef:
        """See ``FileStore.verify``."""
        with storage_errors("read the file"), self._opened(ref) as (reader, _):
            reader.drain()
            return completed(ref, reader)

    def read_bytes(self, folder: str, name: str, *, max_bytes: int) -> bytes | None:
        """See ``FileStore.read_bytes``; RequestError ``FILE_TOO_LARGE`` above ``max_bytes``."""
        key = self._key(folder, sanitised(name))
        ref = FileRef(backend=Backend.S3, bucket=self._bucket, key=key)
        try:
            with storage_errors("read the file"), self._opened(ref) as (reader, size):
                if size > max_bytes:
                    raise too_large(max_bytes)
                return reader.read()
        except RequestError as error:
            if error.code == "FILE_MISSING":
                return None
            raise

    def write_bytes(self, folder: str, name: str, data: bytes) -> FileRef:
        """See ``FileStore.write_bytes``."""
        key = self._key(folder, sanitised(name))
        with storage_errors("store the file"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data)
        return self._ref(key, hashlib.sha256(data).hexdigest(), len(data), name, "")

    def delete(self, ref: FileRef) -> bool:
        """See ``FileStore.delete``."""
        key = self._key_of(ref)
        with storage_errors("delete the file"):
            try:
                self._client.head_object(Bucket=self._bucket, Key=key)
                existed = True
            except ClientError as error:
                if code_of(error) not in GONE:
                    raise
                existed = False
            # Asked in any case: head_object cannot tell a missing bucket from a missing key.
            self._client.delete_object(Bucket=self._bucket, Key=key)
        return existed

    def delete_folder(self, folder: str) -> int:
        """See ``FileStore.delete_folder``."""
        deleted = 0
        with storage_errors("delete the folder"):
            for page in self._pages(f"{self._prefix}{checked_folder(folder)}/"):
                keys: Sequence[ObjectIdentifierTypeDef] = [{"Key": item["Key"]} for item in page]
                answer = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": keys, "Quiet": True}
                )
                failed = answer.get("Errors", [])
                if failed:
                    raise ServiceError(
                        "store",
                        f"The file store cannot delete {len(failed)} of {len(keys)} files: "
                        f"{failed[0].get('Code', 'unknown')}.",
                    )
                deleted += len(keys)
        return deleted

    def list(self) -> Iterator[StoredFile]:
        """See ``FileStore.list``."""
        with storage_errors("list its files"):
            for page in self._pages(self._prefix):
                for item in page:
                    folder, _, name = item["Key"].removeprefix(self._prefix).partition("/")
                    if name and "/" not in name and is_folder(folder):
                        yield StoredFile(
                            folder=folder,
                            location=item["Key"],
                            size=item["Size"],
                            modified_at=item["LastModified"].astimezone(UTC),
                        )

    def remove_unfinished(self, older_than: datetime) -> int:
        """Abort what killed processes left: multipart uploads begun before then.

        Gives how many were aborted.
        """
        aborted = 0
        with storage_errors("abort unfinished uploads"):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            )
            for upload in (found for page in pages for found in page.get("Uploads", [])):
                if upload["Initiated"] < older_than:
                    aborted += self._abort(upload["Key"], upload["UploadId"])
        return aborted

    def _abort(self, key: str, upload_id: str) -> bool:
        try:
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
        except ClientError as error:
            if code_of(error) not in GONE:
                raise
            return False
        return True

    def _upload(self, reader: MeasuredReader, key: str, media_type: str) -> None:
        with storage_errors("store the file"):
            self._client.upload_fileobj(
                reader,  # type: ignore[arg-type]  # boto3 needs read() only, its stubs a whole file
                self._bucket,
                key,
                ExtraArgs={"ContentType": media_type} if media_type else None,
                Config=_transfer_config(),
            )

    def _key(self, folder: str, name: str) -> str:
        return f"{self._prefix}{checked_folder(folder)}/{name}"

    def _key_of(self, ref: FileRef) -> str:
        inside = ref.bucket == self._bucket and (ref.key or "").startswith(self._prefix)
        if ref.backend is not Backend.S3 or ref.key is None or not inside:
            raise foreign_ref()
        return ref.key

    def _ref(self, key: str, sha256: str, size: int, file_name: str, media_type: str) -> FileRef:
        return FileRef(
            backend=Backend.S3,
            bucket=self._bucket,
            key=key,
            sha256=sha256,
            size=size,
            file_name=shown(file_name),
            media_type=media_type,
            stored_at=datetime.now(UTC),
        )

    @contextmanager
    def _opened(self, ref: FileRef) -> Iterator[tuple[MeasuredReader, int]]:
        """A reader of the object, and its size in bytes."""
        key = self._key_of(ref)
        with open_object(self._client, self._bucket, key) as (body, size):
            check_size(ref, size)
            with source_errors_as_they_were():
                yield MeasuredReader(body), size

    def _pages(self, prefix: str) -> Iterator[Sequence[ObjectTypeDef]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        return (page["Contents"] for page in pages if page.get("Contents"))


@contextmanager
def open_object(client: S3Client, bucket: str, key: str) -> Iterator[tuple[Readable, int]]:
    """A stream of an object, and its size in bytes; RequestError ``FILE_MISSING``."""
    try:
        found = client.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if code_of(error) in GONE:
            raise missing_file() from error
        raise
    with closing(found["Body"]) as body:
        yield body, found["ContentLength"]


@contextmanager
def storage_errors(action: str) -> Iterator[None]:
    """Turn boto3's and the disk's errors into a ServiceError without keys, endpoint or path."""
    try:
        yield
    except (ClientError, BotoCoreError, Boto3Error, OSError) as error:
        reason = code_of(error) if isinstance(error, ClientError) else type(error).__name__
        raise ServiceError("store", f"The file store cannot {action}: {reason}.") from error


def code_of(error: ClientError) -> str:
    """S3's code of an error."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def _transfer_config() -> TransferConfig:
    config = TransferConfig(
        multipart_threshold=PART_BYTES,
        multipart_chunksize=PART_BYTES,
        max_concurrency=PARTS_IN_MEMORY,
    )
    config.max_in_memory_upload_chunks = PARTS_IN_MEMORY  # boto3's constructor does not take it
    return config
