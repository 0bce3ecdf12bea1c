"""docs/how-matching-works.md says what the code does."""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "how-matching-works.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(dedup2d\.[\w.]+)` \| ([^|]+) \| [^|]+ \|$", PAGE, re.MULTILINE)


def test_page_names_its_thresholds() -> None:
    assert len(ROWS) > 20


@pytest.mark.parametrize(("name", "value"), ROWS)
def test_thresholds_on_the_page_are_those_of_the_code(name: str, value: str) -> None:
    path, _, last = name.rpartition(".")
    module, _, owner = path.rpartition(".")
    holder = (
        getattr(importlib.import_module(module), owner)() if owner == "Limits"
        else importlib.import_module(path)
    )  # fmt: skip
    numbers = [float(number) for number in value.split(",")]
    assert list(np.atleast_1d(getattr(holder, last))) == pytest.approx(numbers)


@pytest.mark.parametrize("picture", re.findall(r"\]\((pictures/[^)]+)\)", PAGE))
def test_pictures_of_the_page_are_there_and_small(picture: str) -> None:
    most = 1_500_000 if picture == "pictures/overlays.png" else 60_000
    assert 0 < (DOCS / picture).stat().st_size < most
