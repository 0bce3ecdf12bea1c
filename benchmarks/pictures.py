"""Draws the pictures of docs/how-matching-works.md with the product itself.

python benchmarks/pictures.py [docs/pictures]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dedup2d.engine.overlays import compare_drawings
from dedup2d.overlay.contact import render_contact_sheet
from dedup2d.overlay.model import Tile
from dedup2d.overlay.png import render_png
from dedup2d.reading import read
from dedup2d.samples import Kind, generate
from dedup2d.samples.dxf import dxf_text
from dedup2d.samples.queries import RECIPES, Entry

PICTURES: Final = {  # picture: query
    "revision.png": "revision-hole.dxf",
    "text-only.png": "revision-text.dxf",
    "part.png": "sheet.dxf",
    "frame.png": "framed.dxf",
    "variant.png": "mirrored.dxf",
    "scan.png": "scan.png",
}
MOST_BYTES: Final = 60_000
SHEET: Final = "overlays.png"
MOST_BYTES_OF_SHEET: Final = 1_500_000
SEED: Final = 1998
PAIRS: Final = (  # heading, recipe, family, and whether it is the framed one (an odd ordinal)
    ("Re-save: exploded, shuffled, moved", "resaved.dxf", Kind.PLATE, 1),
    ("Re-save: as R12", "resaved-r12.dxf", Kind.FLANGE, 1),
    ("Re-save: in inches", "inch.dxf", Kind.SHAFT, 1),
    ("Re-save: turned by 37 degrees", "rotated.dxf", Kind.BRACKET, 1),
    ("Revision: hole moved", "revision.dxf", Kind.BRACKET, 1),
    ("Revision: bolt holes larger", "revision-resized.dxf", Kind.FLANGE, 1),
    ("Revision: slot added", "revision-slot.dxf", Kind.BLANK, 1),
    ("Revision: chamfer", "revision-chamfer.dxf", Kind.PLATE, 1),
    ("Mirrored: blank", "mirrored.dxf", Kind.BLANK, 0),
    ("Mirrored: bracket", "mirrored.dxf", Kind.BRACKET, 3),
    ("Mirrored: plate", "mirrored.dxf", Kind.PLATE, 3),
    ("Part in sheet: among three others", "sheet.dxf", Kind.GASKET, 0),
    ("Part in sheet: put on a framed one", "framed.dxf", Kind.BLANK, 0),
    ("Part in sheet: one view cut out", "cropped.dxf", Kind.FLANGE, 3),
    ("Scan against DXF: plate", "scan.png", Kind.PLATE, 1),
    ("Scan against DXF: flange", "scan.png", Kind.FLANGE, 3),
    ("Scan against DXF: gasket", "scan.png", Kind.GASKET, 0),
    ("Title block: revision of a bracket", "retitled.dxf", Kind.BRACKET, 3),
    ("Title block: revision of a shaft", "retitled.dxf", Kind.SHAFT, 3),
    ("Title block: revision of a gasket", "retitled.dxf", Kind.GASKET, 1),
)


def main(folder: Path) -> None:
    """Write all pictures and print what the engine says about each pair."""
    single(folder)
    sheet = render_contact_sheet(list(tiles()))
    if len(sheet) > MOST_BYTES_OF_SHEET:
        raise SystemExit(f"{SHEET} has {len(sheet)} bytes, more than {MOST_BYTES_OF_SHEET}")
    (folder / SHEET).write_bytes(sheet)
    print(f"{SHEET}: {len(sheet)} bytes")


def single(folder: Path) -> None:
    """A picture of a generated query on its drawing of the vault, for each of PICTURES."""
    with tempfile.TemporaryDirectory() as name:
        vault = Path(name)
        truth = generate(vault)
        for picture, query in PICTURES.items():
            fact = truth.of(query)
            match = vault / str(fact.vault_file)
            comparison, overlay = compare_drawings(
                read(vault / fact.file), read(match), (query, match.name)
            )
            png = render_png(overlay, width=900, height=640)
            if len(png) > MOST_BYTES:
                raise SystemExit(f"{picture} has {len(png)} bytes, more than {MOST_BYTES}")
            (folder / picture).write_bytes(png)
            print(f"{picture:14} {comparison.relation.value:10} {comparison.similarity:.3f}")


def tiles() -> Iterator[Tile]:
    """The pairs of the contact sheet: what happens to drawings in an office, done to samples."""
    recipes = {recipe.file: recipe for recipe in RECIPES}
    with tempfile.TemporaryDirectory() as name:
        for number, (heading, file, kind, ordinal) in enumerate(PAIRS):
            entry = Entry(kind, SEED + number, ordinal)
            old = Path(name) / Path(entry.path).name
            new = Path(name) / file
            old.write_text(dxf_text(entry.plan), encoding="utf-8")
            new.write_bytes(recipes[file].make(entry).content)
            comparison, overlay = compare_drawings(read(new), read(old), (file, old.name))
            print(f"{heading:38} {comparison.relation.value:10} {comparison.similarity:.3f}")
            yield Tile(heading, overlay)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures"))
