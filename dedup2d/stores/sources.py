"""What store-file takes: a local path, an http(s) address, ``s3://bucket/key``, a FileRef."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final
from urllib.parse import unquote
from uuid import uuid4

import httpx

from dedup2d.errors import RequestError, ServiceError
from dedup2d.fileref import FileRef
from dedup2d.net.guard import AddressGuard
from dedup2d.net.transport import GuardedTransport, default_ssl_context
from dedup2d.settings import Settings
from dedup2d.stores.bridge import in_thread, put_opened, put_stream
from dedup2d.stores.measured import too_large
from dedup2d.stores.protocol import FileStore, Readable
from dedup2d.stores.s3 import open_client, open_object, storage_errors

MAX_REDIRECTS: Final = 5
CONNECT_TIMEOUT_S: Final = 10
READ_TIMEOUT_S: Final = 30  # between two chunks
DOWNLOAD_TIMEOUT_S: Final = 900  # for the whole exchange

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_RETRYABLE: Final = frozenset({408, 425, 429})
_HEADERS: Final = {"Accept-Encoding": "identity"}


async def store_source(
    source: str | FileRef,
    store: FileStore,
    *,
    folder: str,
    settings: Settings,
    guard: AddressGuard,
    foreign: FileStore | None = None,
) -> FileRef:
    """Bring ``source`` into ``store`` as a stream, and give the verified reference.

    A FileRef of ``store`` is verified and passed on; one of ``foreign`` is copied. A local path
    is one of this machine, and whoever may name it may read what this process reads: take it
    from operators, never from an HTTP request.

    Raises RequestError ``SOURCE_NOT_FOUND``, ``SOURCE_UNSUPPORTED``, ``ADDRESS_REFUSED``, and
    those of ``FileStore.put`` and ``FileStore.verify``; ServiceError ``source`` where the other
    side fails in a way that may pass.
    """
    if isinstance(source, FileRef):
        return await _from_ref(source, store, folder=folder, settings=settings, foreign=foreign)
    scheme, mark, rest = source.partition("://")
    max_bytes = settings.max_upload_bytes
    match scheme.lower() if mark else "":
        case "":
            return await _from_path(source, store, folder=folder, max_bytes=max_bytes)
        case "http" | "https":
            return await _from_url(source, store, folder=folder, max_bytes=max_bytes, guard=guard)
        case "s3":
            return await _from_s3(rest, store, folder=folder, settings=settings)
        case _:
            raise RequestError(
                "SOURCE_UNSUPPORTED",
                f"{source}: a source is a local path, an http or https address, or s3://bucket/key.",
            )


async def _from_ref(
    ref: FileRef,
    store: FileStore,
    *,
    folder: str,
    settings: Settings,
    foreign: FileStore | None,
) -> FileRef:
    try:
        return await asyncio.to_thread(store.verify, ref)
    except RequestError as error:
        if error.code != "FOREIGN_REF" or foreign is None:
            raise
    copied_from = foreign

    @contextmanager
    def fetched() -> Iterator[BinaryIO]:
        settings.scratch_path.mkdir(parents=True, exist_ok=True)
        copy = settings.scratch_path / f"{uuid4().hex}.copy"
        try:
            copied_from.fetch(ref, copy)
            with copy.open("rb") as file:
                yield file
        finally:
            copy.unlink(missing_ok=True)

    return await put_opened(
        store,
        fetched,
        folder=folder,
        file_name=ref.name,
        media_type=ref.media_type,
        max_bytes=settings.max_upload_bytes,
    )


async def _from_path(source: str, store: FileStore, *, folder: str, max_bytes: int) -> FileRef:
    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        try:
            with _open_file(source, max_bytes) as file:
                yield file
        except OSError as error:
            raise ServiceError("source", f"{source} cannot be read to its end.") from error

    return await put_opened(
        store, opened, folder=folder, file_name=PurePosixPath(source).name, max_bytes=max_bytes
    )


def _open_file(source: str, max_bytes: int) -> BinaryIO:
    try:
        path = Path(source).expanduser()
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise RequestError("SOURCE_UNSUPPORTED", f"{source} is not a file.")
        if status.st_size > max_bytes:
            raise too_large(max_bytes)
        return path.open("rb")
    except FileNotFoundError as error:
        raise _not_found(source, "there is no such file") from error
    except (OSError, ValueError, RuntimeError) as error:  # zero bytes, unknown ~user
        raise _not_found(source, "it cannot be opened") from error


async def _from_s3(address: str, store: FileStore, *, folder: str, settings: Settings) -> FileRef:
    bucket, _, key = address.partition("/")
    shown = f"s3://{address}"
    if not bucket or not key or key.endswith("/"):
        raise RequestError("SOURCE_UNSUPPORTED", f"{shown} does not name an object.")

    @contextmanager
    def opened() -> Iterator[Readable]:
        client = open_client(
            endpoint=settings.s3_endpoint,
            region=settings.s3_region,
            access_key=settings.s3_access_key,
            secret_key=settings.s3_secret_key,
        )
        try:
            with (
                storage_errors("read the source"),
                open_object(client, bucket, key) as (body, size),
            ):
                if size > settings.max_upload_bytes:
                    raise too_large(settings.max_upload_bytes)
                yield body
        except RequestError as error:
            if error.code == "FILE_MISSING":
                raise _not_found(shown, "there is no such object") from error
            raise
        finally:
            client.close()

    return await put_opened(
        store,
        opened,
        folder=folder,
        file_name=PurePosixPath(key).name,
        max_bytes=settings.max_upload_bytes,
    )


async def _from_url(
    source: str, store: FileStore, *, folder: str, max_bytes: int, guard: AddressGuard
) -> FileRef:
    guard.check_form(source)
    ssl_context = await in_thread(default_ssl_context)
    timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    try:
        async with (
            asyncio.timeout(DOWNLOAD_TIMEOUT_S),
            httpx.AsyncClient(
                transport=GuardedTransport(guard, ssl_context=ssl_context),
                timeout=timeout,
                trust_env=False,
            ) as client,
            _answer(client, source) as answer,
        ):
            _check_answer(answer, source, max_bytes)
            return await put_stream(
                store,
                answer.aiter_raw(),
                folder=folder,
                file_name=_name_of(answer),
                media_type=answer.headers.get("content-type", ""),
                max_bytes=max_bytes,
            )
    except TimeoutError as error:
        raise ServiceError("source", f"{_shown(source)} takes too long.") from error
    except httpx.HTTPError as error:  # also a redirect to something that is no address
        raise ServiceError(
            "source", f"{_shown(source)} does not answer properly: {type(error).__name__}."
        ) from error


@asynccontextmanager
async def _answer(client: httpx.AsyncClient, source: str) -> AsyncIterator[httpx.Response]:
    """The first answer that is no redirect; the guard sees every hop, in the transport."""
    address = httpx.URL(source)
    for _ in range(MAX_REDIRECTS + 1):
        async with client.stream("GET", address, headers=_HEADERS) as answer:
            if answer.status_code not in _REDIRECTS or "location" not in answer.headers:
                yield answer
                return
            address = address.join(answer.headers["location"])
    raise _not_found(source, f"it redirects more than {MAX_REDIRECTS} times")


def _check_answer(answer: httpx.Response, source: str, max_bytes: int) -> None:
    status = answer.status_code
    if status in _RETRYABLE or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise ServiceError("source", f"{_shown(source)} answers with status {status}.")
    if status != httpx.codes.OK:
        raise _not_found(source, f"it answers with status {status}")
    if answer.headers.get("content-encoding", "identity") != "identity":
        # Unpacking would let a small answer grow without limit.
        raise RequestError("SOURCE_UNSUPPORTED", f"{_shown(source)} sends a compressed answer.")
    announced = answer.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise too_large(max_bytes)


def _name_of(answer: httpx.Response) -> str:
    """The last component of the address that answered, as a user would write it."""
    return unquote(PurePosixPath(answer.url.path).name)


def _shown(source: str) -> str:
    """The address without its query, which may hold a signature."""
    return source.partition("?")[0]


def _not_found(source: str, reason: str) -> RequestError:
    return RequestError("SOURCE_NOT_FOUND", f"{_shown(source)} cannot be read: {reason}.")
