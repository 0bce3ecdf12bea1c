"""multipart/form-data as a stream: parts come out while the body comes in.

Nothing is spooled: what is held is one chunk of the body and one block of a part. The state
machine is python-multipart's (RFC 7578, RFC 2046).
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from dedup2d.errors import RequestError

BLOCK_BYTES: Final = 256 * 1024  # a part's bytes are handed on in blocks of about this size
MAX_HEADERS: Final = 16  # per part
MAX_HEADER_BYTES: Final = 4096
MAX_NAME_CHARS: Final = 255  # of a longer file name the end is kept, which has the suffix


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type names. Raises RequestError ``MULTIPART_EXPECTED``."""
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        raise RequestError(
            "MULTIPART_EXPECTED", "The body must be multipart/form-data with a part named file."
        )
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise malformed("Content-Type names no boundary")
    return boundary


def malformed(reason: str) -> RequestError:
    """The body breaks the rules of multipart/form-data."""
    return RequestError("MALFORMED_MULTIPART", f"The multipart body is malformed: {reason}.")


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its headers, and its bytes while they come in."""

    name: str
    file_name: str | None
    media_type: str
    _stream: MultipartStream

    async def blocks(self) -> AsyncIterator[bytes]:
        """The part's bytes; once only, and before the next part is asked for."""
        block = bytearray()
        async for data in self._stream.data():
            block += data
            if len(block) >= BLOCK_BYTES:
                yield bytes(block)
                block.clear()
        if block:
            yield bytes(block)


class _End:
    """The end of a part, in the queue of events."""


class MultipartStream:
    """The parts of one body, in order. Raises RequestError ``MALFORMED_MULTIPART``."""

    def __init__(self, body: AsyncIterator[bytes], boundary: bytes) -> None:
        self._body = body
        self._events: deque[Part | bytes | _End] = deque()
        self._headers: dict[bytes, bytes] = {}
        self._field = bytearray()
        self._value = bytearray()
        self._ended = False  # the closing boundary was seen
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._headers.clear,
                    "on_header_field": self._on_field,
                    "on_header_value": self._on_value,
                    "on_header_end": self._on_header,
                    "on_headers_finished": self._on_headers,
                    "on_part_data": self._on_data,
                    "on_part_end": lambda: self._events.append(_End()),
                    "on_end": self._on_end,
                },
                max_header_count=MAX_HEADERS,
                max_header_size=MAX_HEADER_BYTES,
            )
        except FormParserError as error:
            raise malformed("its boundary is too long") from error

    async def parts(self) -> AsyncIterator[Part]:
        """Each part; what the caller does not read of it is passed over."""
        while (event := await self._next()) is not None:
            if isinstance(event, Part):
                yield event

    async def data(self) -> AsyncIterator[bytes]:
        """The bytes of the current part."""
        while isinstance(event := await self._next(), bytes):
            yield event

    async def _next(self) -> Part | bytes | _End | None:
        """The next event; None after the closing boundary."""
        while not self._events:
            try:
                chunk = await anext(self._body)
            except StopAsyncIteration:
                if not self._ended:
                    raise malformed("it ends before its closing boundary") from None
                return None
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise malformed(str(error)) from error
        return self._events.popleft()

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        self._headers[bytes(self._field).lower()] = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _on_headers(self) -> None:
        kind, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name")
        if kind != b"form-data" or name is None:
            raise FormParserError("a part has no name")
        file_name = options.get(b"filename")
        self._events.append(
            Part(
                name=_text(name),
                file_name=None if file_name is None else _text(file_name)[-MAX_NAME_CHARS:],
                media_type=_text(self._headers.get(b"content-type", b"")),
                _stream=self,
            )
        )

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def _on_end(self) -> None:
        self._ended = True


def _text(raw: bytes) -> str:
    """Browsers send UTF-8; what is none is Latin-1, so that every name can be kept."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
