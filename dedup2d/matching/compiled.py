"""The kernels as Python calls them; their machine code is loaded when the first one is asked for."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import CFUNCTYPE, addressof, c_char, c_double, c_int32, c_int64, c_void_p
from functools import cache
from typing import Any, Final

Kernel = Callable[..., None]

_C_TYPES: Final[dict[str, Any]] = {"int": c_int64, "float": c_double}  # others are addresses
_NOWHERE: Final = (c_int64 * 2)()


@cache
def kernel(name: str) -> Kernel:
    """The kernel of that name; it takes numbers, and addresses of arrays."""
    from dedup2d.matching.machine_code import loaded  # noqa: PLC0415  # only matching needs it

    address, kinds = loaded()[name]
    types = [_C_TYPES.get(kind, c_void_p) for kind in kinds]
    # numba's functions begin with the places of a result and of an exception: here are none
    called = CFUNCTYPE(c_int32, c_void_p, c_void_p, *types)(address)
    nowhere = addressof(_NOWHERE)

    def run(*arguments: float) -> None:
        called(nowhere, nowhere, *arguments)

    return run


def at(array: Any) -> int:
    """Address of a contiguous array, which must be kept alive; an empty one has none."""
    return addressof(c_char.from_buffer(array)) if array.size else 0
