"""The stream of parts, without a server."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup2d.errors import RequestError
from dedup2d.gateway.multipart import MAX_HEADER_BYTES, MultipartStream, boundary_of

BOUNDARY = b"frontier"


def part(data, *, name="file", file_name="a.dxf", media_type="image/vnd.dxf"):
    head = f'Content-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
    head += f"Content-Type: {media_type}\r\n\r\n"
    return b"--" + BOUNDARY + b"\r\n" + head.encode() + data + b"\r\n"


def body_of(*parts):
    return b"".join(parts) + b"--" + BOUNDARY + b"--\r\n"


async def chunked(data, size):
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(data, *, size=65536, boundary=BOUNDARY):
    stream = MultipartStream(chunked(data, size), boundary)
    return [
        (p.name, p.file_name, p.media_type, b"".join([block async for block in p.blocks()]))
        async for p in stream.parts()
    ]


@given(
    files=st.lists(st.binary(max_size=200).map(lambda b: b + b"\r\n--frontie"), max_size=4),
    size=st.integers(1, 80),
)
@settings(max_examples=60, deadline=None)
async def test_parts_are_the_same_however_the_body_is_cut(files, size):
    """Bytes arrive as they were sent, near-boundaries included, for every chunk size."""
    body = body_of(*(part(data) for data in files))
    expected = [("file", "a.dxf", "image/vnd.dxf", data) for data in files]
    assert await read(body, size=size) == expected


async def test_a_part_that_nobody_reads_is_passed_over():
    """The next part comes out whole although the one before it was not read."""
    stream = MultipartStream(chunked(body_of(part(b"x" * 999), part(b"kept")), 10), BOUNDARY)
    parts = stream.parts()
    await anext(parts)
    second = await anext(parts)
    assert [block async for block in second.blocks()] == [b"kept"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("größe.dxf", "größe.dxf"), ("../../etc/passwd", "../../etc/passwd"), ("", "")],
)
async def test_file_names_come_out_as_sent(sent, kept):
    """Names are for people; the store makes them safe."""
    ((_, name, _, _),) = await read(body_of(part(b"x", file_name=sent)))
    assert name == kept


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no boundary at all",
        part(b"x"),
        body_of(part(b"x"))[:-10],
        b"--" + BOUNDARY + b"\r\nContent-Disposition: form-data\r\n\r\nx\r\n--frontier--\r\n",
        b"--" + BOUNDARY + b"\r\n\r\nx\r\n--frontier--\r\n",
        b"--" + BOUNDARY + b"\r\nno colon here\r\n\r\nx\r\n--frontier--\r\n",
        b"--" + BOUNDARY + b"\r\nX-Long: " + b"x" * (MAX_HEADER_BYTES + 1),
        b"--" + BOUNDARY + b"\r\n" + b"X: y\r\n" * 50 + b"\r\nx",
    ],
)
async def test_a_malformed_body_is_refused(body):
    """Truncated, nameless or oversized parts end with one clear error."""
    with pytest.raises(RequestError) as caught:
        await read(body)
    assert caught.value.code == "MALFORMED_MULTIPART"


@pytest.mark.parametrize(
    ("content_type", "code"),
    [
        ("application/json", "MULTIPART_EXPECTED"),
        ("", "MULTIPART_EXPECTED"),
        ("multipart/form-data", "MALFORMED_MULTIPART"),
        ("multipart/form-data; boundary=", "MALFORMED_MULTIPART"),
    ],
)
def test_a_content_type_without_a_boundary_is_refused(content_type, code):
    """The reason is told before anything is read."""
    with pytest.raises(RequestError) as caught:
        boundary_of(content_type)
    assert caught.value.code == code


def test_a_quoted_boundary_is_understood():
    """RFC 2046 allows quotes around the boundary."""
    assert boundary_of('multipart/form-data; boundary="a b"') == b"a b"


async def test_an_overlong_boundary_is_refused():
    """A boundary of kilobytes would make every look-behind expensive."""
    with pytest.raises(RequestError):
        await read(b"", boundary=b"x" * 5000)
