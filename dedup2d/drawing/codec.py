"""A Drawing as bytes: how parsed drawings pass between processes and lie in caches.

The container is an uncompressed npz (a zip of ``.npy`` members, read with
``allow_pickle=False``); its zip check sums tell a damaged file. Everything that is no array
is versioned JSON in the member ``meta``.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final, NoReturn
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from dedup2d.drawing.model import Drawing, Finding, Source, Text
from dedup2d.errors import DrawingError

CODEC_VERSION: Final = 3

_COLUMNS: Final = {"segments": 4, "arcs": 5, "curves": 4, "hatching": 4, "seams": 4}
_OWNERS: Final = {
    "segment_source": "segments",
    "arc_source": "arcs",
    "curve_source": "curves",
}

# What zipfile, numpy and json raise for bytes that are not theirs; RuntimeError and its
# NotImplementedError stand for flags (encrypted, patched) that damage may set.
_DAMAGE: Final = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    RuntimeError,
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
)


def save(drawing: Drawing, path: Path) -> None:
    """Write ``drawing`` to ``path``; the name appears only when the file is complete."""
    partial = path.with_name(f"{path.name}.{uuid4().hex}.part")
    try:
        partial.write_bytes(to_bytes(drawing))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def load(path: Path) -> Drawing:
    """Read what ``save`` wrote. Raises DrawingError ``PARSED_DRAWING_UNREADABLE``."""
    return from_bytes(path.read_bytes())


def to_bytes(drawing: Drawing) -> bytes:
    """The same drawing gives the same bytes."""
    members: dict[str, NDArray[Any]] = {
        name: getattr(drawing, name) for name in (*_COLUMNS, *_OWNERS)
    }
    members["meta"] = np.frombuffer(_meta(drawing), dtype=np.uint8)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in members.items():
            npy = io.BytesIO()
            np.lib.format.write_array(npy, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), npy.getbuffer())
    return buffer.getvalue()


def from_bytes(data: bytes) -> Drawing:
    """The drawing that ``to_bytes`` wrote.

    Raises DrawingError ``PARSED_DRAWING_UNREADABLE`` for truncated, altered or foreign bytes
    and for those of another version.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile) or archive.zip is None:
                _refuse("it is no archive")
            if archive.zip.testzip() is not None:
                _refuse("a check sum does not fit")
            arrays = {name: archive[name] for name in (*_COLUMNS, *_OWNERS)}
            meta = json.loads(archive["meta"].tobytes())
        return _drawing(arrays, meta)
    except _DAMAGE as error:
        raise DrawingError(
            "PARSED_DRAWING_UNREADABLE", "The stored form of a parsed drawing is damaged."
        ) from error


def _meta(drawing: Drawing) -> bytes:
    kinds = sorted({s.kind for s in drawing.sources})
    layers = sorted({s.layer for s in drawing.sources})
    kind_of = {kind: i for i, kind in enumerate(kinds)}
    layer_of = {layer: i for i, layer in enumerate(layers)}
    meta = {
        "version": CODEC_VERSION,
        "kinds": kinds,
        "layers": layers,
        "sources": [
            [kind_of[s.kind] for s in drawing.sources],
            [layer_of[s.layer] for s in drawing.sources],
            [s.handle for s in drawing.sources],
        ],
        "texts": [[getattr(text, name) for name in Text.__slots__] for text in drawing.texts],
        "findings": [[f.code, f.message, f.count] for f in drawing.findings],
        "unit_mm": drawing.unit_mm,
        "sheet_names": list(drawing.sheet_names),
        "format": drawing.format,
        "is_raster": drawing.is_raster,
        "tolerance": drawing.tolerance,
    }
    return json.dumps(meta, separators=(",", ":")).encode()


def _drawing(arrays: dict[str, NDArray[Any]], meta: dict[str, Any]) -> Drawing:
    if meta["version"] != CODEC_VERSION:
        _refuse(f"its version is {meta['version']}")
    kinds, layers = meta["kinds"], meta["layers"]
    sources = tuple(
        Source(kinds[kind], layers[layer], handle)
        for kind, layer, handle in zip(*meta["sources"], strict=True)
    )
    _check_arrays(arrays, len(sources))
    return Drawing(
        **arrays,
        sources=sources,
        texts=tuple(Text(*fields) for fields in meta["texts"]),
        findings=tuple(Finding(*fields) for fields in meta["findings"]),
        unit_mm=meta["unit_mm"],
        sheet_names=tuple(meta["sheet_names"]),
        format=meta["format"],
        is_raster=meta["is_raster"],
        tolerance=meta["tolerance"],
    )


def _check_arrays(arrays: dict[str, NDArray[Any]], sources: int) -> None:
    for name, width in _COLUMNS.items():
        if arrays[name].dtype != np.float64 or arrays[name].shape[1:] != (width,):
            _refuse(f"{name} has another shape")
    for name, owned in _OWNERS.items():
        owner = arrays[name]
        if owner.dtype != np.int32 or owner.shape != (len(arrays[owned]),):
            _refuse(f"{name} has another shape")
        if len(owner) and not 0 <= owner.min() <= owner.max() < sources:
            _refuse(f"{name} points nowhere")


def _refuse(why: str) -> NoReturn:
    raise ValueError(why)
