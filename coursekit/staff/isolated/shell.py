"""A network that lives in the worker, as the decider sees it: real parameters in a tree of modules, computed over there.

The decider may look at it, train it, switch its mode and load weights; each call carries the weights as they are now.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from coursekit.staff.isolated.plain import IDENTIFIER, Reader, Writer, broken, identifier

OWN = frozenset(vars(nn.Module()))  # the names that every module has
MAX_MODULES = 500


def describe_shell(handle: int, root: nn.Module, writer: Writer) -> list[Any]:
    """Describe a network: its modules with their plain attributes, children and tensors, each tensor once."""
    modules = list(root.modules())
    tensors = own_tensors(root)
    place = {id(thing): i for things in (modules, tensors) for i, thing in enumerate(things)}
    nodes = []
    for module in modules:
        attributes = {k: v for k, v in vars(module).items() if k not in OWN and isinstance(v, (int, float, str, tuple))}
        nodes.append([
            type(module).__name__,
            next((kind.__name__ for kind in type(module).__mro__ if getattr(nn, kind.__name__, None) is kind), "Module"),
            module.training,
            writer.write(attributes),
            [[name, place.get(id(child), -1)] for name, child in module._modules.items()],
            [[name, place.get(id(value), -1)] for name, value in module._parameters.items()],
            [[name, place.get(id(value), -1)] for name, value in module._buffers.items()],
        ])  # fmt: skip
    told = [[writer.write(value.detach()), value.requires_grad, isinstance(value, nn.Parameter)] for value in tensors]
    return ["S", handle, nodes, told]


def own_tensors(root: nn.Module) -> list[Tensor]:
    """Return parameters and buffers, each once, in the order in which both ends speak of them."""
    return [*root.parameters(), *root.buffers()]


class Shell(nn.Module):
    """One module of such a network."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._run("__call__", args, kwargs)

    def _run(self, name: str, args: Any, kwargs: Any) -> Any:
        line, root, path = vars(self)["_there"]
        top = root or self
        modes = [module.training for module in top.modules()]
        return line.request("run", top, own_tensors(top), modes, path, name, args, kwargs, torch.is_grad_enabled())

    def remote_name(self) -> tuple[Any, ...]:
        _, root, path = vars(self)["_there"]
        handle = vars(root or self)["_handle"]
        return ("handle", handle) if not path else ("inner", handle, path)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name.startswith("_") or "_there" not in vars(self):
                raise
        line, root, path = vars(self)["_there"]
        kind, value = line.request("ask", root or self, path, name)
        return (lambda *args, **kwargs: self._run(name, args, kwargs)) if kind == "method" else value

    def __deepcopy__(self, memo: Any) -> Any:
        return self._run("__deepcopy__", (), {})


def build_shell(line: Any, reader: Reader, handle: Any, nodes: Any, told: Any) -> Shell:
    """Build the shell of a network from what the worker says about it."""
    if type(handle) is not int or not 0 < len(nodes) <= MAX_MODULES:
        raise broken("a network of impossible size")
    tensors = []
    for value, wanted, parameter in told:
        tensor = reader.read(value)
        wanted = bool(wanted) and tensor.is_floating_point()
        tensors.append(nn.Parameter(tensor, requires_grad=wanted) if parameter else tensor)
    shells = [_empty(*node[:2]) for node in nodes]
    for shell, (_, _, training, attributes, children, parameters, buffers) in zip(shells, nodes, strict=True):
        shell.training = bool(training)
        own = reader.read(attributes)
        vars(shell).update({name: value for name, value in own.items() if IDENTIFIER.fullmatch(name) and name not in OWN})
        shell._modules.update({_name(name): _at(shells, place) for name, place in children})
        shell._parameters.update({_name(name): _at(tensors, place) for name, place in parameters})
        shell._buffers.update({_name(name): _at(tensors, place) for name, place in buffers})
    root = shells[0]
    vars(root)["_handle"] = handle
    _place(line, root, shells)
    return root


def _place(line: Any, root: Shell, shells: list[Shell]) -> None:
    """Tell every module where it is; a tree in which a module is its own ancestor is refused."""
    seen = 0
    waiting: list[tuple[str, Shell]] = [("", root)]
    while waiting:
        path, shell = waiting.pop()
        seen += 1
        if seen > MAX_MODULES:
            raise broken("a network without an end")
        vars(shell)["_there"] = (line, None if shell is root else root, path)
        waiting += [(f"{path}.{name}" if path else name, child) for name, child in shell._modules.items() if child is not None]


def _empty(name: str, base: str) -> Shell:
    """Return a module without content that passes for one of torch's own, so that isinstance and containers work."""
    kind = getattr(nn, base, None) if isinstance(base, str) else None
    known = isinstance(kind, type) and issubclass(kind, nn.Module) and kind is not nn.Module
    bases = (Shell, kind) if known else (Shell,)
    made: Any = type(identifier(name), bases, {})
    shell: Shell = made.__new__(made)
    nn.Module.__init__(shell)
    return shell


def _name(name: Any) -> str:
    if not isinstance(name, str) or not 0 < len(name) < 60 or "." in name:
        raise broken("an odd name")
    return name


def _at(things: list[Any], place: Any) -> Any:
    if type(place) is not int or not -1 <= place < len(things):
        raise broken("a part that is not there")
    return None if place == -1 else things[place]
