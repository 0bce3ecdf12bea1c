"""Ways in which drawing files get damaged, for the fuzzer: bytes in, bytes out."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable
from typing import Final

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_ODD_NUMBERS: Final = (
    *(b"0", b"-1", b"1", b"7", b"70000", b"-32768", b"99999999", b"4294967295"),
    *(b"18446744073709551616", b"1e300", b"-1e308", b"1e-320", b"nan", b"inf", b"-inf"),
    *(b"0.5", b"1e17", b"123456789012345678901234567890", b"", b"x", b"1,5"),
)
_ODD_WORDS: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
_ODD_DOUBLES: Final = (0.0, -1.0, 1e300, -1e308, 1e-310, float("nan"), float("inf"), 1e13)

Damage = Callable[[bytes, bytes, random.Random], bytes]


def flipped(data: bytes, _: bytes, dice: random.Random) -> bytes:
    """Some bits turned over."""
    out = bytearray(data)
    for _n in range(dice.choice((1, 2, 8, 64))):
        out[dice.randrange(len(out))] ^= 1 << dice.randrange(8)
    return bytes(out)


def truncated(data: bytes, _: bytes, dice: random.Random) -> bytes:
    """Broken off somewhere."""
    return data[: dice.randrange(len(data))]


def overwritten(data: bytes, _: bytes, dice: random.Random) -> bytes:
    """Integers and doubles of extreme values, written over what was there."""
    out = bytearray(data)
    for _n in range(dice.choice((1, 1, 3, 20))):
        word = dice.choice(_ODD_WORDS)
        odd = dice.choice(
            (
                struct.pack("<B", word & 0xFF),
                struct.pack("<H", word & 0xFFFF),
                struct.pack(">I", word),
                struct.pack("<I", word),
                struct.pack("<d", dice.choice(_ODD_DOUBLES)),
            )
        )
        at = dice.randrange(len(out))
        out[at : at + len(odd)] = odd
    return bytes(out)


def pieces_moved(data: bytes, _: bytes, dice: random.Random) -> bytes:
    """A run of bytes dropped, doubled many times, or put somewhere else."""
    low = dice.randrange(len(data))
    high = min(len(data), low + dice.choice((1, 4, 64, 1024, 16384)))
    piece, rest = data[low:high], data[:low] + data[high:]
    at = dice.randrange(len(rest) + 1)
    return rest[:at] + piece * dice.choice((0, 1, 2, 50)) + rest[at:]


def spliced(data: bytes, other: bytes, dice: random.Random) -> bytes:
    """The beginning of one file and the end of another."""
    return data[: dice.randrange(len(data))] + other[dice.randrange(len(other)) :]


def lines_moved(data: bytes, _: bytes, dice: random.Random) -> bytes:
    """Runs of lines dropped, doubled or swapped."""
    lines = data.split(b"\n")
    for _n in range(dice.choice((1, 2, 6))):
        low = dice.randrange(len(lines) or 1)
        high = min(len(lines), low + dice.choice((1, 2, 5, 40, 400)))
        piece, lines[low:high] = lines[low:high], []
        at = dice.randrange(len(lines) + 1)
        lines[at:at] = piece * dice.choice((0, 0, 1, 2, 30))
    return b"\n".join(lines)


def renumbered(data: bytes, _: bytes, dice: random.Random) -> bytes:
    """Numbers written as text replaced by odd ones."""
    places = list(_NUMBER.finditer(data))
    if not places:
        return data
    many = min(len(places), dice.choice((1, 2, 8, 40)))
    out, end = [], 0
    for place in sorted(dice.sample(places, many), key=lambda found: found.start()):
        out += [data[end : place.start()], dice.choice(_ODD_NUMBERS)]
        end = place.end()
    return b"".join([*out, data[end:]])


def lines_mixed(data: bytes, other: bytes, dice: random.Random) -> bytes:
    """Lines of another file in the middle of this one."""
    lines, theirs = data.split(b"\n"), other.split(b"\n")
    low = dice.randrange(len(theirs))
    at = dice.randrange(len(lines) + 1)
    lines[at:at] = theirs[low : low + dice.choice((2, 20, 200, 2000))]
    return b"\n".join(lines)


BINARY: Final[tuple[Damage, ...]] = (
    *(flipped, flipped, truncated, overwritten, overwritten, pieces_moved, spliced),
)
TEXT: Final[tuple[Damage, ...]] = (
    *(flipped, truncated, pieces_moved, lines_moved, lines_moved),
    *(renumbered, renumbered, renumbered, lines_mixed, spliced),
)


def damaged(data: bytes, other: bytes, ways: tuple[Damage, ...], dice: random.Random) -> bytes:
    """``data`` after one to three kinds of damage; ``other`` is a file to take parts from."""
    for _ in range(dice.choice((1, 1, 2, 3))):
        data = dice.choice(ways)(data, other, dice) or data[:1]  # never nothing
    return data
