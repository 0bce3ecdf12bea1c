"""An overlay as a small PNG."""

from __future__ import annotations

import io
import math
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import cKDTree

from dedup2d.drawing.model import Floats
from dedup2d.overlay import layout
from dedup2d.overlay.layout import Page, Ring, page_for
from dedup2d.overlay.model import Overlay, Strokes
from dedup2d.overlay.wording import columns_of, plain

Canvas = NDArray[np.uint8]

_SHIFT: Final = 4  # fractional bits of OpenCV's coordinates
_REGULAR, _BOLD = 400, 700
_DASH: Final = 24.0  # two fifths of it, about: a dash of what was removed
_FINER: Final = 2  # strokes are drawn so much larger
_CROWDED: Final = 100_000  # strokes from which smooth edges cost seconds and are not seen
_LEAST_WIDTH: Final = 600  # narrower pages are drawn wider and made smaller
_COMPRESSION: Final = 6  # 9 takes three times as long and saves a fifth
_TINTS: Final = 9  # shades between a colour and the paper, for smooth edges


def render_png(overlay: Overlay, *, width: int = 1200, height: int = 900) -> bytes:
    """Query and match laid over each other, with legend, scale bar and list of changed texts.

    A palette PNG of ``width`` x ``height`` pixels, readable at half the size too. Never raises
    for odd content: strokes that are not finite are left out, foreign texts are cut.
    """
    larger = max(1, math.ceil(_LEAST_WIDTH / max(width, 1)))
    page = page_for(overlay, width * larger, height * larger)
    canvas = drawn(overlay, page)
    pen = Lettering(canvas, page)
    pen.marks()
    pen.header()
    pen.footer()
    pen.panel()
    if larger > 1:
        canvas = np.asarray(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA))
    return encoded(canvas)


def drawn(overlay: Overlay, page: Page) -> Canvas:
    """The strokes on white paper, drawn larger and made smaller, so that thin lines are thin."""
    canvas = np.full((page.height * _FINER, page.width * _FINER, 3), 255, np.uint8)
    same, changed = (max(_FINER, round(_FINER * w * page.u - 0.3)) for w in page.strokes)
    _draw(canvas, page, overlay.common, layout.COMMON, same)
    _draw(canvas, page, overlay.removed, layout.REMOVED, changed)
    removed = cv2.inRange(canvas, _bgr(layout.REMOVED), _bgr(layout.REMOVED))
    _draw(canvas, page, overlay.added, layout.ADDED, changed)
    _dash(canvas, removed, _FINER * page.u)
    size = (page.width, page.height)
    return np.asarray(cv2.resize(canvas, size, interpolation=cv2.INTER_AREA), np.uint8)


def _dash(canvas: Canvas, removed: Canvas, u: float) -> None:
    """Let what was removed, a mask, show through what was added on it, in dashes."""
    places = cv2.findNonZero(removed)
    if places is None:
        return
    x, y = np.asarray(places).reshape(-1, 2).T
    seen = (2 * x + 3 * y) // max(round(_DASH * u), 1) % 2 == 0
    canvas[y[seen], x[seen]] = _bgr(layout.REMOVED)


def _draw(canvas: Canvas, page: Page, strokes: Strokes, colour: str, thickness: int) -> None:
    clean = layout.finite(strokes)
    straight = _FINER * page.pixels(clean.segments.reshape(-1, 2))
    lines = list(_fixed(straight).reshape(-1, 2, 2))
    scale = page.scale * _FINER
    for points in layout.flattened(clean.arcs, scale):
        lines += list(_fixed(_FINER * page.pixels(points)))
    smooth = cv2.LINE_AA if len(lines) < _CROWDED else cv2.LINE_8
    cv2.polylines(canvas, lines, False, _bgr(colour), thickness, smooth, _SHIFT)


class Lettering:
    """Writes and marks on the canvas, in page coordinates."""

    def __init__(self, canvas: Canvas, page: Page) -> None:
        self._canvas = canvas
        self._page = page
        self._font = cv2.FontFace("sans")

    def header(self) -> None:
        """Names, relation, similarity, pose."""
        page, u = self._page, self._page.u
        self._box(0, 0, page.width, page.header, layout.BAND)
        self._text(page.title, (34 * u, 42 * u), page.size(25), layout.INK, _BOLD)
        size = page.size(20)
        wide = self._width(page.pill, size, _BOLD)
        self._pill(34 * u, 56 * u, wide + 28 * u, 34 * u, page.pill_colour)
        self._text(page.pill, (48 * u, 80 * u), size, layout.PAPER, _BOLD)
        self._text(page.details, (80 * u + wide, 80 * u), size, layout.MUTED)

    def footer(self) -> None:
        """Legend to the left, scale bar to the right."""
        page, u = self._page, self._page.u
        top = page.height - page.footer
        self._box(0, top, page.width, page.height, layout.BAND)
        y = top + page.footer / 2
        self.legend(page.legend, 34 * u, y)
        if page.bar:
            right, size = page.width - 34 * u, page.size(18)
            left = right - page.bar.pixels
            self._box(left, y + 9 * u, right, y + 12 * u, layout.INK)
            for at in (left, right):
                self._box(at - 1 * u, y + 2 * u, at + 1 * u, y + 12 * u, layout.INK)
            wide = self._width(page.bar.label, size, _REGULAR)
            self._text(page.bar.label, ((left + right - wide) / 2, y + 2 * u), size, layout.INK)

    def legend(self, entries: tuple[tuple[str, str], ...], x: float, y: float) -> None:
        """What the colours mean, in a row whose middle is at ``y``."""
        u, size = self._page.u, self._page.size(18)
        for words, colour in entries:
            if colour == layout.RING:
                self._ellipse((x + 14 * u, y), (11 * u, 11 * u), colour, max(2, round(3 * u)))
            elif colour == layout.INK:
                self._ellipse((x + 14 * u, y), (11 * u, 11 * u), colour, -1)
            else:
                self._box(x, y - 3 * u, x + 30 * u, y + 3 * u, colour)
            self._text(words, (x + 40 * u, y + size * 0.36), size, layout.INK)
            x += 40 * u + self._width(words, size, _REGULAR) + 30 * u

    def caption(self, heading: str) -> None:
        """What a tile shows, and below it relation, similarity and details."""
        page, u = self._page, self._page.u
        self._box(0, 0, page.width, self._canvas.shape[0], layout.BAND)
        self._text(heading, (20 * u, 34 * u), 24 * u, layout.INK, _BOLD)
        size = 20 * u
        wide = self._width(page.pill, size, _BOLD)
        self._pill(20 * u, 48 * u, wide + 28 * u, 34 * u, page.pill_colour)
        self._text(page.pill, (34 * u, 72 * u), size, layout.PAPER, _BOLD)
        texts = "; ".join(" ".join(row.lines) for row in page.texts)
        told = texts if texts and not page.rings else page.details
        while told and self._width(told, size, _REGULAR) > page.width - 84 * u - wide:
            _, _, rest = told.partition("  ·  ")
            told = rest or plain(told, columns_of(told) - 1)
        self._text(told, (64 * u + wide, 72 * u), size, layout.MUTED)

    def panel(self) -> None:
        """The list of changed texts."""
        page, u = self._page, self._page.u
        if page.is_empty:
            at = (page.area[0], page.area[1] + 20 * u)
            self._text("nothing to draw", at, page.size(20), layout.MUTED)
        if not page.texts:
            return
        x, y = page.panel_x, page.header
        self._box(x, y, x + 1, page.height - page.footer, layout.RULE)
        self._text("Texts", (x + 22 * u, y + 40 * u), page.size(20), layout.INK, _BOLD)
        for row in page.texts:
            self._tag(row.letter, x + 32 * u, row.y - 6 * u, layout.INK)
            for number, line in enumerate(row.lines):
                at = (x + 52 * u, row.y + number * page.line)
                self._text(line, at, page.size(18), layout.INK)
        if page.more_texts:
            at = (x + 22 * u, page.height - page.footer - 14 * u)
            self._text(f"and {page.more_texts} more", at, page.size(18), layout.MUTED)

    def _ring(self, ring: Ring) -> None:
        outline, thickness = _fixed(ring.outline()), max(1, round(2.4 * self._page.u - 0.3))
        colour = _bgr(layout.RING)
        cv2.polylines(self._canvas, [outline], True, colour, thickness, cv2.LINE_AA, _SHIFT)
        if ring.number:
            self._tag(str(ring.number), *ring.tag, layout.RING)

    def marks(self) -> None:
        """Rings around places and their numbers; letters where changed texts stand."""
        page = self._page
        for ring in page.rings:
            self._ring(ring)
        for row in page.texts:
            if row.tag:
                self._tag(row.letter, *row.tag, layout.INK)

    def _tag(self, words: str, x: float, y: float, colour: str) -> None:
        u = self._page.u
        size, r = self._page.size(15), 12 * u
        self._ellipse((x, y), (r, r), layout.PAPER, -1)
        self._ellipse((x, y), (r - u, r - u), colour, -1)
        wide = self._width(words, size, _BOLD)
        self._text(words, (x - wide / 2, y + size * 0.36), size, layout.PAPER, _BOLD)

    def _text(
        self,
        words: str,
        at: tuple[float, float],
        size: float,
        colour: str,
        weight: int = _REGULAR,
    ) -> None:
        where = (round(at[0]), round(at[1]))
        cv2.putText(self._canvas, words, where, _bgr(colour), self._font, round(size), weight)

    def _width(self, words: str, size: float, weight: int) -> float:
        shape = self._canvas.shape[1::-1]
        box = cv2.getTextSize(shape, words, (0, 0), self._font, round(size), weight)
        return float(box[2])

    def _box(self, x0: float, y0: float, x1: float, y1: float, colour: str) -> None:
        low, high = (
            (round(x0), round(y0)),
            (max(round(x0), round(x1) - 1), max(round(y0), round(y1) - 1)),
        )
        cv2.rectangle(self._canvas, low, high, _bgr(colour), -1)

    def _pill(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        r = height / 2
        self._box(x + r, y, x + width - r, y + height, colour)
        for middle in (x + r, x + width - r):
            self._ellipse((middle, y + r - 0.5), (r - 0.5, r - 0.5), colour, -1)

    def _ellipse(
        self, at: tuple[float, float], radii: tuple[float, float], colour: str, thickness: int
    ) -> None:
        center, axes = _fixed(np.array(at)), _fixed(np.maximum(radii, 0.0))
        cv2.ellipse(
            self._canvas, center.tolist(), axes.tolist(), 0, 0, 360, _bgr(colour), thickness,
            cv2.LINE_AA, _SHIFT,
        )  # fmt: skip


def _fixed(points: Floats) -> NDArray[np.int32]:
    bounded = np.clip(points * 2**_SHIFT, -(2**30), 2**30)
    fixed: NDArray[np.int32] = np.round(bounded).astype(np.int32)
    return fixed


def _bgr(colour: str) -> tuple[int, int, int]:
    return int(colour[5:7], 16), int(colour[3:5], 16), int(colour[1:3], 16)


def _palette() -> NDArray[np.uint8]:
    """(n, 3) RGB: white, and our colours in shades towards it, for smooth edges."""
    colours = [layout.BAND, layout.RULE, layout.INK, layout.MUTED, layout.COMMON]
    colours += [layout.REMOVED, layout.ADDED, layout.RING]
    colours += sorted(set(layout.RELATION_COLOURS.values()))
    base = np.array([_bgr(colour)[::-1] for colour in colours], np.float64)[:, None, :]
    steps = (np.arange(1, _TINTS + 1) / _TINTS)[None, :, None]
    shades = np.round(255 + (base - 255) * steps).reshape(-1, 3)
    return np.concatenate([[[255, 255, 255]], shades]).astype(np.uint8)


@cache
def _nearest() -> NDArray[np.uint8]:
    """(32768,) palette index of each colour of 5 bits per channel; blue is in the lowest bits."""
    level = np.arange(32) * 255 / 31
    red, green, blue = np.meshgrid(level, level, level, indexing="ij")
    colours = np.stack([red, green, blue], axis=-1).reshape(-1, 3)
    tree = cKDTree(_palette().astype(np.float64))
    index: NDArray[np.uint8] = tree.query(colours)[1].astype(np.uint8)
    return index


def encoded(canvas: Canvas) -> bytes:
    """The canvas as a PNG with our palette."""
    packed = cv2.cvtColor(canvas, cv2.COLOR_BGR2BGR555).view(np.uint16)[:, :, 0]
    image = Image.fromarray(np.take(_nearest(), packed), "P")
    image.putpalette(_palette().reshape(-1).tolist())
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=_COMPRESSION)
    return stream.getvalue()
