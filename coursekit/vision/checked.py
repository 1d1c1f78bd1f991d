"""Given code: refuse arguments that make no sense, with the value and the remedy, before a student's code runs.

What an argument must be stands in the signature: each parameter is annotated with an alias of `arguments`, a type for the
reader and a `Check` for the machine. Nothing here knows a function or a parameter by its name.
"""

from __future__ import annotations

import functools
import inspect
import math
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import torch
from torch import Tensor

TOO_SMALL = ("Output size is too small", "Kernel size can't be greater than actual input size")
# What asking a value of another kind raises.
NO_SENSE = (TypeError, AttributeError, IndexError, RuntimeError, OverflowError)
MISSING = inspect.Parameter.empty
Function = TypeVar("Function", bound=Callable[..., Any])
Look = Callable[..., bool | None]
Roles = tuple[tuple[str, str], ...]  # what a look calls another argument, and that argument's name


class Check:
    """What an alias adds to a type: its meaning, and what looks at the argument before the function runs.

    A look(name, value) raises ValueError, or returns False for "expected <meaning>". Its keyword parameters ask for the
    arguments of these roles, which are looked at first; those with a default may be missing. `sizes` is what the letters of
    shapes stand for in this call.
    watch(value) is a context round the function, which is given what it yields; it may ask for roles too. A function with
    such an argument, a network or a function of pictures, runs with gradients enabled.
    """

    def __init__(self, meaning: str, *looks: Look, role: str = "", watch: Callable[..., Any] | None = None) -> None:
        if not looks:
            raise TypeError(f"{meaning}: nothing looks at it")
        self.meaning, self.looks, self.role, self.watch = meaning, looks, role, watch


def checked(function: Function) -> Function:
    """Look at the arguments of a function as its signature says; what makes no sense raises ValueError before it runs."""

    # All is found through the attributes of `call`: %autoreload hands these on from a saved function to the one that was
    # imported before, and not what a closure refers to.
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        signature: Signature = call.signature  # type: ignore[attr-defined]
        values = signature.look(args, kwargs)
        if values is None:
            return call.__wrapped__(*args, **kwargs)
        if not signature.watched:
            return call.__wrapped__(**values)
        with signature.watch(values):
            return call.__wrapped__(**values)

    call.signature = Signature(function)  # type: ignore[attr-defined]
    return call  # type: ignore[return-value]


class Step(NamedTuple):
    """One look at one argument."""

    name: str
    look: Look
    meaning: str
    optional: bool  # None says that the argument is not given
    default: Any
    others: Roles


class Signature:
    """The arguments of a function, as the aliases in its signature describe them."""

    def __init__(self, function: Callable[..., Any], *, skip: int = 0) -> None:
        parameters = list(inspect.signature(function).parameters.values())[skip:]
        parameters = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        hints = get_type_hints(function, include_extras=True)
        checks = {p.name: _check_of(hints.get(p.name), f"{function.__qualname__}, {p.name}") for p in parameters}
        self.names = frozenset(checks)
        self.positional = tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY)
        self.defaults = {p.name: p.default for p in parameters if p.default is not MISSING}
        self.roles: dict[str, list[str]] = {}
        for name, check in checks.items():
            self.roles.setdefault(check.role, []).append(name)
        steps = []
        for p in parameters:
            optional = p.default is None or type(None) in get_args(hints[p.name])
            for look in checks[p.name].looks:
                others = self._others(look, skip=2)
                steps.append(Step(p.name, look, checks[p.name].meaning, optional, p.default, others))
        self.steps: list[Step] = []
        while steps:  # whatever a look asks for was looked at before
            waiting = {step.name for step in steps}
            ready = next(s for s in steps if waiting.isdisjoint({other for _, other in s.others} - {s.name}))
            self.steps.append(ready)
            steps.remove(ready)
        self.watched = [(name, c.watch, self._others(c.watch, skip=1)) for name, c in checks.items() if c.watch]

    def look(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the arguments by name, defaults included; None for a call that Python refuses in words of its own."""
        given = dict(zip(self.positional, args, strict=False))
        values = {**self.defaults, **given, **kwargs}
        if values.keys() != self.names or len(args) > len(given) or not given.keys().isdisjoint(kwargs):
            return None
        values[""] = {}  # the sizes
        for name, look, meaning, optional, default, others in self.steps:
            value = values[name]
            if (value is default and not others) or (value is None and optional):
                continue
            roles = {role: values[other] for role, other in others} if others else {}
            cause: Exception | None = None
            try:
                fine = look(name, value, **roles)
            except NO_SENSE as error:
                fine, cause = False, error
            if fine is False:
                raise ValueError(f"{name} is {shown(value)}, expected {meaning}") from cause
        del values[""]
        return values

    @contextmanager
    def watch(self, values: dict[str, Any]) -> Iterator[None]:
        """Enable gradients, and look at what networks and functions answer when they are asked."""
        with torch.enable_grad(), ExitStack() as stack:
            for name, watch, others in self.watched:
                roles = {role: values[other] for role, other in others}
                values[name] = stack.enter_context(watch(values[name], **roles))
            try:
                yield
            except RuntimeError as error:
                if not any(words in str(error) for words in TOO_SMALL):
                    raise
                sizes = [tuple(v.shape[-2:]) for v in values.values() if isinstance(v, Tensor) and v.dim() > 2]
                sizes += [values[name] for name in self.roles.get("image_size", ())]
                size = min(sizes, key=math.prod, default="these")
                raise ValueError(f"pictures of {size} pixels are too small for this network: enlarge them") from error

    def _others(self, asks: Callable[..., Any], *, skip: int) -> Roles:
        """Find the arguments whose roles are parameters of a look or a watch."""
        found: list[tuple[str, str]] = []
        for parameter in list(inspect.signature(asks).parameters.values())[skip:]:
            names = [""] if parameter.name == "sizes" else self.roles.get(parameter.name, [])
            if len(names) > 1 or (not names and parameter.default is MISSING):
                wanted = f"{asks.__name__} wants one argument that is {parameter.name!r}"
                raise TypeError(f"{wanted}, there are {len(names)}")
            found += [(parameter.name, name) for name in names]
        return tuple(found)


def _check_of(hint: Any, place: str) -> Check:
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    found = [part for option in options for part in getattr(option, "__metadata__", ()) if isinstance(part, Check)]
    if len(found) != 1:
        raise TypeError(f"{place}: annotate it as it was given, with one alias of coursekit.vision.arguments")
    return found[0]


def shown(value: Any) -> str:
    """Show a value in a few words on one line."""
    if isinstance(value, Tensor):
        return f"{tuple(value.shape)} {value.dtype}"
    if value is None or isinstance(value, (bool, int, float, complex, str, tuple, list)):
        return " ".join(f"{value!r:.60}".split())
    return f"a {type(value).__name__}"
