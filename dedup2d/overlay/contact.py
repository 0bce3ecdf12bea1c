"""Many overlays on one PNG, each under a caption, for whoever wants to look through them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from dedup2d.overlay import layout
from dedup2d.overlay.layout import page_for
from dedup2d.overlay.model import Tile
from dedup2d.overlay.png import Canvas, Lettering, drawn, encoded

_CAPTION: Final = 0.14  # height over the width of a tile
_LEGEND: Final = (
    ("in both", layout.COMMON),
    ("only in the query", layout.ADDED),
    ("only in the vault's drawing", layout.REMOVED),
    ("changed place, or found part", layout.RING),
    ("changed text", layout.INK),
)
_GAP: Final = 6  # pixels between tiles


def render_contact_sheet(
    tiles: Sequence[Tile], *, columns: int = 4, width: int = 480, height: int = 330
) -> bytes:
    """A palette PNG with the tiles row by row, and what the colours mean below them.

    Each overlay takes ``width`` x ``height`` pixels, and its caption as much as it needs above.
    """
    canvases = [_tile(tile, width, height) for tile in tiles]
    blank = np.full_like(canvases[0], 255)
    rows = []
    for first in range(0, len(canvases), columns):
        row = canvases[first : first + columns]
        rows.append(_spaced([*row, *[blank] * (columns - len(row))], axis=1))
    sheet = _spaced(rows, axis=0)
    footer = np.full((round(0.1 * width), sheet.shape[1], 3), 255, np.uint8)
    pen = Lettering(footer, page_for(tiles[0].overlay, width, height, bare=True))
    pen.legend(_LEGEND, 20, footer.shape[0] / 2)
    return encoded(np.concatenate([sheet, footer]))


def _tile(tile: Tile, width: int, height: int) -> Canvas:
    page = page_for(tile.overlay, width, height, bare=True)
    picture = drawn(tile.overlay, page)
    Lettering(picture, page).marks()
    caption = np.full((round(_CAPTION * width), width, 3), 255, np.uint8)
    Lettering(caption, page).caption(tile.heading)
    return np.concatenate([caption, picture])


def _spaced(canvases: Sequence[Canvas], *, axis: int) -> Canvas:
    """Side by side (axis 1) or one above the other (axis 0), with gaps of the rule's colour."""
    shape = list(canvases[0].shape)
    shape[axis] = _GAP
    gap = np.full(shape, [int(layout.RULE[i : i + 2], 16) for i in (5, 3, 1)], np.uint8)
    parts: list[Canvas] = []
    for canvas in canvases:
        parts += [canvas, gap]
    return np.concatenate(parts[:-1], axis=axis)
