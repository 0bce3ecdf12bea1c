"""Two documents of geometry JSON against each other."""

import pytest

from dedup2d.engine.geometry_pair import compare_documents
from dedup2d.errors import DrawingError

BREAKDOWN = {"entities", "layers", "blocks", "dimensions", "text_content", "hatches"}


def line(*ends):
    return {"type": "LINE", "layer": "0", "start": ends[0], "end": ends[1]}


OUTLINE = [
    line([0, 0], [100, 0]),
    line([100, 0], [100, 50]),
    line([100, 50], [0, 50]),
    line([0, 50], [0, 0]),
]
HOLE = {"type": "CIRCLE", "layer": "0", "center": [20, 20], "radius": 5}
PLATE = {
    "layers": {"0": {"color": 7, "linetype": "CONTINUOUS"}},
    "entities": [*OUTLINE, HOLE],
    "blocks": {"B": {"entity_count": 1, "hash": "h1"}},
    "dimensions": [{"measurement_text": "100"}, {"measurement_text": "50"}],
    "hatches": [{"pattern_name": "ANSI31"}],
    "text_content": ["m8", "s235"],
}


def test_equal_documents_score_one_in_every_part():
    """And their hashes are equal; the parts are those that both have."""
    answer = compare_documents(PLATE, dict(PLATE))
    assert answer["score"] == 1
    assert answer["breakdown"] == dict.fromkeys(BREAKDOWN, 1.0)
    assert answer["geom_hash_left"] == answer["geom_hash_right"]
    assert len(answer["geom_hash_left"]) == 64


def test_spelling_does_not_count():
    """Case, spaces, digits beyond the third decimal, and what a field stands for when missing."""
    given = {"entities": [{"type": "TEXT", "text": "Steel  S235", "x": 1}, {"type": "X", "y": 2}]}
    other = {"entities": [{"type": "TEXT", "layer": "", "text": "steel s235"}, {"type": "X"}]}
    assert compare_documents(given, other)["score"] == 1
    moved = {"entities": [line([0.0001, 0], [100.0004, 0]), *OUTLINE[1:]]}
    assert compare_documents({"entities": OUTLINE}, moved)["score"] == 1


def test_a_change_lowers_the_score_and_the_part_it_is_in():
    """The same whichever is left, and the other parts stay at one."""
    changed = PLATE | {"entities": OUTLINE, "text_content": ["m8"]}
    there, back = compare_documents(PLATE, changed), compare_documents(changed, PLATE)
    assert there["score"] == back["score"]
    assert 0.8 < there["score"] < 1
    assert there["breakdown"]["entities"] < 1
    assert there["breakdown"]["text_content"] == 0.5
    assert there["breakdown"]["dimensions"] == there["breakdown"]["blocks"] == 1
    assert there["geom_hash_left"] == back["geom_hash_right"] != there["geom_hash_right"]


def test_a_moved_and_turned_drawing_scores_as_the_engine_says():
    """``same`` after a move is 0.99 and more; the predecessor compared coordinates."""
    holes = [HOLE | {"center": [x, y]} for x, y in ((20, 20), (40, 30), (70, 12), (80, 41))]
    turned = [
        line([-e["start"][1], e["start"][0] + 7], [-e["end"][1], e["end"][0] + 7]) for e in OUTLINE
    ]
    moved = [HOLE | {"center": [-h["center"][1], h["center"][0] + 7]} for h in holes]
    answer = compare_documents({"entities": [*OUTLINE, *holes]}, {"entities": [*turned, *moved]})
    assert 0.99 <= answer["score"] < 1
    assert answer["breakdown"]["entities"] == 1


def test_blocks_of_one_name_and_other_content_are_not_equal():
    """The normal form has their hash only; their strokes decide."""

    def document(width):
        insert = {"type": "INSERT", "block": "B", "insert": [0, 0]}
        inner = [line([0, 0], [width, 0]), line([width, 0], [width, 9]), line([width, 9], [0, 0])]
        return {"entities": [*OUTLINE, insert], "blocks": {"B": {"entities": inner}}}

    answer = compare_documents(document(30), document(60))
    assert answer["geom_hash_left"] == answer["geom_hash_right"]
    assert answer["score"] < 1


def test_what_one_side_lacks_is_no_part_of_the_breakdown():
    bare = {"entities": OUTLINE}
    assert compare_documents(PLATE, bare)["breakdown"].keys() == {"entities"}
    assert compare_documents({}, bare)["score"] == 0
    assert compare_documents({}, {"meta": {}})["score"] == 1


HOSTILE = [
    {"type": "CIRCLE", "center": [1e308, 0], "radius": 1e308},
    {"type": "CIRCLE", "center": [0, 0], "radius": 10**400},
    {"type": "ARC", "center": [0, 0], "radius": -1, "start_angle": 1e308, "end_angle": "x"},
    {"type": "SPLINE", "control_points": [[i, i % 7] for i in range(200)], "degree": 10**9},
    {"type": "SPLINE", "control_points": [], "degree": -1},
    {"type": "ELLIPSE", "center": [0, 0], "major": [0, 0], "ratio": 0},
    {"type": "INSERT", "block": "loop", "insert": [0, 0], "scale": [0, 0]},
    {"type": "INSERT", "block": "loop", "insert": [1e11, 0], "scale": [1e11, 1e11]},
    {"type": "LWPOLYLINE", "points": {"a": 1}},
    {"type": "LWPOLYLINE", "points": [[1, 2]]},
    {"type": "TEXT", "text": {"deep": ["\ud800"]}, "insert": "here"},
    {"type": "DIMENSION", "value": 1e400},
    {"type": ["LINE"]},
    {"type": None, "layer": {}},
    *(7, None, "LINE", [1], True),
]


@pytest.mark.parametrize("entity", HOSTILE, ids=lambda e: repr(e)[:40])
def test_a_hostile_entity_is_passed_over(entity):
    """Whatever stands in a document, there is an answer, and the same one both ways round."""
    loop = {
        "entities": [{"type": "INSERT", "block": "loop", "insert": [1, 1]}, line([0, 0], [9, 9])]
    }
    odd = {
        "entities": [*OUTLINE, entity],
        "blocks": {"loop": loop, "odd": 5},
        "layers": {"0": 7},
        "dimensions": [entity],
        "hatches": {"a": entity},
        "text_content": [entity],
    }
    there, back = compare_documents(odd, PLATE), compare_documents(PLATE, odd)
    assert there["score"] == back["score"]
    assert 0 <= there["score"] <= 1
    assert compare_documents(odd, odd)["score"] == 1


def test_what_is_no_document_is_refused():
    with pytest.raises(DrawingError):
        compare_documents(PLATE, [])
