"""The given code: the ReLU rule, recorded layers, the list of spatial steps, and what `checked` refuses."""

import inspect
import re

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from assignment2 import saliency
from coursekit.checks.small_networks import ReluEverywhere, SmallConvNet, numbers, pictures, seeded
from coursekit.vision import checked, load_model, record_outputs, relu_rule, spatial_steps
from coursekit.vision.arguments import Eps, Features, FeatureWeights, Images, Model
from coursekit.vision.looks import finite
from coursekit.vision.segmenting import train_segmenter

IMAGES, LABELS = pictures(3), torch.tensor([4, 0, 2])


def guided(upstream, relu_input):
    return upstream * (upstream > 0) * (relu_input > 0)


RELUS = {
    "nn.ReLU": nn.ReLU(),
    "nn.ReLU in place": lambda x: nn.ReLU(inplace=True)(x * 1),
    "F.relu": F.relu,
    "F.relu in place": lambda x: F.relu(x * 1, inplace=True),
    "F.relu_": lambda x: F.relu_(x * 1),
    "torch.relu": torch.relu,
    "torch.relu_": lambda x: torch.relu_(x * 1),
    "the method": lambda x: x.relu(),
    "the method in place": lambda x: (x * 1).relu_(),
    "by keyword": lambda x: F.relu(input=x),
    "in place, result unused": lambda x: _in_place_result_unused(x * 1),
}


def _in_place_result_unused(x):
    x.relu_()
    return x


@pytest.mark.parametrize("name", RELUS)
def test_a_rule_holds_for_every_way_to_write_a_relu(name):
    x, upstream = numbers(2, 3, 4, seed=1).requires_grad_(), numbers(2, 3, 4, seed=2)

    with relu_rule(guided):
        output = RELUS[name](x)
    (gradient,) = torch.autograd.grad(output, x, upstream)

    assert torch.equal(output, x.clamp(min=0))
    assert torch.equal(gradient, guided(upstream, x.detach()))


def test_the_rule_is_gone_after_the_block_and_after_an_error():
    x = numbers(5, seed=3).requires_grad_()

    with pytest.raises(ZeroDivisionError), relu_rule(guided):
        raise ZeroDivisionError
    (gradient,) = torch.autograd.grad(F.relu(x).sum().neg(), x)

    assert torch.equal(gradient, -(x > 0).double())


def test_the_rule_sees_what_the_relu_was_given_although_it_is_overwritten_later():
    x = numbers(6, seed=4).requires_grad_()

    with relu_rule(lambda upstream, relu_input: relu_input):
        before = x * 2
        after = F.relu(before)
        before.mul_(0)
    (gradient,) = torch.autograd.grad(after.sum(), x)

    assert torch.equal(gradient, 4 * x.detach())


def test_an_in_place_relu_on_a_part_of_a_map_changes_that_part_and_the_rule_holds_there():
    x, upstream = numbers(2, 3, 4, seed=5).requires_grad_(), numbers(2, 3, 4, seed=6)

    with relu_rule(guided):
        whole = x * 1
        result = whole[:, 1:].relu_()
    (gradient,) = torch.autograd.grad(whole, x, upstream)

    assert result.data_ptr() == whole[:, 1:].data_ptr(), "in place means in the same memory"
    assert torch.equal(whole[:, 1:], x[:, 1:].clamp(min=0))
    assert torch.equal(gradient[:, 1:], guided(upstream, x.detach())[:, 1:])
    assert torch.equal(gradient[:, 0], upstream[:, 0])


def test_infinities_are_found_and_a_sum_that_overflows_is_none():
    ones = torch.ones(300, 300, dtype=torch.float16)  # their sum is beyond float16
    holes = [torch.tensor(values) for values in ([1, float("nan")], [float("inf"), float("-inf")], [float("inf"), 1])]

    assert finite(ones)
    assert finite(torch.empty(0))
    assert not any(finite(values) for values in holes)


def test_a_recorded_output_is_what_the_layer_returned():
    model = seeded(SmallConvNet())

    with record_outputs(model, ["features.0", "features.1"]) as outputs:
        logits = model(IMAGES)

    assert torch.equal(outputs["features.0"], model.features[0](IMAGES))
    assert outputs["features.0"].min() < 0, "the in-place ReLU that follows writes on a copy"
    assert torch.equal(logits, model(IMAGES))
    assert not model.features[0]._forward_hooks


def test_a_layer_that_runs_twice_gives_its_last_call():
    model = seeded(ReluEverywhere())

    with record_outputs(model, ["relu"]) as outputs:
        model(IMAGES)

    assert outputs["relu"].shape == (3, 6, 4, 6)


def test_a_layer_that_returns_no_tensor_is_an_error():
    class Pair(nn.Module):
        def forward(self, x):
            return x, x

    model = nn.Sequential(Pair())

    with pytest.raises(ValueError, match="layer '0' returns a tuple"), record_outputs(model, ["0"]):
        model(IMAGES)


def test_spatial_steps_describe_a_network_with_a_concatenation():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Conv2d(3, 2, 3, stride=2, padding=1)
            self.b = nn.Conv2d(3, 2, 1, stride=2)
            self.pool = nn.MaxPool2d(3, 2, padding=1)

        def forward(self, x):
            return self.pool(torch.cat([F.relu(self.a(x)), self.b(x)], 1))

    steps = spatial_steps(Net().eval(), "pool", (12, 16))

    windows = [(s.kernel, s.stride, s.padding) for s in steps if (s.kernel, s.stride) != ((1, 1), (1, 1))]
    assert ((3, 3), (2, 2), (1, 1)) in windows
    assert ((1, 1), (2, 2), (0, 0)) in windows
    assert windows[-1] == ((3, 3), (2, 2), (1, 1))
    assert any(len(s.inputs) == 2 for s in steps), "the concatenation reads two maps"
    assert steps[0].size == (12, 16)


@pytest.mark.parametrize("name", ["tiny_vgg", "tiny_alexnet", "tiny_squeezenet", "tiny_resnet"])
def test_receptive_fields_in_the_zoo_are_what_gradients_say(name):
    """Outside the box no pixel moves the unit; the box is not larger than kernels reach (checked with random weights)."""
    model = load_model(name)
    layer = [n for n, m in model.named_modules() if isinstance(m, nn.Conv2d)][3]
    with torch.no_grad(), record_outputs(model, [layer]) as outputs:
        model(torch.zeros(1, 3, 96, 96))
    _, channels, height, width = outputs[layer].shape
    unit = (0, height // 2, width // 2)

    top, left, bottom, right = saliency.receptive_field(model, layer, unit, (96, 96))

    images = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    seen = sum(
        saliency.activation_gradient(model, images, layer, (c, *unit[1:])).abs().sum((0, 1))
        for c in range(min(channels, 6))
    )
    inside = torch.zeros(96, 96, dtype=torch.bool)
    inside[top:bottom, left:right] = True
    assert seen[~inside].abs().max() == 0
    assert seen[top:bottom, left:right].sum(1).gt(0).float().mean() > 0.7


@pytest.mark.parametrize("padding", [0, 1])
def test_a_flat_layer_sees_the_image_but_for_what_a_pooling_leaves_over(padding):
    """9 x 14 pixels pooled in twos: the last row is left over, and seen only by a kernel that reaches it from above."""
    layers = [nn.Conv2d(3, 2, 1 + 2 * padding, padding=padding), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(2 * 4 * 7, 3)]
    model = seeded(nn.Sequential(*layers))

    box = saliency.receptive_field(model, "3", (2,), (9, 14))
    moved = saliency.activation_gradient(model, pictures(1, size=(9, 14)), "3", (2,)).abs().sum((0, 1)).nonzero()

    assert box == (0, 0, 8 + padding, 14)
    assert box == (*moved.amin(0).tolist(), *(moved.amax(0) + 1).tolist())


# what is refused


def call(**changes):
    given = {"model": seeded(SmallConvNet()), "images": IMAGES, "labels": LABELS, "layer": "features.6"} | changes
    return saliency.grad_cam(**given)


BAD = {
    "pictures of (1, 1) pixels are too small for this network: enlarge them": {"images": IMAGES[:, :, :1, :1]},
    "images has shape (3, 9, 13), expected (N, 3, H, W) in [0, 1]; one picture is images[None]": {"images": IMAGES[0]},
    "images has shape (3, 1, 9, 13), expected (N, 3, H, W)": {"images": IMAGES[:, :1]},
    "images has shape (0, 3, 9, 13): there is no picture in it": {"images": IMAGES[:0], "labels": LABELS[:0]},
    "images has dtype torch.uint8, expected floating point in [0, 1]: use images.float() / 255": {
        "images": (IMAGES * 255).to(torch.uint8)
    },
    "images is a list, expected a torch tensor": {"images": [1.0]},
    "labels contains -1; classes are counted from 0": {"labels": torch.tensor([0, -1, 2])},
    "label 5 is out of range: the network has 5 classes, 0 to 4": {"labels": torch.tensor([0, 5, 2])},
    "labels is torch.float32, expected a tensor of torch.int64": {"labels": LABELS.float()},
    "labels has shape (2,), expected one label an image: (3,)": {"labels": LABELS[:2]},
    "layer 'features.77' does not exist; near names: features.7": {"layer": "features.77"},
    "layer 'classifier.1' is flat, its output is (N, 7): choose a convolutional layer": {"layer": "classifier.1"},
    "model is in train mode (the network): call model.eval() first": {"model": seeded(SmallConvNet()).train()},
    "the network returns probabilities (rows sum to 1)": {
        "model": nn.Sequential(seeded(SmallConvNet()), nn.Softmax(1)).eval(),
        "layer": "0.features.6",
    },
    "model is a str; give a network": {"model": "tiny_vgg"},
    "model is a NoneType; give a network": {"model": None},
    "images is a NoneType, expected a torch tensor": {"images": None},
    "labels is a NoneType, expected a tensor of torch.int64": {"labels": None},
    "layer is a NoneType, expected a name such as 'classifier.3'": {"layer": None},
}


@pytest.mark.parametrize("sentence", BAD)
def test_a_bad_argument_is_refused_in_one_line(sentence):
    with pytest.raises(ValueError) as refused:  # noqa: PT011 (the sentence is compared below)
        call(**BAD[sentence])

    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("function", "arguments", "sentence"),
    [
        (
            "activation_gradient",
            {"unit": (9, 0, 0)},
            "unit (9, 0, 0) is outside layer 'features.6', whose output is (5, 4, 6)",
        ),
        (
            "activation_gradient",
            {"unit": (0, 0)},
            "unit (0, 0) has 2 numbers; a unit of layer 'features.6' has 3: (5, 4, 6)",
        ),
        ("deconvnet", {"channel": 5}, "channel 5 is outside layer 'features.6', whose output is (5, 4, 6)"),
        ("deconvnet", {"channel": -1}, "channel is -1, expected a whole number, 0 or more"),
        ("top_patches", {"channel": 0, "k": 4}, "k is 4, expected 1 to 3, the number of images"),
        ("top_patches", {"channel": 0, "k": 0}, "k is 0, expected 1 to 3, the number of images"),
    ],
)
def test_a_unit_or_a_channel_outside_is_refused(function, arguments, sentence):
    model = seeded(SmallConvNet())

    with pytest.raises(ValueError) as refused:  # noqa: PT011
        getattr(saliency, function)(model, IMAGES, "features.6", **arguments)

    assert str(refused.value) == sentence
    assert not any(m._forward_hooks for m in model.modules()), "nothing is left behind"


def test_a_picture_too_small_for_its_network_is_named_where_only_its_size_is_given():
    with pytest.raises(ValueError, match=r"pictures of \(1, 5\) pixels are too small for this network"):
        saliency.receptive_field(seeded(SmallConvNet()), "features.6", (0, 0, 0), (1, 5))


@pytest.mark.parametrize("given", [{"eps": None}, {"eps": "0.1"}, {"eps": [0.1]}, {"weights": None}, {"weights": 3}])
def test_an_option_of_another_type_is_refused_by_its_value(given):
    @checked
    def step(features: Features, *, weights: FeatureWeights, eps: Eps):
        return features

    ((name, value),) = given.items()
    with pytest.raises(ValueError, match=rf"^{name} is {re.escape(repr(value))}[:,] "):
        step([IMAGES], **({"weights": [1.0], "eps": 0.1} | given))


def test_nothing_is_changed_by_a_refusal_and_the_signature_stays():
    @checked
    def step(model: Model, images: Images, *, eps: Eps = 0.1):
        """Say nothing."""
        return images

    with pytest.raises(ValueError, match=r"eps is 8, expected 0 to 1; did you mean 8 / 255\?"):
        step(seeded(SmallConvNet()), IMAGES, eps=8)
    assert step.__doc__ == "Say nothing."
    assert list(inspect.signature(step).parameters) == ["model", "images", "eps"]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("size", [(96, 96), (64, 128)])
def test_part_1_works_in_every_floating_type_and_at_even_sizes(dtype, size):
    model = load_model("tiny_resnet", dtype=dtype)
    images = pictures(2, size=size).to(dtype)
    labels = torch.tensor([3, 20])

    for result in (
        saliency.saliency_map(model, images, labels),
        saliency.guided_backprop(model, images, labels),
        saliency.grad_cam(model, images, labels, [n for n, m in model.named_modules() if isinstance(m, nn.Conv2d)][-1]),
    ):
        assert result.dtype == dtype
        assert result.isfinite().all()


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("capabilities", [{"avx512_bf16": True}, {"avx2": True}, {}, None])
def test_training_uses_bfloat16_only_where_the_processor_has_instructions_for_it(capabilities, groups, monkeypatch):
    if capabilities is None:  # torch 2.6 has no such function
        monkeypatch.delattr(torch.cpu, "get_capabilities")
    else:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    network = nn.Conv2d(3, 3, 1, groups=groups)
    seen = []
    network.register_forward_hook(lambda _module, _inputs, output: seen.append(output.dtype))

    train_segmenter(
        network, torch.rand(2, 3, 8, 8), torch.zeros(2, 8, 8, dtype=torch.int64), F.cross_entropy, num_steps=1
    )

    has_them = bool(capabilities) and "avx512_bf16" in capabilities
    assert seen == [torch.bfloat16 if has_them and groups == 1 else torch.float32]
