"""The table of faults is whole, and its tests exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "faults.md").read_text()
NUMBERS = [
    *(f"A{n}" for n in range(1, 20)),
    *(f"B{n}" for n in range(1, 13)),
    *("C1", "C2", "C3", "C8", "C13"),
]


def test_every_fault_has_its_line_with_a_test_or_a_reason() -> None:
    lines = re.findall(r"^\| ([ABC]\d+) \| .+? \| (.+) \|$", TABLE, re.MULTILINE)
    assert [number for number, _ in lines] == NUMBERS
    assert [n for n, said in lines if "::" not in said and "cannot occur" not in said] == []


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TABLE)
    missing = [
        f"{path}::{name}" for path, name in named if f"def {name}(" not in (ROOT / path).read_text()
    ]
    assert missing == []
    assert len(named) > len(NUMBERS)
