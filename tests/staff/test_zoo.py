"""The zoo: what the shipped networks are said to be, measured again; and what is said when a file is not right."""

from __future__ import annotations

import copy
import hashlib
import re
import shutil

import pytest
import torch
from torch import nn

from coursekit.errors import UsageError
from coursekit.staff import fit, measure
from coursekit.staff import train as training
from coursekit.staff.recipes import Recipe
from coursekit.vision import networks, textures, zoo
from coursekit.vision.scenes import CLASSES, make_scenes

FRESH_SEED = 424_242  # neither a training's seed nor the evaluation set's
LEAST_ACCURACY = {
    "tiny_vgg": 0.98,
    "tiny_alexnet": 0.95,
    "tiny_squeezenet": 0.98,
    "tiny_resnet": 0.98,
    "tiny_vgg_robust": 0.95,
    "tiny_vgg_stylized": 0.92,
}
MOST_SHAPE_BIAS = 0.4  # of every network that was not trained for shapes
LEAST_SHAPE_BIAS = 0.8  # of the one that was


@pytest.fixture(scope="module")
def fresh():
    return make_scenes(480, seed=FRESH_SEED)


@pytest.fixture(scope="module")
def fresh_conflicts():
    return textures.make_conflicts(240, seed=FRESH_SEED)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", zoo.MODEL_NAMES)
def test_the_shipped_network_names_fresh_scenes(name, fresh):
    accuracy = measure.measure_accuracy(zoo.load_model(name), fresh.images, fresh.label)

    assert accuracy >= LEAST_ACCURACY[name]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_accuracies_in_zoo_json_are_measured_again():
    stored = zoo.read_zoo()
    scenes = training.evaluation_scenes(training.EVALUATION_SCENES)

    measured = {n: measure.measure_accuracy(zoo.load_model(n), scenes.images, scenes.label) for n in zoo.MODEL_NAMES}

    assert {facts["evaluation"]["num_scenes"] for facts in stored.values()} == {training.EVALUATION_SCENES}
    assert measured == pytest.approx({name: facts["accuracy"] for name, facts in stored.items()}, abs=0.002)


@pytest.mark.slow
@pytest.mark.timeout(600)  # 20 attack steps on 480 scenes
def test_the_robust_network_withstands_what_it_is_said_to():
    stored = zoo.read_zoo()["tiny_vgg_robust"]
    scenes = training.evaluation_scenes(training.ATTACKED_SCENES)

    robustness = measure.measure_robustness(zoo.load_model("tiny_vgg_robust"), scenes.images, scenes.label)

    assert robustness == pytest.approx(stored["robustness"], abs=0.01)
    assert robustness >= 0.75


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", zoo.MODEL_NAMES)
def test_only_the_stylized_network_decides_fresh_conflicts_by_shape(name, fresh_conflicts):
    bias = measure.measure_shape_bias(zoo.load_model(name), fresh_conflicts)

    assert bias >= LEAST_SHAPE_BIAS if name == "tiny_vgg_stylized" else bias < MOST_SHAPE_BIAS


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_shape_bias_in_zoo_json_is_measured_again():
    stored = zoo.read_zoo()["tiny_vgg_stylized"]["shape_bias"]

    bias = measure.measure_shape_bias(zoo.load_model("tiny_vgg_stylized"), textures.evaluation_conflicts())

    assert bias == pytest.approx(stored, abs=0.01)


@pytest.mark.parametrize("name", zoo.MODEL_NAMES)
def test_a_loaded_network_is_ready_to_use(name):
    model = zoo.load_model(name)
    images = torch.rand(2, 3, 96, 96)
    kept = images.clone()

    logits = model(images)

    assert logits.shape == (2, len(CLASSES))
    assert logits.dtype == torch.float32
    assert model.class_names == CLASSES
    assert torch.equal(images, kept), "the first in-place ReLU must not reach the images"
    assert not any(module.training for module in model.modules())
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert torch.allclose(copy.deepcopy(model)(images), logits)
    assert zoo.load_model(name, dtype=torch.float64)(images.double()).dtype == torch.float64
    assert zoo.load_model(name, device="cpu") is not model


@pytest.mark.parametrize("name", zoo.MODEL_NAMES)
def test_files_are_small_half_precision_and_match_their_hash(name):
    from safetensors.torch import load_file

    path = zoo.WEIGHTS / f"{name}.safetensors"

    assert path.stat().st_size < 2_000_000
    assert hashlib.sha256(path.read_bytes()).hexdigest() == zoo.read_zoo()[name]["sha256"]
    assert {value.dtype for value in load_file(path).values()} <= {torch.float16, torch.int64}


def test_vgg_is_the_lectures_plain_network():
    model = zoo.load_model("tiny_vgg")

    kinds = [type(layer) for layer in model.features]
    assert kinds == [nn.Conv2d, nn.ReLU, nn.Conv2d, nn.ReLU, nn.MaxPool2d] * 4
    assert [type(layer) for layer in model.classifier] == [nn.Flatten, nn.Linear, nn.ReLU, nn.Dropout, nn.Linear]
    assert model.get_submodule("features.17").out_channels == 128
    assert all(layer.inplace for layer in model.features if isinstance(layer, nn.ReLU))


def test_squeezenet_has_no_relu_after_its_class_scores():
    model = zoo.load_model("tiny_squeezenet")

    assert (model.features(model.normalize(torch.rand(1, 3, 96, 96))) < 0).any()


@pytest.mark.parametrize("name", ["tiny_squeezenet", "tiny_resnet"])
def test_networks_that_pool_globally_take_other_sizes(name):
    assert zoo.load_model(name)(torch.rand(1, 3, 65, 128)).shape == (1, 24)


@pytest.mark.parametrize("name", ["tiny_alexnet", "tiny_vgg"])
def test_networks_with_linear_layers_name_the_size_they_want(name):
    with pytest.raises(ValueError, match=r"\(128, 96\).*\(96, 96\)"):
        zoo.load_model(name)(torch.rand(1, 3, 128, 96))


@pytest.fixture
def copied_weights(tmp_path, monkeypatch):
    shutil.copytree(zoo.WEIGHTS, tmp_path / "weights")
    monkeypatch.setattr(zoo, "WEIGHTS", tmp_path / "weights")
    return tmp_path / "weights"


def test_missing_weights_are_answered_with_file_hash_and_remedy(copied_weights):
    expected = zoo.read_zoo(copied_weights)["tiny_vgg"]["sha256"]
    (copied_weights / "tiny_vgg.safetensors").unlink()

    with pytest.raises(UsageError, match="missing") as caught:
        zoo.load_model("tiny_vgg")

    said = str(caught.value)
    assert str(copied_weights / "tiny_vgg.safetensors") in said
    assert expected in said
    assert "git checkout -- data/weights/tiny_vgg.safetensors" in said
    assert "a2 train tiny_vgg" in said
    assert "\n" not in said


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "pointer"])
def test_damaged_weights_are_never_loaded(copied_weights, damage):
    path = copied_weights / "tiny_vgg.safetensors"
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(
        {
            "cut": content[:middle],
            "flipped": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
            "empty": b"",
            "pointer": b"version https://git-lfs.github.com/spec/v1\n",
        }[damage]
    )

    with pytest.raises(UsageError, match=r"damaged.*git checkout -- data/weights/tiny_vgg\.safetensors"):
        zoo.load_model("tiny_vgg")


def test_a_damaged_zoo_json_is_answered_with_the_remedy(copied_weights):
    (copied_weights / "zoo.json").write_text("{")

    with pytest.raises(UsageError, match=r"git checkout -- data/weights/zoo\.json"):
        zoo.read_zoo(copied_weights)


def test_an_unknown_name_lists_near_names():
    with pytest.raises(UsageError, match="tiny_vgg"):
        zoo.load_model("tinyvgg")
    with pytest.raises(UsageError, match="resnet18"):
        zoo.load_model("resnet_18")


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """A torch cache with nothing in it, on a machine that is offline."""

    def refuse(*_args, **_options):
        raise OSError("network is unreachable")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr("torch.hub.urlopen", refuse)
    return tmp_path / "hub" / "checkpoints"


def test_offline_torchvision_says_which_file_goes_where(empty_cache):
    with pytest.raises(UsageError) as caught:
        zoo.load_model("squeezenet1_1")

    said = str(caught.value)
    assert "network is unreachable" in said
    assert re.search(re.escape(str(empty_cache)) + r"/squeezenet1_1-[0-9a-f]+\.pth", said)
    assert "tiny_vgg" in said
    assert "\n" not in said


def test_torchvision_networks_from_the_cache_take_images_in_the_unit_range(empty_cache):
    from torchvision import models

    weights = models.SqueezeNet1_1_Weights.DEFAULT
    plain = models.squeezenet1_1().eval()
    empty_cache.mkdir(parents=True)
    torch.save(plain.state_dict(), empty_cache / weights.url.rsplit("/", 1)[-1])

    model = zoo.load_model("squeezenet1_1")
    images = torch.rand(2, 3, 64, 64)

    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (weights.transforms().mean, weights.transforms().std))
    with torch.no_grad():
        assert torch.allclose(model(images), plain((images - mean) / std), atol=1e-6)
        assert torch.allclose(copy.deepcopy(model)(images), model(images))
    assert len(model.class_names) == 1000
    assert model.class_names[207] == "golden retriever"
    assert not model.training
    assert isinstance(model.get_submodule("features.12"), nn.Module)
    assert "classifier.1" in dict(model.named_modules()), "layers keep torchvision's names"


def test_a_damaged_checkpoint_in_the_cache_is_a_usage_error(empty_cache):
    from torchvision import models

    empty_cache.mkdir(parents=True)
    (empty_cache / models.ResNet18_Weights.DEFAULT.url.rsplit("/", 1)[-1]).write_bytes(b"not a checkpoint")

    with pytest.raises(UsageError, match="resnet18"):
        zoo.load_model("resnet18")


@pytest.mark.parametrize("name", ["tiny_vgg", "tiny_alexnet", "tiny_squeezenet"])
def test_folding_batch_norm_changes_no_logit(name):
    model = training.add_batch_norm(networks.ARCHITECTURES[name]())
    images = torch.rand(4, 3, 96, 96)
    model(images)  # moves the running statistics away from 0 and 1
    model.eval()

    folded = training.fold_batch_norm(model)

    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in folded.modules())
    assert folded.state_dict().keys() == networks.ARCHITECTURES[name]().state_dict().keys()
    assert torch.allclose(folded(images), model(images), atol=1e-4)


def test_an_interrupted_training_goes_on_and_ends_as_an_uninterrupted_one(tmp_path, monkeypatch):
    def run(folder):
        options = {"device": "cpu", "epochs": 2, "num_scenes": 64, "wanted_accuracy": 0.0}
        return training.train("tiny_resnet", destination=folder, checkpoints=folder / "ck", **options)[0]

    monkeypatch.setattr(training, "EVALUATION_SCENES", 24)
    monkeypatch.setattr(fit, "BATCH", 32)
    whole = run(tmp_path / "whole")
    write = fit.write_checkpoint

    def write_and_stop(*arguments):
        write(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(fit, "write_checkpoint", write_and_stop)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "resumed")
    assert not (tmp_path / "resumed" / "zoo.json").exists()
    monkeypatch.setattr(fit, "write_checkpoint", write)
    resumed = run(tmp_path / "resumed")

    assert resumed.path.read_bytes() == whole.path.read_bytes()
    assert not (tmp_path / "resumed" / "ck" / "tiny_resnet.pt").exists(), "a finished training leaves no checkpoint"
    assert (
        zoo.read_zoo(tmp_path / "resumed")["tiny_resnet"]["sha256"]
        == hashlib.sha256(whole.path.read_bytes()).hexdigest()
    )


def test_a_training_below_its_wanted_accuracy_stores_nothing(tmp_path, monkeypatch):
    recipe = Recipe("tiny_resnet", seed=1, epochs=1, learning_rate=1e-4, num_scenes=128)
    monkeypatch.setattr(training, "RECIPES", {"tiny_resnet": recipe})
    monkeypatch.setattr(training, "EVALUATION_SCENES", 24)

    with pytest.raises(UsageError, match="below 98%"):
        training.train("tiny_resnet", device="cpu", destination=tmp_path, checkpoints=tmp_path / "ck")

    assert not list(tmp_path.glob("*.safetensors"))


def test_train_names_the_recipes_when_asked_for_another():
    with pytest.raises(UsageError, match="tiny_vgg"):
        training.train("tiny_transformer")


def test_every_network_of_the_zoo_has_a_recipe():
    assert set(training.RECIPES) == set(zoo.MODEL_NAMES) == set(zoo.read_zoo())
