"""Uploads that clients put into a store themselves: with S3 past the gateway.

A reference is reserved first; ``arrived`` says how much of its file is there. Nothing is
hashed here: the worker verifies every file that it loads.
"""

from __future__ import annotations

import base64
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, Field

from dedup2d.errors import ConflictError
from dedup2d.fileref import Backend, FileRef
from dedup2d.settings import Settings
from dedup2d.stores.local import disk_errors, sync_folder
from dedup2d.stores.names import checked_folder, plain_media_type, shown, unique_name
from dedup2d.stores.s3 import GONE, client_config, code_of, key_prefix, storage_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_PRESIGNED_S: Final = 7 * 86400  # S3 signs for no longer
PART: Final = ".{name}.part"  # hidden: no listing shows it, the sweep finds what was given up


class Announced(BaseModel):
    """What a client says about a file before it sends it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file_name: str = Field(min_length=1, max_length=255, examples=["part.dxf"])
    size: int = Field(ge=1, description="bytes, exactly", examples=[48_213])
    media_type: str = Field("", max_length=255, examples=["image/vnd.dxf"])
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="checked, if given")


class Address(BaseModel):
    """Where and how to send one file."""

    model_config = ConfigDict(frozen=True)

    method: str = "PUT"
    url: str = Field(description="absolute, or a path of this gateway")
    headers: dict[str, str] = Field({}, description="to be sent as they are")


class DirectStore(Protocol):
    """The side of a store that direct uploads need. Blocking; raises ServiceError ``store``."""

    def reserve(self, folder: str, announced: Announced) -> FileRef:
        """The reference that the file will have."""
        ...

    def address(self, ref: FileRef, expires_s: int) -> Address | None:
        """Where the store itself takes the file; None where the gateway has to."""
        ...

    def arrived(self, ref: FileRef) -> int:
        """Bytes that are there; all of them only once the file is complete."""
        ...


class S3Direct:
    """Direct uploads to a bucket, by presigned PUT.

    Size, media type and digest are part of the signature, so S3 itself refuses another file.
    ``presigner`` names the address that clients reach the store at.
    """

    def __init__(self, bucket: str, prefix: str, client: S3Client, presigner: S3Client) -> None:
        self._bucket = bucket
        self._prefix = key_prefix(prefix)
        self._client = client
        self._presigner = presigner

    def reserve(self, folder: str, announced: Announced) -> FileRef:
        """See ``DirectStore.reserve``."""
        key = f"{self._prefix}{checked_folder(folder)}/{unique_name(announced.file_name)}"
        return _reference(announced, backend=Backend.S3, bucket=self._bucket, key=key)

    def address(self, ref: FileRef, expires_s: int) -> Address:
        """See ``DirectStore.address``."""
        params = {"Bucket": self._bucket, "Key": ref.key, "ContentLength": ref.size}
        headers = {"Content-Length": str(ref.size)}
        if ref.media_type:
            params["ContentType"] = headers["Content-Type"] = ref.media_type
        if ref.sha256:
            digest = base64.b64encode(bytes.fromhex(ref.sha256)).decode()
            params["ChecksumSHA256"] = headers["x-amz-checksum-sha256"] = digest
        with storage_errors("sign an address"):
            url = self._presigner.generate_presigned_url(
                "put_object", params, min(expires_s, MAX_PRESIGNED_S)
            )
        return Address(url=url, headers=headers)

    def arrived(self, ref: FileRef) -> int:
        """See ``DirectStore.arrived``."""
        with storage_errors("look at the file"):
            try:
                found = self._client.head_object(Bucket=self._bucket, Key=ref.location)
            except ClientError as error:
                if code_of(error) in GONE:
                    return 0
                raise
        return found["ContentLength"]


def open_presigner(settings: Settings) -> S3Client:
    """A client that signs addresses which clients can reach; it sends nothing itself."""
    endpoint = settings.s3_public_endpoint or settings.s3_endpoint
    signing = Config(signature_version="s3v4", request_checksum_calculation="when_required")
    presigner: S3Client = boto3.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key,
        aws_secret_access_key=settings.s3_secret_key,
        config=client_config(endpoint).merge(signing),
    )
    return presigner


class LocalDirect:
    """Direct uploads to a folder, which the gateway writes; they can be resumed."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def reserve(self, folder: str, announced: Announced) -> FileRef:
        """See ``DirectStore.reserve``."""
        path = f"{checked_folder(folder)}/{unique_name(announced.file_name)}"
        return _reference(announced, backend=Backend.LOCAL, path=path)

    def address(self, ref: FileRef, expires_s: int) -> None:
        """See ``DirectStore.address``: the gateway takes it."""

    def arrived(self, ref: FileRef) -> int:
        """See ``DirectStore.arrived``."""
        path = self._root / ref.location
        with disk_errors("look at the file"):
            if _size(path) == 0 and _size(_part_of(path)) == ref.size:
                _finish(path)  # whoever sent the last byte did not live to do it
        return _size(path) or _size(_part_of(path))

    @contextmanager
    def writing(self, ref: FileRef, offset: int) -> Iterator[BinaryIO]:
        """A file whose next byte is at ``offset``; what is written stays, whatever fails.

        Raises ConflictError ``UPLOAD_BUSY`` while another request writes, and
        ``UPLOAD_OFFSET`` where other than ``offset`` bytes are there. Offset 0 begins anew.
        When the block ends with all bytes there, the file gets its name, durably.
        """
        path = self._root / ref.location
        part = _part_of(path)
        with disk_errors("write the file"):
            part.parent.mkdir(parents=True, exist_ok=True)
            file = part.open("ab")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # goes with the file's closing
            except BlockingIOError as error:
                raise ConflictError("UPLOAD_BUSY", "Another request is sending it.") from error
            there = self.arrived(ref) if offset else 0
            if there != offset:
                raise ConflictError("UPLOAD_OFFSET", f"{there} bytes are there, not {offset}.")
            with disk_errors("write the file"):
                file.truncate(offset)
                yield file
                file.flush()
                if file.tell() == ref.size:
                    _finish(path)


def _size(path: Path) -> int:
    """Bytes; 0 for a file that is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _finish(path: Path) -> None:
    """Give a part its name, durably."""
    with suppress(FileNotFoundError):  # somebody else did
        with _part_of(path).open("rb") as file:
            os.fsync(file.fileno())
        _part_of(path).rename(path)
        sync_folder(path.parent)


def _part_of(path: Path) -> Path:
    return path.with_name(PART.format(name=path.name))


def _reference(announced: Announced, **place: Any) -> FileRef:
    return FileRef(
        **place,
        size=announced.size,
        sha256=announced.sha256,
        file_name=shown(announced.file_name),
        media_type=plain_media_type(announced.media_type),
    )
