"""The trained U-Net: how it is loaded, and its mean IoU on scenes that it was not trained on."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from assignment2 import segmentation
from coursekit.checks.iou import iou_on_scenes
from coursekit.checks.small_networks import numbers
from coursekit.parts import ROOT
from coursekit.vision import UNET_CLASSES, UNET_WIDTHS

TRAINED = ROOT / "trained" / "unet.safetensors"


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
    """Every parameter has the value of the file, in float32, and the network is in eval mode."""
    network = segmentation.trained_unet(tmp_path / "weights.safetensors")

    assert isinstance(network, nn.Module), f"the result is a {type(network).__name__}, expected the network"
    for name, value in network.state_dict().items():
        expect(value, saved[name].float(), f"{name} from the file, in float32")
    assert not network.training, "the network is in train mode: it is to be used"
    assert isinstance(network, Recorded), "build it with UNet"
    assert not any(module.training for module in network.modules()), "a part of the network is in train mode"
    assert all(parameter.requires_grad for parameter in network.parameters()), "the parameters must require gradients"


@pytest.mark.points(1, "trained_unet")
def test_the_network_has_the_stated_channels_classes_and_widths(saved, tmp_path):
    """The network is a UNet with 3 channels, UNET_CLASSES, UNET_WIDTHS and padding 1."""
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
    """A parameter that the file lacks, or has in another shape, is an error."""
    path, bias = tmp_path / "unfit.safetensors", saved.pop("head.bias")
    segmentation.trained_unet(tmp_path / "weights.safetensors")  # where nothing is missing, there is no error

    accepted = []
    for state, what in (
        (saved, "missing"),
        (saved | {"head.bias": bias.repeat(2)}, "of another shape"),
        (saved | {"head.bias": bias[:1]}, "of shape (1,), which could be broadcast"),
    ):
        save_file(state, path)
        try:
            segmentation.trained_unet(path)
        except NotImplementedError:
            raise
        except Exception:  # noqa: BLE001, S112 (any error will do)
            continue
        accepted.append(what)
    told = " or ".join(accepted)
    assert not told, f"no error where head.bias in the file is {told}: such a network answers at random"


def trained_score():
    """The mean IoU of the weights in trained/ on 24 scenes, measured once; the check's own definition of mean IoU."""
    try:
        network = segmentation.trained_unet(TRAINED)
    except FileNotFoundError:
        pytest.fail(
            f"{TRAINED.relative_to(ROOT)} does not exist yet: run notebook 6, which trains the network and saves this file",
            pytrace=False,
        )
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
    """Your trained network has a mean IoU of at least 0.40 on 24 new scenes."""
    assert_score(0.40)


@pytest.mark.points(1, "trained_unet")
def test_the_trained_network_reaches_a_mean_iou_of_050():
    """Your trained network has a mean IoU of at least 0.50 on 24 new scenes."""
    assert_score(0.50)


@pytest.mark.points(1, "trained_unet")
def test_the_trained_network_reaches_a_mean_iou_of_060():
    """Your trained network has a mean IoU of at least 0.60 on 24 new scenes."""
    assert_score(0.60)


@pytest.mark.points(1, "trained_unet")
def test_the_trained_network_reaches_a_mean_iou_of_070():
    """Your trained network has a mean IoU of at least 0.70 on 24 new scenes."""
    assert_score(0.70)


@pytest.mark.points(1, "trained_unet")
def test_the_trained_network_reaches_a_mean_iou_of_080():
    """Your trained network has a mean IoU of at least 0.80 on 24 new scenes."""
    assert_score(0.80)
