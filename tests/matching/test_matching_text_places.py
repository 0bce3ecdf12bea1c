"""Equal texts belong together where they stand, not in the order they were written."""

from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest
from matching_kit import plate

from dedup2d.drawing import Text
from dedup2d.matching.compare import compare
from dedup2d.matching.fingerprint import fingerprint
from dedup2d.matching.similarity import Similarity
from dedup2d.matching.texts import compare_texts, have_other_numbers
from dedup2d.report import Relation

HERE = Similarity(1 + 0j, 0j, mirrored=False)


def at(value: str, x: float, y: float) -> Text:
    return Text(value=value, x=x, y=y, height=3.5)


def test_revision_letter_is_found_beside_the_zone_letters_of_the_frame() -> None:
    zones = (at("A", 0, 0), at("B", 0, 50), at("A", 400, 0), at("B", 400, 50))
    before, after = (*zones, at("A", 380, 10)), (*zones, at("B", 380, 10))
    (change,) = compare_texts(after, before, HERE, diagonal=500)
    assert (change.before, change.after, change.x, change.y) == ("A", "B", 380, 10)


def test_a_replaced_text_is_one_change_from_either_side() -> None:
    small, large = at("A", 0, 0), replace(at("B", 0, 20), height=10.0)
    assert len(compare_texts((small,), (large,), HERE, diagonal=99)) == 1
    assert len(compare_texts((large,), (small,), HERE, diagonal=99)) == 1


def test_order_of_texts_does_not_matter() -> None:
    texts = (at("A", 0, 0), at("B", 9, 9), at("A", 5, 5))
    assert compare_texts(texts, texts[::-1], HERE, diagonal=20) == ()


def test_a_paragraph_that_was_exploded_into_lines_says_the_same() -> None:
    lines = (at("BREAK ALL", 0, 5), at("EDGES 0.2", 0, 0))
    assert compare_texts((at("BREAK ALL EDGES 0.2", 0, 5),), lines, HERE, diagonal=20) == ()


def test_drawings_with_other_drawing_numbers_are_told_by_them() -> None:
    frame = (at("2024-05-17", 0, 0), at("117.25", 0, 5), at("S355J2", 0, 9))
    ours, theirs = (*frame, at("NW-410701", 5, 0)), (*frame, at("NW-410702", 5, 0))
    assert have_other_numbers(ours, theirs)
    assert not have_other_numbers(ours, ours)
    assert not have_other_numbers(ours, frame)


def test_a_stacked_fraction_in_three_texts_says_the_same() -> None:
    pieces = (at("7'-0", 0, 0), at("3", 8, 2), at("4", 8, -2), at('"', 10, 0))
    whole = (at("7'-0 3/4\"", 0, 0),)
    assert compare_texts(whole, pieces, HERE, diagonal=20) == ()
    assert compare_texts(pieces, whole, HERE, diagonal=20) == ()


def test_swapped_digits_are_no_pieces() -> None:
    assert compare_texts((at("12", 0, 0),), (at("21", 0, 0),), HERE, diagonal=20)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(("1/2",), ("12",)), (("1/12",), ("11", "2")), (("125",), ("12", "5"))],
)
def test_other_numbers_of_the_same_digits_are_changes(
    ours: tuple[str, ...], theirs: tuple[str, ...]
) -> None:
    one, other = ([at(value, 9 * k, 0) for k, value in enumerate(v)] for v in (ours, theirs))
    assert compare_texts(tuple(one), tuple(other), HERE, diagonal=20)
    assert compare_texts(tuple(other), tuple(one), HERE, diagonal=20)


@pytest.mark.parametrize("word", ["-" * 40 + "x", "a" * 1500])
def test_a_word_that_could_be_made_in_many_ways_costs_little(word: str) -> None:
    """Both once stopped every search that met such a drawing: out of time, or of the stack."""
    pieces = (*word, *["--"] * 20, *["---"] * 12, *["a"] * 1500)
    many = tuple(at(piece, k, 0) for k, piece in enumerate(pieces) if piece != "x")
    begun = perf_counter()
    assert compare_texts((at(word, 0, 0),), many, HERE, diagonal=20)
    assert perf_counter() - begun < 2


def test_the_bar_of_a_fraction_is_in_the_text() -> None:
    whole = plate(3, (at("3/4", 60, 200),))
    pieces = (at("3", 60, 204), at("4", 60, 196))
    barred = plate(3, pieces)
    bar = np.array([[59.0, 202.0, 64.0, 202.0]])
    barred = replace(barred, segments=np.concatenate([barred.segments, bar]))
    assert compare(fingerprint(barred), fingerprint(whole)).relation is Relation.SAME
    without = replace(barred, texts=(at("34", 60, 204),))
    assert compare(fingerprint(without), fingerprint(whole)).relation is Relation.REVISION
