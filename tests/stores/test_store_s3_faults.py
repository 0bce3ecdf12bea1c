"""S3 on a bad day: 5xx, kill -9, refused keys; nothing stays, nothing secret is told."""

from __future__ import annotations

import io
import pickle
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from store_kit import BUCKET, KEYS, FaultyProxy, Stream, everything_in, failing, s3_client

from dedup2d.errors import ServiceError
from dedup2d.stores.s3 import S3Store

BIG = 20 * 1024**2


def is_part(method: str, path: str) -> bool:
    return method == "PUT" and "partNumber=2" in path


def is_start(method: str, path: str) -> bool:
    return method == "POST" and path.endswith("?uploads")


def is_completion(method: str, path: str) -> bool:
    return method == "POST" and "uploadId=" in path


def is_small_put(method: str, path: str) -> bool:
    return method == "PUT" and "partNumber" not in path


@pytest.mark.parametrize(
    ("breaks", "size"),
    [(is_start, BIG), (is_part, BIG), (is_completion, BIG), (is_small_put, 100)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_5xx_at_any_step_of_a_put_leaves_nothing(s3_endpoint, breaks, size):
    proxy = FaultyProxy(urlsplit(s3_endpoint).port, breaks)
    with proxy.running() as endpoint:
        store = S3Store(BUCKET, "broken", client=s3_client(endpoint))
        with pytest.raises(ServiceError) as caught:
            store.put(Stream(size), folder="job-1", file_name="a.dxf")
    assert caught.value.code == "STORE_UNAVAILABLE"
    assert everything_in(s3_client(s3_endpoint), "broken") == []


def test_a_passing_5xx_is_retried(s3_endpoint):
    seen = []

    def first_put(method: str, path: str) -> bool:
        seen.append(method)
        return method == "PUT" and seen.count("PUT") == 1

    with FaultyProxy(urlsplit(s3_endpoint).port, first_put).running() as endpoint:
        store = S3Store(BUCKET, "retried", endpoint=endpoint, region="us-east-1", **KEYS)
        ref = store.put(io.BytesIO(b"x"), folder="job-1", file_name="a.dxf")
        assert store.verify(ref) == ref
        assert store.delete(ref)


@pytest.mark.parametrize("breaks", ["HEAD", "DELETE"])
def test_a_failed_delete_is_reported(s3_endpoint, breaks):
    proxy = FaultyProxy(urlsplit(s3_endpoint).port, lambda method, _: method == breaks)
    with proxy.running() as endpoint:
        store = S3Store(BUCKET, "undeleted", client=s3_client(endpoint))
        ref = store.put(io.BytesIO(b"x"), folder="job-1", file_name="a.dxf")
        with pytest.raises(ServiceError):
            store.delete(ref)
    S3Store(BUCKET, "undeleted", client=s3_client(s3_endpoint)).delete_folder("job-1")


def test_kill_9_in_the_middle_shows_no_file_and_the_sweep_aborts_the_rest(s3, s3_endpoint):
    program = f"""
    import os, signal, sys
    sys.path.insert(0, {str(Path(__file__).parent)!r})
    from store_kit import BUCKET, Stream, s3_client
    from dedup2d.stores.s3 import S3Store
    store = S3Store(BUCKET, {s3.store._prefix!r}, client=s3_client({s3_endpoint!r}))
    def die(): os.kill(os.getpid(), signal.SIGKILL)
    store.put(Stream({BIG}, die), folder="job-1", file_name="a.dxf")
    """
    process = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False)
    assert process.returncode == -signal.SIGKILL
    assert list(s3.store.list()) == []
    assert len(s3.everything()) == 1
    # moto dates every unfinished upload 2010
    assert s3.store.remove_unfinished(datetime(2000, 1, 1, tzinfo=UTC)) == 0
    assert s3.store.remove_unfinished(datetime.now(UTC) + timedelta(hours=1)) == 1
    assert s3.everything() == []


def test_errors_tell_neither_keys_nor_endpoint_and_survive_pickling():
    store = S3Store(
        BUCKET,
        "p",
        client=s3_client("http://user:hush-hush@127.0.0.1:9"),
    )
    with pytest.raises(ServiceError) as caught:
        store.put(io.BytesIO(b"x"), folder="job-1", file_name="a.dxf")
    told = str(pickle.loads(pickle.dumps(caught.value)))
    assert "EndpointConnectionError" in told
    assert not any(secret in told for secret in ("hush", "tester", "127.0.0.1", ":9"))


def test_a_missing_bucket_is_a_service_error_for_every_method(s3_endpoint, s3, tmp_path):
    store = S3Store("no-such-bucket", "p", client=s3_client(s3_endpoint))
    ref = s3.store.put(io.BytesIO(b"x"), folder="job-1", file_name="a.dxf")
    ref = ref.model_copy(update={"bucket": "no-such-bucket", "key": "p/job-1/a"})
    calls = (
        lambda: store.put(io.BytesIO(b"x"), folder="job-1", file_name="a"),
        lambda: store.verify(ref),
        lambda: store.fetch(ref, tmp_path / "copy"),
        lambda: store.delete(ref),
        lambda: store.delete_folder("job-1"),
        lambda: store.read_bytes("job-1", "a", max_bytes=1),
        lambda: store.write_bytes("job-1", "a", b"1"),
        lambda: list(store.list()),
        lambda: store.remove_unfinished(datetime.now(UTC)),
    )
    for call in calls:
        with pytest.raises(ServiceError, match="NoSuchBucket"):
            call()


def test_malformed_endpoints_are_told_without_repeating_them():
    with pytest.raises(ServiceError) as caught:
        S3Store(BUCKET, "p", endpoint="not an address", region="us-east-1", **KEYS)
    assert "not an address" not in str(caught.value)


def test_an_interrupt_in_the_middle_of_a_multipart_upload_leaves_nothing(s3):
    with pytest.raises(KeyboardInterrupt):
        s3.store.put(failing(BIG, KeyboardInterrupt()), folder="job-1", file_name="a.dxf")
    assert s3.everything() == []


def test_memory_stays_flat_for_a_large_file(s3_endpoint):
    program = f"""
    import resource, sys
    sys.path.insert(0, {str(Path(__file__).parent)!r})
    from store_kit import BUCKET, Stream, s3_client
    from dedup2d.stores.s3 import S3Store
    store = S3Store(BUCKET, "large", client=s3_client({s3_endpoint!r}))
    store.put(Stream(1), folder="warm", file_name="up")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ref = store.put(Stream(100_000_000), folder="job-1", file_name="a.dxf")
    store.verify(ref)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
    store.delete(ref)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert int(done.stdout) < 48, done.stderr  # MiB


def test_ctrl_c_during_a_put_leaves_nothing(s3, s3_endpoint):
    program = f"""
    import signal, sys
    sys.path.insert(0, {str(Path(__file__).parent)!r})
    from store_kit import BUCKET, Stream, s3_client
    from dedup2d.stores.s3 import S3Store
    store = S3Store(BUCKET, {s3.store._prefix!r}, client=s3_client({s3_endpoint!r}))
    class Interrupted(Stream):
        def read(self, size=-1, /):
            if self.left < 4_000_000:
                signal.raise_signal(signal.SIGINT)  # seen by the main thread, which waits
            return super().read(size)
    try:
        store.put(Interrupted({BIG}), folder="job-1", file_name="a.dxf")
    except KeyboardInterrupt:
        sys.exit(7)
    """
    process = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False)
    assert process.returncode == 7
    assert s3.everything() == []
