"""A folder under attack and on a bad day: links, pipes, kill -9, full disks, races."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from store_kit import Stream

from dedup2d.errors import RequestError, ServiceError
from dedup2d.fileref import FileRef

SOON = timedelta(hours=1)
HERE = str(Path(__file__).parent)


def run(program: str, root) -> subprocess.CompletedProcess[str]:
    """A process with its own store at ``root``; it dies however the program makes it die."""
    head = f"""
    import io, os, resource, signal, sys
    from pathlib import Path
    sys.path.insert(0, {HERE!r})
    from store_kit import Stream, failing
    from dedup2d.stores.local import LocalStore
    store = LocalStore(Path({str(root)!r}))
    """
    text = textwrap.dedent(head) + textwrap.dedent(program)
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


@pytest.mark.parametrize("link", ["job-1/evil.dxf", "evil-folder/secret.txt"])
def test_links_that_point_out_are_refused(local, root, tmp_path, link):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_bytes(b"secret")
    local.store.write_bytes("job-1", "a.json", b"1")
    (root / "job-1" / "evil.dxf").symlink_to(outside / "secret.txt")
    (root / "evil-folder").symlink_to(outside)
    ref = FileRef(backend="local", path=link)
    for call in (local.store.verify, lambda ref: local.store.fetch(ref, tmp_path / "copy")):
        with pytest.raises(RequestError, match="does not point into") as caught:
            call(ref)
        assert caught.value.code == "FOREIGN_REF"
    assert [file.location for file in local.store.list()] == ["job-1/a.json"]


def test_nothing_is_written_or_deleted_through_a_linked_folder(local, root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep.txt").write_bytes(b"keep")
    root.mkdir()
    (root / "evil").symlink_to(outside)
    calls = (
        lambda: local.store.put(io.BytesIO(b"x"), folder="evil", file_name="a"),
        lambda: local.store.write_bytes("evil", "a", b"x"),
        lambda: local.store.delete_folder("evil"),
        lambda: local.store.delete(FileRef(backend="local", path="evil/keep.txt")),
    )
    for call in calls:
        with pytest.raises(RequestError):
            call()
    assert [path.name for path in outside.iterdir()] == ["keep.txt"]


def test_a_named_pipe_in_the_store_is_no_file_and_does_not_block(local, root):
    local.store.write_bytes("job-1", "a.json", b"1")
    os.mkfifo(root / "job-1" / "pipe")
    with pytest.raises(RequestError) as caught:
        local.store.verify(FileRef(backend="local", path="job-1/pipe"))
    assert caught.value.code == "FILE_MISSING"


def test_kill_9_in_the_middle_shows_no_file_and_the_sweep_removes_the_rest(local):
    program = """
    def die(): os.kill(os.getpid(), signal.SIGKILL)
    store.put(Stream(5_000_000, die), folder="job-1", file_name="a.dxf")
    """
    root = local.store._root
    assert run(program, root).returncode == -signal.SIGKILL
    assert list(local.store.list()) == []
    assert len(local.everything()) == 2  # the folder and its part
    now = datetime.now(UTC)
    assert local.store.remove_unfinished(now - SOON) == 0
    assert local.store.remove_unfinished(now + SOON) == 2
    assert local.everything() == []


def test_a_part_is_no_file_for_anybody(local, root):
    (root / "job-1").mkdir(parents=True)
    (root / "job-1" / ".0f.part").write_bytes(b"half")
    with pytest.raises(RequestError) as caught:
        local.store.verify(FileRef(backend="local", path="job-1/.0f.part"))
    assert caught.value.code == "FILE_MISSING"
    assert local.store.delete_folder("job-1") == 0
    assert local.everything() == []


def test_ctrl_c_during_a_put_leaves_nothing(local):
    program = """
    def interrupt(): signal.raise_signal(signal.SIGINT)
    try:
        store.put(Stream(5_000_000, interrupt), folder="job-1", file_name="a.dxf")
    except KeyboardInterrupt:
        sys.exit(7)
    """
    assert run(program, local.store._root).returncode == 7
    assert local.everything() == []


def test_a_full_disk_is_a_service_error_without_a_path_and_leaves_nothing(local):
    program = """
    from dedup2d.errors import ServiceError
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    for call in (
        lambda: store.put(Stream(5_000_000), folder="job-1", file_name="a.dxf"),
        lambda: store.write_bytes("job-2", "a.json", bytes(5_000_000)),
    ):
        try:
            call()
        except ServiceError as error:
            print(error.code, error)
    """
    root = local.store._root
    done = run(program, root)
    assert done.stdout.count("STORE_UNAVAILABLE The file store cannot write the file") == 2
    assert str(root) not in done.stdout
    assert local.everything() == []


def test_a_failed_delete_is_reported(local, root):
    ref = local.store.put(io.BytesIO(b"x"), folder="job-1", file_name="a.dxf")
    (root / "job-1" / ref.location.partition("/")[2]).unlink()
    (root / ref.location).mkdir()  # what unlink cannot delete, even for root
    for call in (lambda: local.store.delete(ref), lambda: local.store.delete_folder("job-1")):
        with pytest.raises(ServiceError) as caught:
            call()
        assert str(root) not in str(caught.value)


def test_a_folder_deleted_during_a_put_makes_the_put_fail_cleanly(local):
    source = Stream(3_000_000, lambda: local.store.delete_folder("job-1"))
    with pytest.raises(ServiceError):
        local.store.put(source, folder="job-1", file_name="a.dxf")
    assert local.everything() == []


def test_puts_and_deletes_of_one_folder_do_not_disturb_each_other(local):
    failures = []

    def work():
        try:
            for _ in range(60):
                ref = local.store.put(io.BytesIO(b"x"), folder="job-1", file_name="a.dxf")
                assert local.store.delete(ref)
        except Exception as error:  # noqa: BLE001 - told to the main thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert failures == []
    assert local.everything() == []


def test_memory_stays_flat_for_a_large_file(local):
    program = """
    store.put(Stream(1), folder="warm", file_name="up")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ref = store.put(Stream(200_000_000), folder="job-1", file_name="a.dxf")
    store.verify(ref)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
    """
    done = run(program, local.store._root)
    assert int(done.stdout) < 16, done.stderr  # MiB
