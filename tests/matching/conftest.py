"""The drawing that most tests change."""

import pytest
from matching_kit import plate

from dedup2d.drawing.model import Text


@pytest.fixture
def part():
    return plate(3, [Text("PART 7", 10, 10, height=3.5), Text("S235JR", 30, 10, height=3.5)])
