"""The package `assignment2` of the decider: modules without code, whose functions run in the worker."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import torch

from coursekit.staff.isolated import tags


class RemoteFunction:
    """A function (or a class) of the worker's; calling it asks the worker that there is now.

    By its name in its module it is there in every worker, also in the one that follows a crash; by its handle in one.
    """

    def __init__(self, line: Callable[[], Any], there: tuple[Any, ...], name: str) -> None:
        self._line, self._there = line, there
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._line().request(tags.CALL, self, args, kwargs, torch.is_grad_enabled())

    def remote_name(self) -> tuple[Any, ...]:
        return self._there

    def __repr__(self) -> str:
        return f"<{self.__name__} of the submission>"


class ProxyModule(types.ModuleType):
    """One module of assignment2: attributes are looked up in the worker, and what a check puts here is put there."""

    def __init__(self, name: str, line: Callable[[], Any]) -> None:
        super().__init__(f"assignment2.{name}")
        vars(self).update(_short=name, _current=line, _put={}, _functions={})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # no check asks for such a name; pytest asks every file's modules for `_mock_name`
            raise AttributeError(name)
        if name in self._put:
            return self._put[name]
        if name in self._functions:
            return self._functions[name]
        kind, value = self._current().request("look", self._short, name)
        if kind == "missing":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if kind == "value":
            return value
        self._functions[name] = RemoteFunction(self._current, (tags.KEPT, self._short, name), name)
        return self._functions[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__"):
            return super().__setattr__(name, value)
        if isinstance(value, RemoteFunction) and value._there == (tags.KEPT, self._short, name):
            return self.__delattr__(name)
        self._put[name] = value
        self._current().before_next("put", self._short, name, value)
        return None

    def __delattr__(self, name: str) -> None:
        self._put.pop(name, None)
        self._current().before_next("restore", self._short, name)


class ProxyPackage(types.ModuleType):
    """The package itself."""

    def __init__(self, problems: Callable[[], Mapping[str, str]]) -> None:
        super().__init__("assignment2")
        vars(self).update(__path__=[], _problems=problems)

    def __getattr__(self, name: str) -> Any:
        if name in self._problems():
            raise pytest.Collector.CollectError(self._problems()[name])
        raise AttributeError(f"module 'assignment2' has no attribute {name!r}")


def put_in_place(names: Sequence[str], line: Callable[[], Any], problems: Callable[[], Mapping[str, str]]) -> None:
    """Let `from assignment2 import ...` find proxies, and nothing but proxies."""
    package = ProxyPackage(problems)
    sys.modules["assignment2"] = package
    for name in names:
        if name not in problems():
            sys.modules[f"assignment2.{name}"] = module = ProxyModule(name, line)
            setattr(package, name, module)
