"""An S3 server that can be told to answer 503 to everything."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from stack import s3_server
from store_kit import FaultyProxy


@dataclass(frozen=True, slots=True)
class SwitchedS3:
    """The settings that point at it; it is away while ``away`` is set."""

    settings: Mapping[str, str]
    away: threading.Event = field(default_factory=threading.Event)


@contextmanager
def switched_s3(folder: Path) -> Iterator[SwitchedS3]:
    """A moto server below ``folder``, behind the switch."""
    away = threading.Event()
    with s3_server(folder) as settings:
        port = int(settings["DEDUP2D_S3_ENDPOINT"].rpartition(":")[2])
        proxy = FaultyProxy(port, lambda _method, _path: away.is_set(), status=503)
        with proxy.running() as endpoint:
            yield SwitchedS3(settings | {"DEDUP2D_S3_ENDPOINT": endpoint}, away)
