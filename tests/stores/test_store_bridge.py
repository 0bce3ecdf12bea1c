"""Async code pushes, a thread reads: bounded, without deadlock, leaving nothing on failure."""

from __future__ import annotations

import asyncio
import io
import threading
import time

import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st
from store_kit import Place

from dedup2d.errors import RequestError
from dedup2d.stores.bridge import AsyncSource, ReaderGoneError, in_thread, put_opened, put_stream

CHUNK = bytes(64 * 1024)


async def chunks(count: int, *, then: BaseException | None = None):
    for _ in range(count):
        yield CHUNK
    if then is not None:
        raise then


def put(place: Place, source, **options):
    return put_stream(place.store, source, folder="job-1", file_name="a.dxf", **options)


@pytest.mark.parametrize("count", [1, 15, 16, 17, 300])
async def test_what_is_fed_is_what_is_stored(place, count):
    ref = await put(place, chunks(count))
    assert ref.size == count * len(CHUNK)
    assert await asyncio.to_thread(place.store.verify, ref) == ref


async def test_empty_chunks_are_not_the_end(local):
    async def with_gaps():
        for part in (b"", b"a", b"", b"b", b""):
            yield part

    ref = await put(local, with_gaps())
    assert ref.size == 2


async def test_no_bytes_are_an_empty_file(local):
    with pytest.raises(RequestError) as caught:
        await put(local, chunks(0))
    assert caught.value.code == "EMPTY_FILE"
    assert local.everything() == []


async def test_the_limit_ends_an_endless_upload(place):
    async def endless():
        while True:
            yield CHUNK

    with pytest.raises(RequestError) as caught:
        await asyncio.wait_for(put(place, endless(), max_bytes=3_000_000), 20)
    assert caught.value.code == "FILE_TOO_LARGE"
    assert place.everything() == []


@pytest.mark.parametrize("count", [0, 1, 40, 300])
async def test_a_broken_client_leaves_nothing(place, count):
    with pytest.raises(ConnectionResetError):
        await put(place, chunks(count, then=ConnectionResetError("client went away")))
    assert place.everything() == []


@pytest.mark.parametrize("count", [1, 40, 300])
async def test_a_cancelled_upload_leaves_nothing(place, count):
    reached = asyncio.Event()

    async def hanging():
        async for chunk in chunks(count):
            yield chunk
        reached.set()
        await asyncio.sleep(60)

    upload = asyncio.create_task(put(place, hanging()))
    await reached.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert place.everything() == []


@pytest.mark.parametrize("delay_s", [0, 0.001, 0.003, 0.01, 0.03])
async def test_cancelling_at_any_moment_leaves_nothing(local, delay_s):
    upload = asyncio.create_task(put(local, chunks(200)))
    await asyncio.sleep(delay_s)
    upload.cancel()
    await asyncio.wait({upload})
    if upload.cancelled():
        assert local.everything() == []
    else:  # it was quicker
        assert local.store.delete(upload.result())


async def test_cancelling_twice_does_not_stop_the_cleaning(local):
    class Slow:
        def read(self, size=-1, /):
            time.sleep(0.05)
            return CHUNK

    upload = asyncio.create_task(
        put_opened(local.store, Opened(Slow()), folder="job-1", file_name="a.dxf")
    )
    await asyncio.sleep(0.12)
    for _ in range(3):
        upload.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert local.everything() == []


class Opened:
    """A source that counts how often it was closed."""

    def __init__(self, source):
        self.source = source
        self.closed = 0

    def __call__(self):
        return self

    def __enter__(self):
        return self.source

    def __exit__(self, *exc):
        self.closed += 1


async def test_a_blocking_source_is_stored_and_closed(place):
    opened = Opened(io.BytesIO(b"drawing"))
    ref = await put_opened(place.store, opened, folder="job-1", file_name="a.dxf")
    assert (ref.size, opened.closed) == (7, 1)


async def test_the_feeder_waits_for_a_slow_reader():
    source = AsyncSource(max_buffered=len(CHUNK))
    await source.feed(CHUNK)
    feeding = asyncio.create_task(source.feed(CHUNK))
    await asyncio.sleep(0.05)
    assert not feeding.done()
    assert await in_thread(lambda: len(source.read(10**9))) == len(CHUNK)
    await asyncio.wait_for(feeding, 1)


async def test_a_dead_reader_does_not_block_the_feeder():
    source = AsyncSource(max_buffered=1)
    await source.feed(CHUNK)
    feeding = asyncio.create_task(source.feed(CHUNK))
    await asyncio.sleep(0)
    threading.Thread(target=source.abandon).start()
    with pytest.raises(ReaderGoneError):
        await asyncio.wait_for(feeding, 1)


async def test_a_failed_feeder_does_not_block_the_reader():
    source = AsyncSource()
    reading = in_thread(source.read)
    source.fail(asyncio.CancelledError())
    with pytest.raises(InterruptedError):
        await asyncio.wait_for(reading, 1)


async def test_the_reader_sees_the_end_after_the_last_byte():
    source = AsyncSource()
    await source.feed(b"abcdef")
    await source.finish()
    assert [source.read(4), source.read(4), source.read(4)] == [b"abcd", b"ef", b""]


async def test_two_hundred_slow_uploads_hold_no_thread(local):
    hold = asyncio.Event()

    async def slow():
        yield CHUNK
        await hold.wait()

    before = threading.active_count()
    uploads = [asyncio.create_task(put(local, slow())) for _ in range(200)]
    await asyncio.sleep(0.05)
    assert threading.active_count() == before
    hold.set()
    refs = await asyncio.gather(*uploads)
    assert len({ref.location for ref in refs}) == 200


async def test_the_event_loop_stays_free_while_a_file_is_written(local):
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    ticking = asyncio.create_task(tick())
    ref = await put(local, chunks(800))
    ticking.cancel()
    assert ref.size == 800 * len(CHUNK)
    assert ticks > 5


@tries(max_examples=30, deadline=None)
@given(parts=st.lists(st.binary(max_size=300), max_size=20), size=st.integers(1, 400))
async def test_however_a_stream_is_cut_it_arrives_the_same(parts, size):
    source = AsyncSource(max_buffered=64)

    def read_all() -> bytes:
        return b"".join(iter(lambda: source.read(size), b""))

    reading = in_thread(read_all)
    for part in parts:
        await source.feed(part)
    await source.finish()
    assert await asyncio.wait_for(reading, 5) == b"".join(parts)
