"""What an overlay says: names cut to fit, pose, details and changed texts in words."""

from __future__ import annotations

import unicodedata
from itertools import takewhile
from typing import Final

from dedup2d.overlay.model import Overlay
from dedup2d.report import Relation, TextChange

PARTS: Final = frozenset({Relation.CONTAINS, Relation.CONTAINED})
RINGED: Final = frozenset({Relation.REVISION, Relation.VARIANT})  # the others have no changes,
# or most of the drawing would be one; a scan that is the same still has specks
ALIKE: Final = frozenset({Relation.EXACT, Relation.SAME})
_BY_UNITS: Final = PARTS | ALIKE | {Relation.REVISION}  # scaled by a unit, else they were none
_SCALE_SHOWN: Final = 1e-3
_LEAD: Final = 3  # characters before the first difference that are shown
_WIDE: Final = frozenset("WF")  # East Asian widths that take two columns
_CONTROL: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def title(overlay: Overlay) -> str:
    """Which two drawings these are."""
    query, match = apart(overlay.query_name, overlay.match_name, 40)
    return f"{query}  against  {match}"


def details(overlay: Overlay) -> str:
    """Pose and number of changes; empty where there is nothing to say."""
    parts = _pose(overlay)
    if overlay.relation in PARTS:
        inner, outer = overlay.match_name, overlay.query_name
        if overlay.relation is Relation.CONTAINED:
            inner, outer = outer, inner
        inner, outer = apart(inner, outer, 30)
        parts.insert(0, f"{inner} is a part of {outer}")
    places, texts = len(overlay.regions), len(overlay.text_changes)
    if overlay.relation in RINGED:
        parts += [f"{places} changed place{'s' * (places > 1)}"] if places else []
        parts += [f"{texts} changed text{'s' * (texts > 1)}"] if texts else []
    if overlay.relation is Relation.VARIANT and not places + texts:
        parts.append("no other difference")
    if overlay.relation in ALIKE:
        parts.append("no difference")
    if overlay.relation is Relation.SIMILAR:
        parts.append("they share shapes, but no whole")
    if overlay.relation is Relation.DIFFERENT:
        parts = ["they share little" if overlay.similarity else "no common pose was found"]
    return "  ·  ".join(parts)


def only_in(overlay: Overlay) -> tuple[str, str]:
    """What the legend says to the strokes of the query alone and of the match alone."""
    if overlay.query_name == overlay.match_name:
        return "only in the first", "only in the second"
    query, match = apart(overlay.query_name, overlay.match_name, 20)
    return f"only in {query}", f"only in {match}"


def plain(text: str, columns: int) -> str:
    """A foreign text on one line of at most so many columns, without control characters."""
    clean = _clean(text)
    if columns_of(clean) <= columns:
        return clean
    head, tail = columns * 2 // 3 - 1, columns - columns * 2 // 3
    return f"{_cut(clean, head)}…{_cut(clean[::-1], tail)[::-1]}"


def apart(one: str, other: str, columns: int) -> tuple[str, str]:
    """Two foreign texts as ``plain`` gives them, cut so that what tells them apart is seen."""
    short = plain(one, columns), plain(other, columns)
    whole = _clean(one), _clean(other)
    if short == whole or whole[0] == whole[1]:
        return short
    start = (
        sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*whole, strict=False)))
        - _LEAD
    )
    if start <= 1 or (short[0] != short[1] and start < columns // 3):
        return short
    one, other = (
        text if columns_of(text) <= columns else f"…{plain(text[start:], columns - 1)}"
        for text in whole
    )
    return one, other


def columns_of(text: str) -> int:
    """Columns that a text takes; East Asian characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in _WIDE else 1 for c in text)


def in_words(change: TextChange, columns: int = 60) -> str:
    """``Ø12 → Ø14``, ``+ Ø14``, ``- Ø12``."""
    if change.before is None:
        return f"+ {plain(change.after or '', columns)}"
    if change.after is None:
        return f"\N{MINUS SIGN} {plain(change.before, columns)}"
    before, after = apart(change.before, change.after, (columns - 3) // 2)
    return f"{before} → {after}"


def in_lines(change: TextChange, columns: int) -> tuple[str, ...]:
    """The same on one line, or on two where one would hide what changed."""
    if change.before is None or change.after is None:
        return (in_words(change, columns - 2),)
    whole = f"{_clean(change.before)} → {_clean(change.after)}"
    if columns_of(whole) <= columns:
        return (whole,)
    before, after = apart(change.before, change.after, columns - 2)
    return before, f"→ {after}"


def _pose(overlay: Overlay) -> list[str]:
    words = [*overlay.pose.model_copy(update={"scale": 1.0}).words]
    is_unit, factor = overlay.relation in _BY_UNITS, f"{overlay.pose.scale:.4g}"
    if abs(overlay.pose.scale - 1) > _SCALE_SHOWN and not is_unit:
        words.append(f"scaled by {factor}")
    elif abs(overlay.pose.scale - 1) > _SCALE_SHOWN and overlay.states_unit:
        words.append(f"in other units, by {factor}")
    return words


def _clean(text: str) -> str:
    clean = "".join(" " if unicodedata.category(c) in _CONTROL else c for c in text)
    return " ".join(clean.split())


def _cut(text: str, columns: int) -> str:
    taken = 0
    for number, character in enumerate(text):
        taken += columns_of(character)
        if taken > columns:
            return text[:number]
    return text
