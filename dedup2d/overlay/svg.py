"""An overlay as a self-contained SVG: arcs stay arcs, texts can be selected."""

from __future__ import annotations

import math
from html import escape
from typing import Final

import numpy as np

from dedup2d.overlay import layout
from dedup2d.overlay.layout import Page, page_for
from dedup2d.overlay.model import Overlay, Strokes
from dedup2d.overlay.wording import columns_of, plain

_WIDTH: Final = 1200
_FONT: Final = "system-ui, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif"
_DASHES: Final = 'stroke-dasharray="8 8" stroke-linecap="butt"'  # shows through what was added
_WHOLE: Final = math.tau - 1e-9


def render_svg(overlay: Overlay, *, height: int = 900) -> str:
    """The same page as the PNG, 1200 wide, as one SVG document that refers to nothing outside."""
    page = page_for(overlay, _WIDTH, height)
    relation, (thin, thick) = overlay.relation.value, page.strokes
    red, blue = (
        f'stroke="{colour}" stroke-width="{thick}"' for colour in (layout.REMOVED, layout.ADDED)
    )
    box = f'viewBox="0 0 {_WIDTH} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" font-family="{_FONT}">',
        f"<title>{_said(page.title)}</title>",
        f"<desc>{relation}, similarity {overlay.similarity:.3f}; {_said(page.details)}</desc>",
        f'<rect width="{_WIDTH}" height="{height}" fill="{layout.PAPER}"/>',
        '<g fill="none" stroke-linecap="round" stroke-linejoin="round">',
        _layer(page, overlay.common, f'stroke="{layout.COMMON}" stroke-width="{thin}"', "in both"),
        _layer(page, overlay.removed, red, f"only in {overlay.match_name}"),
        _layer(page, overlay.added, blue, f"only in {overlay.query_name}"),
        _layer(page, overlay.removed, f"{red} {_DASHES}", f"only in {overlay.match_name}"),
        "</g>",
        *_rings(page),
        *_header(page),
        *_footer(page),
        *_panel(page),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _layer(page: Page, strokes: Strokes, look: str, words: str) -> str:
    clean = layout.finite(strokes)
    if not len(clean.segments) + len(clean.arcs):
        return ""
    pieces: list[str] = []
    last = ""
    for x0, y0, x1, y1 in page.pixels(clean.segments.reshape(-1, 2)).reshape(-1, 4).round(2):
        start = f"{x0:g} {y0:g}"
        pieces.append(f"L{x1:g} {y1:g}" if start == last else f"M{start}L{x1:g} {y1:g}")
        last = f"{x1:g} {y1:g}"
    pieces += [_arc(page, arc) for arc in clean.arcs.tolist()]
    title = f"<title>{_said(words)}</title>"
    return f'<path {look} d="{"".join(pieces)}">{title}</path>'


def _arc(page: Page, arc: list[float]) -> str:
    """Path commands; counter-clockwise in the drawing is sweep 0 on a page with y down."""
    x, y, radius, start, end = arc
    middle = (start + end) / 2
    angles = np.array([start, middle, end])
    points = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)
    (ax, ay), (mx, my), (bx, by) = page.pixels(points).round(2)
    r = f"{abs(radius) * page.scale:.2f}"
    if end - start >= _WHOLE:
        return f"M{ax:g} {ay:g}A{r} {r} 0 0 0 {mx:g} {my:g}A{r} {r} 0 0 0 {ax:g} {ay:g}Z"
    large = int(end - start > math.pi)
    return f"M{ax:g} {ay:g}A{r} {r} 0 {large} 0 {bx:g} {by:g}"


def _rings(page: Page) -> list[str]:
    parts = []
    for ring in page.rings:
        tag = _tag(str(ring.number), *ring.tag, layout.RING) if ring.number else ""
        parts.append(
            f'<g><title>{_said(ring.words)}</title><rect x="{ring.x:.2f}" y="{ring.y:.2f}" '
            f'width="{ring.width:.2f}" height="{ring.height:.2f}" rx="{ring.radius:.2f}" '
            f'fill="{layout.RING}" fill-opacity="0.06" stroke="{layout.RING}" '
            f'stroke-width="2.5"/>{tag}</g>'
        )
    for row in page.texts:
        if row.tag:
            tag = _tag(row.letter, *row.tag, layout.INK)
            parts.append(f"<g><title>{_said(' '.join(row.lines))}</title>{tag}</g>")
    return parts


def _header(page: Page) -> list[str]:
    wide = columns_of(page.pill) * 11.2 + 16
    return [
        f'<rect width="{page.width}" height="{page.header:g}" fill="{layout.BAND}"/>',
        _text(page.title, 34, 42, 25, weight=700),
        f'<rect x="34" y="56" width="{wide:.1f}" height="34" rx="17" fill="{page.pill_colour}"/>',
        _text(page.pill, 34 + wide / 2, 80, 20, layout.PAPER, weight=700, anchor="middle"),
        _text(page.details, 52 + wide, 80, 20, layout.MUTED),
    ]


def _footer(page: Page) -> list[str]:
    top, y = page.height - page.footer, page.height - page.footer / 2
    parts = [
        f'<rect y="{top:g}" width="{page.width}" height="{page.footer:g}" fill="{layout.BAND}"/>'
    ]
    x = 34.0
    for words, colour in page.legend:
        if colour == layout.RING:
            parts.append(
                f'<circle cx="{x + 14:g}" cy="{y:g}" r="11" fill="none" stroke="{colour}" stroke-width="3"/>'
            )
        else:
            parts.append(f'<rect x="{x:g}" y="{y - 3:g}" width="30" height="6" fill="{colour}"/>')
        parts.append(_text(words, x + 40, y + 6, 18))
        x += 90 + columns_of(words) * 9.0
    if page.bar:
        right, left = page.width - 34, page.width - 34 - page.bar.pixels
        path = f"M{left:.1f} {y + 2:g}v9H{right:g}v-9"
        parts.append(f'<path d="{path}" fill="none" stroke="{layout.INK}" stroke-width="2.5"/>')
        parts.append(_text(page.bar.label, (left + right) / 2, y + 2, 18, anchor="middle"))
    return parts


def _panel(page: Page) -> list[str]:
    if page.is_empty:
        return [_text("nothing to draw", page.area[0], page.area[1] + 20, 20, layout.MUTED)]
    if not page.texts:
        return []
    x, y = page.panel_x, page.header
    parts = [
        f'<path d="M{x:g} {y:g}V{page.height - page.footer:g}" stroke="{layout.RULE}"/>',
        _text("Texts", x + 22, y + 40, 20, weight=700),
    ]
    for row in page.texts:
        parts.append(_tag(row.letter, x + 32, row.y - 6, layout.INK))
        for number, line in enumerate(row.lines):
            parts.append(_text(line, x + 52, row.y + number * page.line, 18))
    if page.more_texts:
        low = page.height - page.footer - 14
        parts.append(_text(f"and {page.more_texts} more", x + 22, low, 18, layout.MUTED))
    return parts


def _tag(words: str, x: float, y: float, colour: str) -> str:
    text = _text(words, x, y + 5, 14, layout.PAPER, weight=700, anchor="middle")
    return (
        f'<circle cx="{x:.2f}" cy="{y:.2f}" r="12" fill="{colour}" '
        f'stroke="{layout.PAPER}" stroke-width="1.5"/>{text}'
    )


def _text(
    words: str,
    x: float,
    y: float,
    size: float,
    colour: str = layout.INK,
    *,
    weight: int = 400,
    anchor: str = "start",
) -> str:
    bold = f' font-weight="{weight}"' if weight != 400 else ""  # noqa: PLR2004  the default
    where = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size:g}" fill="{colour}"{bold}{where}>'
        f"{_said(words)}</text>"
    )


def _said(words: str) -> str:
    return escape(plain(words, 200), quote=True)
