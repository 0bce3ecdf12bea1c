"""What a dimension's own text states, against what the dimension measures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from dedup2d.reading.builder import DrawingBuilder
from dedup2d.reading.dxf.encoding import plain_mtext

CODE: Final = "DIMENSION_OVERRIDDEN"
_EXAMPLES: Final = 3
_LONGEST: Final = 200  # characters; a longer text is a note
_ROUNDING: Final = 1e-6  # relative, of what was measured
_DEGREES_EACH: Final = (1.0, 60.0, 3600.0)

# Where the measured value is put in, in the drawing's unit or another.
_INSERTED: Final = ("<>", "[]")
# Primes, the signs for diameters and for "times", and hyphens, as one character each.
_ALIKE: Final = str.maketrans(
    {0x2032: "'", 0x2033: '"', 0xD7: "x", 0x2010: "-", 0x2212: "-"}
    | dict.fromkeys((0xD8, 0xF8, 0x2205, 0x3A6, 0x3C6), chr(0x2300))
)
_STACKED = re.compile(r"(?<=\d)((?:\\[^S;{}]*;|\{)*)\\S(\d+)[/#^](\d+);")
_DECIMAL: Final = r"(\d+(?:[.,]\d+)?)"
_FEET = re.compile(rf"{_DECIMAL}\s*'\s*-?\s*(?:{_DECIMAL}?[\s-]*(?:(\d+)/(\d+))?\s*\")?")
_FRACTION = re.compile(rf"(?:(\d+)[\s-]+)?{_DECIMAL}/{_DECIMAL}(?![\d/])")
_TURN = re.compile(rf"{_DECIMAL}\s*°(?:\s*{_DECIMAL}\s*')?(?:\s*{_DECIMAL}\s*\")?")
_THREAD = re.compile(rf"\b(?:M|Tr|G)\s?{_DECIMAL}(?:\s*x\s*{_DECIMAL})*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*|(?<![\d.,])[.,]\d+")

# Letters before a number that leave it a length; after others (H7, note 3) it is none.
_SIGNS: Final = frozenset({"", "X", "R", "SR", "D", "SD", "DIA", "THK", "SQ"})
_BEFORE = re.compile(r"([^\W\d_]*)[\s.⌀□]*$")
_EQUALS = re.compile(r"[:=]\s*$")
_TOLERANCE = re.compile(r"[±+/-]\s*$")
_COUNTED = re.compile(r"\s*(?:[xX*](?!\s*$)|-\s*[⌀RM]|PL|HOLES|OFF|EQ)")
_DIAMETER = re.compile(r"⌀|\bDIA", re.IGNORECASE)
_UNIT = re.compile(r"\d\s*(?:mm|cm|m|in|inch|ft)\b|[\"']", re.IGNORECASE)
_UNIT_FACTORS: Final = (25.4, 12.0, 304.8, 10.0, 100.0, 1000.0)


@dataclass(frozen=True, slots=True)
class Stated:
    """A number as it is written: ``value`` to the nearest ``step``."""

    value: float
    step: float
    is_length: bool = True

    def fits(self, measured: float) -> bool:
        """Whether what was measured rounds to it."""
        return abs(self.value - measured) <= self.step / 2 + _ROUNDING * abs(measured)


def misfits(text: str, measured: float, *, factors: Iterable[float], is_angle: bool) -> bool:
    """Whether a dimension's ``text`` (as stored) states numbers of which none was ``measured``.

    ``factors``: what the dimension's style multiplies measured lengths by. False where the
    text inserts the measured value or states no length; doubtful numbers speak for the text.
    """
    if len(text) > _LONGEST or any(mark in text for mark in _INSERTED):
        return False
    plain = plain_mtext(_STACKED.sub(r"\1 \2/\3", text)).translate(_ALIKE)
    found = _angles(plain) if is_angle else _lengths(plain)
    if not any(stated.is_length for stated in found):
        return False
    allowed = {1.0} if is_angle else {1.0, *(abs(factor) for factor in factors if factor)}
    if not is_angle and _UNIT.search(plain):
        allowed |= {f for factor in _UNIT_FACTORS for f in (factor, 1 / factor)}
    if not is_angle and _DIAMETER.search(plain):
        allowed |= {2 * factor for factor in tuple(allowed)}  # half of it is drawn
    return not any(stated.fits(measured * factor) for stated in found for factor in allowed)


def _angles(text: str) -> list[Stated]:
    found = []
    for match in _TURN.finditer(text):
        parts = [number(part) for part in match.groups() if part]
        value = sum(part.value / each for part, each in zip(parts, _DEGREES_EACH, strict=False))
        found.append(Stated(value, parts[-1].step / _DEGREES_EACH[len(parts) - 1]))
    return found or _lengths(text)


def number(written: str) -> Stated:
    """A decimal number; a single point or comma is a decimal one."""
    digits = written.replace(",", ".")
    if "." not in digits:
        return Stated(float(digits), 1.0)
    head, _, tail = digits.rpartition(".")
    return Stated(float(f"{head.replace('.', '') or 0}.{tail}"), 10.0 ** -len(tail))


def _lengths(text: str) -> list[Stated]:
    """Feet and inches, threads, fractions, decimals; each taken out before the next is sought."""
    found = [_feet(match) for match in _FEET.finditer(text)]
    text = _FEET.sub(" ", text)
    found += [replace(number(thread[1]), is_length=False) for thread in _THREAD.finditer(text)]
    text = _THREAD.sub("M", text)
    for match in _FRACTION.finditer(text):
        whole, above, below = (number(part or "0") for part in match.groups())
        if below.value:
            value = whole.value + above.value / below.value
            found.append(Stated(value, above.step / below.value, _is_length(text, match)))
    text = _FRACTION.sub(" ", text)
    for match in _NUMBER.finditer(text):
        stated = number(match[0])
        found.append(Stated(stated.value, stated.step, _is_length(text, match)))
        if "," in match[0] or match[0].count(".") > 1:  # thousands may be set apart
            found.append(Stated(float(re.sub("[.,]", "", match[0])), 1.0, is_length=False))
    return found


def _feet(match: re.Match[str]) -> Stated:
    whole, inches, above, below = match.groups()
    value, step = 12 * number(whole).value, 12.0
    if inches:
        value, step = value + number(inches).value, number(inches).step
    if below and int(below):
        value, step = value + int(above) / int(below), 1 / int(below)
    return Stated(value, step)


def _is_length(text: str, match: re.Match[str]) -> bool:
    """Neither a count, a tolerance, a fit nor the number of a note."""
    before, after = text[: match.start()], text[match.end() :]
    word = _BEFORE.search(before)
    is_named = word is not None and word[1].upper() in _SIGNS
    return (
        (is_named or bool(_EQUALS.search(before)))
        and not _TOLERANCE.search(before)
        and not _COUNTED.match(after)
        and not after.lstrip().startswith(("°", "%"))
    )


@dataclass(slots=True)
class Overridden:
    """Collects the dimensions of a drawing whose text does not fit."""

    seen: list[tuple[str, float]] = field(default_factory=list)

    def check(
        self, text: str, measured: float | None, *, factors: Iterable[float] = (), is_angle: bool
    ) -> None:
        """Note one dimension if its text misfits."""
        if (
            text.strip()
            and measured is not None
            and misfits(text, measured, factors=factors, is_angle=is_angle)
        ):
            self.seen.append((plain_mtext(text), measured))

    def report(self, builder: DrawingBuilder) -> None:
        """One finding for all, with the first few as examples."""
        if self.seen:
            examples = sorted(set(self.seen))[:_EXAMPLES]
            said = ", ".join(f'"{text}" measures {value:.6g}' for text, value in examples)
            message = f"Dimensions whose text states another number than they measure: {said}."
            builder.find(CODE, message, len(self.seen))
