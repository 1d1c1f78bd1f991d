"""A function that the worker cannot import: sent as its code, the names that it uses and what it closes over.

cloudpickle would do it too, but searches all that is imported, for each function, for submodules that it might use: 4 ms a
message. The worker has imported what the checks use.
"""

from __future__ import annotations

import builtins
import contextlib
import dis
import functools
import sys
import types
from collections.abc import Iterator
from typing import Any

import cloudpickle

ATTRIBUTES = ("__defaults__", "__kwdefaults__", "__annotations__", "__doc__", "__name__", "__qualname__", "__module__")


def must_travel(function: types.FunctionType) -> bool:
    """Return whether the worker would not find this function by its name."""
    if function.__module__ in cloudpickle.list_registry_pickle_by_value():
        return True
    found: Any = sys.modules.get(function.__module__)
    for name in function.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is not function


def reduced(function: types.FunctionType, namespaces: dict[int, dict[str, Any]]) -> tuple[Any, ...]:
    """Say to pickle how to build a function; those of one module share a namespace there, as they do here."""
    code, names = function.__code__, function.__globals__
    namespace = namespaces.setdefault(id(names), {"__name__": names["__name__"]})
    used = {name: names[name] for name in _global_names(code) if name in names}
    attributes = {name: getattr(function, name) for name in ATTRIBUTES}
    state = used, list(_contents(function)), vars(function), attributes
    return _blank, (code, namespace), state, None, None, _fill


@functools.cache
def _global_names(code: types.CodeType) -> frozenset[str]:
    own = {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL")}
    return frozenset(own).union(*(_global_names(c) for c in code.co_consts if isinstance(c, types.CodeType)))


def _contents(function: types.FunctionType) -> Iterator[tuple[int, Any]]:
    for place, cell in enumerate(function.__closure__ or ()):
        with contextlib.suppress(ValueError):  # an empty cell: its name is not bound yet
            yield place, cell.cell_contents


def _blank(code: types.CodeType, namespace: dict[str, Any]) -> types.FunctionType:
    namespace.setdefault("__builtins__", builtins)
    return types.FunctionType(code, namespace, None, None, tuple(types.CellType() for _ in code.co_freevars))


def _fill(function: types.FunctionType, state: tuple[Any, ...]) -> None:
    """Give a function what may contain the function itself, which therefore exists already."""
    used, contents, own, attributes = state
    function.__globals__.update(used)
    for place, value in contents:
        (function.__closure__ or ())[place].cell_contents = value
    vars(function).update(own)
    for name, value in attributes.items():
        setattr(function, name, value)
