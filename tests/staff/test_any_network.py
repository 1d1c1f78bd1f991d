"""A2_MODEL: which network a notebook looks at, which of its layers and classes, and what is said where that cannot be."""

import pytest
import torch

from coursekit.errors import UsageError
from coursekit.grading import notebooks
from coursekit.parts import PARTS, find_parts
from coursekit.vision import CLASSES, class_index, class_labels, evaluation_scenes, load_model, map_layers, three_layers
from coursekit.vision.imagenet import IMAGENET


@pytest.fixture(scope="module")
def imagenet():
    from torchvision import models

    return tuple(models.ResNet18_Weights.DEFAULT.meta["categories"])


class Known:
    """What only knows its classes."""

    def __init__(self, class_names):
        self.class_names = class_names


def test_the_environment_names_the_network_where_the_caller_names_none(monkeypatch):
    monkeypatch.delenv("A2_MODEL", raising=False)
    default = load_model()
    monkeypatch.setenv("A2_MODEL", "tiny_resnet")
    chosen, named = load_model(), load_model("tiny_vgg")
    monkeypatch.setenv("A2_MODEL", "")
    empty = load_model()

    weights = [dict(model.named_parameters()).keys() for model in (default, chosen, named, empty)]
    assert weights[0] == weights[2] == weights[3] != weights[1]


def test_a_wrong_name_in_the_environment_is_one_line(monkeypatch):
    monkeypatch.setenv("A2_MODEL", "tiny_vg")

    with pytest.raises(UsageError, match=r"no network 'tiny_vg': did you mean tiny_vgg") as refused:
        load_model()
    assert "\n" not in str(refused.value)


def test_every_class_of_ours_has_one_of_imagenets(imagenet):
    indices = [class_index(Known(imagenet), name) for name in CLASSES]

    assert tuple(IMAGENET) == CLASSES
    assert len(set(indices)) == len(CLASSES)
    assert [imagenet[i] for i in indices] == list(IMAGENET.values())


def test_labels_become_the_networks_own(imagenet):
    labels = torch.tensor([[0, 1], [12, 23]])

    assert torch.equal(class_labels(load_model("tiny_vgg"), labels), labels)
    assert [[imagenet[i] for i in row] for row in class_labels(Known(imagenet), labels).tolist()] == [
        ["tabby", "golden retriever"],
        ["flamingo", "mountain bike"],
    ]


def test_an_unknown_class_lists_near_names(imagenet):
    assert class_index(Known(imagenet), "macaque") == imagenet.index("macaque")
    with pytest.raises(ValueError, match="the network has no class 'tabbi': did you mean tabby"):
        class_index(Known(imagenet), "tabbi")


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("tiny_vgg", ["features.3", "features.8", "features.18"]),
        ("tiny_alexnet", ["features.1", "features.4", "features.9"]),
        ("tiny_squeezenet", ["features.3", "features.4", "features.9"]),
        ("tiny_resnet", ["features.3", "features.4", "features.6"]),
    ],
)
def test_three_layers_are_early_middle_and_the_last_maps_that_are_no_scores(name, layers):
    model = load_model(name)

    assert list(three_layers(model).values()) == layers
    assert set(layers) <= set(map_layers(model))


def test_the_evaluation_set_can_be_had_larger():
    scenes = evaluation_scenes(24, size=(128, 160))

    assert scenes.images.shape == (24, 3, 128, 160)
    assert torch.equal(scenes.label, evaluation_scenes(24).label)


@pytest.mark.parametrize("part", ["4", None])
def test_a_notebook_that_compares_the_zoos_networks_says_so(part, monkeypatch):
    monkeypatch.setenv("A2_MODEL", "tiny_resnet")

    with pytest.raises(
        UsageError, match=r"A2_MODEL=tiny_resnet is only for 1_saliency\.ipynb.*4_robustness"
    ) as refused:
        notebooks.run_notebooks(find_parts(part))
    assert "\n" not in str(refused.value)


def run_without_running(monkeypatch):
    """Return what nbval would be given for notebook 1."""
    seen = []

    class Done:
        returncode = 0

    def run(command, **_options):
        seen.extend(notebooks.read_notebook(notebooks.Path(path)) for path in command if path.endswith(".ipynb"))
        return Done

    monkeypatch.setattr(notebooks.subprocess, "run", run)
    assert notebooks.run_notebooks(PARTS[:1]) == 0
    return seen[0]


@pytest.mark.parametrize("name", [None, "tiny_vgg", "tiny_resnet"])
def test_only_tiny_vggs_outputs_are_compared_and_it_is_said(name, monkeypatch, capsys):
    monkeypatch.delenv("A2_MODEL", raising=False)
    if name:
        monkeypatch.setenv("A2_MODEL", name)

    marked = notebooks.marked_cells(run_without_running(monkeypatch))

    assert bool(marked) == (name != "tiny_resnet")
    said = capsys.readouterr().out
    assert ("A2_MODEL=tiny_resnet: every cell must run; outputs are not compared" in said) == (name == "tiny_resnet")
    assert said.count("\n") <= 1
