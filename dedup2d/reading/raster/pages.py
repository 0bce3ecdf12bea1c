"""The pages of an image file as grey arrays, their sizes checked before they are decoded."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dedup2d.errors import DrawingError
from dedup2d.reading.budget import Meter

MAX_PAGES: Final = 200

# What Pillow raises for bytes that are not as its decoders expect.
_DECODE_ERRORS: Final = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
    EOFError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Page:
    """``grey`` is (height, width) uint8, 0 black; ``format`` as Pillow names it."""

    grey: NDArray[np.uint8]
    format: str


def pages(path: Path, meter: Meter) -> Iterator[Page]:
    """Every page of the image, decoded one at a time; all pages share the budget of pixels.

    Raises DrawingError ``BROKEN_DRAWING``, ``TRUNCATED_DRAWING``, ``TOO_MANY_PIXELS``,
    ``TOO_MANY_PAGES``.
    """
    try:
        # Pillow warns of damaged metadata, which is not looked at.
        with (
            warnings.catch_warnings(action="ignore"),
            _without_pillows_limit(),
            Image.open(path, formats=["PNG", "JPEG", "TIFF"]) as image,
        ):
            yield from _frames(image, meter)
    except _DECODE_ERRORS as error:
        if "truncated" in str(error):
            raise DrawingError("TRUNCATED_DRAWING", "The image breaks off.") from error
        raise DrawingError("BROKEN_DRAWING", "The image is damaged.") from error


@contextmanager
def _without_pillows_limit() -> Iterator[None]:
    """Pillow refuses above a limit of its own, without saying how many pixels there are."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _frames(image: Image.Image, meter: Meter) -> Iterator[Page]:
    height = 0
    for index in range(MAX_PAGES):
        try:
            image.seek(index)
        except EOFError:
            return
        height += image.height
        meter.check_pixels(image.width, height)
        meter.check_time()
        yield Page(_grey(image), image.format or "")
    raise DrawingError("TOO_MANY_PAGES", f"The image has more than {MAX_PAGES} pages.")


def _grey(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith(("I", "F")):  # 16 bits and more; L would clip instead of scale
        values = np.asarray(image, dtype=np.float64)
        top = max(float(values.max(initial=0.0)), 1.0)
        return (np.clip(values, 0, None) * (255.0 / top)).astype(np.uint8)
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        image = _on_white(image)
    return np.asarray(image.convert("L"), dtype=np.uint8)


def _on_white(image: Image.Image) -> Image.Image:
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image.convert("RGBA"))
    return paper
