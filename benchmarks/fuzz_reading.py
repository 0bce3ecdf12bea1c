"""Damaged copies of real files of every format, each read as the product reads it.

    python benchmarks/fuzz_reading.py --keep FOLDER [--minutes 30] [--seed 1] [--only dxf]

The files of ../shared/drawings, and PDFs, rasters and binary DXF made from them, are damaged
(see damage.py) and read in a child process with the product's limit of memory and a short limit
of time. Refusals with a code are counted. What crashed the child, raised something else than a
DrawingError, ran into a limit of time or memory, or was stopped from outside (``HANG``: the
reader did not look at the clock) is kept below FOLDER with its code and case number; a file
whose damage opened nothing new is not kept twice, by the last line of its traceback.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import logging
import random
import re
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

import ezdxf
from damage import BINARY, TEXT, Damage, damaged
from PIL import Image

from dedup2d.drawing.model import Drawing
from dedup2d.errors import DrawingError
from dedup2d.reading import Budget, read
from dedup2d.reading.geometry import flatten_arcs
from dedup2d.samples.raster import rasterise
from dedup2d.sandbox.pool import ChildPool
from dedup2d.settings import Settings

FILES = Path(__file__).parents[2] / "shared" / "drawings" / "files"
LIMIT_S, GRACE_S = 20.0, 5.0
MOST_BYTES = 400_000  # of a file to damage: larger ones cost more and show no more
EACH = 60  # files of a format
SUSPECT = frozenset({"READER_CRASHED", "READ_FAILED", "TIME_LIMIT", "HANG", "MEMORY_LIMIT"})
WAYS: dict[str, tuple[Damage, ...]] = {
    "dxf": TEXT,
    "svg": TEXT,
    "bin.dxf": BINARY,
    "dwg": BINARY,
    "pdf": TEXT + BINARY,
    "png": BINARY,
    "jpg": BINARY,
    "tif": BINARY,
}
Seeds = dict[str, list[bytes]]


def seeds(dice: random.Random) -> Seeds:
    """Undamaged files of each format."""
    found: Seeds = {kind: [] for kind in WAYS}
    for kind in ("dxf", "svg", "dwg", "pdf"):
        paths = [p for p in sorted(FILES.rglob(f"*.{kind}")) if p.stat().st_size <= MOST_BYTES]
        chosen = dice.sample(paths, min(len(paths), EACH))
        found[kind] = [path.read_bytes() for path in chosen]
    for data in found["dxf"][: EACH // 2]:
        made = as_binary(data)
        found["bin.dxf"] += [made] if made else []
    for drawing in drawings(sorted(FILES.rglob("*.dxf")), dice, EACH // 3):
        found["pdf"].append(as_pdf(drawing))
        for kind, options in (
            ("png", {"format": "PNG"}),
            ("jpg", {"format": "JPEG"}),
            ("tif", {"format": "TIFF", "compression": "tiff_lzw"}),
            ("tif", {"format": "TIFF", "compression": "group4"}),
        ):
            found[kind].append(as_image(drawing, options))
    return found


def drawings(paths: list[Path], dice: random.Random, count: int) -> list[Drawing]:
    """Some that are worth plotting."""
    found: list[Drawing] = []
    for path in dice.sample(paths, len(paths)):
        try:
            drawing = read(path, Budget(max_seconds=5))
        except DrawingError:
            continue
        if 10 < drawing.primitive_count < 3000:
            found.append(drawing)
        if len(found) == count:
            break
    return found


def as_binary(data: bytes) -> bytes | None:
    """A binary DXF of an ASCII one, None where ezdxf cannot."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.dxf"
        path.write_bytes(data)
        try:
            ezdxf.readfile(path).saveas(path, fmt="bin")
        except Exception:  # noqa: BLE001  # other people's files; another one will do
            return None
        return path.read_bytes()


def as_image(drawing: Drawing, options: dict[str, str]) -> bytes:
    """A picture of 500 pixels; bitonal where it is a fax."""
    image = Image.fromarray(rasterise(drawing, longer_side_px=500))
    if options.get("compression") == "group4":
        image = image.convert("1")
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()


def as_pdf(drawing: Drawing) -> bytes:
    """A PDF with plain, uncompressed page content, so that damage reaches its operators."""
    lines = [f"{a:.3f} {b:.3f} m {c:.3f} {d:.3f} l S" for a, b, c, d in drawing.segments]
    lines += [
        f"{a:.3f} {b:.3f} m {c:.3f} {d:.3f} l S" for a, b, c, d in flatten_arcs(drawing.arcs)[0]
    ]
    words = [t for t in drawing.texts if t.value.isascii() and not set(t.value) & set("()\\")]
    lines += [f"BT /F1 {t.height:.2f} Tf {t.x:.2f} {t.y:.2f} Td ({t.value}) Tj ET" for t in words]
    content = ("q 1 0 0 1 10 10 cm 0.3 w [3 1] 0 d\n" + "\n".join(lines) + "\nQ /X1 Do").encode()
    form = b"1 0 0 rg 0 0 9 9 re f 5 5 m 9 9 9 1 5 5 c S"
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 842 595]/Rotate 90/Contents 4 0 R/Resources"
        b"<</Font<</F1 " + font + b">>/XObject<</X1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/XObject/Subtype/Form/BBox[0 0 99 99]/Matrix[1 0 0 1 3 3]/Length %d>>stream\n"
        b"%s\nendstream" % (len(form), form),
    ]
    body = b"".join(b"%d 0 obj%s endobj\n" % (k + 1, text) for k, text in enumerate(objects))
    return b"%PDF-1.4\n" + body + b"trailer<</Root 1 0 R/Size 6>>\n%%EOF"


class LastWords(logging.Handler):
    """Keeps what the pool logs about a child, and the place where it failed."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the newest."""
        self.text = record.getMessage()

    @property
    def place(self) -> str:
        """The innermost of our lines (a traceback has it last, a crash first), and the error."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        ours = [line for line in lines if line.startswith("File") and "/dedup2d/" in line]
        deaths = [line for line in lines if line.startswith(("memory alloc", "Fatal Python"))]
        deaths = [re.sub(r"\d+", "n", line) for line in deaths]  # one place, whatever the size
        at = (ours[:1] if deaths else ours[-1:]) or [""]
        return f"{at[0].split('/dedup2d/')[-1]} {' '.join(deaths[:1] or lines[-1:])}"


async def outcome(pool: ChildPool, path: Path, out: Path) -> str:
    """The code that reading ended with."""
    budget = {"max_seconds": LIMIT_S}
    payload = {"path": str(path), "out": str(out), "budget": budget}
    try:
        await pool.run("dedup2d.reading.work:parse", payload, timeout_s=LIMIT_S + GRACE_S)
    except DrawingError as error:
        stopped = f"{LIMIT_S + GRACE_S:g} seconds" in error.message
        return "HANG" if error.code == "TIME_LIMIT" and stopped else error.code
    return "read"


class Fuzzer:
    """Damages and reads; ``counts`` by format and code, ``places`` where it failed how often."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._words = LastWords()
        self.counts: Counter[tuple[str, str]] = Counter()
        self.places: Counter[str] = Counter()
        log = logging.getLogger("dedup2d.sandbox.pool")
        log.addHandler(self._words)
        log.propagate = False

    async def run(self, found: Seeds) -> None:
        """Until the time is over."""
        args = self._args
        kinds = [kind for kind in WAYS if found[kind] and args.only in (None, kind)]
        print({kind: len(found[kind]) for kind in kinds}, flush=True)
        end, number = time.monotonic() + 60 * args.minutes, args.first
        memory = Settings().child_memory_bytes
        preload = ("dedup2d.reading.work",)
        with tempfile.TemporaryDirectory() as folder:
            async with ChildPool(processes=1, memory_bytes=memory, preload=preload) as pool:
                while time.monotonic() < end:
                    kind = kinds[number % len(kinds)]
                    dice = random.Random(f"{args.seed}/{number}")
                    whole, other = dice.choice(found[kind]), dice.choice(found[kind])
                    path = Path(folder) / f"a.{kind}"
                    path.write_bytes(damaged(whole, other, WAYS[kind], dice))
                    await self._read(pool, path, number, kind)
                    number += 1

    async def _read(self, pool: ChildPool, path: Path, number: int, kind: str) -> None:
        self._words.text = ""
        start = time.monotonic()
        code = await outcome(pool, path, path.with_name("out"))
        self.counts[kind, code] += 1
        if code not in SUSPECT:
            return
        place = f"{code} {kind} {self._words.place}"
        self.places[place] += 1
        if self.places[place] <= self._args.copies:
            print(f"{number} {time.monotonic() - start:.1f} s {place}", flush=True)
            name = f"{code}-{self._args.seed}-{number}"
            keep(path, self._args.keep / f"{name}.{kind}", self._words.text)


def keep(path: Path, kept: Path, words: str) -> None:
    """The input, and what was logged about it."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, kept)
    if words:
        kept.with_name(f"{kept.name}.log").write_text(words)


def main() -> None:
    """Fuzz and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--copies", type=int, default=3, help="kept for each place of failure")
    parser.add_argument("--only", choices=list(WAYS))
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    args = parser.parse_args()
    fuzzer = Fuzzer(args)
    asyncio.run(fuzzer.run(seeds(random.Random(args.seed))))
    for place, count in fuzzer.places.most_common():
        print(f"{count:6d}  {place}")
    counts = fuzzer.counts
    for code in sorted({code for _, code in counts}, key=lambda c: (c not in SUSPECT, c)):
        row = {kind: counts[kind, code] for kind in WAYS if counts[kind, code]}
        print(f"{code:>22} {sum(row.values()):7d}  {row}")
    suspect = sum(count for (_, code), count in counts.items() if code in SUSPECT)
    print(f"{counts.total()} files, {suspect} suspect")


if __name__ == "__main__":
    main()
