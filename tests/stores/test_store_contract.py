"""What every FileStore promises, against a folder and against S3 over HTTP."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta

import pytest
from store_kit import Place, Stream, failing

from dedup2d.errors import RequestError, ServiceError
from dedup2d.fileref import FileRef

DRAWING = b"0\nSECTION\n" * 1000
BIG = 17 * 1024**2  # three parts of a multipart upload


def put(place: Place, data: bytes = DRAWING, folder: str = "job-1", name: str = "flange.dxf"):
    return place.store.put(io.BytesIO(data), folder=folder, file_name=name)


def code_of(call) -> str:
    with pytest.raises(RequestError) as caught:
        call()
    return caught.value.code


def test_a_put_file_is_measured_and_can_be_fetched(place, tmp_path):
    ref = put(place)
    assert (ref.size, ref.sha256) == (len(DRAWING), hashlib.sha256(DRAWING).hexdigest())
    assert ref.stored_at.tzinfo is UTC
    assert place.store.fetch(ref, tmp_path / "copy") == ref
    assert (tmp_path / "copy").read_bytes() == DRAWING


def test_a_big_stream_arrives_whole(place):
    ref = place.store.put(Stream(BIG), folder="job-1", file_name="big.tif", media_type="image/tiff")
    assert ref.sha256 == hashlib.sha256(bytes(BIG)).hexdigest()
    assert place.store.verify(ref) == ref


def test_a_source_with_short_reads_arrives_whole(place):
    class Trickle(io.BytesIO):
        def read(self, size=-1, /):
            return super().read(min(size, 7) if size > 0 else 7)

    ref = place.store.put(Trickle(DRAWING), folder="job-1", file_name="a.dxf")
    assert place.store.verify(ref).size == len(DRAWING)


def test_two_uploads_of_one_name_do_not_meet(place):
    assert put(place).location != put(place).location
    assert [file.folder for file in place.store.list()] == ["job-1", "job-1"]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\drawings\\flange 1.dxf", "flange_1.dxf"),
        ("Flansch für Öl.dxf", "Flansch_f_r_l.dxf"),
        ("..", "upload.bin"),
        ("", "upload.bin"),
        (".hidden", "hidden"),
        ("a" * 300 + ".dxf", "a" * 200),
        ("x\0y\n.dxf", "x_y_.dxf"),
    ],
)
def test_names_are_sanitised_as_the_predecessor_did(local, given, stored):
    ref = put(local, name=given)
    assert ref.location.partition("/")[2].partition("_")[2] == stored
    assert not set(ref.file_name) & set("/\\\0\n")


@pytest.mark.parametrize("folder", ["", ".", "..", "a/b", "../x", "/x", ".hidden", "a" * 200, "ä"])
def test_a_folder_is_one_plain_component(place, folder):
    assert code_of(lambda: put(place, folder=folder)) == "INVALID_FOLDER"
    assert code_of(lambda: place.store.delete_folder(folder)) == "INVALID_FOLDER"
    assert code_of(lambda: place.store.write_bytes(folder, "a", b"")) == "INVALID_FOLDER"
    assert place.everything() == []


def test_an_empty_file_is_refused_and_leaves_nothing(place):
    assert code_of(lambda: put(place, b"")) == "EMPTY_FILE"
    assert place.everything() == []


@pytest.mark.parametrize("size", [101, BIG])
def test_a_file_over_the_limit_is_refused_and_leaves_nothing(place, size):
    def over():
        place.store.put(Stream(size), folder="j", file_name="a", max_bytes=size - 1)

    assert code_of(over) == "FILE_TOO_LARGE"
    assert place.everything() == []
    assert place.store.put(Stream(size), folder="j", file_name="a", max_bytes=size).size == size


@pytest.mark.parametrize("size", [0, 10, BIG])
@pytest.mark.parametrize(
    "error", [ConnectionResetError("gone"), KeyboardInterrupt(), SystemExit(1), ValueError("bad")]
)
def test_what_the_source_raises_comes_out_and_nothing_is_left(place, size, error):
    with pytest.raises(type(error)) as caught:
        place.store.put(failing(size, error), folder="job-1", file_name="a.dxf")
    assert caught.value is error
    assert place.everything() == []


def test_an_altered_file_is_an_error_and_not_a_result(place, tmp_path):
    ref = put(place)
    place.tamper(ref, DRAWING[:-1] + b"x")
    assert code_of(lambda: place.store.verify(ref)) == "FILE_ALTERED"
    assert code_of(lambda: place.store.fetch(ref, tmp_path / "copy")) == "FILE_ALTERED"
    assert list(tmp_path.glob("*copy*")) == []


def test_a_truncated_file_is_an_error(place, tmp_path):
    ref = put(place)
    place.tamper(ref, DRAWING[:10])
    assert code_of(lambda: place.store.fetch(ref, tmp_path / "copy")) == "FILE_ALTERED"


def test_a_reference_without_size_and_digest_is_completed(place):
    ref = put(place)
    bare = ref.model_copy(update={"size": None, "sha256": None})
    assert place.store.verify(bare) == ref


def test_a_missing_file_has_a_clear_code(place, tmp_path):
    ref = place.pointing("job-1/nothing.dxf")
    assert code_of(lambda: place.store.verify(ref)) == "FILE_MISSING"
    assert code_of(lambda: place.store.fetch(ref, tmp_path / "copy")) == "FILE_MISSING"
    assert place.store.delete(ref) is False


@pytest.mark.parametrize(
    "ref",
    [
        FileRef(backend="s3", bucket="somebody-elses", key="job-1/a.dxf"),
        FileRef(backend="s3", bucket="drawings", key="other-prefix/a.dxf"),
    ],
)
def test_a_reference_out_of_the_store_is_refused(place, ref, tmp_path):
    for call in (place.store.verify, place.store.delete):
        assert code_of(lambda call=call: call(ref)) == "FOREIGN_REF"
    assert code_of(lambda: place.store.fetch(ref, tmp_path / "copy")) == "FOREIGN_REF"


def test_s3_refuses_a_local_reference(s3):
    assert code_of(lambda: s3.store.verify(FileRef(backend="local", path="a/b"))) == "FOREIGN_REF"


def test_delete_takes_the_file_and_the_empty_folder_and_may_be_repeated(place):
    first, second = put(place), put(place)
    assert place.store.delete(first) is True
    assert len(list(place.store.list())) == 1
    assert place.store.delete(second) is True
    assert place.store.delete(second) is False
    assert place.everything() == []


def test_delete_folder_takes_all_files_of_one_job_only(place):
    put(place), put(place), place.store.write_bytes("job-1", "outcome.json", b"{}")
    other = put(place, folder="job-10")
    assert place.store.delete_folder("job-1") == 3
    assert place.store.delete_folder("job-1") == 0
    assert [file.location for file in place.store.list()] == [other.location]


def test_small_files_are_written_and_read_by_name(place):
    assert place.store.read_bytes("job-1", "outcome.json", max_bytes=10) is None
    place.store.write_bytes("job-1", "outcome.json", b"old")
    ref = place.store.write_bytes("job-1", "outcome.json", b"newer")
    assert place.store.read_bytes("job-1", "outcome.json", max_bytes=5) == b"newer"
    assert place.store.verify(ref) == ref
    assert len(list(place.store.list())) == 1
    assert (
        code_of(lambda: place.store.read_bytes("job-1", "outcome.json", max_bytes=4))
        == "FILE_TOO_LARGE"
    )


def test_a_listing_is_in_order_and_dated(place):
    for folder in ("b", "a-b", "a"):
        place.store.write_bytes(folder, "2.json", b"2")
        place.store.write_bytes(folder, "1.json", b"11")
    found = list(place.store.list())
    assert [(f.folder, f.location[-6:], f.size) for f in found] == [
        (folder, name, size)
        for folder in ("a-b", "a", "b")
        for name, size in (("1.json", 2), ("2.json", 1))
    ]
    age = datetime.now(UTC) - found[0].modified_at
    assert -timedelta(seconds=2) < age < timedelta(minutes=1)
    assert found[0].modified_at.tzinfo is UTC


def test_files_that_vanish_during_a_listing_are_skipped(place):
    for folder in ("a", "b", "c"):
        place.store.write_bytes(folder, "1.json", b"1")
    listing = place.store.list()
    assert next(listing).folder == "a"
    place.store.delete_folder("b")
    assert {file.folder for file in listing} <= {"b", "c"}


def test_a_fetch_that_cannot_write_leaves_nothing(place, tmp_path):
    ref = put(place)
    with pytest.raises(ServiceError) as caught:
        place.store.fetch(ref, tmp_path / "no-such-folder" / "copy")
    assert str(tmp_path) not in str(caught.value)


def test_what_is_not_ours_is_neither_listed_nor_removed(local, s3, s3_endpoint):
    strange = local.store._root / "lost+found" / "x"
    strange.parent.mkdir(parents=True)
    strange.write_bytes(b"x")
    s3.tamper(s3.pointing("lost+found/x"), b"x")
    s3.tamper(s3.pointing("job-1/deeper/x"), b"x")
    for place in (local, s3):
        assert list(place.store.list()) == []
        assert place.store.remove_unfinished(datetime.now(UTC) + timedelta(days=1)) == 0
    assert strange.exists()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("image/PNG; charset=x", "image/png"),
        ("image/vnd.dxf", "image/vnd.dxf"),
        ("image/png\r\nx-amz-acl: public-read", ""),
        ("imagé/png", ""),
        ("nonsense", ""),
        ("a/" + "b" * 500, ""),
    ],
)
def test_a_media_type_is_plain_or_dropped(place, given, kept):
    ref = place.store.put(io.BytesIO(b"x"), folder="job-1", file_name="a", media_type=given)
    assert ref.media_type == kept
    assert place.store.verify(ref) == ref
