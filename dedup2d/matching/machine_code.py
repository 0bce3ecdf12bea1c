"""Machine code of the kernels: made once per machine, loaded in milliseconds.

numba translates ``kernels`` when this installation first needs them (a few seconds; ``python -m
dedup2d.matching.machine_code`` does it ahead). What it made is kept as an object file beside the
byte code, or in the user's cache where that folder is read-only. From then on LLVM alone loads it:
importing numba and what it registers would cost every cold start more than half a second. The code
is for the plain processor of its family, so that an image may be built on one machine and run on
another, and all machines round alike.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import llvmlite
import llvmlite.binding as llvm

_FOLDER: Final = Path(__file__).parent
_SOURCES: Final = (
    "kernels.py",
    "kernels_vault.py",
    "kernels_voting.py",
    "translate.py",
    "machine_code.py",
)
_READABLE: Final = 0o644  # who installs may be another than who runs
_NO_MODULE: Final = ""
_ENGINES: Final[list[Any]] = []  # the code lives as long as its engine


@cache
def loaded() -> dict[str, tuple[int, list[str]]]:
    """Address and kinds of parameters of each kernel."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    head, code = _kept() or _made()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(_NO_MODULE), _machine())
    engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _ENGINES.append(engine)
    return {
        name: (engine.get_function_address(symbol), kinds)
        for name, (symbol, kinds) in json.loads(head).items()
    }


def _machine() -> Any:
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(opt=3, codemodel="jitdefault", jit=True)


def _file_name() -> str:
    """Other kernels, translators or machines make other code."""
    said = hashlib.sha256(b"".join((_FOLDER / name).read_bytes() for name in _SOURCES))
    said.update(f"{llvmlite.__version__} {llvm.get_default_triple()}".encode())
    return f"kernels-{said.hexdigest()[:16]}.o"


def _folders() -> Iterator[Path]:
    yield _FOLDER / "__pycache__"
    yield Path("~/.cache/dedup2d").expanduser()


def _kept() -> tuple[bytes, bytes] | None:
    name = _file_name()
    for folder in _folders():
        try:
            data = (folder / name).read_bytes()
        except OSError:
            continue
        digest, _, rest = data.partition(b"\n")
        head, _, code = rest.partition(b"\n")
        if digest == hashlib.sha256(rest).hexdigest().encode():
            return head, code
    return None


def _made() -> tuple[bytes, bytes]:
    from dedup2d.matching.translate import translated  # noqa: PLC0415  # loads numba

    signatures, code = translated(_machine())
    head = json.dumps(signatures).encode()
    rest = head + b"\n" + code
    for folder in _folders():
        try:
            _keep(folder, hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest)
        except OSError:
            continue
        break
    return head, code


def _keep(folder: Path, data: bytes) -> None:
    """Written whole or not at all: several processes may do it at once."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".kernels-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(_READABLE)
        Path(name).replace(folder / _file_name())
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


if __name__ == "__main__":
    loaded()
