"""Part 6. The networks of assignment2/segmentation.py: small ones in float64, H unlike W, compared by their named parameters."""

from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from assignment2 import segmentation
from coursekit.checks.iou import iou_on_scenes
from coursekit.checks.small_networks import numbers, pictures, seeded
from coursekit.parts import ROOT
from coursekit.vision import UNET_CLASSES, UNET_WIDTHS

TRAINED = ROOT / "trained" / "unet.safetensors"


def assert_parameters(network, wanted):
    """Hold a network's parameters to the names and shapes that the docstring gives."""
    __tracebackhide__ = True
    assert isinstance(network, nn.Module), f"the result is a {type(network).__name__}, expected an nn.Module"
    found = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    missing = [name for name in wanted if name not in found]
    told = ", ".join(found) or "none"
    assert not missing, f"there is no parameter {missing[0]}, only {told}; what a plain list holds is not found"
    extra = [name for name in found if name not in wanted]
    assert not extra, f"there is a parameter {extra[0]} that the docstring does not name"
    for name, shape in wanted.items():
        assert found[name] == shape, f"{name} has shape {found[name]}, expected {shape}"


def assert_network_behaves(expect, network, images):
    """Hold a network to working as a module does: pure, repeatable, each image for itself, in float32, trainable."""
    __tracebackhide__ = True
    with expect.unchanged(model=network, images=images), torch.no_grad():
        first = network(images)
    with torch.no_grad():
        expect(network(images), first, "the same logits at the second call")
        alone = torch.cat([network(image[None]) for image in images])
        expect(alone, first, "the logits of an image do not depend on its batch mates")
        expect(deepcopy(network)(images), first, "the same logits of a copy of the network")
        single = deepcopy(network).float()(images.float())
        expect(single, first.float(), "float32 images and network give float32 logits", tolerance=1e-3)
        expect(deepcopy(network).train()(images), first, "train mode changes nothing: there is nothing random in it")
    followed = images.clone().requires_grad_()
    logits = network(followed)
    assert logits.requires_grad, "the logits are cut off from the parameters: they must be differentiable"
    frozen = [name for name, parameter in network.named_parameters() if not parameter.requires_grad]
    assert not frozen, f"{frozen[0]} asks for no gradient: every parameter learns"
    upstream = numbers(*logits.shape, seed=99)
    gradients = torch.autograd.grad((logits * upstream).sum(), [followed, *network.parameters()], allow_unused=True)
    for name, gradient in zip(["the images", *(n for n, _ in network.named_parameters())], gradients, strict=True):
        assert gradient is not None, f"no gradient reaches {name}"
        assert bool((gradient != 0).any()), f"the gradient of {name} is zero everywhere"
    directions = [numbers(*gradient.shape, seed=200 + i) for i, gradient in enumerate(gradients)]
    moved = [moved_logits(network, images, directions, step) for step in (1e-8, -1e-8)]
    slope = ((moved[0] - moved[1]) * upstream).sum() / 2e-8
    along = sum((gradient * direction).sum() for gradient, direction in zip(gradients, directions, strict=True))
    expect(along, slope, "the gradient is the slope of the logits, in the images and the parameters", tolerance=1e-4)


def moved_logits(network, images, directions, step):
    """The logits after a step of the images and of every parameter."""
    moved = deepcopy(network)
    with torch.no_grad():
        for parameter, direction in zip(moved.parameters(), directions[1:], strict=True):
            parameter.add_(step * direction)
        return moved(images + step * directions[0])


def delta(conv):
    """Make a 3 x 3 convolution copy its first input channel into each output channel."""
    with torch.no_grad():
        conv.weight.zero_()
        conv.bias.zero_()
        conv.weight[:, 0, conv.kernel_size[0] // 2, conv.kernel_size[1] // 2] = 1


# linear_to_conv and convolutionalize


def right_linear_to_conv(linear, in_channels, size):
    h, w = [size] * 2 if isinstance(size, int) else size
    conv = nn.Conv2d(in_channels, linear.out_features, (h, w), bias=linear.bias is not None).to(linear.weight)
    state = {"weight": linear.weight.detach().reshape(conv.weight.shape)}
    conv.load_state_dict(state if linear.bias is None else {**state, "bias": linear.bias.detach()})
    return conv


def made(linear, in_channels, size):
    with torch.random.fork_rng():
        conv = segmentation.linear_to_conv(linear, in_channels, size)
    assert isinstance(conv, nn.Conv2d), f"the result is a {type(conv).__name__}, expected an nn.Conv2d"
    types = conv.weight.dtype, linear.weight.dtype
    assert types[0] == types[1], f"the convolution's weight has dtype {types[0]}, the layer's {types[1]}"
    return conv


@pytest.mark.points(1, "linear_to_conv")
def test_the_convolution_answers_what_the_layer_answers(expect):
    for num_images, channels, size in ((3, 4, (3, 5)), (1, 2, 3)):
        h, w = [size] * 2 if isinstance(size, int) else size
        linear = seeded(nn.Linear(channels * h * w, 6))
        maps = numbers(num_images, channels, h, w, seed=1)

        conv = made(linear, channels, size)

        answer = linear(maps.flatten(1)).detach()[:, :, None, None]
        expect(conv(maps).detach(), answer, "W x + b, as a map of one pixel: (N, out_features, 1, 1)")


@pytest.mark.points(1, "linear_to_conv")
def test_on_a_larger_map_the_layer_slides(expect):
    linear = seeded(nn.Linear(2 * 3 * 4, 5, bias=False))
    maps = numbers(2, 2, 6, 6, seed=2)

    conv = made(linear, 2, (3, 4))

    assert conv.bias is None, "the layer has no bias, so the convolution has none"
    patches = maps.unfold(2, 3, 1).unfold(3, 4, 1)  # (N, C, 4, 3, h, w)
    slid = linear(patches.movedim(1, 3).flatten(3)).movedim(-1, 1).detach()
    expect(conv(maps).detach(), slid, "at each place the layer's answer to the patch there; stride 1, no padding")


@pytest.mark.points(1, "linear_to_conv")
def test_the_convolution_has_copies_of_the_layers_parameters(expect):
    linear = seeded(nn.Linear(2 * 3 * 4, 5)).float()

    with expect.unchanged(model=linear):
        conv = made(linear, 2, (3, 4))

    for ours, theirs in ((conv.weight, linear.weight), (conv.bias, linear.bias)):
        assert isinstance(ours, nn.Parameter), "weight and bias stay parameters, so that they can learn"
        assert ours.is_leaf, "a parameter is no result of a computation: copy the values"
        assert ours.requires_grad, "weight and bias may learn further"
        expect(ours.detach().flatten(), theirs.detach().flatten(), "the layer's numbers, in its dtype")
        expect.new(ours, parameter=theirs)


class SlidingNet(nn.Module):
    """A small classifier of 8 x 8 pictures with unpadded convolutions, dropout, and linear layers."""

    def __init__(self, padding=0):
        super().__init__()
        self.normalize = nn.BatchNorm2d(3)
        layers = [nn.Conv2d(3, 4, 3, padding=padding), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers, nn.Conv2d(4, 5, 2, padding=padding), nn.ReLU(inplace=True))
        side = 5 if padding else 2
        hidden = [nn.Flatten(), nn.Dropout(0.5), nn.Linear(5 * side * side, 7), nn.ReLU(inplace=True), nn.Dropout(0.5)]
        self.classifier = nn.Sequential(*hidden, nn.Linear(7, 6), nn.ReLU(), nn.Linear(6, 4))

    def forward(self, images):
        return self.classifier(self.features(self.normalize(images)))


class PooledNet(SlidingNet):
    """The same with an adaptive pooling in front of the classifier, which changes nothing on 8 x 8 pixels."""

    def __init__(self):
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(2)

    def forward(self, images):
        return self.classifier(self.avgpool(self.features(self.normalize(images))))


@pytest.fixture
def right_sibling(monkeypatch):
    """Put a right linear_to_conv in the module, so that one exercise does not pay for another."""
    monkeypatch.setattr(segmentation, "linear_to_conv", right_linear_to_conv)


def convolutional(model):
    with torch.random.fork_rng():
        network = segmentation.convolutionalize(model)
    assert isinstance(network, nn.Module), f"the result is a {type(network).__name__}, expected an nn.Module"
    return network


@pytest.mark.points(1, "convolutionalize")
@pytest.mark.usefixtures("right_sibling")
def test_on_its_own_size_the_convolutional_network_is_the_classifier(expect):
    for model in (seeded(SlidingNet()), seeded(SlidingNet(padding=1))):
        for num_images in (3, 1):
            images = pictures(num_images, size=(8, 8))

            logits = convolutional(model)(images)

            expect(logits.detach(), model(images).detach()[:, :, None, None], "the classifier's logits, (N, K, 1, 1)")


@pytest.mark.points(1, "convolutionalize")
@pytest.mark.usefixtures("right_sibling")
def test_on_a_larger_picture_it_is_the_classifier_at_every_window(expect):
    images = pictures(2, size=(12, 16))
    for model, what in (SlidingNet(), "the network's stride"), (PooledNet(), "an adaptive pooling is left out"):
        logits = convolutional(seeded(model))(images)

        windows = [[model(images[:, :, y : y + 8, x : x + 8]) for x in range(0, 9, 2)] for y in range(0, 5, 2)]
        right = torch.stack([torch.stack(row, dim=-1) for row in windows], dim=-2).detach()
        expect(logits.detach(), right, f"one logit a window of 8 x 8 pixels, a window every 2 pixels; {what}")


@pytest.mark.points(1, "convolutionalize")
@pytest.mark.usefixtures("right_sibling")
def test_the_convolutional_network_shares_nothing_and_keeps_the_mode(expect):
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
        theirs = {value.untyped_storage().data_ptr() for value in model.state_dict().values()}
        assert not ours & theirs, "a parameter or buffer is shared with the model: copy it"
        own = {id(module) for module in network.modules()}
        shared = [name for name, module in model.named_modules() if id(module) in own]
        assert not shared, f"the layer {shared[0]} is shared with the model: its mode would be switched for both"
        assert all(p.requires_grad for p in network.parameters()), "the network's parameters may learn further"
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(0)
            one, other = (network(pictures(2, size=(8, 8))) for _ in range(2))
        drops = not torch.equal(one, other)
        assert drops == training, (
            "in train mode the classifier drops units at random, in eval mode never: so does yours"
        )


# FCN

CHANNELS = (4, 3, 5)


def small_trunk():
    """Three stages that halve the size, with numbers of their own."""
    stages, read = [], 3
    for channels in CHANNELS:
        stages.append(nn.Sequential(nn.Conv2d(read, channels, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)))
        read = channels
    return stages


def fcn(num_skips, num_classes=4):
    network = segmentation.FCN(small_trunk(), list(CHANNELS), num_classes, num_skips=num_skips)
    used = CHANNELS[len(CHANNELS) - 1 - num_skips :]
    shapes = {f"scores.{i}.weight": (num_classes, c, 1, 1) for i, c in enumerate(used)}
    shapes |= {f"scores.{i}.bias": (num_classes,) for i in range(len(used))}
    for i, (read, channels) in enumerate(zip((3, *CHANNELS), CHANNELS, strict=False)):
        shapes |= {f"stages.{i}.0.weight": (channels, read, 3, 3), f"stages.{i}.0.bias": (channels,)}
    assert_parameters(network, shapes)
    return seeded(network)


def stage_maps(network, images):
    maps = []
    for stage in network.stages:
        images = stage(images)
        maps.append(images)
    return maps


@pytest.mark.points(1, "FCN")
def test_fcn_without_skips_is_the_coarsest_score_enlarged(expect):
    network = fcn(0)
    for images in (pictures(3, size=(17, 26)), pictures(1, size=(16, 24))):
        logits = network(images)

        score = network.scores[0](stage_maps(network, images)[-1])
        right = nn.Upsample(tuple(images.shape[-2:]), mode="bilinear")(score)
        expect(logits.detach(), right.detach(), "the 1 x 1 score of the last map, bilinear, to the images' size")


@pytest.mark.points(1, "FCN")
def test_each_score_of_an_fcn_contributes_what_it_says(expect):
    images = pictures(2, size=(19, 25))
    for num_skips in (1, 2):
        network = fcn(num_skips)
        maps = stage_maps(network, images)[-1 - num_skips :]
        for only in range(num_skips + 1):
            alone = deepcopy(network)
            for i, head in enumerate(alone.scores):
                if i != only:
                    nn.init.zeros_(head.weight)
                    nn.init.zeros_(head.bias)

            logits = alone(images)

            path = alone.scores[only](maps[only])
            for finer in (*(m.shape[-2:] for m in reversed(maps[:only])), images.shape[-2:]):
                path = nn.Upsample(tuple(finer), mode="bilinear")(path)
            expect(logits.detach(), path.detach(), f"score {only} alone, enlarged map by map (finest is 0)")


@pytest.mark.points(1, "FCN")
def test_fcn_adds_its_scores_from_coarse_to_fine(expect):
    for num_skips in (0, 1, 2):
        for images in (pictures(3, size=(17, 26)), pictures(1, size=(8, 11))):
            network = fcn(num_skips)
            logits = network(images)
            expect.reference(logits.detach(), f"{num_skips} {len(images)}", "the docstring's sum, any size of picture")


@pytest.mark.points(1, "FCN")
def test_fcn_uses_the_trunk_itself_and_scores_are_not_squashed(expect):
    stages = small_trunk()
    network = segmentation.FCN(stages, list(CHANNELS), 4, num_skips=1)

    assert all(any(ours is stage for ours in network.modules()) for stage in stages), "keep the stages, not copies"
    network = seeded(network)
    for head in network.scores:
        nn.init.zeros_(head.weight)
    sums = sum(head.bias for head in network.scores).detach()
    right = sums[None, :, None, None].expand(2, 4, 9, 14)
    expect(network(pictures(2, size=(9, 14))).detach(), right, "constant scores add up to their sum everywhere: logits")


@pytest.mark.points(1, "FCN")
def test_fcn_behaves_as_a_module_does(expect):
    assert_network_behaves(expect, fcn(2), pictures(2, size=(17, 26)))


# DeconvNet


def deconvnet(in_channels=3, widths=(4, 5, 3), num_classes=4, *, tied=False):
    network = segmentation.DeconvNet(in_channels, list(widths), num_classes, tied=tied)
    steps = list(pairwise(widths))
    shapes = {"stem.weight": (widths[0], in_channels, 3, 3), "stem.bias": (widths[0],)}
    shapes |= {"head.weight": (num_classes, widths[0], 1, 1), "head.bias": (num_classes,)}
    for i, (fine, coarse) in enumerate(steps):
        shapes |= {f"encoder.{i}.weight": (coarse, fine, 3, 3), f"encoder.{i}.bias": (coarse,)}
        if not tied:
            j = len(steps) - 1 - i
            shapes |= {f"decoder.{j}.weight": (coarse, fine, 3, 3), f"decoder.{j}.bias": (fine,)}
    assert_parameters(network, shapes)
    return seeded(network)


@pytest.mark.points(1, "DeconvNet")
def test_a_deconvnet_that_copies_keeps_the_largest_pixel_of_each_window(expect):
    for depth, size in ((1, (7, 10)), (2, (9, 14))):
        network = deconvnet(1, (1,) * (depth + 1), 2)
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                delta(module)
        images = pictures(2, size=size)[:, :1]

        logits = network(images)

        side = 2**depth
        kept = torch.zeros_like(images)
        for top in range(0, size[0] - side + 1, side):
            for left in range(0, size[1] - side + 1, side):
                here = (..., slice(top, top + side), slice(left, left + side))
                window = images[here]
                kept[here] = window.where(window == window.amax((2, 3), keepdim=True), 0)
        expect(
            logits.detach(),
            kept.expand(-1, 2, -1, -1),
            f"the maxima of {side} x {side} windows in their places, else 0",
        )


@pytest.mark.points(1, "DeconvNet")
def test_deconvnet_decodes_with_transposed_convolutions_coarsest_first(expect):
    for images in (pictures(3, size=(9, 14)), pictures(1, size=(8, 12))):
        logits = deconvnet()(images)
        expect.reference(logits.detach(), f"{len(images)}", "unpool, transposed convolution, ReLU at each level; head")


@pytest.mark.points(1, "DeconvNet")
def test_a_tied_decoder_is_the_encoders_own_kernels_and_learns_at_both_ends(expect):
    network = deconvnet(tied=True)
    assert network.decoder is None, f"decoder is {type(network.decoder).__name__}, expected None"
    images = pictures(3, size=(9, 14))

    logits = network(images)

    expect.reference(logits.detach(), "logits", "encoder[i].weight itself, stamped, without bias")
    upstream = numbers(*logits.shape, seed=31)
    for i, conv in enumerate(network.encoder):
        (gradient,) = torch.autograd.grad((logits * upstream).sum(), conv.weight, retain_graph=True)
        expect.reference(
            gradient, f"gradient {i}", "the kernel receives gradients from the encoder and from the decoder"
        )


@pytest.mark.points(1, "DeconvNet")
def test_deconvnet_behaves_as_a_module_does(expect):
    for tied in (False, True):
        network = deconvnet(tied=tied)
        with torch.no_grad():
            for conv in (network.stem, *network.encoder, *(network.decoder or ())):
                conv.bias.add_(0.5)  # so that every level is alive
        assert_network_behaves(expect, network, pictures(2, size=(9, 14)))


# UNet


def unet(in_channels=3, num_classes=4, widths=(4, 3, 5), *, padding=1):
    network = segmentation.UNet(in_channels, num_classes, list(widths), padding=padding)
    shapes = {"head.weight": (num_classes, widths[0], 1, 1), "head.bias": (num_classes,)}

    def block(name, read, channels):
        return {f"{name}.0.weight": (channels, read, 3, 3), f"{name}.0.bias": (channels,)} | {
            f"{name}.2.weight": (channels, channels, 3, 3), f"{name}.2.bias": (channels,)
        }  # fmt: skip

    depth = len(widths) - 1
    for i in range(depth):
        j = depth - 1 - i
        shapes |= block(f"down.{i}", (in_channels, *widths)[i], widths[i])
        shapes |= {f"up.{j}.weight": (widths[i + 1], widths[i], 2, 2), f"up.{j}.bias": (widths[i],)}
        shapes |= block(f"merge.{j}", 2 * widths[i], widths[i])
    shapes |= block("bottom", widths[-2], widths[-1])
    assert_parameters(network, shapes)
    return seeded(network)


def copying_unet(depth, *, padding, source):
    """A U-Net of one channel whose blocks copy; its last merge copies the skip, or what came up, each up repeats pixels."""
    network = unet(1, 2, (1,) * (depth + 1), padding=padding)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            delta(module)
        elif isinstance(module, nn.ConvTranspose2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if source == "up":
        for merge in network.merge:
            with torch.no_grad():
                merge[0].weight.copy_(merge[0].weight.flip(1))
    return network


@pytest.mark.points(1, "UNet")
def test_a_unet_that_copies_its_skip_returns_the_picture(expect):
    for depth, size in ((1, (7, 10)), (2, (9, 14))):
        images = pictures(2, size=size)[:, :1]

        logits = copying_unet(depth, padding=1, source="skip")(images)

        expect(logits.detach(), images.expand(-1, 2, -1, -1), "cat([skip, up]): the first channels are the skip's own")


@pytest.mark.points(1, "UNet")
def test_a_valid_unet_that_copies_its_skip_returns_the_middle_of_the_picture(expect):
    for depth, size, left in (
        (1, (20, 27), (4, 10)),
        (2, (44, 52), (4, 12)),
        (2, (47, 50), (4, 8)),
        (2, (44, 51), (4, 8)),
    ):
        images = pictures(2, size=size)[:, :1]

        logits = copying_unet(depth, padding=0, source="skip")(images)

        assert isinstance(logits, torch.Tensor), f"the result is a {type(logits).__name__}, expected a torch tensor"
        assert tuple(logits.shape[-2:]) == left, f"{size} pixels give {tuple(logits.shape[-2:])}, expected {left}"
        top, side = ((a - 4 - (b + 4)) // 2 + 4 for a, b in zip(size, left, strict=True))
        middle = images[:, :, top : top + left[0], side : side + left[1]]
        expect(
            logits.detach(),
            middle.expand(-1, 2, -1, -1),
            "the skip cropped at its centre, two pixels off at each block's side",
        )


@pytest.mark.points(1, "UNet")
def test_a_unet_that_copies_what_comes_up_repeats_the_maxima_and_fills_with_zeros(expect):
    for depth, size in ((1, (7, 10)), (2, (10, 13))):
        images = pictures(2, size=size)[:, :1]

        logits = copying_unet(depth, padding=1, source="up")(images)

        side = 2**depth
        pooled = images.unfold(2, side, side).unfold(3, side, side).amax((-1, -2))
        right = pooled.repeat_interleave(side, 2).repeat_interleave(side, 3)
        right = F.pad(right, (0, size[1] - right.shape[3], 0, size[0] - right.shape[2]))
        expect(
            logits.detach(), right.expand(-1, 2, -1, -1), "the bottom's maxima, repeated; zeros below and on the right"
        )


@pytest.mark.points(1, "UNet")
def test_unet_is_its_drawing(expect):
    for images in (pictures(3, size=(13, 18)), pictures(1, size=(12, 16))):
        logits = unet()(images)
        expect.reference(logits.detach(), f"same {len(images)}", "figure 1 of the paper, with padding")


@pytest.mark.points(1, "UNet")
def test_a_valid_unet_is_the_papers_and_572_pixels_give_388(expect):
    logits = unet(padding=0)(pictures(2, size=(44, 51)))
    expect.reference(logits.detach(), "valid", "figure 1 of the paper, without padding")
    deep = unet(1, 2, (1, 1, 1, 1, 1), padding=0).float()
    with torch.no_grad():
        shape = tuple(deep(torch.zeros(1, 1, 572, 572)).shape)
    assert shape == (1, 2, 388, 388), f"572 x 572 pixels give {shape}, the paper (1, 2, 388, 388)"


@pytest.mark.points(1, "UNet")
def test_unet_behaves_as_a_module_does(expect):
    assert_network_behaves(expect, unet(), pictures(2, size=(13, 18)))


# trained_unet


class Recorded(nn.Module):
    """Stands where UNet stands while its loading is looked at; remembers how it was built."""

    def __init__(self, *arguments, **options):
        super().__init__()
        self.built, self.options = arguments, options
        self.down = nn.ModuleList([nn.Conv2d(3, 4, 3)])
        self.head = nn.Conv2d(4, 2, 1)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.fill_(7.0)  # so that what was not loaded is known by its values


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """Put the stand-in in UNet's place; a file with half-precision weights for it."""
    monkeypatch.setattr(segmentation, "UNet", Recorded)
    state = {
        name: numbers(*value.shape, seed=i).half() for i, (name, value) in enumerate(Recorded().state_dict().items())
    }
    save_file(state, tmp_path / "weights.safetensors")
    return state


@pytest.mark.points(1, "trained_unet")
def test_every_parameter_comes_from_the_file(expect, saved, tmp_path):
    network = segmentation.trained_unet(tmp_path / "weights.safetensors")

    assert isinstance(network, nn.Module), f"the result is a {type(network).__name__}, expected the network"
    for name, value in network.state_dict().items():
        expect(value, saved[name].float(), f"{name} from the file, in float32")
    assert not network.training, "the network is in train mode: it is to be used"
    assert isinstance(network, Recorded), "build it with UNet"
    assert not any(module.training for module in network.modules()), "a part of the network is in train mode"
    assert all(parameter.requires_grad for parameter in network.parameters()), "the parameters may learn further"


@pytest.mark.points(1, "trained_unet")
def test_the_network_has_the_stated_channels_classes_and_widths(saved, tmp_path):
    network = segmentation.trained_unet(str(tmp_path / "weights.safetensors"))

    assert isinstance(network, Recorded), f"the result is a {type(network).__name__}, expected a UNet"
    names = ("in_channels", "num_classes", "widths", "padding")
    built = dict(zip(names, network.built, strict=False)) | network.options
    assert built.get("in_channels") == 3, f"in_channels is {built.get('in_channels')}, pictures have 3"
    assert built.get("num_classes") == UNET_CLASSES, f"num_classes is {built.get('num_classes')}, not UNET_CLASSES"
    assert tuple(built.get("widths", ())) == UNET_WIDTHS, f"widths are {built.get('widths')}, not UNET_WIDTHS"
    assert built.get("padding", 1) == 1, f"padding is {built.get('padding')}, expected 1"


@pytest.mark.points(1, "trained_unet")
def test_a_parameter_that_the_file_lacks_is_an_error(saved, tmp_path):
    path, bias = tmp_path / "unfit.safetensors", saved.pop("head.bias")

    for state, what in (saved, "missing"), (saved | {"head.bias": bias.repeat(2)}, "of another shape"):
        save_file(state, path)
        try:
            segmentation.trained_unet(path)
        except NotImplementedError:
            raise
        except Exception:  # noqa: BLE001, S112 (any error will do)
            continue
        sentence = f"head.bias is {what} in the file, and nothing was said: such a network answers at random"
        pytest.fail(sentence, pytrace=False)


def trained_score():
    """The mean IoU of the weights in trained/ on 24 scenes, measured once; the check's own definition of mean IoU."""
    try:
        network = segmentation.trained_unet(TRAINED)
    except FileNotFoundError:
        pytest.fail(f"{TRAINED.relative_to(ROOT)} is not there yet: notebook 6 trains it and saves it", pytrace=False)
    size = Path(TRAINED).stat().st_size
    assert size <= 4 * 2**20, f"{TRAINED.name} has {size / 2**20:.1f} MB, 4 MB is the limit: save half precision"
    return iou_on_scenes(network, seed=6_001)


def assert_score(least):
    __tracebackhide__ = True
    score = trained_score()
    assert score >= least, (
        f"your trained network has mean IoU {score:.3f} on 24 scenes, {least} is wanted: train longer"
    )


@pytest.mark.points(1, "trained_unet")
def test_the_trained_network_reaches_a_mean_iou_of_040():
    assert_score(0.40)


@pytest.mark.points(1, "trained_unet")
def test_the_trained_network_reaches_a_mean_iou_of_050():
    assert_score(0.50)


@pytest.mark.points(1, "trained_unet")
def test_the_trained_network_reaches_a_mean_iou_of_060():
    assert_score(0.60)


@pytest.mark.points(1, "trained_unet")
def test_the_trained_network_reaches_a_mean_iou_of_070():
    assert_score(0.70)


@pytest.mark.points(1, "trained_unet")
def test_the_trained_network_reaches_a_mean_iou_of_080():
    assert_score(0.80)


# pixel_cross_entropy

CORNER = torch.tensor([[[0, 1, 2], [2, 255, 1]]])  # labels (1, 2, 3), one pixel ignored


def followed(logits):
    """Run the loss on logits that autograd follows: the value, and the gradient of the logits."""
    logits = logits.detach().clone().requires_grad_()

    def backward(loss):
        assert isinstance(loss, torch.Tensor), f"the result is a {type(loss).__name__}, expected a torch tensor"
        assert loss.dim() == 0, f"the result has shape {tuple(loss.shape)}, expected a 0-d tensor"
        assert loss.requires_grad, "the loss is cut off from the logits: it must be differentiable"
        (gradient,) = torch.autograd.grad(loss, logits)
        value = loss.detach()
        return value, gradient

    return logits, backward


@pytest.mark.points(1, "pixel_cross_entropy")
def test_the_loss_is_the_mean_over_the_pixels_that_count_of_the_whole_batch(expect):
    flat, backward = followed(torch.zeros(1, 3, 2, 3, dtype=torch.float64))
    loss, gradient = backward(segmentation.pixel_cross_entropy(flat, CORNER))
    expect(loss, torch.tensor(3.0).double().log(), "equal logits of three classes: log 3, whatever the labels")
    right = torch.full((1, 3, 2, 3), 1 / 3, dtype=torch.float64).scatter(1, CORNER.clamp(max=2)[:, None], -2 / 3)
    right[:, :, 1, 1] = 0
    expect(gradient, right / 5, "(softmax - one-hot) / 5: five of six pixels count, the ignored one has no gradient")

    logits = numbers(3, 4, 5, 7, seed=41)
    labels = torch.arange(3 * 5 * 7).view(3, 5, 7) * 7 % 4
    labels[0] = 255
    labels[1, 2:] = 255
    logits, backward = followed(logits)
    loss, gradient = backward(segmentation.pixel_cross_entropy(logits, labels))
    expect.reference(loss, "three", "the sum over the counted pixels of log sum exp - logit, over their number")
    expect.reference(gradient, "gradient", "(softmax - one-hot) / the number of counted pixels")


@pytest.mark.points(1, "pixel_cross_entropy")
def test_where_every_pixel_is_ignored_the_loss_is_zero_with_zero_gradient(expect):
    for ignored in (255, -1, 0):
        logits, backward = followed(numbers(2, 3, 4, 5, seed=42))
        labels = torch.full((2, 4, 5), ignored)

        loss, gradient = backward(segmentation.pixel_cross_entropy(logits, labels, ignore_index=ignored))

        expect(loss, torch.tensor(0.0).double(), "no pixel counts: 0, not NaN")
        expect(gradient, torch.zeros(2, 3, 4, 5).double(), "no pixel counts: no gradient")
    logits, backward = followed(numbers(1, 3, 2, 3, seed=43))
    loss, _ = backward(segmentation.pixel_cross_entropy(logits, CORNER.clamp(max=2), ignore_index=2))
    expect.reference(loss, "a class", "ignore_index may be a class: its pixels do not count")


@pytest.mark.points(1, "pixel_cross_entropy")
def test_the_loss_is_stable_pure_and_repeats(expect):
    logits, backward = followed(numbers(1, 3, 2, 3, seed=44).sign() * 4000)
    loss, gradient = backward(segmentation.pixel_cross_entropy(logits, CORNER.clone()))
    expect.reference(loss, "thousands", "logits of thousands: no overflow")
    assert bool(gradient.isfinite().all()), "the gradient is not finite for logits of thousands"

    x, labels = numbers(2, 3, 2, 3, seed=45), CORNER.expand(2, 2, 3).clone()
    negative = labels.masked_fill(labels == 255, -1)
    with expect.unchanged(logits=x, labels=labels, negative=negative):
        first = segmentation.pixel_cross_entropy(x, labels)
        segmentation.pixel_cross_entropy(x, negative, ignore_index=-1)
    with torch.no_grad():
        expect(segmentation.pixel_cross_entropy(x, labels), first, "the same under the caller's no_grad")
    single = segmentation.pixel_cross_entropy(x.float(), labels)
    expect(single, first.float(), "float32 logits give a float32 loss", tolerance=1e-5)


# confusion_matrix and the scores

TRUTH = torch.tensor([[[0, 0, 1, 1], [2, 2, 2, 255]], [[0, 0, 0, 0], [1, 255, 255, 2]]])
GUESS = torch.tensor([[[0, 1, 1, 1], [2, 0, 3, 3]], [[0, 0, 0, 1], [2, 1, 0, 2]]])
MATRIX = torch.tensor([[4, 2, 0, 0], [0, 2, 1, 0], [1, 0, 2, 1], [0, 0, 0, 0]])  # class 3 is only predicted


@pytest.fixture(autouse=True)
def fresh_masks():
    """Fresh masks for every check: a wrong function may have edited them."""
    global TRUTH, GUESS, CORNER
    kept = TRUTH.clone(), GUESS.clone(), CORNER.clone()
    yield
    TRUTH, GUESS, CORNER = kept


def right_confusion_matrix(predictions, labels, num_classes, *, ignore_index=255):
    hot = [F.one_hot(x.clamp(0, num_classes - 1).flatten(), num_classes) for x in (labels, predictions)]
    return (hot[0] * (labels != ignore_index).flatten()[:, None]).T @ hot[1]


@pytest.fixture
def right_matrix(monkeypatch):
    """Put a right confusion_matrix in the module."""
    monkeypatch.setattr(segmentation, "confusion_matrix", right_confusion_matrix)


def as_number(score):
    """A score as a 0-d float64 tensor, whatever floating-point type it has."""
    __tracebackhide__ = True
    assert isinstance(score, torch.Tensor), f"the result is a {type(score).__name__}, expected a torch tensor"
    assert score.dim() == 0, f"the result has shape {tuple(score.shape)}, expected a 0-d tensor"
    assert score.is_floating_point(), f"the result has dtype {score.dtype}, expected floating point"
    return score.detach().double()


def maps(num_images, num_classes, *, seed):
    """Labels in patches, and predictions that are right for three quarters of the pixels; some pixels ignored."""
    drawn = numbers(2, num_images, 6, 9, seed=seed).abs() * 1000
    labels = drawn[0].long() % num_classes
    predictions = torch.where(drawn[1].long() % 4 == 0, (labels + drawn[1].long() // 4) % num_classes, labels)
    labels[:, 0, :4] = 255
    return predictions, labels


@pytest.mark.points(1, "confusion_matrix")
def test_the_matrix_counts_truth_in_rows_and_predictions_in_columns(expect):
    result = segmentation.confusion_matrix(GUESS, TRUTH, 4)

    expect(result, MATRIX, "entry [truth, prediction], a pixel with label 255 in none")
    predictions, labels = maps(3, 5, seed=51)
    result = segmentation.confusion_matrix(predictions, labels, 5)
    expect.reference(
        result, "three", "the pixels of each true class that were taken for each class, all images together"
    )
    one = segmentation.confusion_matrix(predictions[:1], labels[:1], 7)
    expect.reference(one, "one", "(K, K) also where some classes do not occur")


@pytest.mark.points(1, "confusion_matrix")
def test_a_pixel_is_ignored_by_its_label_alone(expect):
    predictions, labels = GUESS.clone(), TRUTH.clone()
    predictions[TRUTH == 255] = 255

    expect(
        segmentation.confusion_matrix(predictions, labels, 4), MATRIX, "whatever is predicted where labels are ignored"
    )
    labels[TRUTH == 255] = -1
    expect(segmentation.confusion_matrix(GUESS, labels, 4, ignore_index=-1), MATRIX, "a negative ignore_index")
    class_zero = segmentation.confusion_matrix(GUESS, TRUTH.clamp(max=3), 4, ignore_index=0)
    right = torch.tensor([[0, 0, 0, 0], [0, 2, 1, 0], [1, 0, 2, 1], [1, 1, 0, 1]])
    expect(class_zero, right, "ignore_index may be a class: its pixels count nowhere, its column stays")
    nothing = segmentation.confusion_matrix(GUESS, torch.full_like(TRUTH, 255), 4)
    expect(nothing, torch.zeros(4, 4, dtype=torch.int64), "every pixel ignored: zeros")


@pytest.mark.points(1, "confusion_matrix")
def test_counting_leaves_the_maps_alone(expect):
    predictions, labels = GUESS.clone(), TRUTH.clone()
    with expect.unchanged(predictions=predictions, labels=labels):
        result = segmentation.confusion_matrix(predictions, labels, 4)
    expect.new(result, predictions=predictions, labels=labels)
    expect(segmentation.confusion_matrix(predictions, labels, 4), result, "the same result at the second call")
    assert result.shape == (4, 4), f"the table has shape {tuple(result.shape)}, expected (4, 4)"


def check_score(expect, score, right, formula):
    """Hold a score to its value on the small maps, to all images pooled, to NaN where nothing counts, to leaving maps alone."""
    __tracebackhide__ = True
    predictions, labels = GUESS.clone(), TRUTH.clone()
    with expect.unchanged(predictions=predictions, labels=labels):
        result = score(predictions, labels)
    expect(as_number(result), torch.tensor(right).double(), formula)
    changed = predictions.where(labels != 255, 2)
    expect(as_number(score(changed, labels)), torch.tensor(right).double(), f"{formula}; ignored pixels count nowhere")
    expect.reference(as_number(score(*maps(3, 4, seed=52))), "three", f"{formula}; all images pooled")
    expect.reference(as_number(score(*maps(1, 4, seed=53))), "one", f"{formula}; one image")
    perfect = labels.clamp(max=2)
    expect(as_number(score(perfect, perfect)), torch.tensor(1.0).double(), "a perfect prediction has score 1")
    nothing = as_number(score(predictions, torch.full_like(labels, 255)))
    assert bool(nothing.isnan()), f"the score is {nothing.item():g} where no pixel counts, expected NaN"


@pytest.mark.points(1, "pixel_accuracy")
@pytest.mark.usefixtures("right_matrix")
def test_accuracy_is_the_share_of_counted_pixels_that_are_right(expect):
    check_score(expect, segmentation.pixel_accuracy, 8 / 13, "right pixels / counted pixels")


@pytest.mark.points(1, "pixel_accuracy")
@pytest.mark.usefixtures("right_matrix")
def test_accuracy_ignores_by_the_label_that_is_given(expect):
    for ignored, right in ((0, 4 / 10), (1, 6 / 13), (-7, 8 / 16)):
        result = segmentation.pixel_accuracy(GUESS, TRUTH, ignore_index=ignored)
        expect(
            as_number(result),
            torch.tensor(right).double(),
            f"ignore_index = {ignored}: pixels of that label do not count",
        )


@pytest.mark.points(1, "mean_iou")
@pytest.mark.usefixtures("right_matrix")
def test_mean_iou_pools_all_images_and_a_class_that_is_only_predicted_counts_with_0(expect):
    right = (4 / 7 + 2 / 5 + 2 / 5 + 0) / 4
    check_score(expect, lambda p, y: segmentation.mean_iou(p, y, 4), right, "mean of intersection / union")


@pytest.mark.points(1, "mean_iou")
@pytest.mark.usefixtures("right_matrix")
def test_mean_iou_leaves_out_a_class_that_is_neither_there_nor_predicted(expect):
    right = torch.tensor((4 / 7 + 2 / 5 + 2 / 5 + 0) / 4).double()
    expect(as_number(segmentation.mean_iou(GUESS, TRUTH, 9)), right, "classes 4 to 8 have an empty union: left out")
    ignored = as_number(segmentation.mean_iou(GUESS, TRUTH.clamp(max=3), 4, ignore_index=0))
    expect(
        ignored,
        torch.tensor((0 + 2 / 4 + 2 / 5 + 1 / 4) / 4).double(),
        "pixels of class 0 ignored: it is only predicted",
    )
    missed = as_number(segmentation.mean_iou(GUESS.where(GUESS != 2, 0), TRUTH, 4))
    right = torch.tensor((4 / 10 + 2 / 5 + 0 + 0) / 4).double()
    expect(missed, right, "class 2 is there and never predicted: it counts with 0")


@pytest.mark.points(1, "dice")
@pytest.mark.usefixtures("right_matrix")
def test_dice_is_twice_the_intersection_over_both_sizes(expect):
    right = (8 / 11 + 4 / 7 + 4 / 7 + 0) / 4
    check_score(expect, lambda p, y: segmentation.dice(p, y, 4), right, "mean of 2 |P and T| / (|P| + |T|)")


@pytest.mark.points(1, "dice")
@pytest.mark.usefixtures("right_matrix")
def test_dice_leaves_out_a_class_that_is_neither_there_nor_predicted(expect):
    right = torch.tensor((8 / 11 + 4 / 7 + 4 / 7 + 0) / 4).double()
    expect(as_number(segmentation.dice(GUESS, TRUTH, 9)), right, "classes 4 to 8 occur nowhere: left out")
    ignored = as_number(segmentation.dice(GUESS, TRUTH.clamp(max=3), 4, ignore_index=0))
    expect(ignored, torch.tensor((0 + 4 / 6 + 4 / 7 + 2 / 5) / 4).double(), "pixels of class 0 ignored")
    missed = as_number(segmentation.dice(GUESS.where(GUESS != 2, 0), TRUTH, 4))
    right = torch.tensor((8 / 14 + 4 / 7 + 0 + 0) / 4).double()
    expect(missed, right, "class 2 is there and never predicted: it counts with 0")


@pytest.mark.points(1, "frequency_weighted_iou")
@pytest.mark.usefixtures("right_matrix")
def test_frequency_weighted_iou_weighs_each_class_by_its_true_pixels(expect):
    right = (6 * 4 / 7 + 3 * 2 / 5 + 4 * 2 / 5) / 13
    check_score(expect, lambda p, y: segmentation.frequency_weighted_iou(p, y, 4), right, "sum of share of T * IoU")


@pytest.mark.points(1, "frequency_weighted_iou")
@pytest.mark.usefixtures("right_matrix")
def test_frequency_weighted_iou_does_not_see_classes_that_are_not_there(expect):
    right = torch.tensor((6 * 4 / 7 + 3 * 2 / 5 + 4 * 2 / 5) / 13).double()
    expect(
        as_number(segmentation.frequency_weighted_iou(GUESS, TRUTH, 9)), right, "a class without pixels has weight 0"
    )
    ignored = as_number(segmentation.frequency_weighted_iou(GUESS, TRUTH.clamp(max=3), 4, ignore_index=0))
    expect(ignored, torch.tensor((3 * 2 / 4 + 4 * 2 / 5 + 3 * 1 / 4) / 10).double(), "pixels of class 0 ignored")


# instance_labels


def grid(*rows):
    return torch.tensor([[int(c) for c in row] for row in rows])


SCENE = grid("0110020", "1100222", "0001020", "3301100", "0303303")
REGIONS = grid("0110020", "1100222", "0003020", "4403300", "0405506")


@pytest.mark.points(1, "instance_labels")
def test_regions_are_numbered_in_reading_order_of_their_first_pixels(expect):
    result = segmentation.instance_labels(SCENE[None])

    expect(result, REGIONS[None], "each region of one class its number; corners do not connect, other classes part")
    both = segmentation.instance_labels(torch.stack([SCENE.flip(0), SCENE, SCENE]))
    expect(both[1:], torch.stack([REGIONS, REGIONS]), "each image is numbered from 1")


@pytest.mark.points(1, "instance_labels")
def test_a_region_is_one_however_it_winds_and_touching_objects_are_one(expect):
    spiral = grid("1111111", "0000001", "1111101", "1000101", "1011101", "1000001", "1111111")
    comb = grid("1010101", "1010101", "1111111", "0000000", "1111111", "1010101")
    expect(segmentation.instance_labels(spiral[None]), spiral[None], "one region, from its outer end to its inner")
    right = grid("1010101", "1010101", "1111111", "0000000", "2222222", "2020202")
    expect(segmentation.instance_labels(comb[None]), right[None], "teeth that meet further down are one region")
    touching = grid("1100", "1122", "0022")
    expect(
        segmentation.instance_labels((touching > 0).long()[None]),
        (touching > 0).long()[None],
        "two squares that touch: one",
    )


@pytest.mark.points(1, "instance_labels")
def test_background_and_ignored_pixels_are_in_no_region(expect):
    labels = SCENE.clone()
    labels[labels == 2] = 255
    right = grid("0110000", "1100000", "0002000", "3302200", "0304405")
    expect(segmentation.instance_labels(labels[None]), right[None], "255 is in no region")
    chosen = segmentation.instance_labels(SCENE[None], ignore_index=2)
    expect(chosen, right[None], "ignore_index may be a class: its pixels are in no region")
    right = grid("1000000", "0000000", "0000000", "2200000", "0203304")
    filled = grid("1000000", "0000000", "0000000", "3300000", "0303303")
    result = segmentation.instance_labels(filled[None] + 4, background=4, ignore_index=-1)
    expect(result, right[None], "background may be another label")
    empty = segmentation.instance_labels(torch.zeros(2, 3, 4, dtype=torch.int64))
    expect(empty, torch.zeros(2, 3, 4, dtype=torch.int64), "only background: zeros")
    zero = segmentation.instance_labels(grid("0110", "0220")[None], background=1)
    expect(zero, grid("1002", "1332")[None], "class 0 is a class where background is another")


@pytest.mark.points(1, "instance_labels")
def test_regions_of_a_large_map_are_right_and_the_map_is_left_alone(expect):
    labels = (numbers(3, 20, 31, seed=61).abs() * 100).long() % 3
    with expect.unchanged(labels=labels):
        result = segmentation.instance_labels(labels)

    expect.new(result, labels=labels)
    expect.reference(result, "random", "the regions of each class, numbered in reading order")
    alone = torch.cat([segmentation.instance_labels(labels[i : i + 1]) for i in range(3)])
    expect(result, alone, "each image for itself")
    solid = torch.ones(1, 50, 60, dtype=torch.int64)
    expect(segmentation.instance_labels(solid), solid, "one region of 3000 pixels")
