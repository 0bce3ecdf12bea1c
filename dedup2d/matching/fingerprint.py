"""The Fingerprint: everything that the index stores of a drawing, versioned."""

from __future__ import annotations

import hashlib
import io
import json
import math
import zlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Drawing, Floats, Text, no_segments
from dedup2d.errors import ServiceError
from dedup2d.matching.canonical import canonical, canonical_shape, place_of, sound_segments
from dedup2d.matching.descriptor import descriptor
from dedup2d.matching.moments import signature
from dedup2d.matching.prepared import Prepared
from dedup2d.matching.shape import Bools, Shape
from dedup2d.matching.tokens import Hashes, sketch

ALGORITHM_VERSION: Final = 4  # to be raised whenever any stored number changes its meaning
SKETCH_SIZE: Final = 1024  # nearly all tokens of a usual drawing, so that frequencies are true
KEY_STEP: Final = 1e-3

PLOTTED_FORMATS: Final = frozenset({"pdf", "svg"})  # their scale is that of the paper


@dataclass(frozen=True)
class Fingerprint:
    """What one drawing is known by.

    ``shape`` is canonical, in drawing units; ``sketch`` (<= 1024,) sorted token hashes;
    ``signature`` (17,); ``descriptor`` (252,) float32 of the whole, ``inner`` (252,) float32 of
    what the sheet's border surrounds, both with the hatching; ``tolerance`` in drawing units;
    ``hatching`` (h, 4) pattern lines and ``seams`` (s, 4) of filled areas, beside the shape;
    ``border`` (count,) strokes of the sheet's border, None where that was not stored.
    """

    shape: Shape
    texts: tuple[Text, ...]
    unit_mm: float | None
    is_raster: bool
    is_plot: bool
    tolerance: float
    signature: Floats
    descriptor: NDArray[np.float32]
    inner: NDArray[np.float32]
    sketch: Hashes
    hatching: Floats = field(default_factory=no_segments)
    seams: Floats = field(default_factory=no_segments)
    border: Bools | None = None
    version: int = ALGORITHM_VERSION

    @cached_property
    def key(self) -> str:
        """A quick key: equal for re-saves, split, reordered, moved or turned strokes.

        Noise may change it, and different drawings may share it: it finds, it never decides.
        """
        numbers = np.rint(self.signature / KEY_STEP).astype(np.int64)
        size = round(math.log(self.shape.length) / KEY_STEP) if self.shape.length > 0 else 0
        return hashlib.sha256(f"{size}:{numbers.tolist()}".encode()).hexdigest()[:32]

    @cached_property
    def digest(self) -> bytes:
        """sha256 of the strokes; orders a pair of drawings the same way on every machine."""
        said = hashlib.sha256(np.ascontiguousarray(self.shape.segments, "<f8").tobytes())
        said.update(np.ascontiguousarray(self.shape.arcs, "<f8").tobytes())
        said.update(np.packbits(self.shape.curved).tobytes())
        return said.digest()


def fingerprint(drawing: Drawing) -> Fingerprint:
    """The fingerprint of a drawing; one without strokes has an empty shape."""
    return fingerprint_of(drawing, strokes_of(drawing))


def strokes_of(drawing: Drawing) -> Prepared:
    """The canonical strokes of a drawing."""
    place = place_of(drawing)
    hatching, seams = (sound_segments(lines, place) for lines in (drawing.hatching, drawing.seams))
    return Prepared(canonical(drawing), hatching=hatching, seams=seams)


def fingerprint_of(drawing: Drawing, strokes: Prepared) -> Fingerprint:
    """The fingerprint of a drawing with these strokes, which keep what it took to make it."""
    whole, inner = _descriptors(strokes, scanned=drawing.is_raster)
    return Fingerprint(
        shape=strokes.shape,
        texts=drawing.texts,
        unit_mm=drawing.unit_mm,
        is_raster=drawing.is_raster,
        is_plot=drawing.format.lower() in PLOTTED_FORMATS,
        tolerance=drawing.tolerance,
        signature=signature(strokes.moments),
        descriptor=whole,
        inner=inner,
        sketch=sketch(strokes.tokens, SKETCH_SIZE),
        hatching=strokes.hatching,
        seams=strokes.seams,
        border=strokes.border,
    )


def _descriptors(
    strokes: Prepared, *, scanned: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of what paper shows: pattern lines are ink, and lie inside the border."""
    paper = strokes.printed
    whole = descriptor(paper.shape, paper.samples)
    within = strokes.within if scanned else strokes.body
    if within.all():
        return whole, whole
    inner = Prepared(strokes.shape.part(within), hatching=strokes.hatching).printed
    return whole, descriptor(inner.shape, inner.samples)


def refreshed(old: Fingerprint) -> Fingerprint:
    """The fingerprint that this version makes of the strokes of another version's."""
    strokes = Prepared(canonical_shape(old.shape), hatching=old.hatching, seams=old.seams)
    whole, inner = _descriptors(strokes, scanned=old.is_raster)
    return replace(
        old,
        shape=strokes.shape,
        signature=signature(strokes.moments),
        descriptor=whole,
        inner=inner,
        sketch=sketch(strokes.tokens, SKETCH_SIZE),
        border=strokes.border,
        version=ALGORITHM_VERSION,
    )


def encode(fp: Fingerprint) -> bytes:
    """Shape, texts and units as bytes: zlib of a JSON head and raw float64.

    The numbers that are searched (signature, sketch, descriptor) are stored beside it.
    """
    head = {
        "version": fp.version,
        "segments": len(fp.shape.segments),
        "arcs": len(fp.shape.arcs),
        "curved": len(fp.shape.curved),
        "hatching": len(fp.hatching),
        "seams": len(fp.seams),
        "border": 0 if fp.border is None else len(fp.border),
        "unit_mm": fp.unit_mm,
        "is_raster": fp.is_raster,
        "is_plot": fp.is_plot,
        "tolerance": fp.tolerance,
        "texts": [[getattr(text, name) for name in Text.__slots__] for text in fp.texts],
    }
    buffer = io.BytesIO()
    buffer.write(json.dumps(head, separators=(",", ":")).encode() + b"\n")
    buffer.write(np.ascontiguousarray(fp.shape.segments, "<f8").tobytes())
    buffer.write(np.ascontiguousarray(fp.shape.arcs, "<f8").tobytes())
    buffer.write(np.ascontiguousarray(fp.hatching, "<f8").tobytes())
    buffer.write(np.ascontiguousarray(fp.seams, "<f8").tobytes())
    buffer.write(np.packbits(fp.shape.curved).tobytes())
    if fp.border is not None:
        buffer.write(np.packbits(fp.border).tobytes())
    return zlib.compress(buffer.getvalue(), 1)


def decode(
    data: bytes, numbers: Floats, vectors: NDArray[np.float32], hashes: Hashes
) -> Fingerprint:
    """The fingerprint of stored parts; ``vectors`` (2, 252) descriptor and inner. Raises ServiceError ``INDEX_DAMAGED``."""
    try:
        head, _, body = zlib.decompress(data).partition(b"\n")
        meta: dict[str, Any] = json.loads(head)
        n, m, k = (int(meta[name]) for name in ("segments", "arcs", "curved"))
        newer = ("hatching", "seams", "border")  # the first from version 3 on, the others from 4
        h, s, edge = (int(meta.get(name, 0)) for name in newer)
        floats = np.frombuffer(body, "<f8", 4 * n + 5 * m + 4 * (h + s)).astype(np.float64)
        beside = floats[4 * n + 5 * m :].reshape(h + s, 4)
        bits = np.frombuffer(body, np.uint8, offset=floats.nbytes)
        shape = Shape(
            floats[: 4 * n].reshape(n, 4),
            floats[4 * n : 4 * n + 5 * m].reshape(m, 5),
            np.unpackbits(bits, count=k).astype(np.bool_),
        )
        marks = np.unpackbits(bits[-(-k // 8) :], count=edge).astype(np.bool_)
        texts = tuple(Text(*fields) for fields in meta["texts"])
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise ServiceError(
            "index", "A stored drawing in the index is damaged.", code="INDEX_DAMAGED"
        ) from error
    return Fingerprint(
        shape=shape,
        texts=texts,
        unit_mm=meta["unit_mm"],
        is_raster=meta["is_raster"],
        is_plot=meta["is_plot"],
        tolerance=meta["tolerance"],
        signature=numbers,
        descriptor=vectors[0],
        inner=vectors[1],
        sketch=hashes,
        hatching=beside[:h],
        seams=beside[h:],
        border=marks if edge else None,
        version=meta["version"],
    )
