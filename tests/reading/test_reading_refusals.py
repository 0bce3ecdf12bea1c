"""What cannot be read is refused with its code, quickly, and without a server path."""

import struct
import time
import zlib

import pytest

from dedup2d.errors import DrawingError
from dedup2d.reading import Budget, read
from dedup2d.reading.formats import Format, sniff
from dedup2d.settings import Settings

LINE = "0\nLINE\n8\n0\n10\n0\n20\n0\n11\n10\n21\n5\n"


def dxf(entities, end="0\nENDSEC\n0\nEOF\n", blocks=""):
    body = f"0\nSECTION\n2\nBLOCKS\n{blocks}0\nENDSEC\n" if blocks else ""
    return f"{body}0\nSECTION\n2\nENTITIES\n{entities}{end}"


def png_header(width, height):
    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    size = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def refusal(path, **budget):
    with pytest.raises(DrawingError) as caught:
        read(path, Budget(**budget))
    assert str(path.parent) not in caught.value.message
    return caught.value.code


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.dxf", b"", "EMPTY_FILE"),
        ("a.dxf", png_header(1, 1), "FORMAT_MISMATCH"),
        ("a.png", dxf(LINE).encode(), "FORMAT_MISMATCH"),
        ("a.dxf", b"Hello, this is a letter.", "BROKEN_DRAWING"),
        ("a.zip", b"PK\3\4 something", "UNSUPPORTED_FORMAT"),
        ("noname", b"\0\1\2\3", "UNSUPPORTED_FORMAT"),
        ("a.dxf", dxf(LINE, end="").encode(), "TRUNCATED_DRAWING"),
        ("a.dxf", dxf(LINE, end="")[:-9].encode(), "TRUNCATED_DRAWING"),
        ("a.dxf", b"0\nSECTION\n2\nBLOCKS\n0\nBLOCK\n2\nA\n", "TRUNCATED_DRAWING"),
        ("a.dxf", b"0\nSECTION\n2\nHEADER\n9\n$ACADVER\n", "TRUNCATED_DRAWING"),
        ("a.dxf", dxf("").encode(), "EMPTY_DRAWING"),
    ],
)
def test_bad_file_is_refused_with_its_code(tmp_path, name, content, code):
    path = tmp_path / name
    path.write_bytes(content)
    assert refusal(path) == code


def test_file_over_the_size_limit_is_refused(tmp_path):
    (tmp_path / "a.dxf").write_text(dxf(LINE * 100))
    assert refusal(tmp_path / "a.dxf", max_bytes=1000) == "FILE_TOO_LARGE"


def test_two_million_entities_are_refused_quickly(tmp_path):
    (tmp_path / "a.dxf").write_text(dxf(LINE * 2_000_000))
    start = time.monotonic()
    assert refusal(tmp_path / "a.dxf") == "TOO_MANY_PRIMITIVES"
    assert time.monotonic() - start < 10


def test_block_bomb_is_refused(tmp_path):
    """Ten blocks that insert the next one ten times each would be 10^10 lines."""
    blocks = "".join(
        f"0\nBLOCK\n2\nB{i}\n10\n0\n20\n0\n"
        + (f"0\nINSERT\n2\nB{i + 1}\n10\n1\n20\n0\n8\n0\n" * 10 if i < 10 else LINE)
        + "0\nENDBLK\n"
        for i in range(11)
    )
    (tmp_path / "a.dxf").write_text(dxf("0\nINSERT\n2\nB0\n10\n0\n20\n0\n", blocks=blocks))
    code = refusal(tmp_path / "a.dxf", max_primitives=2000, max_seconds=20)
    assert code in {"TOO_MANY_PRIMITIVES", "TIME_LIMIT"}


def test_deep_nesting_is_refused(tmp_path):
    blocks = "".join(
        f"0\nBLOCK\n2\nB{i}\n10\n0\n20\n0\n0\nINSERT\n2\nB{i + 1}\n10\n1\n20\n0\n8\n0\n0\nENDBLK\n"
        for i in range(30)
    )
    last = f"0\nBLOCK\n2\nB30\n10\n0\n20\n0\n{LINE}0\nENDBLK\n"
    (tmp_path / "a.dxf").write_text(dxf("0\nINSERT\n2\nB0\n10\n0\n20\n0\n", blocks=blocks + last))
    assert refusal(tmp_path / "a.dxf") == "INSERT_TOO_DEEP"


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"%PDF-1.7\n", Format.PDF),
        (b"AC1032\0\0", Format.DWG),
        (b"AutoCAD Binary DXF\r\n\x1a\0\0\0SECTION\0", Format.DXF),
        (b"\xef\xbb\xbf  0\r\nSECTION\r\n", Format.DXF),
        (b"999\nmade by\n  0\nSECTION\n", Format.DXF),
        (b"\r\n0\nSECTION\n", Format.DXF),
        (b"<?xml version='1.0'?><!-- x -->\n<svg xmlns='...'>", Format.SVG),
        (b"<html><body>", None),
    ],
)
def test_format_is_seen_in_the_content(head, found):
    assert sniff(head) is found


def test_defaults_of_the_budget_are_those_of_the_settings():
    settings, budget = Settings(), Budget()
    assert budget.max_bytes == settings.max_drawing_bytes
    assert budget.max_primitives == settings.max_primitives
    assert budget.max_pixels == settings.max_pixels
    assert budget.max_seconds == settings.read_timeout_s
