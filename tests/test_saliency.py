"""Part 1. Each check is a sentence about a function of assignment2/saliency.py, on small float64 networks, H unlike W."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from assignment2 import saliency
from coursekit.checks.laws import (
    assert_lets_errors_through,
    assert_no_trace,
    assert_same_however_called,
    used_network,
)
from coursekit.checks.small_networks import (
    SIZE,
    Dead,
    Linear,
    OneHidden,
    ReluEverywhere,
    SmallConvNet,
    Wrapped,
    broken,
    numbers,
    pictures,
    seeded,
)

IMAGES = pictures(3)
LABELS = torch.tensor([4, 0, 2])


def right_rule(name):
    """Give a ReLU rule by its nine signs, so that the check of one exercise does not depend on another."""
    lets_through = {"guided": [[0, 0, 0], [0, 0, 0], [0, 0, 1]], "deconvnet": [[0, 0, 0], [0, 0, 0], [1, 1, 1]]}[name]

    def rule(upstream, relu_input):
        signs = torch.tensor(lets_through, dtype=upstream.dtype, device=upstream.device)
        return upstream * signs[upstream.sign().long() + 1, relu_input.sign().long() + 1]

    return rule


@pytest.fixture(autouse=True)
def fresh_inputs_and_right_siblings(request, monkeypatch):
    """Fresh pictures for every check; and where one exercise is built from another, put a right one in its place."""
    global IMAGES, LABELS
    IMAGES, LABELS = pictures(3), torch.tensor([4, 0, 2])
    marker = request.node.get_closest_marker("points")
    if marker.args[1] == "guided_backprop":
        monkeypatch.setattr(saliency, "guided_relu_gradient", right_rule("guided"))
    if marker.args[1] == "deconvnet":
        monkeypatch.setattr(saliency, "deconvnet_relu_gradient", right_rule("deconvnet"))


# saliency_map


@pytest.mark.points(2, "saliency_map")
def test_saliency_of_a_linear_model_is_its_weights(expect):
    model = seeded(Linear())

    result = saliency.saliency_map(model, IMAGES[:2], LABELS[:2])  # two pictures, three channels

    weights = model.weights()[LABELS[:2]]  # (N, 3, H, W)
    expect(result, sum(abs(weights[:, c]) for c in range(3)), "|w_label| summed over the three channels")


@pytest.mark.points(2, "saliency_map")
def test_saliency_is_the_slope_of_the_logit_at_every_pixel(expect):
    model = seeded(SmallConvNet())
    step = 1e-6 * torch.eye(3 * SIZE[0] * SIZE[1], dtype=torch.float64).view(-1, 3, *SIZE)
    with torch.no_grad():
        pairs = zip(IMAGES[:2], LABELS[:2], strict=True)
        slopes = torch.stack([(model(x + step) - model(x - step))[:, k] for x, k in pairs])

    result = saliency.saliency_map(model, IMAGES[:2], LABELS[:2])

    slopes = (slopes / 2e-6).view(2, 3, *SIZE)
    expect(result, slopes.norm(p=1, dim=1), "|d logit / d pixel| summed over channels, by differences", tolerance=1e-5)


@pytest.mark.points(1, "saliency_map")
def test_saliency_of_a_single_image_keeps_its_batch_axis(expect):
    model = seeded(Linear())

    result = saliency.saliency_map(model, IMAGES[:1], LABELS[:1])

    expect(result, model.weights()[LABELS[:1]].norm(p=1, dim=1), "one image gives a map of shape (1, H, W)")


@pytest.mark.points(1, "saliency_map")
def test_saliency_of_an_image_does_not_depend_on_its_batch_mates(expect):
    model = seeded(SmallConvNet())

    together = saliency.saliency_map(model, IMAGES, LABELS)
    alone = torch.cat([saliency.saliency_map(model, IMAGES[i : i + 1], LABELS[i : i + 1]) for i in range(3)])

    expect(together, alone, "the maps of three images at once are those of each image alone")
    assert together.shape == (3, *SIZE), f"the maps have shape {tuple(together.shape)}, expected {(3, *SIZE)}"


@pytest.mark.points(1, "saliency_map")
def test_saliency_is_the_same_however_it_is_called(expect):
    model = seeded(SmallConvNet())

    assert_same_however_called(expect, lambda m, x: saliency.saliency_map(m, x, LABELS), model, IMAGES)
    wrapped = saliency.saliency_map(Wrapped(model), IMAGES, LABELS)
    expect(
        wrapped, saliency.saliency_map(model, IMAGES, LABELS), "the same result for a function that calls the network"
    )
    assert wrapped.shape == (3, *SIZE), f"the maps have shape {tuple(wrapped.shape)}, expected {(3, *SIZE)}"


@pytest.mark.points(1, "saliency_map")
def test_saliency_leaves_images_and_network_as_they_were(expect):
    assert_no_trace(expect, lambda m, x: saliency.saliency_map(m, x, LABELS), seeded(SmallConvNet()), IMAGES)


# activation_gradient


@pytest.mark.points(1, "activation_gradient")
def test_gradient_of_a_first_layer_unit_is_its_kernel_in_its_place(expect):
    model = seeded(SmallConvNet())

    result = saliency.activation_gradient(model, IMAGES, "features.0", (1, 4, 7))

    kernel = torch.zeros_like(IMAGES)
    kernel[:, :, 3:6, 6:9] = model.features[0].weight.detach()[1]
    expect(result, kernel, "the convolution's kernel of the channel, centred at (y, x) = (4, 7), zero elsewhere")


@pytest.mark.points(1, "activation_gradient")
def test_gradient_of_a_deep_unit_is_its_slope_at_every_pixel(expect):
    model = seeded(SmallConvNet())
    step = 1e-6 * torch.eye(3 * SIZE[0] * SIZE[1], dtype=torch.float64).view(-1, 3, *SIZE)
    with torch.no_grad():
        unit = [(model.features[:7](x + step) - model.features[:7](x - step))[:, 2, 1, 4] for x in IMAGES[:2]]

    result = saliency.activation_gradient(model, IMAGES[:2], "features.6", (2, 1, 4))

    slopes = torch.stack(unit).view(2, 3, *SIZE) / 2e-6
    expect(result, slopes, "d unit / d pixel of the layer's own output, before what follows it", tolerance=1e-5)


@pytest.mark.points(1, "activation_gradient")
def test_gradient_of_a_flat_unit_is_its_slope_and_of_an_unreached_one_zero(expect):
    model = seeded(OneHidden())

    result = saliency.activation_gradient(model, IMAGES[:1], "first", (5,))
    flat = saliency.activation_gradient(model, IMAGES, "second", (3,))

    expect(result, model.first.weight.detach()[5].view(1, 3, *SIZE), "the weights of unit 5 of the first layer")
    active = model.first(IMAGES.flatten(1)).detach() > 0  # (N, width)
    rows = (active * model.second.weight.detach()[3]) @ model.first.weight.detach()
    expect(flat, rows.view(3, 3, *SIZE), "the chain rule through the units that are active")
    unreached = saliency.activation_gradient(seeded(NoPath()), IMAGES, "bias", (1,))
    expect(unreached, torch.zeros_like(IMAGES), "zeros where no path joins the unit to the image")


class NoPath(nn.Module):
    """A layer that is computed from parameters alone, beside the path from the image."""

    def __init__(self):
        super().__init__()
        self.start = nn.Parameter(torch.ones(3, 4))
        self.bias = nn.Linear(4, 5)
        self.head = nn.Linear(3, 5)

    def forward(self, images):
        return self.head(images.mean((2, 3))) + self.bias(self.start[: len(images)])


@pytest.mark.points(1, "activation_gradient")
def test_activation_gradient_leaves_no_trace_and_repeats(expect):
    def call(model, images):
        return saliency.activation_gradient(model, images, "features.3", (2, 5, 6))

    assert_no_trace(expect, call, seeded(SmallConvNet()), IMAGES, breaks_at="features.0")
    assert_same_however_called(expect, call, seeded(SmallConvNet()), IMAGES)


# the two rules for a ReLU

UPSTREAM = torch.tensor([[-2.0, -3.0, -5.0, 0.0, 0.0, 0.0, 7.0, 11.0, 13.0]], dtype=torch.float64)
RELU_INPUT = torch.tensor([[-1.0, 0.0, 4.0, -1.0, 0.0, 4.0, -1.0, 0.0, 4.0]], dtype=torch.float64)


def check_rule(expect, rule, name, formula):
    upstream, relu_input = UPSTREAM.clone(), RELU_INPUT.clone()

    with expect.unchanged(upstream=upstream, relu_input=relu_input):
        result = rule(upstream, relu_input)

    expect(result, right_rule(name)(UPSTREAM, RELU_INPUT), formula)
    expect.new(result, upstream=upstream, relu_input=relu_input)
    batch, inputs = numbers(2, 3, 4, 5, seed=1), numbers(2, 3, 4, 5, seed=2)
    expect(rule(batch, inputs), right_rule(name)(batch, inputs), f"{formula}; on any shape")
    for scale in (1e-9, 1e9):
        scaled = rule(batch * scale, inputs * scale) / scale
        expect(scaled, right_rule(name)(batch, inputs), f"{formula}; for very small and very large numbers too")
    single = rule(batch.float(), inputs.float())
    expect(single, right_rule(name)(batch.float(), inputs.float()), "float32 signals give a float32 result")
    positive = batch.abs()
    expect.new(rule(positive, positive), upstream=positive)


@pytest.mark.points(2, "deconvnet_relu_gradient")
def test_deconvnet_rule_lets_positive_signals_through(expect):
    check_rule(expect, saliency.deconvnet_relu_gradient, "deconvnet", "upstream where upstream > 0, else 0")


@pytest.mark.points(2, "guided_relu_gradient")
def test_guided_rule_lets_positive_signals_through_active_units(expect):
    check_rule(
        expect, saliency.guided_relu_gradient, "guided", "upstream where upstream > 0 and relu_input > 0, else 0"
    )


# guided_backprop


@pytest.mark.points(1, "guided_backprop")
def test_guided_backprop_of_one_hidden_layer_keeps_positive_weights_of_active_units(expect):
    model = seeded(OneHidden())

    result = saliency.guided_backprop(model, IMAGES, LABELS)

    active = model.first(IMAGES.flatten(1)).detach() > 0  # (N, width)
    upstream = model.second.weight.detach()[LABELS]  # (N, width)
    rows = right_rule("guided")(upstream, active.double()) @ model.first.weight.detach()
    expect(result, rows.view(3, 3, *SIZE), "W^T (v_label where v_label > 0 and the unit is active)")


@pytest.mark.points(1, "guided_backprop")
def test_guided_backprop_reaches_every_relu_functional_reused_or_beside_a_skip(expect):
    result = saliency.guided_backprop(seeded(ReluEverywhere(), seed=3), IMAGES, LABELS)

    expect.reference(result, "signed", "the guided rule at every ReLU: module, functional, in place, used twice")
    one = saliency.guided_backprop(seeded(ReluEverywhere(), seed=3), IMAGES[:1], LABELS[:1])
    expect(one, result[:1], "the same for the first image alone, with its batch axis")


@pytest.mark.points(1, "guided_backprop")
def test_guided_backprop_of_a_convolutional_network_is_signed_and_for_the_given_label(expect):
    result = saliency.guided_backprop(seeded(SmallConvNet()), IMAGES, LABELS)

    expect.reference(result, "signed", "the gradient of the label's logit with the guided rule at every ReLU")


@pytest.mark.points(1, "guided_backprop")
def test_guided_backprop_leaves_no_trace_and_repeats(expect):
    def call(model, images):
        return saliency.guided_backprop(model, images, LABELS)

    assert_no_trace(expect, call, seeded(SmallConvNet()), IMAGES)
    assert_same_however_called(expect, call, seeded(ReluEverywhere(), seed=3), IMAGES)


# deconvnet


@pytest.mark.points(1, "deconvnet")
def test_deconvnet_of_one_hidden_layer_keeps_positive_weights(expect):
    model = seeded(OneHidden())

    result = saliency.deconvnet(model, IMAGES, "second", 3)

    row = model.second.weight.detach()[3]
    kept = right_rule("deconvnet")(row, row) @ model.first.weight.detach()
    expect(result, kept.view(1, 3, *SIZE).repeat(3, 1, 1, 1), "W^T (v where v > 0), whichever units are active")


@pytest.mark.points(1, "deconvnet")
def test_deconvnet_projects_the_strongest_unit_through_the_switches(expect):
    model = seeded(SmallConvNet())

    expect.reference(
        saliency.deconvnet(model, IMAGES, "features.6", 4),
        "late",
        "seed 1 at the channel's strongest unit, 0 elsewhere",
    )
    expect.reference(
        saliency.deconvnet(model, IMAGES[:1], "features.2", 1),
        "early",
        "the output of the layer, before what follows it",
    )
    with torch.no_grad():
        model.features[0].bias -= 50
    expect.reference(
        saliency.deconvnet(model, IMAGES[:1], "features.0", 1),
        "negative",
        "the largest unit of the layer's own output, also where all are negative and an in-place ReLU follows",
    )


@pytest.mark.points(1, "deconvnet")
def test_deconvnet_takes_the_largest_unit_and_of_equals_the_first_in_reading_order(expect):
    model = point_net()
    images = torch.zeros(2, 3, 4, 5, dtype=torch.float64)
    images[0, :, 2, 1] = images[0, :, 1, 3] = 1.0
    images[1, :] = 1.0
    images[1, :, 3, 0] = 0.5

    result = saliency.deconvnet(model, images, "points", 1)

    expected = torch.zeros_like(images)
    expected[0, :, 1, 3] = expected[1, :, 0, 0] = torch.tensor([1.0, 2.0, 4.0])
    expect(result, expected, "seed 1 at the largest unit; of equal ones the first, row by row")


def point_net():
    """A 1 x 1 convolution with whole numbers, so that equal pixels give exactly equal units, all of them negative."""
    model = seeded(PointNet())
    with torch.no_grad():
        model.points.weight[1] = torch.tensor([1.0, 2.0, 4.0]).view(3, 1, 1)
        model.points.bias[1] = -20
    return model


class PointNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.points = nn.Conv2d(3, 2, 1)
        self.head = nn.Linear(2, 3)

    def forward(self, images):
        return self.head(self.points(images).mean((2, 3)))


@pytest.mark.points(1, "deconvnet")
def test_deconvnet_leaves_no_trace_and_repeats(expect):
    def call(model, images):
        return saliency.deconvnet(model, images, "features.6", 2)

    assert_no_trace(expect, call, seeded(SmallConvNet()), IMAGES, breaks_at="features.0")
    assert_same_however_called(expect, call, seeded(SmallConvNet()), IMAGES)


# receptive_field


def check_field(expect, model, layer, unit, image_size, box, formula):
    model = seeded(model)

    with expect.unchanged(model=model):
        result = saliency.receptive_field(model, layer, unit, image_size)

    expect(result, box, formula)
    assert all(type(side) is int for side in result), "four Python ints, not tensors: use .item()"


@pytest.mark.points(1, "receptive_field")
def test_receptive_field_of_one_convolution_is_its_window(expect):
    conv = nn.Conv2d(3, 2, (3, 5), stride=(2, 1), padding=(1, 0), dilation=(1, 2))
    model = nn.Sequential(conv, nn.Flatten(), nn.LazyLinear(4))
    model(torch.zeros(1, 3, 12, 17))

    formula = "rows from stride * y - padding, over dilation * (kernel - 1) + 1 of them; columns likewise"
    check_field(expect, model, "0", (1, 3, 6), (12, 17), (5, 6, 8, 15), formula)
    plain = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(2 * 10 * 15, 4))
    check_field(expect, plain, "0", (1, 3, 6), (12, 17), (3, 6, 6, 9), "the same question about another network")
    wide = nn.Sequential(nn.Conv2d(3, 2, 3, dilation=(3, 1)), nn.Flatten(), nn.Linear(2 * 6 * 15, 4))
    check_field(expect, wide, "0", (1, 3, 6), (12, 17), (3, 6, 10, 9), formula)
    bad = broken(seeded(plain), "forward")
    call = lambda m, _: saliency.receptive_field(m, "0", (0, 1, 1), (12, 17))
    assert_lets_errors_through(expect, call, bad, IMAGES, "forward")


@pytest.mark.points(1, "receptive_field")
def test_receptive_field_grows_through_a_stack_by_the_strides_behind_it(expect):
    layers = [nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 5, 3, padding=1), nn.AvgPool2d(2)]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 4))

    for layer, side in ("4", (9, 13, 19, 23)), ("3", (3, 5, 11, 13)), ("2", (5, 7, 9, 11)):
        check_field(
            expect, model, layer, (0, 3, 4), (40, 36), side, "a deeper unit steps by the product of the strides"
        )
    check_field(expect, model, "5", (0, 0, 0), (40, 36), (0, 0, 40, 36), "behind global pooling a unit sees every map")


@pytest.mark.points(1, "receptive_field")
def test_receptive_field_is_clipped_to_the_image(expect):
    model = SmallConvNet()

    for unit, box in ((0, 0, 0), (0, 0, 6, 6)), ((4, 3, 5), (2, 6, 9, 13)), ((1, 0, 5), (0, 6, 6, 13)):
        check_field(
            expect, model, "features.6", unit, SIZE, box, "inside the image: 0 <= top, bottom <= H, likewise columns"
        )


@pytest.mark.points(1, "receptive_field")
def test_receptive_field_unites_branches_and_is_the_whole_image_behind_flatten(expect):
    check_field(
        expect, Cross(), "joined", (1, 4, 6), SIZE, (2, 4, 7, 9), "the smallest box round what all branches see"
    )
    check_field(expect, SmallConvNet(), "classifier.1", (2,), SIZE, (0, 0, *SIZE), "a flat layer sees the whole image")
    check_field(expect, Cross(), "head", (3,), SIZE, (0, 0, *SIZE), "behind global pooling a unit sees the whole image")


class Cross(nn.Module):
    """Three branches side by side: one that looks along the row, one along the column, one that looks less far."""

    def __init__(self):
        super().__init__()
        self.row = nn.Conv2d(3, 4, (1, 5), padding=(0, 2))
        self.column = nn.Conv2d(3, 4, (5, 1), padding=(2, 0))
        self.skip = nn.Conv2d(3, 4, 3, padding=1)
        self.joined = nn.Conv2d(4, 4, 1)
        self.head = nn.Linear(4, 5)

    def forward(self, images):
        joined = self.joined(F.relu(self.row(images) + self.column(images)) + self.skip(images))
        return self.head(joined.mean((2, 3)))


# top_patches


def small_net_field(model, layer, unit, image_size):
    """The receptive field in a SmallConvNet, by hand."""
    if layer.startswith("classifier"):
        return 0, 0, *image_size
    first, after, step = {"features.0": (-1, 2, 1), "features.6": (-4, 6, 2)}[layer]
    _, y, x = unit
    height, width = image_size
    top, left = max(step * y + first, 0), max(step * x + first, 0)
    return top, left, min(step * y + after, height), min(step * x + after, width)


def strongest_units(layer_output):
    """(value, y, x) of the largest unit of each image, by plain search."""
    return [
        max((value.item(), y, x) for y, row in enumerate(plane) for x, value in enumerate(row))
        for plane in layer_output
    ]


def check_patches(expect, monkeypatch, model, layer, channel, k):
    monkeypatch.setattr(saliency, "receptive_field", small_net_field)
    depth = int(layer.split(".")[1]) + 1
    with torch.no_grad():
        units = strongest_units(model.features[:depth](IMAGES)[:, channel])
    order = sorted(range(3), key=lambda i: -units[i][0])[:k]
    boxes = [small_net_field(model, layer, (channel, *units[i][1:]), SIZE) for i in order]

    result = saliency.top_patches(model, IMAGES, layer, channel, k)

    values = torch.tensor([units[i][0] for i in order], dtype=torch.float64)
    expect(result.values, values, "the strongest unit of the channel in each image, in falling order")
    expect(result.indices, torch.tensor(order), "the images, the one with the strongest unit first")
    expect(result.boxes, torch.tensor(boxes), "top, left, bottom, right of what each image's strongest unit sees")
    assert len(result.patches) == k, f"{len(result.patches)} patches, expected {k}"
    for patch, i, (top, left, bottom, right) in zip(result.patches, order, boxes, strict=True):
        expect(patch, IMAGES[i, :, top:bottom, left:right], "the patch is image[:, top:bottom, left:right]")


@pytest.mark.points(2, "top_patches")
def test_top_patches_cut_out_what_the_strongest_units_see(expect, monkeypatch):
    for layer, channel, k in ("features.0", 1, 3), ("features.6", 2, 2), ("features.6", 3, 1):  # not the batch's order
        check_patches(expect, monkeypatch, seeded(SmallConvNet()), layer, channel, k)


@pytest.mark.points(1, "top_patches")
def test_top_patches_of_a_channel_that_is_negative_everywhere(expect, monkeypatch):
    model = seeded(SmallConvNet())
    with torch.no_grad():
        model.features[0].bias -= 50

    check_patches(expect, monkeypatch, model, "features.0", 1, 2)
    flat = saliency.top_patches(seeded(SmallConvNet()), IMAGES, "classifier.3", 1, 3)
    with torch.no_grad():
        scores = seeded(SmallConvNet())(IMAGES)[:, 1]
    expect(
        flat.values, scores.sort(descending=True).values, "in a flat layer an image's strongest unit is its only one"
    )
    expect(flat.indices, scores.argsort(descending=True), "the images, the one with the largest unit first")
    expect(flat.boxes, torch.tensor([[0, 0, *SIZE]] * 3), "a unit of a flat layer sees the whole image")


@pytest.mark.points(1, "top_patches")
def test_top_patches_leave_no_trace(expect, monkeypatch):
    monkeypatch.setattr(saliency, "receptive_field", small_net_field)

    def call(model, images):
        return saliency.top_patches(model, images, "features.0", 3, 2)

    model = seeded(SmallConvNet())
    with expect.unchanged(model=model, images=IMAGES):
        call(model, IMAGES)
    followed = IMAGES.clone().requires_grad_()
    followed.grad = torch.ones_like(followed)
    with expect.unchanged(model=used_network(model), images=followed):
        result = call(used_network(model), followed)
    assert_lets_errors_through(expect, call, broken(model, "forward"), IMAGES, "forward")
    assert not result.values.requires_grad, "values are still joined to the autograd graph: detach them"
    for patch in result.patches:
        expect.new(patch, images=followed)
        assert not patch.requires_grad, "the patches are still joined to the autograd graph: detach them"
    single = call(seeded(SmallConvNet()).float(), IMAGES.float())
    assert single.values.dtype == torch.float32, f"float32 images give values of {single.values.dtype}"


# grad_cam


@pytest.mark.points(2, "grad_cam")
def test_grad_cam_is_the_rectified_weighted_sum_of_a_layers_channels(expect):
    late = saliency.grad_cam(seeded(SmallConvNet(), seed=5), IMAGES, LABELS, "features.6")
    other_size = pictures(3, seed=4, size=(14, 10))
    beside_skip = saliency.grad_cam(seeded(ReluEverywhere(), seed=3), other_size, LABELS, "down")

    formula = "ReLU(sum_c mean(d logit / d A_c) A_c), enlarged bilinearly, then divided by its maximum"
    expect.reference(late, "late", formula)
    expect.reference(beside_skip, "reused relu", formula)


@pytest.mark.points(1, "grad_cam")
def test_grad_cam_takes_the_layers_own_output_before_an_in_place_relu(expect):
    result = saliency.grad_cam(seeded(SmallConvNet(), seed=1), IMAGES, LABELS, "features.3")

    expect.reference(
        result, "before relu", "the layer's output as it was when the layer returned it, negative values too"
    )


@pytest.mark.points(1, "grad_cam")
def test_grad_cam_has_maximum_one_in_each_image_and_an_empty_map_stays_zero(expect):
    model = seeded(SmallConvNet(), seed=5)
    images = IMAGES * torch.tensor([1.0, 1e-3, 1.0], dtype=torch.float64).view(3, 1, 1, 1)

    result = saliency.grad_cam(model, images, LABELS, "features.6")

    expect.reference(result, "scaled", "each map divided by its own maximum, after it was enlarged")
    empty = saliency.grad_cam(seeded(Dead()), IMAGES, LABELS, "features")
    expect(empty, torch.zeros(3, *SIZE, dtype=torch.float64), "a map that is zero everywhere stays zero, no 0 / 0")
    some_empty = saliency.grad_cam(seeded(SmallConvNet()), IMAGES, LABELS, "features.7")
    expect.reference(some_empty, "some empty", "one map that is zero everywhere beside two that are not")
    with torch.no_grad():
        model.classifier[3].weight *= 1e-9
    faint = saliency.grad_cam(model, images, LABELS, "features.6")
    expect.reference(faint, "scaled", "maximum 1 also where all scores are faint", tolerance=1e-5)


@pytest.mark.points(1, "grad_cam")
def test_grad_cam_of_an_image_does_not_depend_on_its_batch_mates(expect):
    model = seeded(SmallConvNet(), seed=5)

    together = saliency.grad_cam(model, IMAGES, LABELS, "features.6")
    alone = [saliency.grad_cam(model, IMAGES[i : i + 1], LABELS[i : i + 1], "features.6") for i in range(3)]

    expect(together, torch.cat(alone), "the maps of three images at once are those of each image alone")
    assert together.shape == (3, *SIZE), f"the maps have shape {tuple(together.shape)}, expected {(3, *SIZE)}"


@pytest.mark.points(1, "grad_cam")
def test_grad_cam_leaves_no_trace_and_repeats(expect):
    def call(model, images):
        return saliency.grad_cam(model, images, LABELS, "features.6")

    assert_no_trace(expect, call, seeded(SmallConvNet()), IMAGES)
    assert_same_however_called(expect, call, seeded(SmallConvNet(), seed=5), IMAGES)


# guided_grad_cam


def inside_relu_rule():
    """Whether a ReLU's gradient is not the ordinary one just now."""
    signal = torch.tensor([1.0], requires_grad=True)
    (gradient,) = torch.autograd.grad(-F.relu(signal).sum(), signal)
    return gradient.item() != -1.0


def right_factors(expect, monkeypatch):
    """Put right answers for the two factors in the module: what they gave for the three images when recorded."""
    guided = (
        saliency.guided_backprop(seeded(SmallConvNet(), seed=31), IMAGES, LABELS)
        if expect.recording is not None
        else None
    )
    cam = (
        saliency.grad_cam(seeded(SmallConvNet(), seed=31), IMAGES, LABELS, "features.3") if guided is not None else None
    )
    guided, cam = expect.remember(guided, "guided"), expect.remember(cam, "cam")

    def lookup(stored, model, images, labels):
        model(images)  # as the real ones do: a network that breaks, breaks here too
        near = [[torch.allclose(x.double(), y, atol=1e-6) and k == m for y, m in zip(IMAGES, LABELS, strict=True)]
                for x, k in zip(images, labels, strict=True)]  # fmt: skip
        assert all(map(any, near)), "both factors get the images and the labels that you were given"
        return stored[[row.index(True) for row in near]].to(images.dtype)

    def guided_backprop(model, images, labels):
        return lookup(guided, model, images, labels)

    def grad_cam(model, images, labels, layer):
        assert layer == "features.3", f"Grad-CAM of layer {layer!r}, expected 'features.3', the one that you were given"
        assert not inside_relu_rule(), "Grad-CAM ran inside relu_rule: its gradients are ordinary ones"
        return lookup(cam, model, images, labels)

    monkeypatch.setattr(saliency, "guided_backprop", guided_backprop)
    monkeypatch.setattr(saliency, "grad_cam", grad_cam)


@pytest.mark.points(2, "guided_grad_cam")
def test_guided_grad_cam_is_the_product_of_its_factors_in_each_image(expect, monkeypatch):
    right_factors(expect, monkeypatch)

    result = saliency.guided_grad_cam(seeded(SmallConvNet(), seed=31), IMAGES, LABELS, "features.3")

    expect.reference(result, "product", "guided_backprop * grad_cam of the same image, the map on all three channels")


@pytest.mark.points(1, "guided_grad_cam")
def test_guided_grad_cam_of_a_single_image_and_of_two_keeps_the_shape(expect, monkeypatch):
    right_factors(expect, monkeypatch)
    model = seeded(SmallConvNet(), seed=31)

    one = saliency.guided_grad_cam(model, IMAGES[1:2], LABELS[1:2], "features.3")
    two = saliency.guided_grad_cam(model, IMAGES[1:], LABELS[1:], "features.3")

    expect.reference(one, "one", "one image gives (1, 3, H, W)")
    expect.reference(two, "two", "two images give (2, 3, H, W)")


@pytest.mark.points(1, "guided_grad_cam")
def test_guided_grad_cam_leaves_no_trace_and_repeats(expect, monkeypatch):
    right_factors(expect, monkeypatch)

    def call(model, images):
        return saliency.guided_grad_cam(model, images, LABELS, "features.3")

    model = seeded(SmallConvNet(), seed=31)
    with expect.unchanged(model=model, images=IMAGES):
        result = call(model, IMAGES)

    expect.new(result, images=IMAGES)
    assert_lets_errors_through(expect, call, broken(model, "forward"), IMAGES, "forward")
    assert_same_however_called(expect, call, model, IMAGES)
