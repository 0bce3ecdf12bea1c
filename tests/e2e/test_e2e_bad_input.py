"""Bad input of every kind gets a clear error, shows no server path, and leaves nothing behind."""

import struct
import zlib
from pathlib import Path

import httpx
import pytest
from e2e_client import left_behind, submit, wait_for_end, wait_until
from stack import Stack

pytestmark = pytest.mark.stack
LINE = b"0\nLINE\n8\n0\n10\n%d\n20\n0\n11\n%d\n21\n9\n"


def huge_png() -> bytes:
    """20,000 x 20,000 black pixels in some 50 KB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(20_000 * (1 + 20_000 // 8)), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def two_million_lines() -> bytes:
    body = b"".join(LINE % (i, i + 1) for i in range(1000)) * 2000
    return b"0\nSECTION\n2\nENTITIES\n" + body + b"0\nENDSEC\n0\nEOF\n"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("truncated.dxf", lambda: two_million_lines()[:5000], "TRUNCATED_DRAWING"),
        ("picture.dxf", lambda: huge_png()[:2000], "FORMAT_MISMATCH"),
        ("huge.png", huge_png, "TOO_MANY_PIXELS"),
        ("many.dxf", two_million_lines, "TOO_MANY_PRIMITIVES"),
        ("words.dxf", lambda: b"this is no drawing at all\n" * 50, None),
    ],
)
def test_drawing_that_cannot_be_used_fails_with_its_code(
    local_stack: Stack, gateway: httpx.Client, tmp_path: Path, name: str, data, code: str | None
) -> None:
    (tmp_path / name).write_bytes(data())
    job = wait_for_end(gateway, submit(gateway, tmp_path / name), 120)
    assert job["status"] == "failed", job
    found, _, sentence = job["error"].partition(": ")
    assert found == code or code is None
    assert len(sentence) > 20
    assert str(local_stack.data) not in job["error"]
    assert "Traceback" not in job["error"]
    assert wait_until(lambda: left_behind(local_stack) == [])


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"preset": "bogus"}, None),
        ({"duplicate_threshold": "0.5", "similar_threshold": "0.9"}, None),
        ({"mode": "bogus"}, None),
        ({"version_gate": "bogus"}, None),
        ({"callback_url": "http://10.0.0.1/hook"}, "CALLBACK_URL_INVALID"),
        ({"callback_url": "http://localhost/hook"}, "CALLBACK_URL_INVALID"),
    ],
)
def test_wrong_request_is_refused_before_a_job_is_made(
    local_stack: Stack,
    gateway: httpx.Client,
    samples: Path,
    params: dict[str, str],
    code: str | None,
) -> None:
    before = gateway.get("/jobs", params={"limit": 200}).json()["total"]
    files = {"file": ("a.dxf", (samples / "queries" / "resaved.dxf").read_bytes())}
    answer = gateway.post("/search", params={"async": "true"} | params, files=files)
    assert answer.status_code in {400, 422}
    if code is not None:
        assert answer.json()["detail"]["error"] == code
    assert gateway.get("/jobs", params={"limit": 200}).json()["total"] == before
    assert wait_until(lambda: left_behind(local_stack) == [])


def test_empty_file_is_refused_and_leaves_nothing(
    local_stack: Stack, gateway: httpx.Client
) -> None:
    answer = gateway.post("/search", params={"async": "true"}, files={"file": ("a.dxf", b"")})
    assert answer.status_code == 400
    assert "Empty file" in answer.text
    assert wait_until(lambda: left_behind(local_stack) == [])


def test_name_that_climbs_out_stays_inside(
    local_stack: Stack, gateway: httpx.Client, samples: Path
) -> None:
    data = (samples / "queries" / "resaved.dxf").read_bytes()
    files = {"file": ("../../../../outside.dxf", data)}
    answer = gateway.post("/search", params={"async": "true"}, files=files).raise_for_status()
    assert wait_for_end(gateway, answer.json()["job_id"])["status"] == "completed"
    assert not list(local_stack.data.parent.rglob("*outside.dxf"))
    assert wait_until(lambda: left_behind(local_stack) == [])


def test_no_key_and_a_wrong_key_are_refused(local_stack: Stack) -> None:
    assert httpx.get(f"{local_stack.url}/jobs").status_code == 401
    with local_stack.client("wrong") as stranger:
        assert stranger.get("/jobs").json()["detail"] == "Invalid API Key"
