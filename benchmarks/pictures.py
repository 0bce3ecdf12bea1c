"""Draws the pictures of docs/how-matching-works.md with the product itself.

python benchmarks/pictures.py [docs/pictures]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final

from dedup2d.engine.overlays import compare_drawings
from dedup2d.overlay.png import render_png
from dedup2d.reading import read
from dedup2d.samples import generate

PICTURES: Final = {  # picture: query
    "revision.png": "revision-hole.dxf",
    "text-only.png": "revision-text.dxf",
    "part.png": "sheet.dxf",
    "frame.png": "framed.dxf",
    "variant.png": "mirrored.dxf",
    "scan.png": "scan.png",
}
MOST_BYTES: Final = 60_000


def main(folder: Path) -> None:
    """Write all pictures and print what the engine says about each pair."""
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


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures"))
