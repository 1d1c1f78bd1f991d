"""A substitute that is trained on the oracle's labels, with new images between rounds."""

import pytest
import torch
from torch import nn

from assignment2 import adversarial
from coursekit.checks.laws import strided
from coursekit.checks.recorder import BlackBox
from coursekit.checks.small_networks import Linear, OneHidden, SmallConvNet, pictures, seeded


@pytest.fixture
def oracle():
    """Labels of a network that the attacker does not see."""
    with torch.random.fork_rng(devices=()):  # a layer draws its weights: what the check draws stays the same
        hidden = seeded(OneHidden(), seed=7)

    def answer(images):
        with torch.no_grad():
            return hidden(images.double()).argmax(dim=1)

    return answer


@pytest.fixture
def steal(oracle):
    """Give the substitute, and the pictures that the oracle was asked about."""

    def train(substitute, images, **options):
        box = BlackBox(oracle)
        options = {"num_rounds": 1, "num_steps": 4, "learning_rate": 0.02, "step_size": 0.1, **options}
        return adversarial.train_substitute(box, substitute, images, **options), box.shown()

    return train


@pytest.mark.points(1, "train_substitute")
def test_the_oracle_is_asked_once_about_each_picture_and_each_begets_one_between_rounds(
    expect, inner_images, oracle, steal
):
    """The oracle labels each image once; each round doubles the images by x + step_size * sign(gradient)."""
    one, asked_one = steal(seeded(Linear()), inner_images)
    two, asked_two = steal(seeded(Linear()), inner_images, num_rounds=2)
    _, asked_three = steal(seeded(Linear()), inner_images, num_rounds=3)

    expect(asked_one, inner_images, "one round: the oracle is asked about the attacker's pictures, nothing else")
    expect(len(asked_two), 6, "two rounds: as many pictures again")
    expect(len(asked_three), 12, "three rounds: doubled twice")
    expect(asked_three[:6], asked_two, "the pictures of the first two rounds are the same")
    for model, known, new in (one, asked_two[:3], asked_two[3:]), (two, asked_three[:6], asked_three[6:]):
        up = model.weights()[oracle(known)] > 0
        expect(new - known, torch.where(up, 0.1, -0.1).double(), "step_size up the logit of the oracle's label")
    _, asked_dark = steal(seeded(Linear()), inner_images * 0.1, num_rounds=2)
    assert float(asked_dark.min()) >= 0, "a new picture leaves [0, 1]: clamp it"


@pytest.mark.points(1, "train_substitute")
def test_the_substitute_is_trained_on_all_pairs_with_a_fresh_adam_in_each_round(expect, images, steal):
    """Each round trains on all images and labels so far, with a new Adam, for num_steps steps."""
    many = torch.cat([images, pictures(67, seed=1)])

    for num_rounds in (1, 2):
        result, _ = steal(seeded(OneHidden(), seed=3), many, num_rounds=num_rounds)
        weights = torch.cat([value.flatten() for value in result.state_dict().values()])
        expect.reference(
            weights, f"{num_rounds} rounds", "the weights after num_steps steps of Adam on all pairs a round"
        )


@pytest.mark.points(1, "train_substitute")
def test_training_a_substitute_leaves_no_trace(expect, images, steal):
    """The substitute that was given is unchanged; the trained copy is in eval mode."""
    substitute = seeded(SmallConvNet())

    with expect.unchanged(substitute=substitute, images=images):
        result, _ = steal(substitute, images, num_rounds=2)

    assert isinstance(result, nn.Module), f"the result is a {type(result).__name__}, expected the trained network"
    assert not any(module.training for module in result.modules()), "the trained copy comes back in eval mode"
    theirs = {value.untyped_storage().data_ptr() for value in substitute.state_dict().values()}
    ours = {value.untyped_storage().data_ptr() for value in result.state_dict().values()}
    assert not theirs & ours, "the result shares weights with substitute: train a deep copy"
    expect(steal(substitute, images, num_rounds=2)[0](images).detach(), result(images).detach(), "it can be repeated")
    followed = steal(substitute, strided(images).requires_grad_(), num_rounds=2)[0]
    expect(
        followed(images).detach(),
        result(images).detach(),
        "the same for images of any strides, also with requires_grad",
    )
    single, _ = steal(seeded(Linear()).float(), images[:1].float())
    assert next(single.parameters()).dtype == torch.float32, "one float32 picture trains a float32 substitute"
    learned = int(result.features[3].num_batches_tracked)
    expect(learned, 8, "batch norm learns from each of 2 x 4 batches in train mode, and from no others")
