"""A DXF as two columns: group codes and values. ASCII of any line ending, and binary."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Floats
from dedup2d.errors import DrawingError
from dedup2d.reading.budget import Meter

BINARY_MAGIC: Final = b"AutoCAD Binary DXF\r\n\x1a\0"

CLIPPING: Final = b"SPATIAL_FILTER"  # the one kind of object that changes what is seen

Codes = NDArray[np.int32]
Places = NDArray[np.intp]

_ENTITY_BYTES: Final = 24  # fewer bytes cannot hold an entity that draws something
_COUNT_CHUNK: Final = 16 * 1024**2
_OPENING_OBJECTS: Final = re.compile(
    rb"(?<=\n)[ \t]*0[ \t]*\r?\n[ \t]*SECTION[ \t]*\r?\n[ \t]*2[ \t]*\r?\n[ \t]*OBJECTS[ \t]*\r?\n"
)
_BAD_LINES: Final = 1000  # lines that are no group code although one is due


@dataclass(frozen=True, slots=True)
class Tags:
    """``codes`` (n,) and as many ``values``: bytes, in binary files also int and float."""

    codes: Codes
    values: list[Any]
    was_mended: bool = False

    def numbers(self, places: Places) -> Floats:
        """(k,) values at ``places`` as float64; NaN where a value is no number."""
        picked = [self.values[place] for place in places.tolist()]
        try:
            return np.array(list(map(float, picked)), dtype=np.float64)
        except ValueError:
            return np.array([number(value) for value in picked], dtype=np.float64)

    def raw(self, place: int) -> bytes:
        """The value at ``place`` as bytes without blanks around it."""
        value = self.values[place]
        return value.strip() if isinstance(value, bytes) else str(value).encode()


def number(value: Any) -> float:
    """A value as float; a decimal comma is one, NaN for what is no number."""
    try:
        return float(value)
    except ValueError:
        try:
            return float(value.strip().replace(b",", b".").split()[0])
        except (ValueError, IndexError):
            return float("nan")


def whole(value: Any) -> int:
    """A value as a small integer; 0 for what is none."""
    found = number(value)
    return int(found) if abs(found) < 2**31 else 0


def tokenise(data: bytes, meter: Meter) -> Tags:
    """The tags of a DXF.

    Raises DrawingError ``BROKEN_DRAWING`` where codes and values do not alternate, and
    ``TOO_MANY_PRIMITIVES`` by a cheap count before anything is held in memory.
    """
    if data.startswith(BINARY_MAGIC):
        return _binary(data)
    data = _without_objects(_as_lines(data))
    if len(data) > _ENTITY_BYTES * meter.budget.max_primitives:
        meter.check_entities(count_entities(data))
    lines = data.split(b"\n")
    while lines and not lines[-1].strip():
        lines.pop()
    codes, values = lines[0::2], lines[1::2]
    if len(codes) > len(values):
        values.append(b"")
    try:
        parsed = np.fromiter(map(_CodeTable().__getitem__, codes), np.int32, len(codes))
        return Tags(parsed, values)
    except (ValueError, OverflowError):
        return _mended(lines)


def _as_lines(data: bytes) -> bytes:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", errors="replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\n" not in data[:4096]:
        data = data.replace(b"\r", b"\n")
    return data


class _CodeTable(dict[bytes, int]):
    """Group codes by how they are written; a file writes few of them, and often."""

    def __missing__(self, raw: bytes) -> int:
        code = int(raw)
        self[raw] = code
        return code


def _without_objects(data: bytes) -> bytes:
    """The DXF without its OBJECTS section, often half of a small file: it draws nothing.

    Only where that section comes last, the file is whole, and no block reference is clipped.
    """
    at = data.rfind(b"OBJECTS")
    if at < 0 or b"EOF" not in data[-64:]:
        return data
    if data.find(b"ENTITIES", at) >= 0 or data.find(CLIPPING, at) >= 0:
        return data
    opening = _OPENING_OBJECTS.search(data, max(0, at - 64), at + 16)
    return data[: opening.start()] + b"0\nEOF\n" if opening else data


def count_entities(data: bytes) -> int:
    """How many lines hold the code 0 with a name after it, in chunks, vectorised."""
    count = 0
    for start in range(0, len(data), _COUNT_CHUNK):
        chunk = np.frombuffer(data[max(0, start - 4) : start + _COUNT_CHUNK + 2], np.uint8)
        ends = np.flatnonzero(chunk == ord("\n"))
        ends = ends[(ends >= 4) & (ends < len(chunk) - 1)]  # noqa: PLR2004  # looked back at
        zero = np.where(chunk[ends - 1] == ord("\r"), ends - 2, ends - 1)
        before, after = chunk[zero - 1], chunk[ends + 1]
        is_entity = (chunk[zero] == ord("0")) & ((before == ord("\n")) | (before == ord(" ")))
        count += int((is_entity & (after >= ord("A")) & (after <= ord("Z"))).sum())
    return count


def _mended(lines: list[bytes]) -> Tags:
    """Tags of a file with stray lines between them: a line that is no code is passed over."""
    codes: list[int] = []
    values: list[bytes] = []
    bad, at = 0, 0
    while at + 1 < len(lines):
        try:
            code = int(lines[at])
        except ValueError:
            bad += bool(lines[at].strip())
            at += 1
            if bad > _BAD_LINES:
                break
            continue
        codes.append(code if abs(code) < 2**31 else -1)
        values.append(lines[at + 1])
        at += 2
    if bad > _BAD_LINES or bad * 2 > len(codes):
        raise DrawingError("BROKEN_DRAWING", "The DXF's lines are not group codes and values.")
    return Tags(np.array(codes, np.int32), values, was_mended=True)


def _kinds() -> bytes:
    """By group code: s text, d double, h int16, i int32, q int64, b byte, x chunk, 0 none."""
    table = bytearray(1072)
    spans = (
        ("s", ((0, 9), (100, 109), (300, 309), (320, 369), (390, 399), (410, 419), (430, 439))),
        ("s", ((470, 481), (999, 1003), (1005, 1009))),
        ("d", ((10, 59), (110, 149), (210, 239), (460, 469), (1010, 1059))),
        ("h", ((60, 79), (170, 179), (270, 289), (370, 389), (400, 409), (1060, 1070))),
        ("i", ((90, 99), (420, 429), (440, 459), (1071, 1071))),
        ("q", ((160, 169),)),
        ("b", ((290, 299),)),
        ("x", ((310, 319), (1004, 1004))),
    )
    for kind, ranges in spans:
        for low, high in ranges:
            table[low : high + 1] = kind.encode() * (high - low + 1)
    return bytes(table)


_KINDS: Final = _kinds()
_FIXED: Final = {
    ord("d"): struct.Struct("<d"),
    ord("h"): struct.Struct("<h"),
    ord("i"): struct.Struct("<i"),
    ord("q"): struct.Struct("<q"),
    ord("b"): struct.Struct("<B"),
}


def _binary(data: bytes) -> Tags:
    """Binary DXF: codes of one byte (R12: 255 announces two more) or always two."""
    at = len(BINARY_MAGIC)
    is_wide = data[at + 1 : at + 2] == b"\0"
    codes: list[int] = []
    values: list[Any] = []
    try:
        while at < len(data):
            code, at = _binary_code(data, at, is_wide=is_wide)
            value, at = _binary_value(data, at, _KINDS[code])
            codes.append(code)
            values.append(value)
            if code == 0 and value == b"EOF":
                break
    except (IndexError, ValueError, struct.error) as error:
        raise DrawingError(
            "TRUNCATED_DRAWING" if at >= len(data) - 8 else "BROKEN_DRAWING",
            "The binary DXF breaks off or is damaged.",
        ) from error
    return Tags(np.array(codes, np.int32), values)


def _binary_code(data: bytes, at: int, *, is_wide: bool) -> tuple[int, int]:
    if is_wide:
        return data[at] | data[at + 1] << 8, at + 2
    if data[at] == 255:  # noqa: PLR2004  # the mark of a code of two bytes
        return data[at + 1] | data[at + 2] << 8, at + 3
    return data[at], at + 1


def _binary_value(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind == ord("s"):
        end = data.index(b"\0", at)
        return data[at:end], end + 1
    if kind == ord("x"):
        end = at + 1 + data[at]
        return data[at + 1 : end], end
    if kind not in _FIXED:
        raise ValueError("unknown group code")
    fixed = _FIXED[kind]
    return fixed.unpack_from(data, at)[0], at + fixed.size
