"""The one-pixel attack: every picture that it shows to `predict` is recorded and checked."""

import itertools

import pytest
import torch

from assignment2 import adversarial
from coursekit.checks.laws import strided
from coursekit.checks.randomness import assert_goes_on, distance_from_uniform, seed
from coursekit.checks.recorder import BlackBox
from coursekit.checks.small_networks import SIZE, Boom, Linear, broken, pictures, seeded


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


def check_fittest(expect, result, box, fitness, formula):
    """Hold a result to being one of the pictures that were shown, as fit as the fittest: of equals any one will do."""
    found = (box.shown() == result).flatten(1).all(dim=1)
    assert bool(found.any()), "the result was never shown to predict: return the fittest member's picture"
    expect(fitness[found].min(), fitness.min(), formula)


@pytest.mark.points(1, "one_pixel_attack")
def test_one_pixel_attack_replaces_one_pixel_and_counts_its_queries(expect, images):
    """Exactly one pixel differs, the fittest member is returned, and queries counts the pictures shown."""
    box, image = certain_network(), images[0].clone()

    with expect.unchanged(image=image):
        result, queries = adversarial.one_pixel_attack(box, image, 2, population=8, generations=3, generator=seed())

    shown = box.shown()
    expect(len(shown), 32, "8 members at the start and 8 children in each of 3 generations are shown")
    expect(queries, 32, "queries is an int, the number of pictures shown to predict")
    genes_of(shown, image)
    formula = "the label's probability: of all candidates the fittest; a member is replaced only by a fitter one"
    check_fittest(expect, result, box, box.answer(shown)[:, 2].detach(), formula)
    expect.new(result, image=image)
    options = {"population": 8, "generations": 3, "generator": None}
    for given in strided(image), image.clone().requires_grad_():
        same, _ = adversarial.one_pixel_attack(certain_network(), given, 2, **{**options, "generator": seed()})
        expect(same, result, "the same for a picture of any strides, and for one that asks for gradients, detached")
    single = BlackBox(lambda images: box.answer(images.double()))
    one, _ = adversarial.one_pixel_attack(single, image.float(), 2, **{**options, "generator": seed()})
    expect(one, one.detach().double().float(), "a float32 picture gives a float32 picture")
    options = {"population": 8, "generations": 0}
    assert_goes_on(lambda g: adversarial.one_pixel_attack(box, image, 2, **options, generator=g)[0])
    breaks = BlackBox(broken(seeded(Linear()), "forward"))
    with expect.unchanged(image=image), pytest.raises(Boom):
        adversarial.one_pixel_attack(breaks, image, 2, population=8, generations=3, generator=seed())


@pytest.mark.points(1, "one_pixel_attack")
def test_one_pixel_attack_starts_everywhere_with_every_colour_and_redraws_what_falls_outside(expect):
    """The start is uniform in position and colour; positions outside are redrawn, colours clipped."""
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
        assert distance_from_uniform((first[:, axis] + 0.5) / side) < 0.5 / side + 0.11, (
            "the start's positions are uniform"
        )
    assert distance_from_uniform(first[:, 2:]) < 0.06, "the start's colours are uniform in [0, 1]"
    assert float((first[:, 2:4].diff()).abs().max()) > 0.5, "the three channels of a colour are drawn each alone"
    colours = second[:, 2:]
    assert bool(((colours >= 0) & (colours <= 1)).all()), "a child's colour leaves [0, 1]: clip it"
    clipped = ((colours == 0) | (colours == 1)).double().mean().item()
    assert clipped < 0.25, (
        f"{clipped:.0%} of the children's colours are clipped, expected 17%: half of a difference is added"
    )
    border = ((second[:, 0] == 0) | (second[:, 0] == 7)).double().mean().item()
    assert border < 0.28, f"{border:.0%} of the children lie in the first or last row: draw what falls outside anew"
    low, children = pictures(1, size=(2, 30))[0], []
    for number in 1, 2:
        flat = BlackBox(box.answer)
        adversarial.one_pixel_attack(flat, low, 2, population=1500, generations=1, generator=seed(number))
        children.append(genes_of(flat.shown()[1500:], low)[0])
    rows, columns = torch.cat(children).unbind(dim=1)
    upper = (rows == 0).double().mean().item()
    assert abs(upper - 0.5) < 0.05, f"{upper:.0%} of the children lie in the upper of two rows: draw anew from both"
    left = (columns < 2).double().mean().item()
    assert left < 0.1, f"{left:.0%} of the children lie in the first two of 30 columns: draw anew from all of them"


def comes_from(child, trios, sides):
    """Whether a child is r1 + 0.5 (r2 - r3) of one of these trios of members, (M, 3, 5)."""
    one, two, three = trios.unbind(dim=1)
    colours = (one + 0.5 * (two - three))[:, 2:].clamp(min=0).clamp(max=1)
    # A position is known to the pixel only, so that the sum is known to an interval.
    low = one[:, :2] + 0.5 * (two[:, :2] - three[:, :2] - 1)
    high = low + 2
    may_be_outside = (low < 0) | (high > sides)
    same_colour = ((colours - child[2:]).abs() < 1e-9).all(dim=1)
    possible = ((child[:2] < high) & (child[:2] + 1 > low)) | may_be_outside
    return bool((same_colour & possible.all(dim=1)).any())


def explained(children, pools, sides, choose):
    """How many children come from a trio of their pool; choose(i) lists the trios that child i may come from."""
    return sum(
        comes_from(child, pool[torch.tensor([*choose(i)])], sides)
        for i, (child, pool) in enumerate(zip(children, pools, strict=True))
    )


EVERYBODY = range(9)


def others(i):
    return [j for j in EVERYBODY if j != i]


TRIOS = {  # how children are made by mistake, and which trios that allows
    "some children have their own parent among their three members": lambda _: itertools.permutations(EVERYBODY, 3),
    "some children come from one member twice": lambda i: itertools.product(others(i), repeat=3),
    "some children come from one member twice, or from their own parent": lambda _: itertools.product(
        EVERYBODY, repeat=3
    ),
}


@pytest.mark.points(1, "one_pixel_attack")
def test_one_pixel_children_come_from_three_other_members_and_replace_a_less_fit_parent(expect, images):
    """Each child is r1 + 0.5 (r2 - r3) of three other members, and replaces its parent only if fitter."""
    image, sides = images[0], torch.tensor(SIZE)
    box = certain_network()

    with expect.kept(image=image):
        adversarial.one_pixel_attack(box, image, 2, population=9, generations=6, generator=seed(3))

    genes, answers = generations_of(box, image, 9, box.answer)
    doubts, olds, news, bests = answers[0][:, 2], [genes[0]], [], []
    for children, answer in zip(genes[1:], answers[1:], strict=True):
        fitter, old = answer[:, 2] < doubts, olds[-1]
        bests.append([torch.cat([old, old[doubts.argmin()][None]])] * 9)
        olds.append(torch.where(fitter[:, None], children, old))
        doubts = torch.where(fitter, answer[:, 2], doubts)
        news.append([torch.cat([olds[-1][:i], old[i:]]) for i in EVERYBODY])

    def found(pools, choose):
        return [explained(*pair, sides, choose) for pair in zip(genes[1:], pools, strict=True)]

    old_pools, right = [[old] * 9 for old in olds[:-1]], lambda i: itertools.permutations(others(i), 3)
    count = found(old_pools, right)
    if min(count) < 9:
        fittest = found(bests, lambda _: ((9, *pair) for pair in itertools.permutations(EVERYBODY, 2)))
        assert min(fittest) < 9, "every child starts from the fittest member: all three are drawn"
        for what, choose in TRIOS.items():
            every = "every child has its own parent among its three members"
            assert min(found(old_pools, choose)) < 9, what if sum(count) else every
        early = min(found(news, right)) == 9
        assert not early, "some children come from members of the new generation: make all from the old one"
    formula = "in every generation all 9 children are r1 + 0.5 (r2 - r3) of three other surviving members"
    expect(torch.tensor(count), torch.full((6,), 9), formula)


def moody_network(images):
    """Class 1 gains with the red and class 3 with the blue of the pixel that replaces a grey one, class 0 loses with both."""
    red, _, blue = (images - 0.5).sum(dim=(2, 3)).unbind(dim=1)  # each between -0.5 and 0.5
    return torch.stack([1.6 - 2 * red - blue, 2 * red, red - 3, 3 * blue], dim=1).softmax(dim=1)


@pytest.mark.points(1, "one_pixel_attack")
def test_one_pixel_attack_stops_before_the_generation_after_the_fittest_succeeds(expect):
    """The search stops before the next generation once the fittest member succeeds."""
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
            check_fittest(expect, result, box, torch.cat(fitness), f"target {target}: the fittest of all candidates")
    for target in None, 0:
        fooled = BlackBox(lambda images: torch.tensor([0.6, 0.3, 0.1]).double().expand(len(images), 3))
        _, queries = adversarial.one_pixel_attack(
            fooled, image, 1, target=target, population=5, generations=7, generator=seed()
        )
        expect(queries, 5, f"target {target}: if the start succeeds already, no generation follows")
