"""FileRef: where a file is and what it must be, instead of the file itself.

This is what payloads, tickets and flow parameters carry. The predecessor's shape
(``{"backend": "local", "path": ...}``, ``{"backend": "s3", "bucket": ..., "key": ...}``) is
accepted on input; size and digest are then unknown until the file is verified.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Backend(StrEnum):
    """Where a store keeps its files."""

    LOCAL = "local"  # a folder
    S3 = "s3"  # a bucket of anything that speaks S3


class FileRef(BaseModel):
    """A reference to one stored file. Frozen, JSON in and out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    backend: Backend
    path: str | None = Field(None, description="local: path relative to the store's root")
    bucket: str | None = Field(None, description="s3: the bucket")
    key: str | None = Field(None, description="s3: the object's key")
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    size: int | None = Field(None, ge=0, description="bytes")
    file_name: str = Field("", description="the name the user knows it by")
    media_type: str = ""
    stored_at: datetime | None = Field(None, description="UTC")

    @model_validator(mode="after")
    def _points_somewhere(self) -> Self:
        if self.backend is Backend.LOCAL:
            if not self.path or self.bucket or self.key:
                raise ValueError("a local FileRef has a path, and neither bucket nor key")
            _check_relative(self.path)
        else:
            if not self.bucket or not self.key or self.path:
                raise ValueError("an s3 FileRef has bucket and key, and no path")
            _check_relative(self.key)
        return self

    @property
    def location(self) -> str:
        """The path below the store's root (local) or the key in the bucket (s3)."""
        return self.path or self.key or ""

    @property
    def name(self) -> str:
        """The user's file name; the stored name where that is unknown."""
        return self.file_name or PurePosixPath(self.location).name


def _check_relative(location: str) -> None:
    parts = PurePosixPath(location).parts
    if location.startswith("/") or "\\" in location or "\0" in location or ".." in parts:
        raise ValueError("a FileRef stays inside its store: no absolute path, no '..'")
