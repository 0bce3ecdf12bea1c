"""A refusal over a budget says how much there was, what the limit is, and what to do."""

from pathlib import Path

import pytest
from PIL import Image

from dedup2d.errors import DrawingError
from dedup2d.reading import Budget, read
from dedup2d.reading.budget import Meter
from dedup2d.settings import Settings


def refusal(path: Path, **budget: float) -> str:
    with pytest.raises(DrawingError) as caught:
        read(path, Budget(**budget))
    return caught.value.message


def test_an_image_over_the_limit_is_told_its_pixels_the_limit_and_what_to_do(
    tmp_path: Path,
) -> None:
    """A quarter of the pixels is half of the resolution."""
    Image.new("1", (2000, 1000), 1).save(tmp_path / "a.png")
    message = refusal(tmp_path / "a.png", max_pixels=500_000)
    assert "2000 x 1000 = 2000000 pixels" in message
    assert "the limit is 500000." in message
    assert "Scan it at 50 %" in message


def test_an_image_that_pillow_would_refuse_is_told_the_same(tmp_path: Path) -> None:
    """Over twice its own limit Pillow did, and all that was said was: far too many."""
    Image.new("1", (20_000, 20_000), 1).save(tmp_path / "a.png")
    message = refusal(tmp_path / "a.png")
    assert "20000 x 20000 = 400000000 pixels, the limit is 120000000." in message


def test_pillows_own_limit_is_as_before(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    Image.new("1", (200, 100), 1).save(tmp_path / "a.png")
    refusal(tmp_path / "a.png", max_pixels=500)
    assert before == Image.MAX_IMAGE_PIXELS


def test_what_the_refusal_of_an_image_advises_helps(tmp_path: Path) -> None:
    """Rounded up, the advised share would be refused again."""
    for wide, high in [(1999, 1003), (1003, 997)]:
        with pytest.raises(DrawingError) as caught:
            Meter(Budget(max_pixels=500_000)).check_pixels(wide, high)
        share = int(caught.value.message.split(" %")[0].rpartition(" ")[2]) / 100
        Meter(Budget(max_pixels=500_000)).check_pixels(int(wide * share), int(high * share))


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        ({"max_primitives": 1}, ("more than 1 primitives", "DEDUP2D_MAX_PRIMITIVES")),
        ({"max_bytes": 10}, ("the limit is 10.", "DEDUP2D_MAX_DRAWING_BYTES")),
        ({"max_seconds": -1}, ("the limit of", "DEDUP2D_READ_TIMEOUT_SECONDS")),
    ],
)
def test_refusals_name_their_limit_and_its_setting(
    tmp_path: Path, budget: dict[str, float], told: tuple[str, ...]
) -> None:
    line = "0\nLINE\n8\n0\n10\n0\n20\n0\n11\n10\n21\n5\n"
    (tmp_path / "a.dxf").write_text(f"0\nSECTION\n2\nENTITIES\n{line * 3}0\nENDSEC\n0\nEOF\n")
    message = refusal(tmp_path / "a.dxf", **budget)
    assert all(words in message for words in told)


def test_settings_that_refusals_name_exist() -> None:
    """Renaming a setting must not leave advice that does nothing."""
    known = repr(Settings.model_fields)
    for name in ("PRIMITIVES", "PIXELS", "DRAWING_BYTES"):
        assert f"DEDUP2D_MAX_{name}" in known
    assert "DEDUP2D_READ_TIMEOUT_SECONDS" in known
