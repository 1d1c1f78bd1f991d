"""EfficientNet-Lite0 on real photographs: what it says of them, what a rule does to its ReLU6, and what a collage shows."""

import sys
from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from assignment2 import saliency
from coursekit.errors import UsageError
from coursekit.vision import (
    class_index,
    collage,
    load_model,
    map_layers,
    photographs,
    random_collages,
    relu_rule,
    share_in_box,
)
from coursekit.vision import efficientnet as given
from coursekit.vision.photos import load_photo


@pytest.fixture(scope="module")
def model():
    return load_model("efficientnet_lite0")


@pytest.fixture(scope="module")
def photos():
    return photographs()


@pytest.fixture(scope="module")
def logits(model, photos):
    with torch.no_grad():
        return model(photos.images)


def test_the_network_names_the_photographs(logits, photos):
    right = int((logits.argmax(dim=1) == photos.labels).sum())
    in_top_five = int((logits.topk(5).indices == photos.labels[:, None]).any(dim=1).sum())

    assert right >= 16, f"{right} of 20 photographs are named"
    assert in_top_five >= 19


def test_without_its_cap_the_network_names_fewer(photos, logits):
    capless = load_model("efficientnet_lite0")
    for name, layer in list(capless.named_modules()):
        if isinstance(layer, nn.ReLU6):
            parent, _, child = name.rpartition(".")
            setattr(capless.get_submodule(parent), child, nn.ReLU())

    with torch.no_grad():
        right = int((capless(photos.images).argmax(dim=1) == photos.labels).sum())

    assert right < int((logits.argmax(dim=1) == photos.labels).sum())


def test_class_names_are_those_of_torchvision(model):
    from torchvision import models

    assert model.class_names == tuple(models.ResNet18_Weights.DEFAULT.meta["categories"])
    assert class_index(model, "bald eagle") == 22
    assert class_index(model, "cat") == class_index(model, "tabby")
    with pytest.raises(ValueError, match=r"no class 'bald eagel': did you mean .*bald eagle"):
        class_index(model, "bald eagel")


def test_padding_is_tensorflows():
    image = torch.rand(2, 3, 9, 10, generator=torch.Generator().manual_seed(0))
    conv = given.conv(3, 4, 5, stride=2)

    result = conv(image)

    assert result.shape == (2, 4, 5, 5)  # ceil of the size / 2
    # 9 rows: 2 above and 2 below; 10 columns: 1 on the left and 2 on the right.
    expected = F.conv2d(F.pad(image, (1, 2, 2, 2)), conv.weight, conv.bias, stride=2)
    assert torch.equal(result, expected)


@pytest.mark.parametrize("rule", [saliency.guided_relu_gradient, saliency.deconvnet_relu_gradient])
@pytest.mark.parametrize("inplace", [False, True])
def test_the_rule_of_relu6_is_that_of_its_relu_and_the_caps_own_gradient(rule, inplace):
    values = torch.tensor([-7.0, -0.5, 0.0, 0.5, 5.5, 6.5, 9.0], dtype=torch.float64)
    upstream = torch.tensor([-1.0, 2.0, 3.0, -4.0, 5.0, 6.0, -7.0], dtype=torch.float64)
    forms = {
        "nn.ReLU6": nn.ReLU6(inplace=inplace),
        "F.relu6": lambda x: F.relu6(x, inplace),
        "F.hardtanh": lambda x: F.hardtanh(x, 0.0, 6.0, inplace),
        "min(ReLU(x), 6)": lambda x: F.relu(x, inplace).clamp(max=6),
    }

    gradients = {}
    for name, form in forms.items():
        x = values.clone().requires_grad_()
        with relu_rule(rule):
            output = form(x * 1)
        (gradients[name],) = torch.autograd.grad(output, x, upstream)
        assert torch.equal(output.detach(), values.clamp(0, 6)), name

    expected = gradients.pop("min(ReLU(x), 6)")
    assert all(torch.equal(gradient, expected) for gradient in gradients.values())
    assert not torch.equal(expected, upstream * ((values > 0) & (values < 6)))  # the rule acts


def test_the_rule_leaves_other_activations_alone():
    x = torch.linspace(-2, 2, 9, dtype=torch.float64).requires_grad_()

    def never(upstream, relu_input):
        raise AssertionError("this is no ReLU")

    with relu_rule(never):
        F.hardtanh(x)
        F.hardtanh(x, -1.0, 6.0)


def test_guided_backprop_and_deconvnet_differ_from_the_gradient(model, photos):
    images, labels = photos.images[:1], photos.labels[:1]

    guided = saliency.guided_backprop(model, images, labels)
    plain = saliency.saliency_map(model, images, labels)

    assert not torch.allclose(guided.abs().sum(dim=1), plain, rtol=0.1)


@pytest.mark.parametrize(
    ("layer", "unit"),
    [
        ("features.0", (0, 0, 0)),
        ("features.0", (5, 30, 23)),
        ("features.1", (3, 30, 0)),
        ("features.2.expand", (7, 4, 9)),
        ("features.3", (0, 14, 3)),
    ],
)
def test_the_receptive_field_is_where_the_gradient_is_not_zero(layer, unit):
    # Odd sizes: the padding differs from side to side. Positive weights, so that nothing cancels and no ReLU is closed.
    model = load_model("efficientnet_lite0", dtype=torch.float64)
    for parameter in model.parameters():
        parameter.data = parameter.data.abs() * 1e-3 + 1e-6
    image = torch.rand(1, 3, 61, 47, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    top, left, bottom, right = saliency.receptive_field(model, layer, unit, (61, 47))

    gradient = saliency.activation_gradient(model, 0.5 + image / 2, layer, unit)
    seen = gradient[0].abs().sum(dim=0).nonzero()
    assert seen.amin(dim=0).tolist() == [top, left]
    assert (seen.amax(dim=0) + 1).tolist() == [bottom, right]


def test_layers_to_look_into_are_named(model):
    names = map_layers(model)

    assert names == (*(f"features.{i}" for i in range(17)), "features.18")


def test_a_missing_package_is_one_line(monkeypatch):
    monkeypatch.setattr(given, "PACKAGE", "no_such_package_here")

    with pytest.raises(UsageError, match="not installed; install it again with: pip install") as refused:
        load_model("efficientnet_lite0")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("content", "said"), [(None, "are missing"), (b"half a file", "are damaged")])
def test_a_package_without_its_file_is_one_line(monkeypatch, tmp_path, content, said):
    package = tmp_path / "hollow_package"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    if content is not None:
        (package / given.FILE).write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(given, "PACKAGE", "hollow_package")

    with pytest.raises(UsageError, match=f"{said}.*pip install") as refused:
        load_model("efficientnet_lite0")
    assert "\n" not in str(refused.value)


def test_photographs_come_labelled_and_at_the_size_asked_for():
    photos = photographs((40, 60))

    assert photos.images.shape == (20, 3, 40, 60)
    assert 0 <= float(photos.images.min()) < float(photos.images.max()) <= 1
    assert photos.names[0] == "bull mastiff"
    assert photos.sources[17] == "foolbox/data/imagenet_17_22.jpg"


def test_photographs_of_a_hollow_package_are_one_line(monkeypatch, tmp_path):
    (tmp_path / "foolbox").mkdir()
    (tmp_path / "foolbox" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "foolbox", raising=False)

    with pytest.raises(UsageError, match="0 of 20 photographs; install them again with: pip"):
        photographs()


@pytest.mark.parametrize(
    ("mode", "size"),
    [("L", (40, 30)), ("RGBA", (40, 30)), ("I;16", (40, 30)), ("CMYK", (40, 30)), ("RGB", (6000, 4000))],
)
def test_any_photograph_goes_through_the_network(model, tmp_path, mode, size):
    path = tmp_path / ("photo.tif" if mode in ("CMYK", "I;16") else "photo.png")
    Image.new(mode, size, 100).save(path)

    with pytest.warns(UserWarning, match="shrunk") if size[0] > 512 else nullcontext():
        photo = load_photo(path)

    assert model(photo[None]).shape == (1, 1000)


def test_a_photograph_smaller_than_the_networks_stride_has_maps_of_its_own_size(model):
    image, label = torch.rand(1, 3, 30, 40, generator=torch.Generator().manual_seed(0)), torch.tensor([22])

    cam, lines = saliency.grad_cam(model, image, label, "features.17"), saliency.guided_backprop(model, image, label)

    assert cam.shape == (1, 30, 40)
    assert 0 <= cam.min() <= cam.max() <= 1
    assert lines.shape == image.shape


def test_a_collage_shows_each_photograph_in_its_box():
    images = torch.rand(6, 3, 5, 7, generator=torch.Generator().manual_seed(0))

    grid = collage(images, torch.tensor([4, 0, 2, 9, 8, 7]), columns=3)

    assert grid.images.shape == (1, 3, 10, 21)
    assert grid.labels.tolist() == [[4, 0, 2, 9, 8, 7]]
    for image, (top, left, bottom, right) in zip(images, grid.boxes.tolist(), strict=True):
        assert torch.equal(grid.images[0, :, top:bottom, left:right], image)


@pytest.mark.parametrize(
    ("labels", "columns", "message"),
    [([1, 2, 1, 3], 2, "class 1 twice"), ([1, 2, 3, 4], 3, "do not fill rows of 3"), ([1, 2], 2, r"shape \(2,\)")],
)
def test_a_collage_that_makes_no_sense_is_refused(labels, columns, message):
    with pytest.raises(ValueError, match=message):
        collage(torch.zeros(4, 3, 5, 5), torch.tensor(labels), columns=columns)


def test_random_collages_show_each_class_once_and_repeat():
    images, labels = torch.rand(8, 3, 4, 4), torch.tensor([0, 0, 1, 2, 2, 3, 4, 4])

    drawn = random_collages(images, labels, 50, generator=torch.Generator().manual_seed(3))

    again = random_collages(images, labels, 50, generator=torch.Generator().manual_seed(3))
    assert torch.equal(drawn.labels, again.labels)
    assert drawn.images.shape == (50, 3, 8, 8)
    assert all(len(set(row)) == 4 for row in drawn.labels.tolist())
    assert set(drawn.labels.flatten().tolist()) == {0, 1, 2, 3, 4}
    with pytest.raises(ValueError, match="2 classes, a grid of 2 x 2 needs 4"):
        random_collages(images[:3], labels[:3], 1, generator=torch.Generator())


def test_the_share_in_a_box_counts_what_is_positive():
    maps = torch.tensor([[[1.0, 1.0], [-5.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]]])

    share = share_in_box(maps, torch.tensor([[0, 0, 1, 2], [0, 0, 1, 1]]))

    assert share[0] == 0.5
    assert share[1].isnan()


def test_grad_cam_lies_in_the_cell_that_it_is_asked_for(model, photos, logits):
    right = logits.argmax(dim=1) == photos.labels
    drawn = random_collages(photos.images[right], photos.labels[right], 2, generator=torch.Generator().manual_seed(0))

    shares = [
        share_in_box(saliency.grad_cam(model, image.expand(4, -1, -1, -1), labels, "features.17"), drawn.boxes)
        for image, labels in zip(drawn.images[:, None], drawn.labels, strict=True)
    ]

    assert torch.cat(shares).mean() >= 0.9
