"""The same drawings as other files: saved again, plotted to PDF, printed, scanned, as DWG.

    python benchmarks/formats.py [--fill 1000] [--every 2 --start 1] [--only raster,scan]

Real DXF files of ../shared/drawings are loaded by ezdxf, changed and saved in other versions, or
plotted to PDF by ezdxf's drawing add-on with matplotlib (``pip install matplotlib``), printed by
PDFium at 200 dpi and scanned by OpenCV (skew, blur, noise). All are read as files and searched in
a vault of the originals, filled up with generated drawings. ``first``: the right drawing is the
best match. ``right``: and its relation is one of the case's.

Exporters lose things: they drop what they do not know and show what was hidden. Where the relation
is not right, ezdxf draws both files, without texts; if the pictures differ, so do the drawings, and
the case is counted as ``changed`` and not among the others: another relation is the truth there.
"""

from __future__ import annotations

import argparse
import logging
import math
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import ezdxf
import matplotlib as mpl
import numpy as np
import pypdfium2
from bases import Base, generated, real
from ezdxf import recover
from ezdxf.addons import r12export
from ezdxf.addons.drawing import Frontend, RenderContext
from ezdxf.addons.drawing.config import ColorPolicy, Configuration, TextPolicy
from ezdxf.addons.drawing.matplotlib import MatplotlibBackend
from ezdxf.math import Matrix44
from matching import vault_of

from dedup2d.drawing.model import Drawing
from dedup2d.engine.search import SearchQuery, search
from dedup2d.engine.vault import Vault
from dedup2d.errors import DrawingError
from dedup2d.options import SearchOptions
from dedup2d.reading import read
from dedup2d.reading.sheets import bounds
from dedup2d.report import Relation
from dedup2d.samples import mutations as mutate
from dedup2d.samples.raster import extents_of, rasterise

mpl.use("Agg")
from matplotlib import pyplot as plt  # after the back end is chosen

A4_MM, DPI = (277.0, 190.0), 200
SEEN_INCH, SEEN_DPI = 10.0, 160  # the picture in which changes are looked for
MOST_HATCHES = 120
SEEN_NEAR, SEEN_CHANGED = 5, 30  # pixels: a stroke so wide covers, so many are a change
SHEET_MM = 300.0  # diagonal of what is drawn on a framed sheet
SAME = frozenset({Relation.SAME})
PLOT = frozenset({Relation.SAME, Relation.REVISION, Relation.CONTAINS})
ANY = frozenset(Relation) - {Relation.DIFFERENT}


@dataclass(frozen=True, slots=True)
class FileCase:
    """Writes another file of a base into a folder; which relations are right."""

    name: str
    write: Callable[[Base, Path], Path]
    right: frozenset[Relation]
    in_place: bool = False


def document_of(base: Base) -> Any:
    """The base as ezdxf loads it; raises what ezdxf raises.

    Old files are made R2000: ezdxf would leave out what R12 did not know when it saves them.
    """
    document = loaded(base.path)
    document.dxfversion = max(document.dxfversion, "AC1015")
    return document


def loaded(path: Path | None) -> Any:
    """A file as ezdxf loads it."""
    try:
        return ezdxf.readfile(path)
    except (ezdxf.DXFError, OSError):
        return recover.readfile(path)[0]


def saved(version: str, *, fmt: str = "asc") -> Callable[[Base, Path], Path]:
    """Saved again in another version."""

    def write(base: Base, folder: Path) -> Path:
        document = document_of(base)
        document.dxfversion = version
        path = folder / "q.dxf"
        document.saveas(path, fmt=fmt)
        return path

    return write


def as_r12(base: Base, folder: Path) -> Path:
    """Exported to R12: polylines of the old kind, curves as polylines, texts as plain ones."""
    path = folder / "q.dxf"
    r12export.saveas(document_of(base), path)
    return path


def exploded(base: Base, folder: Path) -> Path:
    """Blocks to their entities, polylines to lines and arcs."""
    document = document_of(base)
    space = document.modelspace()
    for kind in ("INSERT", "INSERT", "LWPOLYLINE", "POLYLINE"):
        for entity in list(space.query(kind)):
            if kind == "INSERT" and entity.mcount > 1:
                continue
            entity.explode()
    path = folder / "q.dxf"
    document.saveas(path)
    return path


def blocked(base: Base, folder: Path) -> Path:
    """All that lies in model space, in one block that is inserted turned."""
    document = document_of(base)
    space = document.modelspace()
    layers = document.layers
    frozen = {layer.dxf.name.lower() for layer in layers if layer.is_frozen()}
    used = (entity.dxf.layer for entity in space)
    layer = next((name for name in used if name.lower() not in frozen), "0")
    block = document.blocks.new("DEDUP2D_ALL")
    for entity in list(space):
        space.move_to_layout(entity, block)
    space.add_blockref("DEDUP2D_ALL", (17, -5), dxfattribs={"rotation": 30, "layer": layer})
    path = folder / "q.dxf"
    document.saveas(path)
    return path


def turned(base: Base, folder: Path) -> Path:
    """Each entity turned and moved by ezdxf."""
    document = document_of(base)
    matrix = Matrix44.z_rotate(math.radians(37)) @ Matrix44.translate(120, -60, 0)
    for entity in list(document.modelspace()):
        entity.transform(matrix)
    path = folder / "q.dxf"
    document.saveas(path)
    return path


def plotted(base: Base, folder: Path) -> Path:
    """A vector PDF of model space that fills an A4 page, upright or across as the drawing is."""
    if base.drawing.sheet_names != ("Model",):
        raise ValueError("What was read is not in model space.")
    document = document_of(base)
    min_x, min_y, max_x, max_y = extents_of(base.drawing)
    across = max_x - min_x >= max_y - min_y
    figure = plt.figure(figsize=[mm / 25.4 for mm in (A4_MM if across else A4_MM[::-1])])
    axes = figure.add_axes((0.02, 0.02, 0.96, 0.96))
    config = Configuration(color_policy=ColorPolicy.BLACK)
    context = RenderContext(document)
    # else the back end makes the page as large as it likes, mostly half an A4
    backend = MatplotlibBackend(axes, adjust_figure=False)
    Frontend(context, backend, config=config).draw_layout(document.modelspace())
    axes.set_axis_off()
    path = folder / "q.pdf"
    figure.savefig(path)
    plt.close(figure)
    return path


def page_of(path: Path) -> np.ndarray:
    """(h, w) grey page of a PDF at 200 dpi."""
    with pypdfium2.PdfDocument(path) as document:
        return np.asarray(document[0].render(scale=DPI / 72, grayscale=True).to_numpy()).squeeze()


def printed(base: Base, folder: Path) -> Path:
    """A clean picture of the plot."""
    path = folder / "q.png"
    cv2.imwrite(str(path), page_of(plotted(base, folder)))
    return path


def scan_of(page: np.ndarray, seed: int) -> np.ndarray:
    """The page on a scanner: 1 to 3 degrees askew, blurred, unevenly lit, noisy."""
    rng = np.random.default_rng(seed)
    height, width = page.shape
    angle = float(rng.uniform(1, 3) * rng.choice([-1, 1]))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    page = cv2.warpAffine(page, turn, (width, height), flags=cv2.INTER_AREA, borderValue=255)
    grey = cv2.GaussianBlur(page, (0, 0), 0.9).astype(np.float64) * 0.92 + 10
    grey += rng.normal(0, 10, grey.shape) - np.linspace(0, 15, width)[None]
    grey[rng.random(grey.shape) < 2e-5] = 30
    return np.clip(grey, 0, 255).astype(np.uint8)


def scanned(base: Base, folder: Path) -> Path:
    """A scan of the plot."""
    path = folder / "q.png"
    cv2.imwrite(str(path), scan_of(page_of(plotted(base, folder)), base.seed))
    return path


def scanned_in_frame(base: Base, folder: Path) -> Path:
    """A scan of the drawing on a framed sheet with a title block that the vault's has not."""
    enlarged = mutate.scale(base.drawing, SHEET_MM / mutate.diagonal(base.drawing)).drawing
    framed = mutate.add_frame(enlarged, base.seed).drawing
    page = rasterise(framed, longer_side_px=2300)
    path = folder / "q.png"
    cv2.imwrite(str(path), scan_of(page, base.seed))
    return path


CASES = (
    FileCase("R12", as_r12, SAME, in_place=True),
    FileCase("R2000", saved("AC1015"), SAME),
    FileCase("R2018", saved("AC1032"), SAME),
    FileCase("binary", saved("AC1024", fmt="bin"), SAME),
    FileCase("exploded", exploded, SAME, in_place=True),
    FileCase("blocked", blocked, SAME),
    FileCase("turned", turned, SAME),
    FileCase("pdf", plotted, PLOT),
    FileCase("raster", printed, ANY),
    FileCase("scan", scanned, ANY),
    FileCase("scan in frame", scanned_in_frame, ANY),
)


def seen(document: Any, box: np.ndarray) -> np.ndarray:
    """(h, w) ink of what ezdxf draws of model space in ``box`` (2, 2), without texts."""
    width, height = np.maximum(box[1] - box[0], 1e-3 * (box[1] - box[0]).max())
    longer = max(width, height)
    figure = plt.figure(figsize=(SEEN_INCH * width / longer, SEEN_INCH * height / longer))
    axes = figure.add_axes((0, 0, 1, 1))
    config = Configuration(color_policy=ColorPolicy.BLACK, text_policy=TextPolicy.IGNORE)
    backend = MatplotlibBackend(axes, adjust_figure=False)
    Frontend(RenderContext(document), backend, config=config).draw_layout(document.modelspace())
    axes.set_axis_off()
    axes.set_xlim(box[0, 0], box[1, 0])
    axes.set_ylim(box[0, 1], box[1, 1])
    figure.set_dpi(SEEN_DPI)
    figure.canvas.draw()
    ink = np.asarray(figure.canvas.buffer_rgba())[..., 0] < 160  # type: ignore[attr-defined]  # Agg's
    plt.close(figure)
    return ink.astype(np.uint8)


def is_changed(base: Base, path: Path, query: Drawing) -> bool:
    """Whether the written file looks other than the original, drawn by ezdxf.

    A drawing of many hatches, which take minutes each way, is not looked at, and called unchanged.
    """
    original = loaded(base.path)
    if len(original.query("HATCH")) > MOST_HATCHES:
        return False
    boxes = np.array([bounds(base.drawing), bounds(query)]).reshape(-1, 2, 2)
    low, high = boxes[:, 0].min(0), boxes[:, 1].max(0)
    margin = 0.01 * (high - low).max()
    box = np.array([low - margin, high + margin])
    try:
        written = loaded(path)
    except ezdxf.DXFError:
        return True  # the exporter broke it
    before, after = seen(original, box), seen(written, box)
    kernel = np.ones((SEEN_NEAR, SEEN_NEAR), np.uint8)
    lost = before & ~cv2.dilate(after, kernel) & 1
    added = after & ~cv2.dilate(before, kernel) & 1
    return int(lost.sum()) > SEEN_CHANGED or int(added.sum()) > SEEN_CHANGED


def tried(case: FileCase, bases: list[Base], vault: Vault) -> None:
    """Print one line for a case."""
    counts: Counter[str] = Counter()
    relations: Counter[str] = Counter()
    ms: list[float] = []
    wrong: list[str] = []
    for base in bases:
        with tempfile.TemporaryDirectory() as folder:
            try:
                path = case.write(base, Path(folder))
            except Exception:  # noqa: BLE001  # whatever ezdxf or matplotlib cannot do is not ours
                counts["not written"] += 1
                continue
            query = _read(path)
            if query is None:
                counts["n"] += 1
                wrong.append(f"{base.name}:refused")
                continue
            started = time.process_time()
            report = search(vault, SearchQuery(query, path.name, ""), SearchOptions(), tenant="t")
            ms.append((time.process_time() - started) * 1e3)
            own = [m for m in report.matches if m.file_name == base.name]
            is_first = [m.file_name for m in report.matches][:1] == [base.name]
            relation = own[0].relation if own else "lost"
            is_right = is_first and relation in case.right
            if not is_right and own and case.in_place and is_changed(base, path, query):
                counts["changed"] += 1
                wrong.append(f"{base.name}:{relation}, the exporter changed it")
                continue
        counts["n"] += 1
        relations[relation] += 1
        counts["found"] += bool(own)
        counts["first"] += is_first
        counts["right"] += is_right
        if not is_right:
            wrong.append(f"{base.name}:{relation}")
    n = counts["n"]
    shares = " ".join(f"{counts[k] / n:6.3f}" for k in ("found", "first", "right"))
    print(
        f"{case.name:14} {n:4d} {shares} {np.median(ms):7.1f} {counts['changed']:4d} changed "
        f"{dict(relations)}",
        flush=True,
    )
    for name in wrong:
        print(f"      {name}")


def _read(path: Path) -> Drawing | None:
    try:
        return read(path)
    except DrawingError:
        return None


def main() -> None:
    """Run the cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fill", type=int, default=1000, help="drawings in the vault")
    parser.add_argument("--every", type=int, default=1, help="take every n-th real drawing")
    parser.add_argument("--start", type=int, default=0, help="first of these: halves are 0 and 1")
    parser.add_argument("--only", default="", help="names of cases, comma-separated")
    asked = parser.parse_args()
    logging.getLogger("ezdxf").setLevel(logging.CRITICAL)
    bases = list(real())
    held = bases + list(generated(max(0, asked.fill - len(bases)), first=200_000))
    with tempfile.TemporaryDirectory() as folder:
        vault = vault_of(held, Path(folder))
        print(f"{'case':14} {'n':>4} {'found':>6} {'first':>6} {'right':>6} {'p50 ms':>7}")
        for case in CASES:
            if not asked.only or case.name in asked.only.split(","):
                tried(case, bases[asked.start :: asked.every], vault)


if __name__ == "__main__":
    main()
