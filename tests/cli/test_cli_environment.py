"""What the documents say about the environment is what settings.py reads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from dedup2d.settings import Settings, read_settings

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
TABLE = (ROOT / "docs" / "environment.md").read_text("utf-8")


def in_words(value: Any) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def variables() -> dict[str, tuple[str, list[str]]]:
    """Each variable's default, and the other names it goes by."""
    found = {}
    for field in Settings.model_fields.values():
        name, *others = map(str, field.validation_alias.choices)  # type: ignore[union-attr]
        found[name] = (in_words(field.default), others)
    return found


def test_the_example_has_every_variable_with_its_default() -> None:
    given = dict(re.findall(r"^(\w+)=(.*)$", EXAMPLE, re.MULTILINE))
    assert given == {name: default for name, (default, _) in variables().items()}


def test_the_example_read_as_an_environment_gives_the_defaults() -> None:
    given = dict(re.findall(r"^(\w+)=(.*)$", EXAMPLE, re.MULTILINE))
    assert read_settings(given) == read_settings({})


def test_every_variable_of_the_example_is_explained() -> None:
    lines = EXAMPLE.splitlines()
    bare = [
        line for i, line in enumerate(lines) if re.match(r"\w+=", line) and lines[i - 1][:2] != "# "
    ]
    assert bare == []


def test_the_table_has_every_variable_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (?:`([^`]*)`)? ?\|", TABLE, re.MULTILINE))
    assert {name: rows.get(name) for name in variables()} == {
        name: default for name, (default, _) in variables().items()
    }


def test_the_table_names_the_other_names_of_a_variable() -> None:
    for name, (_, others) in variables().items():
        row = next(line for line in TABLE.splitlines() if line.startswith(f"| `{name}`"))
        assert all(f"`{other}`" in row for other in others), name
