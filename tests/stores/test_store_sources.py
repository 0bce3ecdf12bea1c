"""What store-file takes, and how it says what it does not take."""

from __future__ import annotations

import asyncio
import hashlib
import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from store_kit import BUCKET, KEYS, Place, local_place, s3_client

from dedup2d.errors import RequestError, ServiceError
from dedup2d.fileref import FileRef
from dedup2d.net.guard import AddressGuard
from dedup2d.settings import Settings, read_settings
from dedup2d.stores.sources import store_source

DRAWING = b"0\nSECTION\n" * 500


@pytest.fixture
def settings(tmp_path, s3_endpoint) -> Settings:
    environ = {
        "DEDUP2D_S3_ENDPOINT": s3_endpoint,
        "DEDUP2D_S3_REGION": "us-east-1",
        "DEDUP2D_S3_ACCESS_KEY": KEYS["access_key"],
        "DEDUP2D_S3_SECRET_KEY": KEYS["secret_key"],
        "DEDUP2D_MAX_UPLOAD_BYTES": "100000",
        "DEDUP2D_CALLBACK_ALLOW_HTTP": "1",
        "DEDUP2D_CALLBACK_BLOCK_PRIVATE_NETWORKS": "0",
    }
    return read_settings(environ, data_dir=tmp_path / "data")


@pytest.fixture
def bring(local: Place, settings: Settings):
    async def into_the_store(source, place: Place = local, **options):
        guard = AddressGuard(options.pop("guarded_by", settings))
        return await store_source(
            source, place.store, folder="job-1", settings=settings, guard=guard, **options
        )

    return into_the_store


class Site(BaseHTTPRequestHandler):
    """A web site with drawings, redirects and faults."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        page = self.path.partition("?")[0].strip("/").partition("/")[0]
        getattr(self, page.replace("-", "_"), self.missing)()

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drawing(self):
        self.answer(200, DRAWING, Content_Type="image/vnd.dxf; charset=utf-8")

    def moved(self):
        self.answer(302, Location="/drawing/flange%20A.dxf")

    def to_file(self):
        self.answer(302, Location="file:///etc/passwd")

    def to_metadata(self):
        self.answer(302, Location="http://169.254.169.254/latest/meta-data/")

    def to_nonsense(self):
        self.answer(302, Location="http://x:99:99/")

    def loop(self):
        self.answer(302, Location="/loop")

    def missing(self):
        self.answer(404)

    def broken(self):
        self.answer(503)

    def large(self):
        self.answer(200, bytes(100_001))

    def squeezed(self):
        self.answer(200, b"\x1f\x8b...", Content_Encoding="gzip")

    def lying(self):
        self.chunked(bytes(50_000), 4)

    def cut(self):
        self.send_response(200)
        self.send_header("Content-Length", "5000")
        self.end_headers()
        self.wfile.write(bytes(100))
        self.close_connection = True

    def chunked(self, part, times):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(times):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.handle_error = lambda *args: None  # clients that hang up are part of the tests
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


async def code_of(bringing) -> str:
    with pytest.raises(RequestError) as caught:
        await bringing
    return caught.value.code


async def test_a_local_path_is_stored_under_its_name(bring, tmp_path):
    (tmp_path / "flange A.dxf").write_bytes(DRAWING)
    ref = await bring(str(tmp_path / "flange A.dxf"))
    assert (ref.file_name, ref.sha256) == ("flange A.dxf", hashlib.sha256(DRAWING).hexdigest())
    assert ref.location.startswith("job-1/")


async def test_paths_that_are_no_files_are_refused(bring, local, tmp_path):
    assert await code_of(bring(str(tmp_path / "nothing.dxf"))) == "SOURCE_NOT_FOUND"
    assert await code_of(bring(str(tmp_path))) == "SOURCE_UNSUPPORTED"
    assert await code_of(bring("/dev/zero")) == "SOURCE_UNSUPPORTED"
    assert await code_of(bring("a\0b")) == "SOURCE_NOT_FOUND"
    assert await code_of(bring("~nobody-of-this-name/x")) == "SOURCE_NOT_FOUND"
    assert local.everything() == []


@pytest.mark.parametrize(
    "source", ["ftp://host/a.dxf", "file:///etc/passwd", "gopher://x/", "s3://"]
)
async def test_other_kinds_of_sources_are_refused(bring, source):
    assert await code_of(bring(source)) == "SOURCE_UNSUPPORTED"


async def test_a_path_over_the_limit_is_refused(bring, local, tmp_path):
    (tmp_path / "large.tif").write_bytes(bytes(100_001))
    assert await code_of(bring(str(tmp_path / "large.tif"))) == "FILE_TOO_LARGE"
    assert local.everything() == []


async def test_an_address_is_streamed_with_its_name_and_type(bring, site):
    ref = await bring(f"{site}/drawing/flange%20A.dxf?signature=secret")
    assert (ref.file_name, ref.media_type) == ("flange A.dxf", "image/vnd.dxf")
    assert ref.size == len(DRAWING)


async def test_a_redirect_is_followed_through_the_guard(bring, site):
    ref = await bring(f"{site}/moved")
    assert (ref.file_name, ref.size) == ("flange A.dxf", len(DRAWING))


@pytest.mark.parametrize("page", ["to-file", "to-metadata"])
async def test_a_redirect_to_a_refused_address_is_refused(bring, local, site, page):
    assert await code_of(bring(f"{site}/{page}")) == "ADDRESS_REFUSED"
    assert local.everything() == []


async def test_addresses_are_guarded(bring, site, settings):
    strict = settings.model_copy(update={"callback_block_private": True})
    assert await code_of(bring(f"{site}/drawing", guarded_by=strict)) == "ADDRESS_REFUSED"


@pytest.mark.parametrize("page", ["missing", "loop"])
async def test_an_address_without_a_file_is_not_found(bring, site, page):
    with pytest.raises(RequestError) as caught:
        await bring(f"{site}/{page}?signature=secret")
    assert caught.value.code == "SOURCE_NOT_FOUND"
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("page", ["large", "lying"])
async def test_an_answer_over_the_limit_leaves_nothing(bring, local, site, page):
    assert await code_of(bring(f"{site}/{page}")) == "FILE_TOO_LARGE"
    assert local.everything() == []


async def test_a_packed_answer_is_refused(bring, site):
    assert await code_of(bring(f"{site}/squeezed")) == "SOURCE_UNSUPPORTED"


@pytest.mark.parametrize("page", ["broken", "cut", "to-nonsense"])
async def test_a_server_that_fails_is_a_service_error_and_leaves_nothing(bring, local, site, page):
    with pytest.raises(ServiceError) as caught:
        await bring(f"{site}/{page}")
    assert caught.value.service == "source"
    assert local.everything() == []


async def test_an_s3_object_is_streamed(bring, place, s3_endpoint):
    s3_client(s3_endpoint).put_object(Bucket=BUCKET, Key="in/flange.dxf", Body=DRAWING)
    ref = await bring(f"s3://{BUCKET}/in/flange.dxf", place)
    assert (ref.file_name, ref.size) == ("flange.dxf", len(DRAWING))
    assert await asyncio.to_thread(place.store.verify, ref) == ref


async def test_s3_objects_that_cannot_be_had_are_told_apart(bring, local, s3_endpoint):
    s3_client(s3_endpoint).put_object(Bucket=BUCKET, Key="in/large", Body=bytes(100_001))
    assert await code_of(bring(f"s3://{BUCKET}/in/nothing")) == "SOURCE_NOT_FOUND"
    assert await code_of(bring(f"s3://{BUCKET}/")) == "SOURCE_UNSUPPORTED"
    assert await code_of(bring(f"s3://{BUCKET}/in/large")) == "FILE_TOO_LARGE"
    with pytest.raises(ServiceError, match="NoSuchBucket"):
        await bring("s3://no-such-bucket/a.dxf")
    assert local.everything() == []


async def test_a_reference_into_the_store_is_verified_and_passed_on(bring, place):
    ref = place.store.put(io.BytesIO(DRAWING), folder="job-0", file_name="a.dxf")
    assert await bring(ref, place) == ref
    place.tamper(ref, b"other")
    assert await code_of(bring(ref, place)) == "FILE_ALTERED"


async def test_a_reference_into_another_store_is_copied_if_that_is_known(
    bring, local, tmp_path, settings
):
    other = local_place(tmp_path / "other")
    ref = FileRef(backend="s3", bucket="elsewhere", key="a")
    assert await code_of(bring(ref)) == "FOREIGN_REF"
    assert await code_of(bring(ref, foreign=other.store)) == "FOREIGN_REF"
    assert local.everything() == []


async def test_a_reference_into_s3_is_copied_into_a_folder(bring, local, s3, settings):
    there = s3.store.put(io.BytesIO(DRAWING), folder="job-0", file_name="a.dxf")
    here = await bring(there, local, foreign=s3.store)
    assert (here.sha256, here.backend) == (there.sha256, "local")
    assert list(settings.scratch_path.iterdir()) == []
