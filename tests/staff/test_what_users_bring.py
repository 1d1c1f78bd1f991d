"""Networks and functions as users bring them: taken as they are meant, or refused with a remedy."""

import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from assignment2 import adversarial, class_visualization, robustness, saliency, style_transfer
from coursekit.checks.small_networks import SmallConvNet, pictures, seeded
from coursekit.vision import checked, record_outputs, relu_rule
from coursekit.vision.arguments import Images, Labels, Model

IMAGES, LABELS = pictures(3), torch.tensor([4, 0, 2])


def seed():
    return torch.Generator().manual_seed(0)


class Answers(nn.Module):
    """A network whose answer is changed on its way out."""

    def __init__(self, change):
        super().__init__()
        self.network, self.change = seeded(SmallConvNet()), change
        self.eval()

    def forward(self, images):
        return self.change(self.network(images))


# what networks and functions answer

WRAP = "wrap it in a module whose forward returns"
NO_LOGITS = {
    "a tuple": (lambda z: (z, z), f"returns a tuple, no logits: {WRAP} model.images..0."),
    "a dictionary": (lambda z: {"out": z}, f"returns a dict, no logits: {WRAP} model.images..'out'."),
    "maps": (
        lambda z: z[:, :, None, None].expand(-1, -1, 2, 4),
        rf"returns \(3, 5, 2, 4\) for 3 images, expected logits \(N, K\): {WRAP} one row of scores",
    ),
    "one row": (lambda z: z[:1], r"returns \(1, 5\) for 3 images"),
    "a single logit": (lambda z: z[:, :1], "one logit z an image, expected one a class: .* torch.cat"),
    "squeezed": (lambda z: z[:, 0], r"returns \(3,\) for 3 images"),
    "NaN": (lambda z: z * torch.nan, "logits are not finite, its pictures are: look at its weights and its dtype"),
}
ASKED = {
    "saliency_map": lambda model: saliency.saliency_map(model, IMAGES, LABELS * 0),
    "guided_backprop": lambda model: saliency.guided_backprop(model, IMAGES, LABELS * 0),
    "grad_cam": lambda model: saliency.grad_cam(model, IMAGES, LABELS * 0, "network.features.6"),
    "fgsm": lambda model: adversarial.fgsm(model, IMAGES, LABELS * 0, 0.1),
    "noisy_predict": lambda model: adversarial.noisy_predict(model, IMAGES, sigma=0.1, num_samples=2, generator=seed()),
    "corruption_errors": lambda model: robustness.corruption_errors(
        model, IMAGES, LABELS * 0, [robustness.defocus_blur], generator=seed()
    ),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("answer", NO_LOGITS)
def test_a_network_that_returns_no_rows_of_logits_is_told_how_to_be_wrapped(answer, asked):
    change, sentence = NO_LOGITS[answer]

    with pytest.raises(ValueError, match=sentence) as refused:
        ASKED[asked](Answers(change))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("answer", [name for name in NO_LOGITS if name != "a single logit"])
def test_so_is_a_plain_function(answer):
    change, sentence = NO_LOGITS[answer]
    network = Answers(change)

    with pytest.raises(ValueError, match=sentence):
        saliency.saliency_map(lambda images: network(images), IMAGES, LABELS * 0)


def test_a_function_of_one_class_is_a_score_to_climb():
    model = Answers(lambda z: z)

    picture = class_visualization.maximize_activation(model, "network.features.6", 1, num_steps=2, image_size=(9, 13))

    assert picture.shape == (3, 9, 13)
    with pytest.raises(ValueError, match="label 2 is out of range: the network has 1 classes"):
        class_visualization.ascent_step(lambda x: model(x)[:, :1], IMAGES[0], 2, step_size=0.1, l2_weight=0.0)


def test_a_network_wrapped_as_the_sentence_says_is_taken():
    pair = Answers(lambda z: {"out": z, "aux": z})

    class Wrapped(nn.Module):
        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, images):
            return self.network(images)["out"]

    result = saliency.grad_cam(Wrapped(pair).eval(), IMAGES, LABELS, "network.network.features.6")

    assert torch.equal(result, saliency.grad_cam(seeded(SmallConvNet()), IMAGES, LABELS, "features.6"))


def test_pictures_that_are_not_finite_are_not_blamed_on_the_network():
    @checked
    def divided_by_zero(model: Model, images: Images, labels: Labels):
        return model(images * torch.nan)

    assert divided_by_zero(seeded(SmallConvNet()), IMAGES, LABELS).isnan().all()


def test_a_network_that_is_asked_for_its_layers_may_return_anything():
    pair = Answers(lambda z: (z, z))

    gradient = saliency.activation_gradient(pair, IMAGES, "network.features.6", (0, 1, 1))

    right = saliency.activation_gradient(pair.network, IMAGES, "features.6", (0, 1, 1))
    assert torch.equal(gradient, right)
    assert saliency.top_patches(pair, IMAGES, "network.features.6", 0, 2).boxes.shape == (2, 4)
    assert style_transfer.style_transfer(
        pair, IMAGES[:1], IMAGES[:1], content_layers=["network.features.0"], content_weights=[1.0],
        style_layers=[], style_weights=[], num_steps=0,
    ).shape == IMAGES[:1].shape  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda x: torch.rand(len(x), 5), r"returned \(3, 5\) torch.float32 for 3 images, .*: take .argmax\(dim=1\)"),
        (lambda x: torch.rand(len(x)), r"returned \(3,\) torch.float32 for 3 images, expected labels \(M,\), int64"),
        (lambda x: torch.zeros(1, dtype=torch.int64), r"returned \(1,\) torch.int64 for 3 images"),
        (lambda x: [0] * len(x), r"returned \[0, 0, 0\] for 3 images"),
        (lambda x: torch.full((len(x),), -1), "what oracle returned contains -1; classes are counted from 0"),
    ],
)
def test_an_oracle_that_tells_no_labels_is_named(answer, sentence):
    with pytest.raises(ValueError, match=sentence):
        adversarial.train_substitute(
            answer, seeded(SmallConvNet()), IMAGES, num_rounds=1, num_steps=1, learning_rate=0.1, step_size=0.1
        )


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda image, style: image[None], r"transfer returned \(1, 3, 9, 13\) .* \(3, 9, 13\): take \[0\] of it"),
        (lambda image, style: image[:, :4], r"transfer returned \(3, 4, 13\) .* \(3, 9, 13\): resize it"),
        (lambda image, style: None, "transfer returned None"),
    ],
)
def test_a_transfer_that_returns_another_shape_is_named(answer, sentence):
    with pytest.raises(ValueError, match=sentence):
        robustness.cue_conflict(IMAGES, IMAGES, answer)
    with pytest.raises(ValueError, match=sentence):
        style_transfer.stylize(IMAGES, LABELS, [IMAGES[0]], answer)


def test_a_corruption_that_returns_another_shape_is_named():
    def halved(images, severity, *, generator):
        return images[:, :, ::2]

    with pytest.raises(
        ValueError, match=r"halved returned \(3, 3, 5, 13\) torch.float64, .*\(3, 3, 9, 13\): resize it"
    ):
        robustness.corruption_errors(seeded(SmallConvNet()), IMAGES, LABELS, [halved], generator=seed())


# layers that never run, networks that nobody can look into, activations of another kind


class PartsLeftOut(SmallConvNet):
    """A network with a head that nobody calls and a container whose parts are called one by one."""

    def __init__(self):
        super().__init__()
        self.spare = nn.Conv2d(5, 5, 1)
        self.last = nn.Sequential(nn.Linear(5, 5))

    def forward(self, images):
        for layer in self.features:
            images = layer(images)
        return self.last[0](self.classifier(images))


@pytest.mark.parametrize("layer", ["spare", "features", "last"])
@pytest.mark.parametrize(
    "call",
    [
        lambda m, layer: saliency.grad_cam(m, IMAGES, LABELS, layer),
        lambda m, layer: saliency.guided_grad_cam(m, IMAGES, LABELS, layer),
        lambda m, layer: saliency.activation_gradient(m, IMAGES, layer, (0, 1, 1)),
        lambda m, layer: saliency.deconvnet(m, IMAGES, layer, 0),
        lambda m, layer: saliency.top_patches(m, IMAGES, layer, 0, 1),
        lambda m, layer: saliency.receptive_field(m, layer, (0, 1, 1), (9, 13)),
        lambda m, layer: class_visualization.maximize_activation(m, layer, 0, num_steps=1, image_size=(9, 13)),
        lambda m, layer: style_transfer.style_transfer(
            m, IMAGES, IMAGES[:1], content_layers=["features.0"], content_weights=[1.0], style_layers=[layer],
            style_weights=[1.0],
        ),
    ],
)  # fmt: skip
def test_a_layer_that_does_not_run_is_refused_by_its_name(call, layer):
    model = seeded(PartsLeftOut())

    with pytest.raises(ValueError, match=rf"^layer '{layer}' does not run when the network does"):
        call(model, layer)
    assert not any(module._forward_hooks for module in model.modules())


def test_a_compiled_network_is_looked_into_as_what_it_was_made_from():
    model = seeded(SmallConvNet())
    compiled = torch.compile(model)

    for call in (
        lambda m: saliency.grad_cam(m, IMAGES, LABELS, "features.6"),
        lambda m: saliency.guided_backprop(m, IMAGES, LABELS),
        lambda m: saliency.top_patches(m, IMAGES, "features.6", 0, 2).boxes,
    ):
        assert torch.equal(call(compiled), call(model))


def traced(model):
    return torch.jit.trace(model, IMAGES)


def compiled_in_place(model):
    model.compile()
    return model


def compiled_inside(model):
    model.features = torch.compile(model.features)
    return model


@pytest.mark.parametrize(("close", "where"), [(traced, ""), (compiled_in_place, ""), (compiled_inside, " (features)")])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_network_that_nobody_can_look_into_is_refused(close, where):
    model = close(seeded(SmallConvNet()))

    with pytest.raises(ValueError) as refused:  # noqa: PT011 (the sentence is compared below)
        saliency.guided_backprop(model, IMAGES, LABELS)
    with (
        pytest.raises(ValueError, match="is compiled or traced, so no layer can be recorded"),
        record_outputs(model, []),
    ):
        pass

    assert str(refused.value) == (
        f"model is compiled or traced{where}, so nobody sees its layers and ReLUs: give the network that it was made from"
    )


SAID = r"the ReLU rule leaves \w+ alone: it is another activation"


@pytest.mark.parametrize("name", ["Hardswish", "SiLU", "PReLU", "LeakyReLU", "GELU", "ELU"])
def test_an_activation_that_the_rule_leaves_alone_is_named_once(name):
    network = seeded(nn.Sequential(nn.Conv2d(3, 4, 3), getattr(nn, name)(), nn.ReLU(), getattr(nn, name)()))

    with pytest.warns(UserWarning, match=SAID) as said, relu_rule(saliency.guided_relu_gradient):
        network(IMAGES)
    assert len(said) == 1


def test_nothing_is_said_about_relus():
    with warnings.catch_warnings(), relu_rule(saliency.guided_relu_gradient):
        warnings.simplefilter("error")
        for activation in (nn.ReLU(), nn.ReLU6(), F.relu, torch.sigmoid, nn.Softmax(1)):
            activation(IMAGES)
