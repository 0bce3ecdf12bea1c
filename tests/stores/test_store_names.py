"""No name that anybody can think of leaves its place."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from dedup2d.errors import RequestError
from dedup2d.stores.names import MAX_NAME, checked_folder, part_name, sanitised, shown, unique_name

SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
names = st.text(max_size=400) | st.text(alphabet="./\\\0a_- ", max_size=20)


@given(names)
def test_a_sanitised_name_is_one_visible_safe_component(name):
    assert SAFE.fullmatch(sanitised(name))
    assert len(sanitised(name)) <= MAX_NAME
    assert len(unique_name(name)) < 256


@given(names)
def test_sanitising_twice_changes_nothing(name):
    assert sanitised(sanitised(name)) == sanitised(name)


@given(names)
def test_no_name_is_that_of_a_part(name):
    assert not sanitised(name).startswith(".")
    assert part_name().startswith(".")


@given(names)
def test_a_shown_name_has_no_folder_and_no_control_characters(name):
    assert not set(shown(name)) & set("/\\\0\n\r\x1b")


@given(names)
def test_a_folder_is_kept_or_refused(name):
    try:
        assert checked_folder(name) == name
    except RequestError as error:
        assert error.code == "INVALID_FOLDER"  # noqa: PT017 - either way is right
    else:
        assert "/" not in name
        assert name not in {"", ".", ".."}
