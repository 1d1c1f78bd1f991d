"""A network that pools globally, written so that it can slide, and which layer and which network a notebook takes."""

import shutil

import pytest
import torch
from torch import nn

from assignment2 import segmentation
from coursekit.errors import UsageError
from coursekit.grading import notebooks
from coursekit.parts import PARTS, ROOT
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
from coursekit.vision.networks import PooledNet

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


def test_without_padding_it_is_the_network_at_every_window_of_a_larger_picture():
    features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 5, 3), nn.ReLU())
    model = PooledNet(features, nn.Linear(5, 7)).eval()
    model.input_size = (14, 14)
    images = torch.rand(2, 3, 18, 20)

    with torch.no_grad():
        heat = segmentation.convolutionalize(linear_head(model))(images)

        assert heat.shape == (2, 7, 3, 4)  # a window every 2 pixels
        for i in range(3):
            for j in range(4):
                window = images[:, :, 2 * i : 2 * i + 14, 2 * j : 2 * j + 14]
                assert torch.allclose(heat[:, :, i, j], model(window), atol=1e-5)


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


@pytest.mark.sampled(3)
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


SQUEEZENET = "squeezenet1_0-b66bff10.pth"
BESIDE = next((p / "shared" / "imagenet" / SQUEEZENET for p in ROOT.parents if (p / "shared").is_dir()), None)


@pytest.mark.skipif(
    BESIDE is None or not BESIDE.is_file(),
    reason=f"needs true weights of torchvision's SqueezeNet, shared/imagenet/{SQUEEZENET} in a folder above the project",
)
def test_squeezenet_with_true_weights_names_photographs_and_slides(monkeypatch, tmp_path):
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    shutil.copy(BESIDE, folder / SQUEEZENET)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("A2_MODEL", "squeezenet1_0")
    photos = photographs()

    real, _small = load_worlds()

    with torch.no_grad():
        logits = real(photos.images)
        slides = segmentation.convolutionalize(linear_head(real))(photos.images[:2])
    assert int((logits.argmax(dim=1) == photos.labels).sum()) >= 14
    assert torch.allclose(slides[:, :, 0, 0], logits[:2], atol=1e-3)
