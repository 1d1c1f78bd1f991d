"""The given base class of part 6's networks: whatever torch and Python do with a network works as for any nn.Module."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

from assignment2 import segmentation, style_transfer
from coursekit.vision import Network

IMAGES = torch.rand(2, 3, 8, 12, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def unet():
    return segmentation.UNet(3, 2, (4, 8)).eval()


def test_nothing_of_a_network_is_wrapped():
    for network in (segmentation.FCN, segmentation.DeconvNet, segmentation.UNet):
        assert issubclass(network, Network)
        assert not any(hasattr(vars(network)[method], "__wrapped__") for method in ("__init__", "forward"))


def test_copies_and_pickles_are_made_without_looking_at_arguments(unet):
    for other in (copy.copy(unet), copy.deepcopy(unet), pickle.loads(pickle.dumps(unet))):
        assert type(other) is type(unet)
        assert torch.equal(other(IMAGES), unet(IMAGES))


def test_weights_load_and_hooks_run(unet):
    other, seen = segmentation.UNet(3, 2, widths=(4, 8)).eval(), []

    other.load_state_dict(unet.state_dict())
    other.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].shape))
    other.register_forward_hook(lambda module, inputs, output: output + 1)

    assert torch.equal(other(IMAGES), unet(IMAGES) + 1)
    assert seen == [IMAGES.shape]


def test_it_runs_functionally_and_under_vmap(unet):
    parameters = dict(unet.named_parameters())
    twice = {name: torch.stack([value, 2 * value]).detach() for name, value in parameters.items()}

    def run(values):
        return torch.func.functional_call(unet, values, (IMAGES,))

    results = torch.func.vmap(run)(twice)

    torch.testing.assert_close(results[0], unet(IMAGES))
    assert results.shape == (2, 2, 2, 8, 12)


def test_it_may_be_derived_from_and_traced(unet):
    class Wider(segmentation.UNet):
        pass

    assert Wider(3, 2, (4, 8))(IMAGES).shape == (2, 2, 8, 12)
    with pytest.raises(ValueError, match="widths is 4, expected channels for each level"):
        Wider(3, 2, 4)
    torch.testing.assert_close(torch.jit.trace(unet, IMAGES)(IMAGES), unet(IMAGES))


def test_losses_are_mapped_and_differentiated_by_torch_func():
    gradient = torch.func.grad(lambda x: style_transfer.content_loss([x], [IMAGES / 2], [1.0]))(IMAGES)
    grams = torch.func.vmap(lambda image: style_transfer.gram_matrix(image[None])[0])(IMAGES)

    torch.testing.assert_close(gradient, IMAGES)  # 2 (x - x / 2)
    torch.testing.assert_close(grams, style_transfer.gram_matrix(IMAGES))
