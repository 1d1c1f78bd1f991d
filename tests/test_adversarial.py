"""Part 3. Each check is a sentence about a function of assignment2/adversarial.py, on small float64 networks, H unlike W.

Of a function that searches, every picture that it shows to the network is recorded, and the record is held to the rules;
which random numbers it drew in which order is its own business.
"""

import itertools

import pytest
import torch
import torch._dynamo  # the first optimizer would import it, in the middle of a check
from torch import nn

from assignment2 import adversarial
from coursekit.grading.harmless import assert_no_trace, assert_same_however_called, used_network
from coursekit.grading.networks import (
    SIZE,
    Boom,
    Dead,
    Linear,
    OneHidden,
    SmallConvNet,
    broken,
    numbers,
    pictures,
    seeded,
)
from coursekit.grading.recorder import Recorder, true_gradient

IMAGES = pictures(3)
LABELS = torch.tensor([4, 0, 2])


@pytest.fixture(autouse=True)
def fresh_inputs():
    """Fresh pictures for every check."""
    global IMAGES, LABELS
    IMAGES, LABELS = pictures(3), torch.tensor([4, 0, 2])


def seed(number=0):
    return torch.Generator().manual_seed(number)


def assert_goes_on(call):
    """Hold two calls, one after the other with one generator, to different results."""
    __tracebackhide__ = True
    drawn_from = seed()
    first, second = (call(drawn_from).double() for _ in range(2))
    assert not torch.allclose(first, second), "the second call repeats the first: go on with the generator as it is"


def inner_pictures():
    """Pictures that are 0.3 or more away from black and white, so that no clamp acts."""
    return 0.3 + 0.4 * IMAGES


def distance_from_uniform(values):
    """The largest difference between the distribution of values and the uniform one on [0, 1]."""
    values = values.flatten().double().sort().values
    return (values - (torch.arange(len(values)) + 0.5) / len(values)).abs().max().item()


def by_image(recorder, images):
    """For each image, the pictures near it in the order in which they were shown, in batches or one by one."""
    shown = torch.cat(recorder.distinct())
    owner = (shown[:, None] - images[None]).flatten(2).norm(dim=2).argmin(dim=1)
    return [shown[owner == i] for i in range(len(images))]


def assert_inside(adv_images, images, eps, what="the result"):
    """Hold pictures to the box and the ball, to the last bit of the images' own number format."""
    __tracebackhide__ = True
    assert adv_images.dtype == images.dtype, f"{what} has dtype {adv_images.dtype}, the images {images.dtype}"
    assert bool(((adv_images >= 0) & (adv_images <= 1)).all()), f"{what} leaves [0, 1]: no picture has such values"
    assert bool((adv_images <= images + eps).all()), f"{what} lies further than eps above the images"
    assert bool((adv_images >= images - eps).all()), f"{what} lies further than eps below the images"


# fooling_image


def climb(network, image, target, **options):
    """The pictures on the way, as they were shown to the network, the result at the end."""
    recorder = Recorder(network)
    result = adversarial.fooling_image(recorder, image, target, **options)
    assert isinstance(result, torch.Tensor), f"the result is a {type(result).__name__}, expected a torch tensor"
    shapes = f"shape {tuple(result.shape)}, expected {tuple(image.shape)}"
    assert result.shape == image.shape, f"the result has {shapes}: one picture, as it came"
    path = [shown[0] for shown in recorder.distinct()]
    if not path or not torch.equal(path[-1], result):
        path.append(result.detach())
    return torch.stack(path)


@pytest.mark.points(1, "fooling_image")
def test_fooling_a_linear_model_goes_straight_along_the_targets_weights(expect):
    model = seeded(Linear())

    with expect.kept(image=IMAGES[0]):
        path = climb(model, IMAGES[0], 2, step_size=0.4, max_steps=3)

    weight = model.weights()[2]
    expect(len(path) - 1, 3, "three steps; the target is further away than they reach")
    lengths = 0.4 * torch.arange(4, dtype=torch.float64).view(4, 1, 1, 1)
    expect(path, IMAGES[0] + lengths * weight / weight.norm(), "each step has L2 length step_size; nothing is clamped")


@pytest.mark.points(1, "fooling_image")
def test_fooling_steps_follow_the_gradient_of_the_targets_logit_where_they_start(expect):
    model = seeded(SmallConvNet())

    path = climb(model, IMAGES[0], 1, step_size=0.15, max_steps=6)

    slopes = torch.stack([true_gradient(model, image, 1) for image in path[:-1]])
    units = slopes / slopes.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    expect(path.diff(dim=0) / 0.15, units, "gradient / its L2 norm over the picture, taken anew at each picture")


@pytest.mark.points(1, "fooling_image")
def test_fooling_stops_at_the_first_picture_that_is_taken_for_the_target(expect):
    model = seeded(SmallConvNet())

    path = climb(model, IMAGES[0], 1, step_size=0.15, max_steps=80)

    classes = model(path).argmax(dim=1)
    fooled = [False] * (len(path) - 1) + [True]
    expect(classes == 1, torch.tensor(fooled), "only the last picture of the way is taken for the target")
    own = int(model(IMAGES[:1]).argmax())
    same = adversarial.fooling_image(model, IMAGES[0], own, step_size=0.15, max_steps=5)
    expect(same, IMAGES[0], "a picture that is taken for the target already comes back as it is")
    for ahead, steps in (1e-9, 0), (-1e-9, 1):
        close = seeded(Linear())
        with torch.no_grad():
            logits = close(IMAGES[:1])[0]
            close.head.bias[2] += logits[torch.arange(len(logits)) != 2].max() - logits[2] + ahead
        path = climb(close, IMAGES[0], 2, step_size=0.15, max_steps=5)
        expect(len(path) - 1, steps, f"steps of a picture whose target is {ahead:g} ahead: the largest logit wins")


@pytest.mark.points(1, "fooling_image")
def test_fooling_takes_at_most_max_steps_and_none_without_a_gradient(expect):
    model = seeded(Linear())

    with expect.kept(image=IMAGES[0]):
        one = adversarial.fooling_image(model, IMAGES[0], 2, step_size=0.4, max_steps=1)
        none = adversarial.fooling_image(model, IMAGES[0], 2, step_size=0.4, max_steps=0)

    expect((one - IMAGES[0]).norm(), torch.tensor(0.4).double(), "max_steps = 1: one step of length step_size")
    expect(none, IMAGES[0], "max_steps = 0: the picture itself")
    dead = seeded(Dead())
    target = int(dead(IMAGES[:1]).argmin())
    still = adversarial.fooling_image(dead, IMAGES[0], target, step_size=0.4, max_steps=3)
    expect(still, IMAGES[0], "where the gradient is zero there is no direction: stop")
    with torch.no_grad():
        model.head.weight *= 1e-7
        model.head.bias *= 1e-7
    faint = adversarial.fooling_image(model, IMAGES[0], 2, step_size=0.4, max_steps=1)
    expect(faint, one, "where the gradient is small the step is as long as elsewhere", tolerance=1e-3)


@pytest.mark.points(1, "fooling_image")
def test_fooling_leaves_no_trace_and_repeats(expect):
    image = IMAGES[0].clone()

    def call(model, image):
        return adversarial.fooling_image(model, image, 1, step_size=0.15, max_steps=3)

    assert_no_trace(expect, call, seeded(SmallConvNet()), image)
    assert_same_however_called(expect, call, seeded(SmallConvNet()), image)
    own = int(seeded(SmallConvNet())(image[None]).argmax())
    untouched = adversarial.fooling_image(seeded(SmallConvNet()), image, own, step_size=0.1, max_steps=3)
    expect.new(untouched, image=image)


# fgsm


def slope_of_the_loss(model, images, labels):
    """The cross-entropy's gradient in a linear network: the weights of each class times (probability - 1 if it is the label)."""
    blame = model(images).detach().softmax(dim=1)
    blame[torch.arange(len(labels)), labels] -= 1
    return torch.einsum("nk,kchw->nchw", blame, model.weights())


@pytest.mark.points(2, "fgsm")
def test_fgsm_on_a_linear_model_moves_every_value_by_eps_up_the_cross_entropy(expect):
    model, images = seeded(Linear()), inner_pictures()

    result = adversarial.fgsm(model, images, LABELS, 0.03)

    up = slope_of_the_loss(model, images, LABELS) > 0
    expect(
        result - images, torch.where(up, 0.03, -0.03).double(), "eps where the slope of the loss is positive, else -eps"
    )


@pytest.mark.points(1, "fgsm")
def test_targeted_fgsm_moves_towards_the_labels(expect):
    model, images = seeded(Linear()), inner_pictures()

    result = adversarial.fgsm(model, images, LABELS, 0.03, targeted=True)

    up = slope_of_the_loss(model, images, LABELS) > 0
    expect(result - images, torch.where(up, -0.03, 0.03).double(), "the cross-entropy of the wanted classes falls")


@pytest.mark.points(1, "fgsm")
def test_fgsm_of_a_convolutional_network_for_the_given_labels(expect):
    result = adversarial.fgsm(seeded(SmallConvNet()), IMAGES, LABELS, 0.1)

    expect.reference(result, "conv", "clamp(x + eps * sign(d loss / d x)) to [0, 1], the labels those that were given")


@pytest.mark.points(1, "fgsm")
def test_fgsm_stays_in_the_box_and_in_the_ball_to_the_last_bit():
    for dtype, eps in itertools.product((torch.float32, torch.float64), (8 / 255, 0.3, 1.0)):
        images = IMAGES.to(dtype)
        images[0, 0], images[1, 1] = 0, 1

        result = adversarial.fgsm(seeded(SmallConvNet()).to(dtype), images, LABELS, eps)

        assert_inside(result, images, eps)
        assert not torch.equal(result, images), "no pixel was moved"


@pytest.mark.points(1, "fgsm")
def test_fgsm_of_a_network_that_is_certain_in_float32(expect):
    model, images = seeded(Linear()), inner_pictures()
    own = model(images).argmax(dim=1)
    weights = model.weights().clone()
    certain = model.float()
    with torch.no_grad():
        certain.head.weight *= 1e5
        certain.head.bias *= 1e5

    stuck = adversarial.fgsm(certain, images.float(), own, 0.03)
    moved = adversarial.fgsm(certain, images.float(), (own + 1) % 5, 0.03, targeted=True)

    expect(stuck, images.float(), "the probability is exactly 1, the loss is flat: nothing moves, and nothing is NaN")
    towards = (weights[(own + 1) % 5] - weights[own]).sign() * 0.03
    expect((moved - images.float()).double(), towards, "towards another class there is a slope", tolerance=1e-5)


@pytest.mark.points(1, "fgsm")
def test_fgsm_leaves_values_alone_that_the_network_does_not_see(expect):
    model, images = seeded(Linear()), inner_pictures()
    hidden = torch.zeros(3, *SIZE, dtype=torch.bool)
    hidden[1, 2:5, 4:9] = True
    with torch.no_grad():
        model.head.weight[:, hidden.flatten()] = 0

    result = adversarial.fgsm(model, images, LABELS, 0.03)

    expect(result[:, hidden], images[:, hidden], "sign(0) = 0: where the gradient is zero the value stays")
    expect((result - images)[:, ~hidden].abs().mean(), torch.tensor(0.03).double(), "all other values move by eps")
    expect(adversarial.fgsm(model, images, LABELS, 0.0), images, "with eps = 0 nothing moves")


@pytest.mark.points(1, "fgsm")
def test_fgsm_of_an_image_does_not_depend_on_its_batch_mates(expect):
    model = seeded(SmallConvNet())

    together = adversarial.fgsm(model, IMAGES, LABELS, 0.1)
    alone = [adversarial.fgsm(model, IMAGES[i : i + 1], LABELS[i : i + 1], 0.1) for i in range(3)]

    expect(together, torch.cat(alone), "three images at once give what each gives alone")
    assert not torch.equal(together, IMAGES), "no pixel was moved"


@pytest.mark.points(1, "fgsm")
def test_fgsm_leaves_no_trace_and_repeats(expect):
    labels, network = LABELS.clone(), seeded(SmallConvNet())

    def call(model, images):
        return adversarial.fgsm(model, images, labels, 0.1)

    with expect.unchanged(labels=labels):
        assert_no_trace(expect, call, network, IMAGES)
    assert_same_however_called(expect, call, network, IMAGES)
    wrapped = call(lambda x: network(x), IMAGES)
    expect(wrapped, call(network, IMAGES), "the same result for a function that calls the network")


# pgd


@pytest.mark.points(2, "pgd")
def test_pgd_takes_a_fresh_gradient_at_every_step(expect):
    model, options = seeded(SmallConvNet()), {"step_size": 0.03, "num_steps": 4}

    expect.reference(
        adversarial.pgd(model, IMAGES, LABELS, 0.07, **options), "away", "step, ball, box, four times; the last iterate"
    )
    expect.reference(
        adversarial.pgd(model, IMAGES, LABELS, 0.07, targeted=True, **options),
        "towards",
        "with targeted the loss falls",
    )


@pytest.mark.points(1, "pgd")
def test_pgd_on_a_linear_model_walks_until_it_stands_at_the_edge_of_the_ball(expect):
    model, images, labels = seeded(Linear(num_classes=2)), inner_pictures(), torch.tensor([1, 0, 1])
    weights = model.weights()
    away = (weights[1 - labels] - weights[labels]).sign()  # the same at every picture: there are two classes

    for num_steps, distance in (0, 0.0), (1, 0.02), (3, 0.06), (5, 0.07), (9, 0.07):
        result = adversarial.pgd(model, images, labels, 0.07, step_size=0.02, num_steps=num_steps)
        expect(result - images, distance * away, f"{num_steps} steps of 0.02 in a ball of 0.07")
    result = adversarial.pgd(model, images, labels, 0.07, step_size=0.02, num_steps=2, targeted=True)
    expect(result - images, -0.04 * away, "targeted: two steps the other way")


@pytest.mark.points(1, "pgd")
def test_pgd_shows_the_network_only_pictures_in_the_box_and_in_the_ball():
    for dtype, eps in itertools.product((torch.float32, torch.float64), (8 / 255, 0.3)):
        images = IMAGES.to(dtype)
        images[0, 0], images[1, 1] = 0, 1
        recorder = Recorder(seeded(SmallConvNet()).to(dtype))

        result = adversarial.pgd(recorder, images, LABELS, eps, step_size=eps / 2, num_steps=5, generator=seed())

        for group, image in zip(by_image(recorder, images), images, strict=True):
            assert_inside(group, image, eps, "a picture on the way")
        assert_inside(result, images, eps)


@pytest.mark.points(1, "pgd")
def test_pgd_with_a_generator_starts_uniformly_in_the_ball(expect):
    model, images = seeded(Linear()), inner_pictures()

    start = adversarial.pgd(model, images, LABELS, 0.2, step_size=0.05, num_steps=0, generator=seed())

    shift = (start - images) / 0.2
    assert float(shift.abs().max()) > 0.5, "with a generator the attack starts at a random place in the ball"
    assert not torch.allclose(shift[0], shift[1]), "each image has a random start of its own"
    assert not torch.allclose(shift[:, 0], shift[:, 1]), "each value has a draw of its own, also in another channel"
    assert abs(float(shift.mean())) < 0.1, "the ball has two sides: as many values begin brighter as darker"
    assert float(shift.abs().median()) < 0.8, "the attack starts anywhere in the ball, not only at its edge"
    assert distance_from_uniform((shift + 1) / 2) < 0.08, "every value's shift is uniform between -eps and eps"
    again = adversarial.pgd(model, images, LABELS, 0.2, step_size=0.05, num_steps=0, generator=seed())
    expect(again, start, "the same seed gives the same start")
    options = {"step_size": 0.05, "num_steps": 0}
    assert_goes_on(lambda generator: adversarial.pgd(model, images, LABELS, 0.2, **options, generator=generator))
    towards = adversarial.pgd(model, images, LABELS, 0.2, step_size=0.05, num_steps=0, targeted=True, generator=seed())
    assert float((towards - images).abs().max()) > 0.1, "a targeted attack starts at a random place too"
    recorder = Recorder(model)
    result = adversarial.pgd(recorder, images, LABELS, 0.2, step_size=0.05, num_steps=1, generator=seed(1))
    begin = torch.stack([group[0] for group in by_image(recorder, images)])
    assert float((begin - images).abs().max()) > 0.05, "the first gradient is taken at the random start"
    free = (begin - images).abs() < 0.15  # a step from here does not reach the edge
    step = torch.where(slope_of_the_loss(model, begin, LABELS) > 0, 0.05, -0.05).double()
    expect(torch.where(free, result - begin, 0), torch.where(free, step, 0), "the first step goes on from the start")


@pytest.mark.points(1, "pgd")
def test_pgd_leaves_no_trace_and_repeats(expect):
    images, labels = IMAGES.clone(), LABELS.clone()

    def call(model, images):
        return adversarial.pgd(model, images, labels, 0.07, step_size=0.03, num_steps=2)

    def random_call(model, images):
        return adversarial.pgd(model, images, labels, 0.07, step_size=0.03, num_steps=2, generator=seed())

    assert_no_trace(expect, random_call, seeded(SmallConvNet()), images)
    assert_same_however_called(expect, call, seeded(SmallConvNet()), images)
    model = seeded(SmallConvNet())
    with expect.unchanged(images=images, labels=labels, model=model):
        together = adversarial.pgd(model, images, labels, 0.07, step_size=0.03, num_steps=3)
        none = adversarial.pgd(model, images, labels, 0.07, step_size=0.03, num_steps=0)
    expect.new(none, images=images)
    alone = adversarial.pgd(model, images[1:2], labels[1:2], 0.07, step_size=0.03, num_steps=3)
    expect(together[1:2], alone, "three images at once give what each gives alone")


# linear_shift


@pytest.mark.points(1, "linear_shift")
def test_linear_shift_is_what_the_worst_change_does_to_the_score(expect):
    weight = numbers(3, *SIZE, seed=4)

    result = adversarial.linear_shift(weight, 0.05)

    worst = torch.where(weight > 0, 0.05, -0.05).double()
    expect(result, (weight * worst).sum(), "the largest w . d over all d of size eps, a 0-d tensor")


@pytest.mark.points(1, "linear_shift")
def test_linear_shift_grows_with_the_number_of_pixels_and_with_eps(expect):
    weight = numbers(5, 7, seed=5).requires_grad_()

    with expect.unchanged(weight=weight):
        once = adversarial.linear_shift(weight, 0.5)

    expect(once, once.detach().clone(), "a 0-d tensor that is joined to no graph")
    expect(adversarial.linear_shift(weight.repeat(3, 2), 0.5), 6 * once, "six times the pixels, six times the shift")
    expect(adversarial.linear_shift(weight, 0.1), 0.2 * once, "a fifth of eps, a fifth of the shift")
    expect(
        adversarial.linear_shift(torch.tensor(-3.0).double(), 0.5), torch.tensor(1.5).double(), "eps |w| for one weight"
    )


# one_pixel_attack


class BlackBox:
    """Something that one can only ask: it logs the pictures, and its answers carry no gradient."""

    def __init__(self, answer):
        self.answer, self.log = answer, []

    def __call__(self, images):
        self.log.append(images.detach().clone())
        with torch.no_grad():
            return self.answer(images.detach())

    def shown(self):
        assert self.log, "predict was never called"
        return torch.cat(self.log)


def certain_network(label=2, size=SIZE):
    """Probabilities of a linear network that no single pixel can talk out of its label."""
    model = seeded(Linear(size))
    with torch.no_grad():
        model.head.bias[label] += 8
    return BlackBox(lambda images: model(images).softmax(dim=1))


def genes_of(shown, image):
    """(M, 2) positions and (M, 3) colours of the pixel in which each picture differs from the image."""
    differs = (shown != image).any(dim=1)  # (M, H, W)
    counts = differs.flatten(1).sum(dim=1)
    assert int(counts.max()) <= 1, f"a picture shown to predict differs in {int(counts.max())} pixels, expected one"
    assert int(counts.min()) == 1, "a picture shown to predict is the image itself: one pixel is replaced"
    places = differs.nonzero()  # (M, 3): picture, y, x
    return places[:, 1:], shown[places[:, 0], :, places[:, 1], places[:, 2]]


def generations_of(box, image, population, answer):
    """Follow the search: (children, the members that they had to come from, the members' answers), for each generation."""
    groups = box.shown().split(population)
    assert len(groups[-1]) == population, "each generation shows every member once: a multiple of population in all"
    genes = [torch.cat([part.double() for part in genes_of(group, image)], dim=1) for group in groups]
    with torch.no_grad():
        answers = [answer(group) for group in groups]
    return genes, answers


@pytest.mark.points(1, "one_pixel_attack")
def test_one_pixel_attack_replaces_one_pixel_and_counts_its_queries(expect):
    box, image = certain_network(), IMAGES[0].clone()

    with expect.unchanged(image=image):
        result, queries = adversarial.one_pixel_attack(box, image, 2, population=8, generations=3, generator=seed())

    shown = box.shown()
    expect(len(shown), 32, "8 members at the start and 8 children in each of 3 generations are shown")
    expect(queries, 32, "queries is an int, the number of pictures shown to predict")
    genes_of(shown, image)
    best = box.answer(shown)[:, 2].argmin()
    expect(result, shown[best], "the fittest of all candidates: a member is replaced only by a fitter one")
    expect.new(result, image=image)
    options = {"population": 8, "generations": 0}
    assert_goes_on(lambda g: adversarial.one_pixel_attack(box, image, 2, **options, generator=g)[0])
    breaks = BlackBox(broken(seeded(Linear()), "forward"))
    with expect.unchanged(image=image), pytest.raises(Boom):
        adversarial.one_pixel_attack(breaks, image, 2, population=8, generations=3, generator=seed())


@pytest.mark.points(1, "one_pixel_attack")
def test_one_pixel_attack_starts_everywhere_with_every_colour_and_redraws_what_falls_outside(expect):
    image = pictures(1, size=(8, 11))[0]
    constant = torch.tensor([0.1, 0.2, 0.7]).double()
    box = BlackBox(lambda images: constant.expand(len(images), 3))

    with expect.kept(image=image):
        result, _ = adversarial.one_pixel_attack(box, image, 2, population=600, generations=1, generator=seed())

    old = (box.shown()[:600] == result).flatten(1).all(dim=1).any()
    assert bool(old), "a child that is just as fit as its parent took its place: only a fitter one does"
    (first, second), _ = generations_of(box, image, 600, box.answer)
    for axis, side in enumerate((8, 11)):
        border = ((first[:, axis] == 0) | (first[:, axis] == side - 1)).double().mean().item()
        assert abs(border - 2 / side) < 0.08, f"{border:.0%} of the start lies on a border, expected {2 / side:.0%}"
        assert distance_from_uniform((first[:, axis] + 0.5) / side) < 0.12, "the start's positions are uniform"
    assert distance_from_uniform(first[:, 2:]) < 0.06, "the start's colours are uniform in [0, 1]"
    assert float((first[:, 2:4].diff()).abs().max()) > 0.5, "the three channels of a colour are drawn each alone"
    colours = second[:, 2:]
    assert bool(((colours >= 0) & (colours <= 1)).all()), "a child's colour leaves [0, 1]: clip it"
    border = ((second[:, 0] == 0) | (second[:, 0] == 7)).double().mean().item()
    assert border < 0.25, f"{border:.0%} of the children lie in the first or last row: draw what falls outside anew"
    low, flat = pictures(1, size=(2, 30))[0], BlackBox(box.answer)
    adversarial.one_pixel_attack(flat, low, 2, population=1500, generations=1, generator=seed(1))
    upper = (genes_of(flat.shown()[1500:], low)[0][:, 0] == 0).double().mean().item()
    assert abs(upper - 0.5) < 0.055, f"{upper:.0%} of the children lie in the upper of two rows: draw anew from both"
    left = (genes_of(flat.shown()[1500:], low)[0][:, 1] < 2).double().mean().item()
    assert left < 0.1, f"{left:.0%} of the children lie in the first two of 30 columns: draw anew from all of them"


def explained(children, members, sides):
    """How many children are r1 + 0.5 (r2 - r3) of three distinct members, none of them the child's own parent."""
    population, count = len(members), 0
    one, two, three = torch.tensor(list(itertools.permutations(range(population), 3))).T
    colours = (members[one] + 0.5 * (members[two] - members[three]))[:, 2:].clamp(min=0).clamp(max=1)
    # A position is known to the pixel only, so that the sum is known to an interval.
    low = members[one, :2] + 0.5 * (members[two, :2] - members[three, :2] - 1)
    high = low + 2
    may_be_outside = (low < 0) | (high > sides)
    for i, child in enumerate(children):
        others = (one != i) & (two != i) & (three != i)
        same_colour = ((colours - child[2:]).abs() < 1e-9).all(dim=1)
        possible = ((child[:2] < high) & (child[:2] + 1 > low)) | may_be_outside
        count += bool((others & same_colour & possible.all(dim=1)).any())
    return count


@pytest.mark.points(1, "one_pixel_attack")
def test_one_pixel_children_come_from_three_other_members_and_replace_a_less_fit_parent(expect):
    image, sides = IMAGES[0], torch.tensor(SIZE)
    box = certain_network()

    with expect.kept(image=image):
        adversarial.one_pixel_attack(box, image, 2, population=9, generations=6, generator=seed(3))

    genes, answers = generations_of(box, image, 9, box.answer)
    members, doubts = genes[0], answers[0][:, 2]
    found = []
    for children, answer in zip(genes[1:], answers[1:], strict=True):
        found.append(explained(children, members, sides))
        fitter = answer[:, 2] < doubts
        members = torch.where(fitter[:, None], children, members)
        doubts = torch.where(fitter, answer[:, 2], doubts)
    formula = "in every generation all 9 children are r1 + 0.5 (r2 - r3) of three other surviving members"
    expect(torch.tensor(found), torch.full((6,), 9), formula)


def moody_network(images):
    """Class 1 gains with the red and class 3 with the blue of the pixel that replaces a grey one, class 0 loses with both."""
    red, _, blue = (images - 0.5).sum(dim=(2, 3)).unbind(dim=1)  # each between -0.5 and 0.5
    return torch.stack([1.6 - 2 * red - blue, 2 * red, red - 3, 3 * blue], dim=1).softmax(dim=1)


@pytest.mark.points(1, "one_pixel_attack")
def test_one_pixel_attack_stops_before_the_generation_after_the_fittest_succeeds(expect):
    image = torch.full((3, *SIZE), 0.5, dtype=torch.float64)

    for target, wins in (None, lambda top: top != 0), *((k, lambda top, k=k: top == k) for k in (1, 2, 3)):
        for start in (0, 3, 4, 11):
            box = BlackBox(moody_network)
            result, queries = adversarial.one_pixel_attack(
                box, image, 0, target=target, population=5, generations=7, generator=seed(start)
            )
            _, answers = generations_of(box, image, 5, moody_network)
            fitness = [a[:, 0] if target is None else -a[:, target] for a in answers]
            best = [torch.cat(fitness[: g + 1]).argmin() for g in range(len(fitness))]
            tops = torch.cat(answers).argmax(dim=1)
            done = [wins(int(tops[b])) for b in best]
            first = done.index(True) if True in done else 7
            expect(
                queries,
                5 * (first + 1),
                f"target {target}: stop when the fittest member has reached it, at most 7 times",
            )
            expect(result, box.shown()[best[-1]], f"target {target}: the fittest of all candidates")
    for target in None, 0:
        fooled = BlackBox(lambda images: torch.tensor([0.6, 0.3, 0.1]).double().expand(len(images), 3))
        _, queries = adversarial.one_pixel_attack(
            fooled, image, 1, target=target, population=5, generations=7, generator=seed()
        )
        expect(queries, 5, f"target {target}: the start is looked at too: whoever has won there needs no generation")


# estimate_gradient


def crooked_scores(images):
    """Scores of four classes, of which none is linear in the picture, and no probabilities."""
    flat = images.flatten(1)
    return torch.stack(
        [(flat**2).mean(dim=1), flat.mean(dim=1) ** 3, flat.sin().mean(dim=1), 1 - flat.cos().sum(1)], dim=1
    )


def asked_pairs(shown, images):
    """For each image, the pairs (a, b) of shown pictures that lie opposite each other about it."""
    itself = any(torch.equal(picture, image) for picture in shown for image in images)
    assert not itself, "the picture itself was shown: ask on both sides of it, and nowhere else"
    assert float(shown.min()) < 0 or float(shown.max()) > 1, "what is shown is clamped: leave it as it is"
    free, pairs = list(range(len(shown))), [[] for _ in images]
    while free:
        a = free.pop(0)
        for b, i in itertools.product(list(free), range(len(images))):
            if torch.allclose(shown[a] + shown[b], 2 * images[i], rtol=0, atol=1e-9):
                pairs[i].append((shown[a], shown[b]))
                free.remove(b)
                break
        else:
            raise AssertionError("a picture was shown without its opposite: ask at x + sigma u and at x - sigma u")
    return pairs


@pytest.mark.points(1, "estimate_gradient")
def test_estimated_gradient_is_the_mean_over_what_was_asked(expect):
    box, labels = BlackBox(crooked_scores), torch.tensor([3, 0, 1])

    result = adversarial.estimate_gradient(box, IMAGES, labels, sigma=0.1, num_samples=5, generator=seed())

    expect(len(box.shown()), 30, "two queries for each of 5 directions of each of 3 images")
    rows = []
    for pairs, label in zip(asked_pairs(box.shown(), IMAGES), labels, strict=True):
        ahead, behind = (torch.stack(side) for side in zip(*pairs, strict=True))
        rise = (crooked_scores(ahead) - crooked_scores(behind))[:, label]
        rows.append(torch.einsum("m,mchw->chw", rise, ahead - behind) / (4 * 0.1**2 * 5))
    expect(result, torch.stack(rows), "sum of (f(x + sigma u) - f(x - sigma u)) u / (2 sigma num_samples)")


@pytest.mark.points(1, "estimate_gradient")
def test_directions_are_normal_and_own_for_each_image(expect):
    box = BlackBox(crooked_scores)

    adversarial.estimate_gradient(box, IMAGES, torch.tensor([3, 0, 1]), sigma=0.5, num_samples=4, generator=seed())

    directions = [torch.stack([a - b for a, b in pairs]) for pairs in asked_pairs(box.shown(), IMAGES)]
    for one, other in itertools.combinations(torch.cat(directions), 2):
        parallel = min(float((one - other).norm()), float((one + other).norm())) < 1e-6
        assert not parallel, "two directions are the same: draw one for each image and each sample"
    every = torch.cat(directions)  # (M, 3, H, W)
    for axis, name in (1, "channels"), (2, "rows"), (3, "columns"):
        one, other = (every.select(axis, i) for i in (0, 1))
        assert not torch.allclose(one, other), f"two {name} have the same entries of u: draw one for each value"
    drawn = every.flatten()
    assert abs(drawn.std().item() - 1) < 0.08, f"the entries of u have standard deviation {drawn.std():.2f}, expected 1"
    assert drawn.abs().std().item() > 0.1, "all entries of u have the same size: they come from N(0, 1)"
    uniform = (drawn / 2**0.5).erf() / 2 + 0.5
    assert distance_from_uniform(uniform) < 0.04, "the entries of u come from N(0, 1)"
    assert drawn.abs().max().item() > 2.6, "no entry of u is large: N(0, 1) is not cut off"


@pytest.mark.points(1, "estimate_gradient")
def test_estimating_leaves_no_trace_and_repeats(expect):
    images, labels = IMAGES.clone(), torch.tensor([3, 0, 1])

    def call(answer, number=0):
        return adversarial.estimate_gradient(
            BlackBox(answer), images, labels, sigma=0.1, num_samples=2, generator=seed(number)
        )

    with expect.unchanged(images=images, labels=labels):
        first = call(crooked_scores)
    expect(call(crooked_scores), first, "the same seed gives the same estimate")
    assert not torch.allclose(call(crooked_scores, 1), first), "another seed gives another estimate"
    options = {"sigma": 0.1, "num_samples": 2}
    assert_goes_on(
        lambda g: adversarial.estimate_gradient(BlackBox(crooked_scores), images, labels, **options, generator=g)
    )
    one = adversarial.estimate_gradient(
        BlackBox(crooked_scores), images[:1], labels[:1], sigma=0.1, num_samples=2, generator=seed()
    )
    expect(torch.tensor(one.shape), torch.tensor(images[:1].shape), "one image gives (1, 3, H, W)")
    breaks = broken(seeded(Linear()), "forward")
    with expect.unchanged(images=images), pytest.raises(Boom):
        call(breaks)


# train_substitute


with torch.random.fork_rng(devices=()):  # a layer draws its weights: loading this file changes nothing for others
    HIDDEN = seeded(OneHidden(), seed=7)


def oracle(images):
    """Labels of a network that the attacker does not see."""
    with torch.no_grad():
        return HIDDEN(images).argmax(dim=1)


def steal(substitute, images, **options):
    """The substitute, and the pictures that the oracle was asked about."""
    box = BlackBox(oracle)
    options = {"num_rounds": 1, "num_steps": 4, "learning_rate": 0.02, "step_size": 0.1, **options}
    return adversarial.train_substitute(box, substitute, images, **options), box.shown()


@pytest.mark.points(1, "train_substitute")
def test_the_oracle_is_asked_once_about_each_picture_and_each_begets_one_between_rounds(expect):
    images = inner_pictures()

    one, asked_one = steal(seeded(Linear()), images)
    two, asked_two = steal(seeded(Linear()), images, num_rounds=2)
    _, asked_three = steal(seeded(Linear()), images, num_rounds=3)

    expect(asked_one, images, "one round: the oracle is asked about the attacker's pictures, nothing else")
    expect(len(asked_two), 6, "two rounds: as many pictures again")
    expect(len(asked_three), 12, "three rounds: doubled twice")
    expect(asked_three[:6], asked_two, "the pictures of the first two rounds are the same")
    for model, known, new in (one, asked_two[:3], asked_two[3:]), (two, asked_three[:6], asked_three[6:]):
        up = model.weights()[oracle(known)] > 0
        expect(new - known, torch.where(up, 0.1, -0.1).double(), "step_size up the logit of the oracle's label")
    _, asked_dark = steal(seeded(Linear()), images * 0.1, num_rounds=2)
    assert float(asked_dark.min()) >= 0, "a new picture leaves [0, 1]: clamp it"


@pytest.mark.points(1, "train_substitute")
def test_the_substitute_is_trained_on_all_pairs_with_a_fresh_adam_in_each_round(expect):
    images = torch.cat([IMAGES, pictures(4, seed=1)])

    for num_rounds in (1, 2):
        result, _ = steal(seeded(OneHidden(), seed=3), images, num_rounds=num_rounds)
        weights = torch.cat([value.flatten() for value in result.state_dict().values()])
        expect.reference(
            weights, f"{num_rounds} rounds", "the weights after num_steps steps of Adam on all pairs a round"
        )


@pytest.mark.points(1, "train_substitute")
def test_training_a_substitute_leaves_no_trace(expect):
    images, substitute = IMAGES.clone(), seeded(SmallConvNet())

    with expect.unchanged(substitute=substitute, images=images):
        result, _ = steal(substitute, images, num_rounds=2)

    assert isinstance(result, nn.Module), f"the result is a {type(result).__name__}, expected the trained network"
    assert not any(module.training for module in result.modules()), "the trained copy comes back in eval mode"
    theirs = {value.untyped_storage().data_ptr() for value in substitute.state_dict().values()}
    ours = {value.untyped_storage().data_ptr() for value in result.state_dict().values()}
    assert not theirs & ours, "the result shares weights with substitute: train a deep copy"
    expect(steal(substitute, images, num_rounds=2)[0](images).detach(), result(images).detach(), "it can be repeated")
    learned = int(result.features[3].num_batches_tracked)
    expect(learned, 8, "batch norm learns from each of 2 x 4 batches in train mode, and from no others")


# the sibling of the two functions that are built on FGSM


def right_fgsm(expect, monkeypatch, network, eps):
    """Put a right answer in fgsm's place, what it gave for the three images when recorded; return that answer."""
    given, wanted = IMAGES.clone(), LABELS.clone()
    known = adversarial.fgsm(network, given, wanted, eps) if expect.recording is not None else None
    known = expect.remember(known, "adversarial images")

    def fgsm(model, images, labels, budget=None, *, eps=eps, targeted=False):
        assert not any(module.training for module in model.modules()), "the attack ran on a network in train mode"
        assert (eps if budget is None else budget) == allowed, "the attack gets the eps that you were given"
        assert not targeted, "the attack leads away from the labels: not targeted"
        model(images)
        rows = [
            [i for i in range(3) if torch.equal(x, given[i]) and k == wanted[i]]
            for x, k in zip(images, labels, strict=True)
        ]
        assert all(rows), "the attack gets the images and the labels that you were given"
        return known[[row[0] for row in rows]].clone()

    allowed = eps
    monkeypatch.setattr(adversarial, "fgsm", fgsm)
    return known


# transfer_attack


@pytest.mark.points(1, "transfer_attack")
def test_transfer_attack_is_the_whole_step_of_fgsm_on_the_substitute(expect, monkeypatch):
    substitute = seeded(SmallConvNet())
    known = right_fgsm(expect, monkeypatch, substitute, 0.01)

    result = adversarial.transfer_attack(substitute, IMAGES, LABELS, 0.01)

    expect(result, known, "FGSM on the substitute for the true labels, with all of eps, for every image")


@pytest.mark.points(1, "transfer_attack")
def test_transfer_attack_keeps_the_batch_and_leaves_no_trace(expect, monkeypatch):
    substitute, images = seeded(SmallConvNet()), IMAGES.clone()
    known = right_fgsm(expect, monkeypatch, substitute, 0.01)

    with expect.unchanged(substitute=substitute, images=images):
        result = adversarial.transfer_attack(substitute, images, LABELS, 0.01)
    one = adversarial.transfer_attack(substitute, images[1:2], LABELS[1:2], 0.01)

    expect.new(result, images=images)
    expect(one, known[1:2], "one image gives (1, 3, H, W)")


# attack_success

CLEAN = torch.tensor(
    [[4.0, 1, 0, 0], [0, 3, 1, 0], [0, 1, 5, 0], [3, 0, 0, 1], [2, 0, 1, 0], [0, 1, 0, 6], [1, 0, 4, 0]],
    dtype=torch.float64,
)
ATTACKED = torch.tensor(
    [[1.0, 4, 0, 0], [0, 2, -4, -4], [0, 6, 1, 1], [0, 6, 0, 1], [6, 5.9, 0, 0], [0, 1, 0, 6], [0, 0, 2, 5]],
    dtype=torch.float64,
)
TRUE = torch.tensor([0, 1, 2, 3, 0, 3, 2])  # the fourth is wrong on the clean picture already


def check_goal(expect, goal, plain, after_clean, formula, **options):
    logits, labels, clean = ATTACKED.clone(), TRUE.clone(), CLEAN.clone()
    with expect.unchanged(logits=logits, labels=labels, clean=clean):
        if plain is not None:
            result = adversarial.attack_success(logits, labels, goal, **options)
            expect(result, torch.tensor(plain).bool(), formula)
        result = adversarial.attack_success(logits, labels, goal, clean_logits=clean, **options)
    expect(result, torch.tensor(after_clean).bool(), f"{formula}; never where the clean picture was wrong already")
    one = adversarial.attack_success(logits[2:3], labels[2:3], goal, clean_logits=clean[2:3], **options)
    expect(one, torch.tensor(after_clean[2:3]).bool(), "one image gives (1,)")


@pytest.mark.points(1, "attack_success")
def test_misclassification_is_any_class_but_the_label(expect):
    check_goal(
        expect,
        "misclassification",
        [1, 0, 1, 1, 0, 0, 1],
        [1, 0, 1, 0, 0, 0, 1],
        "the largest logit is not the label's",
    )
    close = torch.tensor([[1.0, 1 + 1e-9, 0], [1 + 1e-9, 1, 0]], dtype=torch.float64)
    for goal, options in ("misclassification", {}), ("targeted", {"target": 1}):
        result = adversarial.attack_success(close, torch.tensor([0, 0]), goal, **options)
        expect(result, torch.tensor([True, False]), f"{goal}: the largest logit, by however little")


@pytest.mark.points(1, "attack_success")
def test_confidence_reduction_compares_probabilities_of_the_label(expect):
    # The second's logit falls but its probability rises, the fifth's the other way round; the sixth's stays.
    formula = "the label's probability is lower than on the clean picture"
    check_goal(expect, "confidence_reduction", None, [1, 0, 1, 0, 1, 0, 1], formula)
    clean = torch.tensor([[2.0, 0], [2, 0]], dtype=torch.float64)
    less = clean - torch.tensor([[1e-9, 0], [-1e-9, 0]], dtype=torch.float64)
    result = adversarial.attack_success(less, torch.tensor([0, 0]), "confidence_reduction", clean_logits=clean)
    expect(result, torch.tensor([True, False]), f"{formula}, by however little")


@pytest.mark.points(1, "attack_success")
def test_a_targeted_attack_succeeds_where_another_class_became_the_target(expect):
    formula = "the largest logit is the target's, which is not the label"
    check_goal(expect, "targeted", [1, 0, 1, 1, 0, 0, 0], [1, 0, 1, 0, 0, 0, 0], formula, target=1)
    check_goal(expect, "targeted", [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 1], formula, target=3)


@pytest.mark.points(1, "attack_success")
def test_source_to_target_counts_pictures_of_the_source_alone(expect):
    formula = "the target's logit is the largest and the label is the source"
    check_goal(expect, "source_to_target", [0, 0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0], formula, source=2, target=1)
    check_goal(expect, "source_to_target", [0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0], formula, source=3, target=1)
    check_goal(expect, "source_to_target", [0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0], formula, source=3, target=3)


# flip_labels


@pytest.mark.points(1, "flip_labels")
def test_exactly_the_fraction_of_labels_is_flipped_each_to_another_class(expect):
    labels = torch.arange(37) % 5

    counts, inside = [], []
    for fraction in (0.0, 0.1, 0.25, 0.5, 0.7, 1.0):
        flipped = adversarial.flip_labels(labels, fraction, 5, generator=seed())
        expect(torch.tensor(flipped.shape), torch.tensor([37]), "as many labels as were given")
        counts.append(int((flipped != labels).sum()))
        inside.append(int(((flipped >= 0) & (flipped < 5)).sum()))

    expect(
        torch.tensor(counts), torch.tensor([0, 4, 9, 18, 26, 37]), "round(fraction * N) labels differ from the old ones"
    )
    expect(torch.tensor(inside), torch.tensor([37] * 6), "every label is a class, 0 to K - 1")


@pytest.mark.points(1, "flip_labels")
def test_any_label_may_be_flipped_and_all_other_classes_are_as_likely(expect):
    labels = torch.arange(4000) % 5

    with expect.kept(labels=labels):
        flipped = adversarial.flip_labels(labels, 0.5, 5, generator=seed())

    places = (flipped != labels).nonzero().flatten() / 4000
    assert distance_from_uniform(places) < 0.05, "which labels change is random: all places are as likely"
    by_class = (labels[flipped != labels].bincount(minlength=5) / 400 - 1).abs().max()
    assert float(by_class) < 0.25, "which labels change does not depend on their class"
    counts = (labels * 10 + flipped)[flipped != labels].bincount(minlength=100).view(10, 10)[:5]  # (old, new)
    possible = ~torch.eye(5, 10, dtype=torch.bool) & (torch.arange(10) < 5)
    expect(
        counts > 0, possible, "from each class (row) to every other class (column) labels are flipped, and only there"
    )
    unlikely = (counts[possible] - 100).abs().max()
    assert int(unlikely) < 35, "all other classes are equally likely"
    absent = adversarial.flip_labels(torch.arange(60) % 3, 1.0, 5, generator=seed())
    expect(absent.unique(), torch.arange(5), "there are num_classes classes, also where some have no label yet")


@pytest.mark.points(1, "flip_labels")
def test_flipping_is_repeatable_and_leaves_the_labels(expect):
    labels = torch.arange(30) % 5

    with expect.unchanged(labels=labels):
        first = adversarial.flip_labels(labels, 0.5, 5, generator=seed())
        none = adversarial.flip_labels(labels, 0.0, 5, generator=seed())

    expect(none, torch.arange(30) % 5, "fraction 0 changes nothing")
    expect.new(none, labels=labels)
    expect(adversarial.flip_labels(labels, 0.5, 5, generator=seed()), first, "the same seed flips the same labels")
    other = adversarial.flip_labels(labels, 0.5, 5, generator=seed(1))
    assert not torch.equal(other, first), "another seed flips other labels"
    assert_goes_on(lambda generator: adversarial.flip_labels(labels, 0.5, 5, generator=generator))
    binary = adversarial.flip_labels(labels % 2, 1.0, 2, generator=seed())
    expect(binary, 1 - torch.arange(30) % 5 % 2, "with two classes there is one other")


# inject_samples


@pytest.mark.points(1, "inject_samples")
def test_injected_samples_follow_the_originals_each_with_its_label(expect):
    new_images, new_labels = pictures(2, seed=9), torch.tensor([1, 3])

    images, labels = adversarial.inject_samples(IMAGES, LABELS, new_images, new_labels)

    expect(torch.tensor(images.shape), torch.tensor([5, 3, *SIZE]), "N + M pictures")
    expect(images[:3], IMAGES, "the originals first, unchanged")
    expect(images[3:], new_images, "then the new ones, unchanged")
    expect(labels, torch.tensor([4, 0, 2, 1, 3]), "the labels in the order of the pictures, the originals first")


@pytest.mark.points(1, "inject_samples")
def test_injecting_leaves_no_trace(expect):
    given = {"images": IMAGES.clone(), "labels": LABELS.clone()}
    new = {"new_images": pictures(1, seed=9), "new_labels": torch.tensor([1])}

    with expect.unchanged(**given, **new):
        images, labels = adversarial.inject_samples(*given.values(), *new.values())

    expect.new(images, **given, **new)
    expect.new(labels, **given, **new)
    expect(images[-1:], new["new_images"], "one sample can be injected")
    joined, _ = adversarial.inject_samples(IMAGES.clone().requires_grad_(), LABELS, *new.values())
    expect(joined, images, "the same for images that ask for gradients, detached")
    expect(labels, torch.tensor([4, 0, 2, 1]), "one sample can be injected")


# corrupt_update


def some_gradients():
    return [numbers(2, 3, seed=1), numbers(4, seed=2), torch.tensor(-0.7).double(), 100 * numbers(1, 5, 2, seed=3)]


@pytest.mark.points(1, "corrupt_update")
def test_every_gradient_is_multiplied_by_the_scale(expect):
    for scale in (-1.0, 0.3, 1.0, -20.0):
        result = adversarial.corrupt_update(some_gradients(), scale=scale)
        assert isinstance(result, list), f"the result is a {type(result).__name__}, expected a list"
        expect(len(result), 4, "one tensor for each that was given")
        for mine, gradient in zip(result, some_gradients(), strict=True):
            expect(mine, scale * gradient, f"scale * gradient, scale {scale}")
    for mine, gradient in zip(adversarial.corrupt_update(some_gradients()), some_gradients(), strict=True):
        expect(mine, -1 * gradient, "without a scale every sign turns")


@pytest.mark.points(1, "corrupt_update")
def test_corrupting_makes_new_tensors(expect):
    gradients = some_gradients()
    named = {f"gradients[{i}]": gradient for i, gradient in enumerate(gradients)}

    with expect.unchanged(**named):
        result = adversarial.corrupt_update(gradients, scale=1.0)

    assert result is not gradients, "the result is a list of its own"
    for mine in result:
        expect.new(mine, **named)
    (joined,) = adversarial.corrupt_update((torch.ones(3).double().requires_grad_(),), scale=2.0)
    expect(joined, torch.full((3,), 2.0).double(), "a result that is joined to no graph; a tuple will do as well")


# adversarial_loss


def mean_surprise(logits, labels):
    """-log of the label's probability, on average."""
    return -logits.log_softmax(dim=1)[torch.arange(len(labels)), labels].mean()


@pytest.mark.points(1, "adversarial_loss")
def test_adversarial_loss_is_the_loss_on_the_attacked_pictures_and_its_gradient(expect, monkeypatch):
    model, twin = (seeded(SmallConvNet(), seed=1) for _ in range(2))
    known = right_fgsm(expect, monkeypatch, model, 0.1)

    loss = adversarial.adversarial_loss(model, IMAGES, LABELS, 0.1)

    # By a twin: the mode that the model is left in is another check's matter.
    right = mean_surprise(twin(known), LABELS)
    assert isinstance(loss, torch.Tensor), f"the result is a {type(loss).__name__}, expected a torch tensor"
    expect(loss.detach(), right.detach(), "mean over the images of the cross-entropy at the FGSM pictures, 0-d")
    assert loss.requires_grad, "the loss is detached: training needs its gradient in the parameters"
    mine = torch.autograd.grad(loss, list(model.parameters()))
    theirs = torch.autograd.grad(right, list(twin.parameters()))
    for one, other in zip(mine, theirs, strict=True):
        expect(one, other, "d loss / d parameter at the attacked pictures")


@pytest.mark.points(1, "adversarial_loss")
def test_adversarial_loss_in_train_mode_lets_batch_norm_see_the_attacked_pictures_only(expect, monkeypatch):
    model = seeded(SmallConvNet(), seed=1)
    known = right_fgsm(expect, monkeypatch, model, 0.1)
    twin = seeded(SmallConvNet(), seed=1).train()
    right = mean_surprise(twin(known), LABELS).detach()

    loss = adversarial.adversarial_loss(model.train(), IMAGES, LABELS, 0.1)

    expect(loss.detach(), right, "the loss itself in the caller's mode, here train mode")
    norm, twin_norm = model.features[3], twin.features[3]
    expect(norm.running_mean, twin_norm.running_mean, "batch norm moved once, by the attacked pictures")
    expect(norm.running_var, twin_norm.running_var, "batch norm moved once, by the attacked pictures")


@pytest.mark.points(1, "adversarial_loss")
def test_adversarial_loss_puts_every_module_back_into_its_own_mode(expect, monkeypatch):
    model = seeded(SmallConvNet(), seed=1)
    right_fgsm(expect, monkeypatch, model, 0.1)
    model.train()
    model.features[3].eval()  # frozen, as in fine-tuning

    bad = broken(model, "forward", "classifier")
    modes = torch.tensor([module.training for module in model.modules()])

    adversarial.adversarial_loss(model, IMAGES, LABELS, 0.1)
    with pytest.raises(Boom):
        adversarial.adversarial_loss(bad, IMAGES, LABELS, 0.1)

    after = torch.tensor([module.training for module in model.modules()])
    expect(after, modes, "training of each module as it was, whatever its neighbours are in")
    after = torch.tensor([module.training for module in bad.modules()])
    expect(after, modes, "training of each module as it was, also when the attack breaks")


@pytest.mark.points(1, "adversarial_loss")
def test_adversarial_loss_writes_no_gradient_and_works_under_no_grad(expect, monkeypatch):
    model, images, labels = seeded(SmallConvNet(), seed=1), IMAGES.clone(), LABELS.clone()
    known = right_fgsm(expect, monkeypatch, model, 0.1)

    with expect.unchanged(model=model, images=images, labels=labels), torch.no_grad():
        loss = adversarial.adversarial_loss(model, images, labels, 0.1)

    expect(
        loss.detach(), mean_surprise(model(known), LABELS).detach(), "the same loss under the caller's torch.no_grad()"
    )
    used = used_network(model)
    adversarial.adversarial_loss(used, images, labels, 0.1)
    kept = all(parameter.grad is not None and parameter.grad.any() for parameter in used.parameters())
    assert kept, "gradients that were stored in the parameters before the call are gone: leave them"
    one = adversarial.adversarial_loss(model, images[1:2], labels[1:2], 0.1)
    expect(one.detach(), mean_surprise(model(known[1:2]), LABELS[1:2]).detach(), "one image will do")


# reencode


@pytest.mark.points(1, "reencode")
def test_reencoding_gives_the_nearest_of_the_levels(expect):
    images = inner_pictures()
    images[0, 0, 0, :2] = torch.tensor([0.01, 0.49]).double()

    for levels in (2, 5, 256):
        result = adversarial.reencode(images, levels=levels)
        grid = torch.linspace(0, 1, levels, dtype=torch.float64)
        nearest = grid[(images[..., None] - grid).abs().argmin(dim=-1)]
        expect(result, nearest, f"the nearest of {levels} equally spaced values from 0 to 1")


@pytest.mark.points(1, "reencode")
def test_reencoding_twice_is_reencoding_once_and_leaves_no_trace(expect):
    images = IMAGES.clone().requires_grad_()

    with expect.unchanged(images=images):
        once = adversarial.reencode(images, levels=7)

    assert not once.requires_grad, "the result is still joined to the autograd graph: detach it"
    expect(adversarial.reencode(once, levels=7), once, "what is on the grid stays")
    ends = torch.tensor([0.0, 1.0]).double().expand(1, 3, 2, 2).contiguous()
    expect(adversarial.reencode(ends, levels=4), ends, "0 and 1 are levels")
    expect.new(once, images=images)
    expect(adversarial.reencode(IMAGES.float(), levels=7), once.float(), "float32 gives float32")
    assert not torch.equal(once, IMAGES), "nothing was rounded"


# noisy_predict


def look(model, images, number=0, **options):
    """The answer, and for each image the noise of its copies, as they were shown to the network."""
    recorder = Recorder(model)
    result = adversarial.noisy_predict(recorder, images, generator=seed(number), **options)
    return result, by_image(recorder, images)


@pytest.mark.points(1, "noisy_predict")
def test_noisy_prediction_is_the_mean_probability_over_the_copies(expect):
    model = seeded(SmallConvNet())

    result, copies = look(model, IMAGES, sigma=0.2, num_samples=6)

    counts = torch.tensor([len(group) for group in copies])
    expect(counts, torch.tensor([6, 6, 6]), "num_samples copies of each image are shown")
    means = torch.stack([model(group).softmax(dim=1).mean(dim=0) for group in copies]).detach()
    expect(result, means, "the mean of the softmax, not the softmax of a mean")


@pytest.mark.points(1, "noisy_predict")
def test_noise_is_normal_own_for_each_copy_and_not_clamped():
    model = seeded(SmallConvNet())

    _, copies = look(model, IMAGES, sigma=0.2, num_samples=6)

    noise = torch.cat([group - image for group, image in zip(copies, IMAGES, strict=True)]) / 0.2
    one, two, _ = (group - image for group, image in zip(copies, IMAGES, strict=True))
    for i, j in itertools.combinations(range(6), 2):
        assert not torch.allclose(one[i], one[j], atol=1e-6), "two copies have the same noise: draw it for each copy"
        assert not torch.allclose(one[i], -one[j], atol=1e-6), "two copies have opposite noise: draw it for each copy"
    for mine, other in itertools.product(one, two):
        assert not torch.allclose(mine, other, atol=1e-6), "two images have the same noise: draw it for each image"
    assert not torch.allclose(noise[:, 0], noise[:, 1]), (
        "the three channels have the same noise: draw it for each value"
    )
    assert not torch.allclose(noise[:, :, 0], noise[:, :, 1]), "two rows have the same noise: draw it for each value"
    assert float(torch.cat(copies).min()) < -0.05, "the noisy copies are clamped: leave them as they are"
    assert abs(noise.std().item() - 1) < 0.06, f"the noise is {noise.std().item():.2f} times as strong as sigma"
    assert distance_from_uniform((noise / 2**0.5).erf() / 2 + 0.5) < 0.04, "the noise is normal, with mean 0"


@pytest.mark.points(1, "noisy_predict")
def test_noisy_prediction_leaves_no_trace_and_repeats(expect):
    model, images = seeded(SmallConvNet()), IMAGES.clone()

    def call(model, images, sigma=0.2):
        return adversarial.noisy_predict(model, images, sigma=sigma, num_samples=2, generator=seed())

    with expect.unchanged(model=model, images=images):
        result = call(model, images)
    expect.new(result, images=images)
    expect(call(model, images.clone().requires_grad_()), result, "the same for images that ask for gradients, detached")
    assert_same_however_called(expect, lambda m, x: call(m, x, sigma=0.0), model, images)
    assert not torch.allclose(look(model, images, 1, sigma=0.2, num_samples=2)[0], result), "another seed, other noise"
    options = {"sigma": 0.2, "num_samples": 2}
    assert_goes_on(lambda generator: adversarial.noisy_predict(model, images, **options, generator=generator))
    still, _ = look(model, images[:1], sigma=0.0, num_samples=2)
    expect(still, model(images[:1]).softmax(dim=1).detach(), "without noise the network's own probabilities, (1, K)")
    bad = broken(model, "forward")
    with expect.unchanged(model=bad, images=images), pytest.raises(Boom):
        call(bad, images)
