"""`spatial_steps`: every operation is either described exactly, by where gradients are not zero, or refused by its name."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from assignment2 import saliency
from assignment2.segmentation import UNet
from coursekit.vision import load_model, record_outputs, spatial_steps

SIZE = (12, 14)


class Behind(nn.Module):
    """A convolution, an operation with modules of its own, and a layer that shows what the operation returned."""

    def __init__(self, operation, *modules):
        super().__init__()
        self.stem, self.operation = nn.Conv2d(3, 4, 3, padding=1), operation
        self.inner, self.shown = nn.ModuleList(modules), nn.Identity()

    def forward(self, images):
        return self.shown(self.operation(self.stem(images), *self.inner))


def seen_by_gradients(model, layer, unit, size):
    """Return the smallest box round the pixels that move a place of a map in any channel, or any unit of a flat layer."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(4, 3, *size, generator=generator, dtype=next(model.parameters()).dtype).requires_grad_()
    with record_outputs(model, [layer]) as outputs:
        model(images)
    output = outputs[layer]
    output = output[:, :, unit[1], unit[2]] if output.dim() == 4 else output
    weights = torch.rand(output.shape, generator=generator, dtype=output.dtype)
    if not output.requires_grad:
        return 0, 0, 0, 0
    (gradient,) = torch.autograd.grad((output * weights).sum(), images, materialize_grads=True)
    moved = gradient.abs().sum((0, 1)).nonzero()
    return (*moved.amin(0).tolist(), *(moved.amax(0) + 1).tolist()) if len(moved) else (0, 0, 0, 0)


def units_of(model, layer, size):
    """Name three units of a map, at two corners and in the middle; one of a flat layer."""
    with torch.no_grad(), record_outputs(model, [layer]) as outputs:
        model(torch.zeros(1, 3, *size, dtype=next(model.parameters()).dtype))
    if outputs[layer].dim() == 2:
        return [(0,)]
    height, width = outputs[layer].shape[2:]
    return [(0, 0, 0), (0, height // 2, width // 2), (0, height - 1, width - 1)]


def assert_exact(model, layer, size):
    for unit in units_of(model, layer, size):
        box = saliency.receptive_field(model, layer, unit, size)
        assert box == seen_by_gradients(model, layer, unit, size), unit


def gate(x, pooled):
    return x * pooled.sigmoid()


def shuffled(x):
    return x.view(-1, 2, 2, *SIZE).transpose(1, 2).contiguous().view(-1, 4, *SIZE)


def linear_on_channels_last(x, norm, linear):
    return linear(norm(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)


def linear_on_tokens(x, linear):
    return linear(x.flatten(2).mT).mT.reshape(-1, 5, *SIZE)


def attention(x):
    flat = x.flatten(2)
    return (flat @ (flat.mT @ flat).softmax(-1)).view_as(x)


def rectified_in_part(x):
    x = x * 1
    x[:, 1:].relu_()
    return x


EXACT = {
    "the second of two chunks": (lambda x, c: c(x.chunk(2, 1)[1]), nn.Conv2d(2, 3, 3)),
    "the larger part of a split": (lambda x, c: c(x.split([1, 3], 1)[1]), nn.Conv2d(3, 3, 3, padding=1)),
    "rows split apart": (lambda x: x.split(4, 2)[1],),
    "channels unbound and stacked": (lambda x: torch.stack(x.unbind(1)[1:], 1),),
    "a transposed convolution of stride 1": (
        lambda x, c: c(x),
        nn.ConvTranspose2d(4, 3, 3, padding=1, dilation=2),
    ),
    "group norm": (lambda x, n: n(x), nn.GroupNorm(2, 4)),
    "instance norm": (lambda x, n: n(x), nn.InstanceNorm2d(4)),
    "layer norm over columns": (lambda x, n: n(x), nn.LayerNorm(SIZE[1])),
    "layer norm over channels": (linear_on_channels_last, nn.LayerNorm(4), nn.Linear(4, 5)),
    "batch norm": (lambda x, n: n(x), nn.BatchNorm2d(4)),
    "channels rolled": (lambda x: x.roll(1, 1),),
    "channels reordered": (lambda x: x[:, [2, 1]],),
    "channels shuffled": (lambda x, c: c(shuffled(x)), nn.Conv2d(4, 2, 3, groups=2)),
    "a crop": (lambda x: x[:, :, 2:-1, 1:],),
    "every second row": (lambda x: x[:, :, ::2, 1::3],),
    "one row": (lambda x: x[:, :, 3][:, :, None],),
    "padding on some sides": (lambda x, c: c(F.pad(x, (1, 2, 0, 1))), nn.Conv2d(4, 2, 3, stride=2)),
    "negative padding": (lambda x, c: c(F.pad(x, (-1, 2, -2, 1))), nn.Conv2d(4, 2, 3, stride=2)),
    "adaptive pooling into equal windows": (lambda x: F.adaptive_avg_pool2d(x, (3, 7)),),
    "adaptive pooling, then flattened": (
        lambda x, f: f(F.adaptive_avg_pool2d(x, (5, 7)).flatten(1)),
        nn.Linear(140, 3),
    ),
    "flattened": (lambda x, f: f(x.flatten(1)), nn.Linear(4 * 12 * 14, 3)),
    "resized to its own size": (lambda x: F.interpolate(x, SIZE, mode="bilinear"),),
    "the mean enlarged": (lambda x: x + F.interpolate(F.adaptive_avg_pool2d(x, 1), SIZE, mode="bilinear"),),
    "the mean of columns": (lambda x: x.mean(3, keepdim=True),),
    "gated by means of rows": (lambda x: gate(x, x.mean(2, keepdim=True)),),
    "gated by means of rows and of columns": (lambda x: gate(x, x.mean(2, keepdim=True) + x.mean(3, keepdim=True)),),
    "gated by the mean of the map": (lambda x, f: gate(x, f(x.mean((2, 3)))[:, :, None, None]), nn.Linear(4, 4)),
    "tokens": (linear_on_tokens, nn.Linear(4, 5)),
    "attention": (attention,),
    "softmax over columns": (lambda x: x.softmax(3),),
    "a matrix product over channels": (lambda x: torch.einsum("nchw,cd->ndhw", x, x.new_ones(4, 5)),),
    "an in-place ReLU on a part": (rectified_in_part,),
    "an in-place sum": (lambda x, c: c(x).add_(x), nn.Conv2d(4, 4, 3, padding=1)),
    "dilated pooling": (lambda x: F.avg_pool2d(F.max_pool2d(x.square(), 1, 2, dilation=2), 2, ceil_mode=True),),
    "nothing of the image": (lambda x: torch.ones(len(x), 2, 3, 4, dtype=x.dtype),),
}


@pytest.mark.parametrize("name", EXACT)
def test_the_box_is_where_gradients_are_not_zero(name):
    model = Behind(*EXACT[name]).double().eval()

    assert_exact(model, "shown", SIZE)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("name", "layer", "size"),
    [
        ("shufflenet_v2_x0_5", "stage2.1.branch2.0", (32, 48)),
        ("convnext_tiny", "features.1.1", (32, 32)),
        ("googlenet", "inception3a", (64, 96)),
        ("mobilenet_v3_small", "features.4", (64, 96)),
    ],
)
def test_torchvisions_networks_of_random_weights(name, layer, size):
    from torchvision import models

    options = {"init_weights": False} if name == "googlenet" else {}
    model = models.get_model(name, weights=None, **options).double().eval()

    assert_exact(model, layer, size)


@pytest.mark.parametrize("layer", ["features.0", "features.2.depthwise"])
def test_efficientnets_own_padding_is_seen(layer):
    model = load_model("efficientnet_lite0", dtype=torch.float64)

    assert_exact(model, layer, (33, 48))


REFUSED = {
    "a transposed convolution of stride 2": (lambda x, c: c(x), nn.ConvTranspose2d(4, 3, 2, stride=2)),
    "upsample_nearest2d": (lambda x: F.interpolate(x, scale_factor=2),),
    "upsample_bilinear2d": (lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),),
    "_adaptive_avg_pool2d": (lambda x: F.adaptive_avg_pool2d(x, (5, 7)),),
    "roll": (lambda x: x.roll(1, 2),),
    "flip": (lambda x: x.flip(3),),
    "cat": (lambda x: torch.cat([x, x], 2),),
    "repeat": (lambda x: x.repeat(1, 1, 2, 1),),
    "a change of axes": (lambda x: x.transpose(2, 3),),
    "reflection_pad2d": (lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"),),
    "writing into a part of a map": (lambda x: F.pad(x, (1, 1, 1, 1), mode="circular"),),
    "pixel_shuffle": (lambda x: F.pixel_shuffle(x, 2),),
    "im2col": (lambda x: F.unfold(x, 3).view(-1, 36, 10, 12),),
    "view": (lambda x: x.view(-1, 4, *SIZE[::-1]),),
    "_fft_r2c": (lambda x: torch.fft.rfft2(x).real,),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_window_describes_is_refused_by_its_name(name):
    model = Behind(*REFUSED[name]).eval()

    with pytest.raises(ValueError, match=rf"^layer 'shown' lies behind {name}, which no window .* a layer before it$"):
        saliency.receptive_field(model, "shown", (0, 1, 1), SIZE)
    assert saliency.receptive_field(model, "stem", (0, 1, 1), SIZE) == (0, 0, 3, 3), "before it nothing is unknown"


def test_unets_head_is_refused_and_its_way_down_is_not():
    model = UNet(3, 4, (4, 8, 16)).double().eval()

    with pytest.raises(ValueError, match=r"layer 'head' lies behind a transposed convolution of stride 2"):
        saliency.receptive_field(model, "head", (0, 8, 8), (64, 64))
    assert_exact(model, "bottom", (64, 64))


def test_steps_with_the_same_rows_everywhere_and_crops_are_the_same_arithmetic():
    model = Behind(lambda x: x[:, :, 2:] * x.mean(2, keepdim=True)).eval()

    steps = spatial_steps(model, "shown", SIZE)

    assert {(step.size, step.kernel, step.stride, step.padding) for step in steps} >= {
        (SIZE, (1, 1), (1, 1), (-2, 0)),
        (SIZE, (12, 1), (0, 1), (0, 0)),
        ((1, 14), (1, 1), (0, 1), (0, 0)),
    }
    assert len({step.output for step in steps}) == len(steps), "one step makes a map"
