"""A network that lives in the worker, as the decider sees it: real parameters in a tree of modules, computed over there.

The decider may look at it, train it, switch its mode and load weights; each call carries the weights as they are now.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.staff.isolated import tags
from coursekit.staff.isolated.plain import IDENTIFIER, Reader, Writer, broken, identifier

OWN = frozenset(vars(nn.Module()))  # the names that every module has
PLAIN = (int, float, str, tuple, list, dict, type(None), Tensor)
MAX_MODULES = 500


def describe_shell(handle: int, root: nn.Module, writer: Writer, known: Mapping[int, int]) -> list[Any]:
    """Describe a network: its modules with their plain attributes, children and tensors.

    What the decider has itself (known: identity -> number), a module or a class, is named by its number.
    """
    modules = _modules_of_ours(root, known)
    found = (tensor for m in modules for tensor in (*m._parameters.values(), *m._buffers.values()))
    tensors = list(dict.fromkeys(tensor for tensor in found if tensor is not None))
    place = {id(thing): i for things in (modules, tensors) for i, thing in enumerate(things)}
    nodes = []
    for module in modules:
        kind = type(module)
        attributes = {k: v for k, v in vars(module).items() if k not in OWN and isinstance(v, PLAIN) and k[0] != "_"}
        children = [
            [name, -1 if child is None else [tags.GIVEN, known[id(child)]] if id(child) in known else place[id(child)]]
            for name, child in module._modules.items()
        ]
        nodes.append([
            kind.__name__,
            next((k.__name__ for k in kind.__mro__ if getattr(nn, k.__name__, None) is k), "Module"),
            known.get(id(kind), -1),
            module.training,
            writer.write(attributes),
            children,
            [[name, place.get(id(value), -1)] for name, value in module._parameters.items()],
            [[name, place.get(id(value), -1)] for name, value in module._buffers.items()],
        ])  # fmt: skip
    told = [[writer.write(value.detach()), value.requires_grad, isinstance(value, nn.Parameter)] for value in tensors]
    return [tags.NETWORK, handle, nodes, told]


def _modules_of_ours(root: nn.Module, known: Mapping[int, int]) -> list[nn.Module]:
    found: dict[int, nn.Module] = {id(root): root}
    waiting = [root]
    while waiting:
        for child in waiting.pop()._modules.values():
            if child is not None and id(child) not in known and id(child) not in found:
                found[id(child)] = child
                waiting.append(child)
    return list(found.values())


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
        return (tags.HANDLE, handle) if not path else (tags.INNER_MODULE, handle, path)

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
    shells = [_empty(line, *node[:3]) for node in nodes]
    for shell, (_, _, _, training, attributes, children, parameters, buffers) in zip(shells, nodes, strict=True):
        shell.training = bool(training)
        own = reader.read(attributes)
        vars(shell).update({k: value for k, value in own.items() if IDENTIFIER.fullmatch(k) and k[0] != "_"})
        shell._modules.update({_name(name): _child(line, shells, place) for name, place in children})
        shell._parameters.update({_name(name): _at(tensors, place) for name, place in parameters})
        shell._buffers.update({_name(name): _at(tensors, place) for name, place in buffers})
    root = shells[0]
    vars(root)["_handle"] = handle
    _place(line, root)
    return root


def _place(line: Any, root: Shell) -> None:
    """Tell every module where it is; a tree in which a module is its own ancestor is refused."""
    seen = 0
    waiting: list[tuple[str, Shell]] = [("", root)]
    while waiting:
        path, shell = waiting.pop()
        seen += 1
        if seen > MAX_MODULES:
            raise broken("a network without an end")
        vars(shell)["_there"] = (line, None if shell is root else root, path)
        inner = [(f"{path}.{name}" if path else name, child) for name, child in shell._modules.items()]
        if any(child is root for _, child in inner):
            raise broken("a network that contains itself")
        shells = ((place, child) for place, child in inner if isinstance(child, Shell))
        waiting += [(place, child) for place, child in shells if "_handle" not in vars(child)]


def _empty(line: Any, name: Any, base: Any, number: Any) -> Shell:
    """Return a module without content that passes for one of torch's own, or of a class that the check has given."""
    kind = getattr(nn, base, None) if isinstance(base, str) else None
    if type(number) is int and number >= 0:
        kind = line.home_object(number)
    known = isinstance(kind, type) and issubclass(kind, nn.Module) and not issubclass(kind, Shell)
    made = _shell_class(identifier(name), kind if known else nn.Module)
    shell: Shell = made.__new__(made)
    nn.Module.__init__(shell)
    return shell


@functools.cache
def _shell_class(name: str, kind: type[nn.Module]) -> Any:
    return type(name, (Shell,) if kind is nn.Module else (Shell, kind), {})


def _child(line: Any, shells: list[Shell], place: Any) -> Any:
    if isinstance(place, list) and len(place) == 2:
        child = line.home_object(place[1])
        if not isinstance(child, nn.Module):
            raise broken("a part that is no module")
        return child
    return _at(shells, place)


def _name(name: Any) -> str:
    if not isinstance(name, str) or not 0 < len(name) < 60 or not {".", "/", "\\"}.isdisjoint(name):
        raise broken("an odd name")
    return name


def _at(things: list[Any], place: Any) -> Any:
    if type(place) is not int or not -1 <= place < len(things):
        raise broken("a part that is not there")
    return None if place == -1 else things[place]
