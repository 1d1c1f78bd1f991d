"""A network that pools globally, written so that it can slide, and which layer and which network a notebook takes."""

import pytest
import torch
from torch import nn

from assignment2 import segmentation
from coursekit.errors import UsageError
from coursekit.grading import notebooks
from coursekit.parts import PARTS
from coursekit.vision import (
    cam_layer,
    class_index,
    collage,
    in_cache,
    linear_head,
    load_model,
    load_worlds,
    photographs,
    random_crops,
    zoo,
)

POOLED = ("efficientnet_lite0", "tiny_squeezenet", "tiny_resnet")


@pytest.mark.parametrize("name", POOLED)
def test_on_the_training_size_it_says_what_the_network_says(name):
    model = load_model(name)
    images = torch.rand(2, 3, *model.input_size, generator=torch.Generator().manual_seed(0))

    head = linear_head(model)
    slides = segmentation.convolutionalize(head)

    with torch.no_grad():
        expected = model(images)
        assert torch.allclose(head(images), expected, atol=1e-4)
        assert slides(images).shape == (2, expected.shape[1], 1, 1)
        assert torch.allclose(slides(images)[:, :, 0, 0], expected, atol=1e-4)


@pytest.mark.parametrize("name", POOLED)
def test_on_a_larger_picture_it_answers_for_every_window_and_agrees_with_the_network_far_from_borders(name):
    model = load_model(name)
    side = model.input_size[0]
    # A flat grey frame twice as wide as the picture: what the padding of a window sees is the same on all sides.
    image = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(1))
    larger = nn.functional.pad(image, (0, side // 2, 0, side), value=0.5)

    with torch.no_grad():
        heat = segmentation.convolutionalize(linear_head(model))(larger)
        alone = model(image)

    assert heat.shape[2] > heat.shape[3] > 1
    corner = heat[:, :, 0, 0]
    assert torch.corrcoef(torch.cat([corner, alone]))[0, 1] > 0.9


@pytest.mark.parametrize("training", [False, True])
def test_the_network_stays_as_it_was_and_a_copy_is_made_of_nothing(training):
    model = load_model("efficientnet_lite0").train(training)

    head = linear_head(model)

    assert model.training == training == head.training
    assert {p.data_ptr() for p in model.parameters()} == {p.data_ptr() for p in head.parameters()}
    assert all(m.training == training for m in model.modules())


@pytest.mark.parametrize("name", ["tiny_vgg", "tiny_alexnet"])
def test_a_network_with_linear_layers_that_read_a_map_is_given_back(name):
    model = load_model(name)

    assert linear_head(model) is model


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("densenet121", "a DenseNet is no chain of convolutions, a global mean and linear layers"),
        ("convnext_tiny", "a ConvNeXt is no chain of convolutions"),
        ("vit_b_16", "a VisionTransformer has no linear layer at its end"),
    ],
)
def test_an_architecture_that_is_no_chain_is_refused_in_one_line(name, sentence):
    from torchvision import models

    torch.manual_seed(0)
    model = models.get_model(name, weights=None).eval()
    model.__class__ = type(type(model).__name__, (zoo.InUnitRange, type(model)), {})
    model.normalize, model.input_size = nn.Identity(), (224, 224)

    with pytest.raises(ValueError, match=sentence) as refused:
        linear_head(model)
    assert "\n" not in str(refused.value)


def test_the_exercise_names_the_way_for_a_network_that_pools():
    for name in POOLED:
        with pytest.raises(ValueError, match=r"linear_head\(model\)") as refused:
            segmentation.convolutionalize(load_model(name))
        assert "\n" not in str(refused.value)


def test_grad_cam_looks_before_a_last_relu6_and_at_the_last_maps_elsewhere():
    layers = {name: cam_layer(load_model(name)) for name in ("efficientnet_lite0", "tiny_vgg", "tiny_resnet")}

    assert layers == {"efficientnet_lite0": "features.17", "tiny_vgg": "features.18", "tiny_resnet": "features.6"}


@pytest.mark.parametrize(
    ("chosen", "photos", "scenes"),
    [(None, 1000, "tiny_vgg"), ("tiny_vgg", 1000, "tiny_vgg"), ("tiny_resnet", 1000, "tiny_resnet")],
)
def test_a_name_of_the_zoo_replaces_the_network_of_the_scenes(monkeypatch, chosen, photos, scenes):
    monkeypatch.delenv("A2_MODEL", raising=False)
    if chosen:
        monkeypatch.setenv("A2_MODEL", chosen)

    real, small = load_worlds()

    assert len(real.class_names) == photos
    assert small.state_dict().keys() == load_model(scenes).state_dict().keys()


def test_any_other_name_replaces_the_network_of_the_photographs(monkeypatch):
    monkeypatch.setenv("A2_MODEL", "efficientnet_lite0")
    real, small = load_worlds()
    assert (len(real.class_names), len(small.class_names)) == (1000, 24)

    monkeypatch.setenv("A2_MODEL", "resnet81")
    with pytest.raises(UsageError, match=r"no network 'resnet81': did you mean .*resnet18") as refused:
        load_worlds()
    assert "\n" not in str(refused.value)


def test_the_notebooks_that_take_any_network_are_known():
    able = [p.notebook for p in PARTS if notebooks._takes_any_network(notebooks.ROOT / p.notebook_path)]

    assert {"1_saliency", "3_adversarial", "6_segmentation"} <= set(able)


def test_the_cache_is_asked_and_nothing_is_downloaded(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert not in_cache("squeezenet1_0")
    assert not in_cache("no_such_network")

    file = tmp_path / "hub" / "checkpoints" / "squeezenet1_0-b66bff10.pth"
    file.parent.mkdir(parents=True)
    file.touch()

    assert in_cache("squeezenet1_0")


def test_crops_come_from_each_photograph_in_turn_and_repeat():
    images = torch.arange(3.0)[:, None, None, None].expand(3, 3, 40, 60) / 4

    crops, sources = random_crops(images, 8, size=(9, 11), generator=torch.Generator().manual_seed(2))

    assert crops.shape == (8, 3, 9, 11)
    assert sources.tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
    assert torch.allclose(crops[:, 0, 4, 5], sources / 4)
    again, _ = random_crops(images, 8, size=(9, 11), generator=torch.Generator().manual_seed(2))
    assert torch.equal(crops, again)


def test_a_class_of_neither_world_and_a_class_twice_are_one_line():
    photos = photographs((32, 32))
    for call in (
        lambda: class_index(load_model("efficientnet_lite0"), "unicorn"),
        lambda: class_index(load_model("tiny_vgg"), "unicorn"),
        lambda: collage(photos.images[6:8], photos.labels[6:8]),  # two jeeps
    ):
        with pytest.raises(ValueError, match=r"no class 'unicorn': did you mean|class 609 twice") as refused:
            call()
        assert "\n" not in str(refused.value)
