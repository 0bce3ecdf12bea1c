"""Translates the kernels with numba to one object file that needs nothing of numba."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, Final

import llvmlite.binding as llvm
import numba
from numba import types

from dedup2d.matching import kernels, kernels_vault, kernels_voting

_TYPES: Final = {
    "int": types.int64,
    "float": types.float64,
    "Floats": types.CPointer(types.float64),
    "Cells": types.CPointer(types.int32),
    "Pixels": types.CPointer(types.uint8),
    "Hashes": types.CPointer(types.uint32),
    "Longs": types.CPointer(types.int64),
}


def translated(machine: Any) -> tuple[dict[str, tuple[str, list[str]]], bytes]:
    """Symbol and kinds of parameters of each kernel, and the object file of all."""
    signatures: dict[str, tuple[str, list[str]]] = {}
    module: Any = None
    for name, function in _kernels():
        kinds = [p.annotation for p in inspect.signature(function).parameters.values()]
        signature = types.void(*(_TYPES[kind] for kind in kinds))
        callback = numba.cfunc(signature, error_model="numpy")(function)
        symbol = callback.native_name.removeprefix("cfunc.")
        signatures[name] = symbol, kinds
        one = _alone(llvm.parse_assembly(callback.inspect_llvm()), symbol, machine)
        if module is None:
            module = one
        else:
            module.link_in(one)
    return signatures, machine.emit_object(module)


def _kernels() -> Iterator[tuple[str, Callable[..., None]]]:
    for source in (kernels, kernels_vault, kernels_voting):
        for name, function in vars(source).items():
            ours = getattr(function, "__module__", "") == source.__name__
            if ours and inspect.isfunction(function) and not name.startswith(("_", "inner")):
                yield name, function


def _alone(module: Any, symbol: str, machine: Any) -> Any:
    """Only the function itself: what would call it from Python needs symbols of numba."""
    for function in module.functions:
        if not function.is_declaration and function.name != symbol:
            function.linkage = "internal"
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    return module
