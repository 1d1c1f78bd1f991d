"""The ways in which arguments can vary, as one table, and which check tries each of them for each function.

A function that cannot take a variation then loses the points of the checks that try it. With the name of a module as its argument
this file prints its part of the table: `python tests/staff/test_variations.py upsampling`.
"""

import functools
import importlib
import inspect
import sys

import numpy as np
import pytest
import torch

from coursekit.grading.plugin import check_id, points_of
from coursekit.parts import PARTS, find_parts
from coursekit.staff.trials import Trials, run_trials

PICTURES = ("Images", "Image", "Content", "UnboundedImages", "UnboundedImage", "NewImages", "Texture", "Gradient")
MAPS = ("Maps", "FeatureMaps", "Features", "Kernel", "LogitMaps", "LabelMaps", "PredictedMaps")
BATCHES = ("Images", "UnboundedImages", "Maps", "FeatureMaps", "LogitMaps", "LabelMaps")

# A variation, the aliases of coursekit.vision.arguments that can vary so, and whether an argument does.
OF_ALIASES = (
    ("any strides", (*PICTURES, *MAPS), lambda x: not x.is_contiguous()),
    ("H unlike W", (*PICTURES, *MAPS), lambda x: x.shape[-1] != x.shape[-2]),
    ("one image", BATCHES, lambda x: len(x) == 1),
    ("several images", BATCHES, lambda x: len(x) > 1),
    ("float32", ("Images", "Image", "Maps", "FeatureMaps", "LogitMaps"), lambda x: x.dtype == torch.float32),
    ("requires_grad", ("Images", "Image"), lambda x: x.requires_grad),
    ("a plain function", ("ModelOrFunction",), lambda model: not isinstance(model, torch.nn.Module)),
)


def all_ignored(given):
    return bool((given["labels"] == given.get("ignore_index", 255)).all())


def many(name, least=2**16):
    return lambda given: given[name].numel() >= least


# What else can vary in one function: whether its arguments, by name, do.
SCORES = ("confusion_matrix", "pixel_accuracy", "mean_iou", "dice", "frequency_weighted_iou")
OF_FUNCTIONS = {
    **{name: {"counts beyond 16 bits": many("labels"), "all ignored": all_ignored} for name in SCORES},
    "pixel_cross_entropy": {"all ignored": all_ignored},
    "instance_labels": {"more than 255 regions": lambda a: a["labels"].diff().ne(0).sum() > 512},
    "shape_bias": {
        "counts beyond 16 bits": many("shapes"),
        "no trial": lambda a: len(a["shapes"]) == 0,
        "a trial that comes twice": lambda a: len(torch.stack([*a.values()]).unique(dim=1).T) < len(a["shapes"]),
    },
    "transposed_conv2d": {
        "more channels in than out": lambda a: a["weight"].shape[0] > a["weight"].shape[1] > 1,
        "more channels out than in": lambda a: a["weight"].shape[1] > a["weight"].shape[0] > 1,
        "as many channels in as out": lambda a: a["weight"].shape[0] == a["weight"].shape[1] > 1,
        "more than 3 x 3": lambda a: max(a["weight"].shape[2:]) > 3,
    },
    "rotate_kernel": {"more than 3 x 3": lambda a: min(a["weight"].shape[2:]) > 3},
    "max_pool": {
        "more than 3 x 3": lambda a: a["kernel_size"] > 3,
        "more than 255 places": lambda a: a["x"][0, 0].numel() > 255,
        "overlap": lambda a: a["stride"] < a["kernel_size"],
        "gaps": lambda a: a["stride"] > a["kernel_size"],
    },
    "max_unpool": {"more than 255 places": lambda a: a["output_size"][0] * a["output_size"][1] > 255},
    "corruption_errors": {"more than 255 images": lambda a: len(a["images"]) > 255},
}

THE_ATTACKS_OWN = "the pictures are those of fgsm, which is held to it"
NOT_TRIED = {
    "transfer_attack/images: float32": THE_ATTACKS_OWN,
    "adversarial_loss/images: float32": THE_ATTACKS_OWN,
}


class Watching(Trials):
    """Runs the solution, and notes in which checks of a function its arguments vary in which way."""

    def run(self, trial):
        self.seen, self.now = {}, ("", "")
        for part in PARTS:
            for name in part.functions if f"assignment2.{part.module}" in sys.modules else ():
                self.watch(sys.modules[f"assignment2.{part.module}"], name)
        for item in self.items:
            self.now = points_of(item)[1], check_id(item)
            self.run_item(item)
        trial.recorded = {f"{name}/{what}": np.array(sorted(checks)) for (name, what), checks in self.seen.items()}
        return trial

    def watch(self, module, name):
        """Let every call of a function be looked at; of a network, every call of its forward method."""
        thing = getattr(module, name)
        place, attribute = (thing, "forward") if isinstance(thing, type) else (module, name)
        function = getattr(place, attribute)

        @functools.wraps(function)
        def call(*args, **kwargs):
            if self.now[0] == name:
                given = inspect.signature(function).bind(*args, **kwargs).arguments
                for what in variations(name, function, given):
                    self.seen.setdefault((name, what), set()).add(self.now[1])
            return function(*args, **kwargs)

        setattr(place, attribute, call)


def aliases(function):
    """Return the alias of each parameter; what a network is called with are images."""
    found = {name: str(p.annotation).split(" |")[0] for name, p in inspect.signature(function).parameters.items()}
    return {name: "Images" for name in found if name != "self"} if "self" in found else found


def variations(name, function, given):
    for parameter, alias in aliases(function).items():
        for thing in given.get(parameter, ()) if alias == "Features" else [given.get(parameter)]:
            yield from (
                f"{parameter}: {what}"
                for what, kinds, varies in OF_ALIASES
                if alias in kinds and varies_so(varies, thing)
            )
    yield from (what for what, varies in OF_FUNCTIONS.get(name, {}).items() if varies_so(varies, given))


def varies_so(varies, thing):
    try:
        return thing is not None and bool(varies(thing))
    except (
        AttributeError,
        IndexError,
        KeyError,
        TypeError,
    ):  # a wrong argument, of which a check wants to see an error
        return False


def wanted(part):
    """Name what the checks of a part have to try."""
    module = importlib.import_module(f"assignment2.{part.module}")
    for name in part.functions:
        thing = getattr(module, name)
        for parameter, alias in aliases(thing.forward if isinstance(thing, type) else thing).items():
            yield from (f"{name}/{parameter}: {what}" for what, kinds, _ in OF_ALIASES if alias in kinds)
        yield from (f"{name}/{what}" for what in OF_FUNCTIONS.get(name, {}))


def tried(part):
    """Return by which checks each variation is tried."""
    (trial,) = run_trials([()], [part], kind=Watching).trials
    return {what: [str(check).split("::")[1] for check in checks] for what, checks in trial.recorded.items()}


@pytest.mark.sampled(4)
@pytest.mark.timeout(120)
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.module)
def test_every_way_in_which_an_argument_can_vary_is_tried_by_a_check(part):
    found = tried(part)

    missing = [what for what in wanted(part) if what not in found and what not in NOT_TRIED]
    assert not missing, "no check tries " + "; ".join(missing)
    stale = [what for what in wanted(part) if what in found and what in NOT_TRIED]
    assert not stale, f"{stale} is tried: take it off the list"


if __name__ == "__main__":
    for part in (part for name in sys.argv[1:] for part in find_parts(name)):
        found = tried(part)
        for what in wanted(part):
            print(f"{what}: {', '.join(found.get(what, ['no check']))}")
