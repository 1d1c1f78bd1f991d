"""Laws that hold for every student function: it leaves no trace, it lets errors through, it works however it is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from coursekit.checks.expect import Expect
from coursekit.checks.small_networks import Blind, Boom, broken, seeded

Call = Callable[[nn.Module, Tensor], Any]


def assert_no_trace(
    expect: Expect, call: Call, network: nn.Module, images: Tensor, *, breaks_at: str = "", name: str = "images"
) -> None:
    """Hold call(network, images) to leaving everything as it was, also when the network breaks at the layer `breaks_at`.

    name is what the function calls its pictures.
    """
    __tracebackhide__ = True
    images = images.detach().clone()
    with expect.unchanged(model=network, **{name: images}):
        result = call(network, images)
    for output in result if isinstance(result, tuple) else (result,):
        if isinstance(output, Tensor):
            expect.new(output, **{name: images})
    used, followed = used_network(network), images.clone().requires_grad_()
    followed.grad = torch.ones_like(followed)
    with expect.unchanged(model=used, **{name: followed}):
        call(used, followed)
    for when in ("forward", "backward"):
        assert_lets_errors_through(expect, call, broken(network, when, breaks_at), images, when, name=name)


def assert_lets_errors_through(
    expect: Expect, call: Call, bad: nn.Module, images: Tensor, when: str, *, name: str = "images"
) -> None:
    """Hold call(bad, images) to raising the network's own error, with everything as it was."""
    __tracebackhide__ = True
    try:
        with expect.unchanged(model=bad, **{name: images}):
            call(bad, images)
    except Boom:
        return
    pytest.fail(
        f"the network fails in its {when} pass, and your function returned: run that pass, let its error through",
        pytrace=False,
    )


NO_PATH = "what does not depend on the image has gradient zero"


def assert_zero_where_no_path(expect: Expect, call: Callable[[nn.Module], Any], expected: Tensor) -> None:
    """Hold call(network) to what a zero gradient gives where no path joins answer and image (torch raises or gives None)."""
    __tracebackhide__ = True
    try:
        result = call(seeded(Blind()))
    except (AttributeError, RuntimeError, TypeError) as error:
        told = f"{type(error).__name__}: {error}"
        pytest.fail(f"{NO_PATH}, and your function raised an error\n  {told}", pytrace=False)
    expect(result, expected, NO_PATH)


def used_network(network: nn.Module) -> nn.Module:
    """Copy a network as somebody may have it: half of it frozen, gradients of a training step kept, one ReLU not in place."""
    copy = deepcopy(network)
    for i, parameter in enumerate(copy.parameters()):
        parameter.grad = torch.ones_like(parameter)
        parameter.requires_grad_(i % 2 == 0)
    relus = [module for module in copy.modules() if isinstance(module, nn.ReLU)]
    for relu in relus[:1]:
        relu.inplace = not relu.inplace
    return copy


def strided(tensor: Tensor) -> Tensor:
    """Return the same numbers as a crop of a larger tensor whose axes lie in memory in reverse order."""
    room = tensor.detach().new_zeros(*reversed(tensor.shape), 2)[..., 0]
    return room.permute(*reversed(range(tensor.dim()))).copy_(tensor.detach())


ANY_STRIDES = "the same result for tensors of any strides (channels_last, permuted, cropped)"


def assert_same_however_called(
    expect: Expect, call: Call, network: nn.Module, images: Tensor, *, name: str = "images"
) -> None:
    """Hold call(network, images) to one result: again, under no_grad, of any strides, on a copy, on frozen weights, in float32."""
    __tracebackhide__ = True
    followed = images.requires_grad
    first = call(network, images)
    switched = "" if images.requires_grad == followed else f"; {name} now requires grad: work on {name}.detach()"
    expect(call(network, images), first, f"the same result at the second call{switched}")
    with torch.no_grad():
        expect(call(network, images), first, "the same result under the caller's torch.no_grad()")
    expect(call(network, strided(images)), first, ANY_STRIDES)
    joined = call(network, images.detach().clone().requires_grad_())
    expect(joined, first, f"the same result, detached, where the {name} that you get require gradients")
    expect(call(deepcopy(network), images), first, "the same result on a copy of the network")
    frozen = deepcopy(network).requires_grad_(False)
    expect(call(frozen, images), first, "the same result on a network with frozen weights")
    assert isinstance(first, Tensor), f"the result is a {type(first).__name__}, expected a torch tensor"
    assert not first.requires_grad, "the result is still joined to the autograd graph: detach it"
    single = call(deepcopy(network).float(), images.float())
    expect(single, first.float(), "float32 images and network give a float32 result", tolerance=1e-3)


def _in_float32(values: Tensor) -> Tensor:
    return values.float() if values.is_floating_point() else values


def assert_pure(expect: Expect, call: Callable[..., Any], *tensors: Tensor) -> None:
    """Hold call(*copies) to leaving its arguments alone, to a new result, the same again, under no_grad, of any strides, in float32."""
    __tracebackhide__ = True
    copies = [tensor.detach().clone() for tensor in tensors]
    names = {f"argument {i + 1}": tensor for i, tensor in enumerate(copies)}
    with expect.unchanged(**names):
        results = call(*copies)
    results = results if isinstance(results, tuple) else (results,)
    for result in results:
        expect.new(result, **names)
    with torch.no_grad():
        again = call(*copies)
    _assert_all(expect, again, results, "the same result at the second call, under the caller's no_grad")
    _assert_all(expect, call(*map(strided, copies)), results, ANY_STRIDES)
    single = call(*map(_in_float32, copies))
    _assert_all(expect, single, [*map(_in_float32, results)], "float32 in, float32 out", tolerance=1e-5)


def _assert_all(expect: Expect, found: Any, wanted: Sequence[Tensor], formula: str, **options: Any) -> None:
    __tracebackhide__ = True
    for one, other in zip(found if isinstance(found, tuple) else (found,), wanted, strict=True):
        expect(one, other, formula, **options)


def gradient_of(result: Any, tensor: Tensor, upstream: Tensor, what: str) -> Tensor:
    """Differentiate <result, upstream> with respect to a tensor; a sentence if the result is not joined to it."""
    __tracebackhide__ = True
    assert isinstance(result, Tensor), f"the result is a {type(result).__name__}, expected a torch tensor"
    assert result.requires_grad, f"the result is detached from {what}: it must be differentiable"
    (gradient,) = torch.autograd.grad((result * upstream).sum(), tensor, materialize_grads=True)
    return gradient
