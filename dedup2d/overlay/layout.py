"""The page of an overlay: where header, drawing, legend, scale bar and text list stand.

PNG and SVG draw the same page, so that a person finds the same thing at the same place. Page
coordinates are pixels, y down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from string import ascii_lowercase
from typing import Final

import numpy as np

from dedup2d.drawing.model import Floats
from dedup2d.overlay import wording
from dedup2d.overlay.model import Overlay, Strokes
from dedup2d.report import Relation, TextChange

PAPER: Final = "#FFFFFF"
BAND: Final = "#F3F5F7"
RULE: Final = "#D5DAE0"
INK: Final = "#1F2933"
MUTED: Final = "#5B6773"
COMMON: Final = "#6E7985"
REMOVED: Final = "#D92D20"
ADDED: Final = "#1D5BD6"
RING: Final = "#F59E0B"

RELATION_COLOURS: Final = {
    Relation.EXACT: "#15803D",
    Relation.SAME: "#15803D",
    Relation.REVISION: "#B45309",
    Relation.VARIANT: "#7C3AED",
    Relation.CONTAINS: "#0F766E",
    Relation.CONTAINED: "#0F766E",
    Relation.SIMILAR: "#475569",
    Relation.DIFFERENT: "#6B7280",
}

_DESIGN_WIDTH: Final = 1200.0  # all sizes below are for a page this wide
_BARE_WIDTH: Final = 700.0  # the same without header, footer and list
_HEADER: Final = 104.0
_FOOTER: Final = 62.0
_PANEL: Final = 320.0
_PADDING: Final = 34.0
_LEAST_RING: Final = 18.0
_RING_MARGIN: Final = 10.0
_CHARACTER: Final = 0.6  # width of an average character over the font size
_STROKES: Final = (1.2, 2.0)
_PART_STROKES: Final = (1.6, 1.2)  # what was found matters, not what is around it
_BARE: Final = 1.5  # times as wide, where the page is small
_ROUND: Final = 28.0  # most that a ring's corner is rounded: more would cut what it surrounds
_ROW: Final = 34.0  # of the list of texts
_LINE: Final = 24.0  # between the lines of one text
_LOWEST, _HIGHEST = 0.45, 0.9  # height over width of a page that fits its drawing
_LOWEST_LISTING: Final = 0.6  # the same where changed texts are listed
_TAG: Final = 26.0  # between two letters that would overlap
_MOST_RINGS: Final = 200


@dataclass(frozen=True, slots=True)
class Ring:
    """A box with round corners around a place, in pixels: a circle if the place is small.

    ``number`` counts from 1, 0 stands for none; ``words`` tell what happened there.
    """

    x: float
    y: float
    width: float
    height: float
    radius: float
    number: int
    words: str

    @property
    def tag(self) -> tuple[float, float]:
        """Where its number stands: on the ring, up to the right."""
        inset = self.radius * (1 - math.sqrt(0.5))
        return self.x + self.width - inset, self.y + inset

    def outline(self) -> Floats:
        """(n, 2) points around it, closed by joining the last to the first."""
        angles = np.linspace(0, math.pi / 2, 13)
        r, far = self.radius, np.array([self.x + self.width, self.y + self.height])
        near = np.array([self.x, self.y])
        corners = [far - r, np.array([near[0] + r, far[1] - r]), near + r]
        corners.append(np.array([far[0] - r, near[1] + r]))
        points = [
            corner + r * np.stack([np.cos(angles + turn), np.sin(angles + turn)], axis=1)
            for turn, corner in zip(np.arange(4) * math.pi / 2, corners, strict=True)
        ]
        return np.concatenate(points)


@dataclass(frozen=True, slots=True)
class TextRow:
    """A changed text in words, its letter, and where the letter stands in the drawing.

    ``y`` is the base line of the first of its ``lines``; the next is ``_LINE`` below.
    """

    lines: tuple[str, ...]
    letter: str
    y: float
    tag: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A bar of a round length: its pixels and its label."""

    pixels: float
    label: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything about an overlay's page but its strokes.

    ``area`` is the box of the drawing (x0, y0, x1, y1); a point of the drawing lies at
    ``(x - origin_x) * scale + area centre``, y turned down. ``u`` is one design pixel; ``strokes`` are the widths of common and of
    changed strokes in design pixels.
    """

    width: int
    height: int
    u: float
    area: tuple[float, float, float, float]
    panel_x: float
    scale: float
    origin: tuple[float, float]
    strokes: tuple[float, float]
    title: str
    pill: str
    pill_colour: str
    details: str
    legend: tuple[tuple[str, str], ...]
    bar: ScaleBar | None
    rings: tuple[Ring, ...]
    texts: tuple[TextRow, ...]
    more_texts: int
    is_empty: bool

    def pixels(self, points: Floats) -> Floats:
        """(n, 2) drawing units -> (n, 2) pixels."""
        x0, y0, x1, y1 = self.area
        middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        placed: Floats = (points - np.array(self.origin)) * [self.scale, -self.scale] + middle
        return placed

    @property
    def line(self) -> float:
        """Between the lines of one text of the list."""
        return _LINE * self.u

    @property
    def header(self) -> float:
        """Height of the header."""
        return _HEADER * self.u

    @property
    def footer(self) -> float:
        """Height of the footer."""
        return _FOOTER * self.u

    def size(self, design: float) -> float:
        """A font size; never too small to be read."""
        return max(10.0, design * self.u)


def page_for(overlay: Overlay, width: int, height: int, *, bare: bool = False) -> Page:
    """Lay out an overlay on a page of so many pixels; ``bare``: the drawing and its marks alone."""
    u = width / (_BARE_WIDTH if bare else _DESIGN_WIDTH)
    header, footer = (0.0, 0.0) if bare else (_HEADER * u, _FOOTER * u)
    box = extents(overlay.common, overlay.added, overlay.removed)
    texts = overlay.text_changes if overlay.relation in wording.RINGED else ()
    panel_x = width - _PANEL * u if texts and not bare else float(width)
    pad = _PADDING * u
    area = (pad, header + pad, panel_x - pad, max(height - footer - pad, header + 2 * pad))
    shown = box or (0.0, 0.0, 1.0, 1.0)
    wide, high = shown[2] - shown[0], shown[3] - shown[1]
    scale = min((area[2] - area[0]) / max(wide, 1e-9), (area[3] - area[1]) / max(high, 1e-9), 1e12)
    same, changed = _PART_STROKES if overlay.relation in wording.PARTS else _STROKES
    origin = ((shown[0] + shown[2]) / 2, (shown[1] + shown[3]) / 2)
    unmarked = Page(
        width=width,
        height=height,
        u=u,
        area=area,
        panel_x=panel_x,
        scale=scale,
        origin=origin,
        strokes=(same * (_BARE if bare else 1), changed * (_BARE if bare else 1)),
        title=wording.title(overlay),
        pill=f"{overlay.relation.value}  {100 * overlay.similarity:.1f} %",
        pill_colour=RELATION_COLOURS[overlay.relation],
        details=wording.details(overlay),
        legend=_legend(overlay),
        bar=_bar((panel_x - 2 * pad) * 0.16, scale, overlay.unit_mm) if box else None,
        rings=(),
        texts=(),
        more_texts=0,
        is_empty=box is None,
    )
    is_part = overlay.relation in wording.PARTS
    return _with_texts(_with_rings(unmarked, _places(overlay), numbered=not is_part), texts)


def fitting_height(overlay: Overlay, width: int) -> int:
    """How high a page of this width has to be, so that no margin is larger than it needs be."""
    box = extents(overlay.common, overlay.added, overlay.removed)
    if box is None:
        return round(_LOWEST * width)
    listing = bool(overlay.text_changes) and overlay.relation in wording.RINGED
    inside = _DESIGN_WIDTH - 2 * _PADDING - (_PANEL if listing else 0)
    slope = (box[3] - box[1]) / max(box[2] - box[0], 1e-9)
    high = (inside * slope + _HEADER + _FOOTER + 2 * _PADDING) / _DESIGN_WIDTH
    return round(width * min(max(high, _LOWEST_LISTING if listing else _LOWEST), _HIGHEST))


def finite(strokes: Strokes) -> Strokes:
    """Without rows that hold NaN or infinity."""
    return Strokes(
        strokes.segments[np.isfinite(strokes.segments).all(axis=1)],
        strokes.arcs[np.isfinite(strokes.arcs).all(axis=1)],
    )


def flattened(arcs: Floats, scale: float) -> list[Floats]:
    """(k, n, 2) points on arcs (m, 5), fine enough for ``scale`` pixels per unit.

    Arcs with as many points n are together in one array.
    """
    span = np.minimum(np.abs(arcs[:, 4] - arcs[:, 3]), math.tau)
    pixels = span * np.sqrt(np.abs(arcs[:, 2]) * scale) / 1.4
    count = 1 + np.clip(2 ** np.ceil(np.log2(np.maximum(pixels, 6))), 8, 512).astype(np.int64)
    together = []
    for n in np.unique(count):
        chosen = count == n
        angles = arcs[chosen, 3:4] + span[chosen, None] * np.linspace(0, 1, n)
        x = arcs[chosen, 0:1] + arcs[chosen, 2:3] * np.cos(angles)
        y = arcs[chosen, 1:2] + arcs[chosen, 2:3] * np.sin(angles)
        together.append(np.stack([x, y], axis=-1))
    return together


def extents(*layers: Strokes) -> tuple[float, float, float, float] | None:
    """min_x, min_y, max_x, max_y of all finite strokes; None if there are none."""
    points = [np.empty((0, 2))]
    for layer in layers:
        clean = finite(layer)
        points.append(clean.segments.reshape(-1, 2))
        points.append(_along(clean.arcs))
    stacked = np.concatenate(points)
    if not len(stacked):
        return None
    low, high = stacked.min(axis=0), stacked.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _along(arcs: Floats) -> Floats:
    """(65 m, 2) points evenly along arcs, ends included: the box is right within 0.1 %."""
    share = np.linspace(0, 1, 65)
    angles = arcs[:, 3:4] + (arcs[:, 4:5] - arcs[:, 3:4]) * share
    x = arcs[:, 0:1] + arcs[:, 2:3] * np.cos(angles)
    y = arcs[:, 1:2] + arcs[:, 2:3] * np.sin(angles)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def _legend(overlay: Overlay) -> tuple[tuple[str, str], ...]:
    """What is there to be seen; who sees no red need not be told what red is."""
    query, match = wording.only_in(overlay)
    entries = [
        (said, colour)
        for said, colour, strokes in (
            ("common", COMMON, overlay.common),
            (query, ADDED, overlay.added),
            (match, REMOVED, overlay.removed),
        )
        if len(strokes.segments) + len(strokes.arcs)
    ]
    if overlay.relation in wording.PARTS:
        entries.append(("found part", RING))
    elif overlay.regions and overlay.relation in wording.RINGED:
        entries.append(("change", RING))
    return tuple(entries)


def _bar(most_pixels: float, scale: float, unit_mm: float | None) -> ScaleBar | None:
    per_mark = scale / unit_mm if unit_mm else scale
    longest = most_pixels / per_mark
    if not (math.isfinite(longest) and longest > 0):
        return None
    decade = 10.0 ** math.floor(math.log10(longest))
    length = max(step * decade for step in (1, 2, 5) if step * decade <= longest * (1 + 1e-9))
    return ScaleBar(length * per_mark, f"{length:g} {'mm' if unit_mm else 'units'}")


def _with_texts(page: Page, changes: tuple[TextChange, ...]) -> Page:
    u = page.u
    columns = int((_PANEL - 70) * u / (page.size(18) * _CHARACTER))
    y, end = page.header + 74 * u, page.height - page.footer - _ROW * u
    rows: list[TextRow] = []
    taken: list[tuple[float, float]] = []
    for letter, change in zip(ascii_lowercase, changes, strict=False):
        lines = wording.in_lines(change, columns)
        high = (_ROW + _LINE * (len(lines) - 1)) * u
        if rows and y + high > end:
            break
        rows.append(TextRow(lines, letter, y, _tag_of(page, change, taken)))
        y += high
    return replace(page, texts=tuple(rows), more_texts=len(changes) - len(rows))


def _tag_of(
    page: Page, change: TextChange, taken: list[tuple[float, float]]
) -> tuple[float, float] | None:
    """Where a text's letter stands, beside those that are ``taken``; None if it is outside."""
    u, (x0, y0, x1, y1) = page.u, page.area
    x, y = page.pixels(np.array([[change.x, change.y]]))[0] - [_TAG * u / 2, 4 * u]
    if not (x0 <= x <= x1 and y0 <= y <= y1):
        return None
    while any(math.hypot(x - a, y - b) < _TAG * u for a, b in taken):
        x -= _TAG * u
    taken.append((float(x), float(y)))
    return taken[-1]


def _places(overlay: Overlay) -> list[tuple[tuple[float, float, float, float], str]]:
    """Boxes to be circled and what happened there: changes, or the part that was found."""
    if overlay.relation in wording.PARTS:
        box = extents(overlay.common)
        return [(box, "The part that both have")] if box else []
    if overlay.relation not in wording.RINGED:
        return []
    return [
        (
            (r.min_x, r.min_y, r.max_x, r.max_y),
            f"Change {number}: {r.added} added, {r.removed} removed",
        )
        for number, r in enumerate(overlay.regions[:_MOST_RINGS], start=1)
    ]


def _with_rings(
    page: Page, places: list[tuple[tuple[float, float, float, float], str]], *, numbered: bool
) -> Page:
    rings = []
    margin, least = _RING_MARGIN * page.u, _LEAST_RING * page.u
    for number, (box, words) in enumerate(places, start=1):
        corners = np.array(box).reshape(2, 2)
        if not np.isfinite(corners).all():
            continue
        (x0, y1), (x1, y0) = page.pixels(corners)
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        wide, high = (max(2 * least, side + 2 * margin) for side in (x1 - x0, y1 - y0))
        radius = min(wide / 2, high / 2, _ROUND * page.u)
        shown = number if numbered else 0
        rings.append(Ring(x - wide / 2, y - high / 2, wide, high, radius, shown, words))
    return replace(page, rings=tuple(rings))
