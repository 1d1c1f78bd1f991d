"""A classifier as a convolutional network: its logits at every window of a larger image."""

import pytest
import torch
from torch import nn

from assignment2 import segmentation
from coursekit.checks.small_networks import pictures, seeded


class SlidingNet(nn.Module):
    """A small classifier of 8 x 8 pictures with unpadded convolutions, dropout, and linear layers."""

    def __init__(self, padding=0):
        super().__init__()
        self.normalize = nn.BatchNorm2d(3)
        layers = [nn.Conv2d(3, 4, 3, padding=padding), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers, nn.Conv2d(4, 5, 2, padding=padding), nn.ReLU(inplace=True))
        side = 5 if padding else 2
        hidden = [nn.Flatten(), nn.Dropout(0.5), nn.Linear(5 * side * side, 8), nn.ReLU(inplace=True), nn.Dropout(0.5)]
        self.classifier = nn.Sequential(*hidden, nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 4))

    def forward(self, images):
        return self.classifier(self.features(self.normalize(images)))


class PooledNet(SlidingNet):
    """The same with an adaptive pooling in front of the classifier, which changes nothing on 8 x 8 pixels."""

    def __init__(self):
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(2)

    def forward(self, images):
        return self.classifier(self.avgpool(self.features(self.normalize(images))))


@pytest.fixture(autouse=True)
def right_sibling(expect, monkeypatch):
    """Put a right linear_to_conv in the module: the convolution of each linear layer of the checks' networks was recorded."""
    right, known = segmentation.linear_to_conv, []
    for model, side in (seeded(SlidingNet()), 2), (seeded(SlidingNet(padding=1)), 5):
        channels = 5
        for linear in [layer for layer in model.classifier if isinstance(layer, nn.Linear)]:
            conv = right(linear, channels, side) if expect.recording is not None else None
            name = f"convolution {len(known)}"
            kernel, bias = (
                expect.remember(conv and getattr(conv, kind).detach(), f"{name}: {kind}") for kind in ("weight", "bias")
            )
            known.append((linear.weight.detach(), kernel, bias))
            channels, side = linear.out_features, 1

    def linear_to_conv(linear, in_channels, size):
        sides = (size, size) if isinstance(size, int) else tuple(size)
        for weight, kernel, bias in known:
            if torch.equal(weight, linear.weight) and kernel.shape[1:] == (in_channels, *sides):
                conv = nn.Conv2d(in_channels, len(kernel), sides, dtype=kernel.dtype)
                conv.load_state_dict({"weight": kernel, "bias": bias})
                conv.train(linear.training)
                return conv
        rows = tuple(linear.weight.shape)
        raise AssertionError(f"no map of {in_channels} channels and size {sides} reaches the layer with weights {rows}")

    monkeypatch.setattr(segmentation, "linear_to_conv", linear_to_conv)


def convolutional(model):
    with torch.random.fork_rng():
        network = segmentation.convolutionalize(model)
    assert isinstance(network, nn.Module), f"the result is a {type(network).__name__}, expected an nn.Module"
    return network


@pytest.mark.points(1, "convolutionalize")
def test_on_its_own_size_the_convolutional_network_is_the_classifier(expect):
    """At the training size the network returns the classifier's logits, shape (N, K, 1, 1)."""
    for model in (seeded(SlidingNet()), seeded(SlidingNet(padding=1))):
        for num_images in (3, 1):
            images = pictures(num_images, size=(8, 8))

            logits = convolutional(model)(images)

            expect(logits.detach(), model(images).detach()[:, :, None, None], "the classifier's logits, (N, K, 1, 1)")


@pytest.mark.points(1, "convolutionalize")
def test_on_a_larger_picture_it_is_the_classifier_at_every_window(expect):
    """On a larger image, each output is the classifier's logits on the window there."""
    images = pictures(2, size=(12, 16))
    for model, what in (SlidingNet(), "the network's stride"), (PooledNet(), "an adaptive pooling is left out"):
        logits = convolutional(seeded(model))(images)

        windows = [[model(images[:, :, y : y + 8, x : x + 8]) for x in range(0, 9, 2)] for y in range(0, 5, 2)]
        right = torch.stack([torch.stack(row, dim=-1) for row in windows], dim=-2).detach()
        expect(logits.detach(), right, f"one logit a window of 8 x 8 pixels, a window every 2 pixels; {what}")


@pytest.mark.points(1, "convolutionalize")
def test_the_convolutional_network_shares_nothing_and_keeps_the_mode(expect):
    """All layers are copies, every module is in the model's mode, and dropout is kept."""
    for training in (False, True):
        model = seeded(SlidingNet()).train(training)
        with expect.unchanged(model=model):
            network = convolutional(model)

        assert network.training == training, (
            f"the network's training flag is {network.training}, the model's {training}"
        )
        wrong = [name for name, module in network.named_modules() if module.training != training]
        assert not wrong, f"{wrong[0]} is in another mode than the model"
        ours = {value.untyped_storage().data_ptr() for value in network.state_dict().values()}
        common = [name for name, value in model.state_dict().items() if value.untyped_storage().data_ptr() in ours]
        assert not common, f"{common[0]} is shared with the model: copy it"
        own = {id(module) for module in network.modules()}
        shared = [name for name, module in model.named_modules() if id(module) in own]
        assert not shared, f"the layer {shared[0]} is shared with the model: its mode would be switched for both"
        assert all(p.requires_grad for p in network.parameters()), "the network's parameters must require gradients"
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(0)
            one, other = (network(pictures(2, size=(8, 8))) for _ in range(2))
        drops = not torch.equal(one, other)
        assert drops == training, (
            "in train mode the classifier drops units at random, in eval mode never: so does yours"
        )
    kept = [module.p for module in network.modules() if isinstance(module, nn.Dropout)]
    assert kept == [0.5, 0.5], f"your nn.Dropout layers have p = {kept}, the model's [0.5, 0.5]: copy the layers"
