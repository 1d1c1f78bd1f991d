"""Part 5: what is refused before a student's function runs, the given trunk, the weights and the paintings."""

import pytest
import torch
from torch import nn

from assignment2 import style_transfer as part5
from coursekit.checks.small_networks import pictures
from coursekit.vision import load_model, trunk, watch_steps
from coursekit.vision.paintings import KINDS, make_painting

MAPS = [torch.ones(2, 4, 3, 5), torch.ones(2, 6, 2, 2)]
GRAMS = [torch.ones(1, 4, 4), torch.ones(2, 6, 6)]
CONTENT, STYLE = torch.full((1, 3, 20, 24), 0.5), torch.full((1, 3, 18, 16), 0.5)
LABELS = torch.tensor([1, 0])


def paint(**changes):
    given = {"model": trunk(load_model()), "content": CONTENT, "style": STYLE, "num_steps": 0}
    given |= {"content_layers": ["features.1"], "content_weights": [1.0]}
    given |= {"style_layers": ["features.1"], "style_weights": [1.0]}
    return part5.style_transfer(**{**given, **changes})


def stylize(**changes):
    given = {"images": CONTENT.expand(2, -1, -1, -1), "labels": LABELS, "styles": [STYLE[0]]}
    return part5.stylize(**{**given, "transfer": lambda image, style: image, **changes})


BAD = {
    "fewer targets": (lambda: part5.content_loss(MAPS, MAPS[:1], [1, 1]), "targets is a list of 1, features has 2"),
    "fewer weights": (lambda: part5.content_loss(MAPS, MAPS, [1.0]), "weights has 1 entries, features has 2"),
    "targets of another shape": (
        lambda: part5.content_loss(MAPS, MAPS[::-1], [1, 1]),
        r"targets\[0\] has shape \(2, 6, 2, 2\), expected features' \(2, 4, 3, 5\)",
    ),
    "one tensor for a list": (lambda: part5.content_loss(MAPS[0], MAPS[0], [1, 1]), "features is one tensor"),
    "no layer": (lambda: part5.style_loss([], [], []), "at least one layer"),
    "a weight that is no number": (lambda: part5.style_loss(MAPS, GRAMS, [1, float("nan")]), r"weights\[1\] is nan"),
    "grams of other channels": (
        lambda: part5.style_loss(MAPS, GRAMS[::-1], [1, 1]),
        r"grams\[0\] has shape \(2, 6, 6\), expected \(2, 4, 4\) or \(1, 4, 4\)",
    ),
    "grams of another batch": (
        lambda: part5.style_loss(MAPS, [torch.ones(3, 4, 4), GRAMS[1]], [1, 1]),
        r"grams\[0\] has shape \(3, 4, 4\)",
    ),
    "grams of another dtype": (
        lambda: part5.style_loss(MAPS, [GRAMS[0].double(), GRAMS[1]], [1, 1]),
        r"grams\[0\] is torch.float64, features\[0\] torch.float32",
    ),
    "features without places": (lambda: part5.gram_matrix(torch.ones(2, 4)), r"\(2, 4\), expected a layer's maps"),
    "whole numbers": (lambda: part5.gram_matrix(torch.ones(2, 4, 3, 3).long()), "torch.int64, expected a floating"),
    "NaN": (lambda: part5.gram_matrix(torch.full((1, 4, 3, 3), torch.nan)), "NaN or infinity"),
    "one picture for a batch": (lambda: part5.total_variation_loss(CONTENT[0]), r"one picture is images\[None\]"),
    "one picture for the content": (lambda: paint(content=CONTENT[0]), r"one picture is content\[None\]"),
    "bytes": (lambda: paint(content=CONTENT * 255), "content has values up to"),
    "two styles": (lambda: paint(style=STYLE.expand(2, -1, -1, -1)), r"expected one picture \(1, 3, h, w\)"),
    "a style with another number of channels": (lambda: paint(style=STYLE[:, :1]), r"expected one picture \(1, 3, h"),
    "a style of another dtype": (lambda: paint(style=STYLE.double()), "style is torch.float64"),
    "an unknown layer": (lambda: paint(style_layers=["features.100"]), "near names: features.10"),
    "a string for a list": (lambda: paint(content_layers="features.1"), r"give a list of names, \['features.1'\]"),
    "weights of another number": (
        lambda: paint(style_weights=[1, 2]),
        "style_weights has 2 entries, style_layers has 1",
    ),
    "another optimiser": (lambda: paint(optimizer="sgd"), "expected one of lbfgs, adam"),
    "a negative weight of smoothness": (lambda: paint(tv_weight=-1.0), "tv_weight is -1.0"),
    "half a step": (lambda: paint(num_steps=0.5), "num_steps is 0.5"),
    "a start of another size": (lambda: paint(init=STYLE), r"expected content's \(1, 3, 20, 24\)"),
    "a content smaller than the stride": (
        lambda: paint(content=CONTENT[..., :9]),
        r"pictures of \(20, 9\) pixels are too small for this network: enlarge them",
    ),
    "a style smaller than the stride": (
        lambda: paint(style=STYLE[..., :3, :]),
        r"pictures of \(3, 16\) pixels are too small",
    ),
    "train mode": (lambda: paint(model=trunk(load_model().train())), "train mode"),
    "a whole network": (lambda: paint(model=load_model()), "linear layers were built for"),
    "no styles": (lambda: stylize(styles=[]), "styles is empty"),
    "a style with a batch axis": (lambda: stylize(styles=[STYLE]), r"styles\[0\] has shape \(1, 3, 18, 16\)"),
    "per cent": (lambda: stylize(fraction=50, generator=torch.Generator()), "fraction is 50, expected 0 to 1"),
    "a draw without a generator": (lambda: stylize(fraction=0.5), "0.5 of the images is drawn"),
    "styles without a generator": (lambda: stylize(styles=[STYLE[0]] * 2), "one of 2 styles is drawn"),
    "no function": (lambda: stylize(transfer=3), "transfer is a int"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_makes_no_sense_is_refused_with_its_value(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


def test_a_trunk_keeps_names_and_weights_and_takes_any_size():
    model = load_model()
    net = trunk(model)

    assert net.get_submodule("features.11") is model.features[11]
    assert net(torch.rand(1, 3, 33, 50)).shape == (1, 128, 2, 3)
    with pytest.raises(ValueError, match="has no chain of layers"):
        trunk(nn.Linear(3, 3))


def test_watching_keeps_what_the_network_is_shown_and_leaves_no_hook():
    net, images = trunk(load_model()), torch.rand(2, 3, 20, 24)

    with watch_steps(net, 1, size=(20, 24)) as seen:
        net(images)
        net(images[..., :18])

    assert len(seen) == 1
    assert torch.equal(seen[0], images)
    assert not net._forward_pre_hooks


def test_balanced_weights_make_every_layer_count_alike():
    net, style = trunk(load_model()), pictures(1, size=(24, 32)).float()

    weights = part5.balanced_weights(net, style, part5.STYLE_LAYERS, part5.gram_matrix)

    for layer, weight in zip(part5.STYLE_LAYERS, weights, strict=True):
        index = int(layer.removeprefix("features."))
        with torch.no_grad():
            maps = net.features[: index + 1](net.normalize(style))
        loss = part5.style_loss([maps], [torch.zeros(1, maps.shape[1], maps.shape[1])], [weight])
        assert loss.item() == pytest.approx(1 / len(part5.STYLE_LAYERS), rel=1e-4)


def test_a_painter_moves_the_picture_towards_the_style():
    net, image = trunk(load_model()), pictures(1, size=(32, 40))[0].float()
    style = make_painting("mosaic", size=(40, 40))
    grams = {}

    result = part5.painter(net, num_steps=25)(image, style)

    for name, picture in {"before": image, "after": result, "style": style}.items():
        with torch.no_grad():
            grams[name] = part5.gram_matrix(net.features[:7](net.normalize(picture[None])))
    assert result.shape == image.shape
    assert (grams["after"] - grams["style"]).norm() < 0.5 * (grams["before"] - grams["style"]).norm()


@pytest.mark.parametrize("kind", KINDS)
def test_paintings_follow_their_seed(kind):
    one, same, other = (make_painting(kind, size=(40, 56), seed=seed) for seed in (1, 1, 2))

    assert one.shape == (3, 40, 56)
    assert 0 <= one.min() < one.max() <= 1
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_paintings_refuse_what_they_do_not_know():
    for changes, message in (
        ({"kind": "oil"}, "kind is 'oil'"),
        ({"kind": "dots", "palette": "pop"}, "palette is 'pop'"),
        ({"kind": "dots", "size": (4, 4)}, "each at least 16"),
    ):
        with pytest.raises(ValueError, match=message):
            make_painting(**changes)
