"""Texts as evidence of their own: the same geometry with another text is another revision."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import numpy as np

from dedup2d.drawing.model import Text
from dedup2d.matching.similarity import Similarity
from dedup2d.report import TextChange

CLOSE: Final = 4.0  # text heights: a text that replaced another stands this near to it
CLOSE_SHARE: Final = 0.02  # of the diagonal, where heights are unknown
MOST_CHANGES: Final = 200
LONGEST_WORD: Final = 60  # letters: a longer one is put together by no program
MOST_TRIED: Final = 2000  # ways to put one word together
UNSCALED: Final = 1e-3

_Reading = Callable[[Text], str]

# NW-410701, 0815-4711/B, 10023456: one word with five digits that is neither a date nor a size.
_DATE: Final = r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}$"
_NUMBERED: Final = re.compile(rf"(?=(?:\D*\d){{5}})(?!{_DATE})[A-Z0-9][A-Z0-9_./-]+")
_SIZE: Final = re.compile(r"\d{0,5}[.,]?\d*")
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)?")


def compare_texts(
    query: tuple[Text, ...],
    match: tuple[Text, ...],
    onto: Similarity,
    *,
    diagonal: float,
    loose: bool = False,
) -> tuple[TextChange, ...]:
    """What texts differ; ``onto`` lays the query onto the match, ``diagonal`` is the query's.

    Texts are equal when their words are; where they stand, and how they are broken into lines and
    entities, does not matter. Dimensions that were scaled with the drawing are equal. ``loose``:
    one of the files may have lost its texts (PDF, scans), so no texts at all say nothing.
    """
    if loose and not (query and match):
        return ()
    ours, theirs = _rest(query, match, onto)
    if _are_alike(_words(t.value for t in ours), _words(t.value for t in theirs)):
        return ()
    back = onto.inverse()
    changes = _paired(ours, theirs, back, diagonal)
    return tuple(sorted(changes, key=_order)[:MOST_CHANGES])


def _are_alike(ours: Counter[str], theirs: Counter[str]) -> bool:
    """Whether the words are equal, or one side has some in pieces: stacked fractions, signs."""
    wholes, pieces = ours - theirs, theirs - ours
    if min(wholes.total(), pieces.total()) > MOST_CHANGES:
        return False
    pieces = _put_together(wholes, pieces)
    wholes = _put_together(pieces, wholes)
    return not (wholes or pieces)


def _put_together(wholes: Counter[str], pieces: Counter[str]) -> Counter[str]:
    """The pieces that are left when wholes are made of them; those leave ``wholes``."""
    left = +pieces
    for word in sorted(wholes.elements(), key=lambda w: (-len(w), w)):
        if len(word) > LONGEST_WORD or _NUMBER.fullmatch(word):  # 125 is not 12 beside 5
            continue
        used = _pieces_of(word, left, iter(range(MOST_TRIED)))
        if used is not None:
            left -= used
            wholes[word] -= 1
    wholes += Counter()
    return left


def _pieces_of(word: str, pieces: Counter[str], tries: Iterator[int]) -> Counter[str] | None:
    """Pieces that make the word when set one behind the other, the longest first.

    A slash may be missing between two pieces, never inside one: 1/2 is not 12.
    """
    word = word.lstrip("/")
    if not word:
        return Counter()
    for length in range(len(word), 0, -1):
        piece = word[:length]
        if pieces[piece] > 0 and next(tries, None) is not None:
            rest = _pieces_of(word[length:], pieces - Counter([piece]), tries)
            if rest is not None:
                return rest + Counter([piece])
    return None


def _order(change: TextChange) -> tuple[float, float, str, str]:
    return change.x, change.y, change.before or "", change.after or ""


def have_other_numbers(query: tuple[Text, ...], match: tuple[Text, ...]) -> bool:
    """Whether both carry drawing numbers (or others of that kind) and have none in common."""
    ours, theirs = _numbers(query), _numbers(match)
    return bool(ours and theirs) and ours.isdisjoint(theirs)


def _numbers(texts: tuple[Text, ...]) -> set[str]:
    values = {normalised(text.value).upper() for text in texts if text.role != "dimension"}
    return {v for v in values if _NUMBERED.fullmatch(v) and not _SIZE.fullmatch(v)}


def normalised(value: str) -> str:
    """The words of a text with single spaces."""
    return " ".join(value.split())


def _rest(
    query: tuple[Text, ...], match: tuple[Text, ...], onto: Similarity
) -> tuple[list[Text], list[Text]]:
    """Texts that the other side has not, value by value."""
    ours = [t for t in query if t.value and not t.value.isspace()]
    theirs = [t for t in match if t.value and not t.value.isspace()]
    ours, theirs = _unmatched(ours, theirs, _words_of, _words_of, onto)
    if ours and theirs and abs(onto.scale - 1) > UNSCALED:
        scale = onto.scale
        return _unmatched(
            ours, theirs, lambda t: _measure(t, scale), lambda t: _measure(t, 1.0), onto
        )
    return ours, theirs


def _unmatched(
    ours: list[Text],
    theirs: list[Text],
    read_ours: _Reading,
    read_theirs: _Reading,
    onto: Similarity,
) -> tuple[list[Text], list[Text]]:
    """Of each value, what one side has more often than the other."""
    have, want = _grouped(ours, read_ours), _grouped(theirs, read_theirs)
    back = onto.inverse()
    left_ours, left_theirs = [], []
    for value in sorted(have.keys() | want.keys()):
        a, b = have.get(value, []), want.get(value, [])
        if len(a) == len(b):
            continue
        a.sort(key=_place)
        b.sort(key=_place)
        left_ours += _surplus(a, b, onto)
        left_theirs += _surplus(b, a, back)
    return left_ours, left_theirs


def _grouped(texts: list[Text], read: _Reading) -> dict[str, list[Text]]:
    groups: dict[str, list[Text]] = {}
    for text in texts:
        groups.setdefault(read(text), []).append(text)
    return groups


def _place(text: Text) -> tuple[str, float, float]:
    return text.value, text.x, text.y


def _surplus(texts: list[Text], others: list[Text], onto: Similarity) -> list[Text]:
    """Those that ``texts`` has more of: the ones that stand furthest from all of ``others``."""
    count = len(texts) - len(others)
    if count <= 0 or not others:
        return texts[: max(count, 0)]
    places = np.array([complex(t.x, t.y) for t in others])
    here = np.array([onto.at(complex(t.x, t.y)) for t in texts])
    nearest = np.abs(here[:, None] - places[None, :]).min(axis=1)
    furthest = np.argsort(-nearest, kind="stable")[:count]
    return [texts[i] for i in sorted(furthest)]


def _words_of(text: Text) -> str:
    return normalised(text.value)


def _measure(text: Text, scale: float) -> str:
    """Of a dimension that shows what it measures: what it would measure at ``scale``."""
    value = normalised(text.value)
    if text.measured is None or not _shows_measure(text, value):
        return value
    return _NUMBER.sub(f"<{text.measured * scale:.4g}>", value, count=1)


def _shows_measure(text: Text, value: str) -> bool:
    if text.measured is None:
        return False
    number = _NUMBER.search(value)
    if number is None:
        return False
    shown = number.group().replace(",", ".")
    decimals = len(shown.partition(".")[2])
    return abs(float(shown) - text.measured) <= 0.51 * 10.0**-decimals


def _words(values: Iterable[str]) -> Counter[str]:
    return Counter(word for value in values for word in normalised(value).split())


def _paired(
    ours: list[Text], theirs: list[Text], back: Similarity, diagonal: float
) -> list[TextChange]:
    """Replaced texts stand in the same place; what is left was added or removed."""
    placed = [back.at(complex(t.x, t.y)) for t in theirs]
    near = []
    for i, text in enumerate(ours[:MOST_CHANGES]):
        for j, place in enumerate(placed[:MOST_CHANGES]):
            height = max(text.height, theirs[j].height * back.scale)
            reach = CLOSE * height if height > 0 else CLOSE_SHARE * diagonal
            distance = math.hypot(place.real - text.x, place.imag - text.y)
            if distance <= reach:
                near.append((distance, i, j))
    changes, used_i, used_j = [], set(), set()
    for _, i, j in sorted(near):
        if i in used_i or j in used_j:
            continue
        used_i.add(i)
        used_j.add(j)
        text = ours[i]
        changes.append(TextChange(before=theirs[j].value, after=text.value, x=text.x, y=text.y))
    changes += [
        TextChange(after=t.value, x=t.x, y=t.y) for i, t in enumerate(ours) if i not in used_i
    ]
    changes += [
        TextChange(before=t.value, x=placed[j].real, y=placed[j].imag)
        for j, t in enumerate(theirs)
        if j not in used_j
    ]
    return changes
