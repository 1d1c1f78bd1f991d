"""The one-pixel attack: every picture that it shows to `predict` is recorded and checked."""

import itertools

import pytest
import torch

from assignment2 import adversarial
from coursekit.checks.evolution import fit, generations_of, genes_of, parents, redrawn
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
    diagonal = torch.corrcoef(first[:, :2].T)[0, 1].item()
    assert abs(diagonal) < 0.2, f"rows and columns of the start have the correlation {diagonal:.2f}: draw each alone"
    check_redrawn(box)
    border = ((second[:, 0] == 0) | (second[:, 0] == 7)).double().mean().item()
    assert border < 0.28, f"{border:.0%} of the children lie in the first or last row: draw what falls outside anew"


def check_redrawn(box):
    """Hold positions that fall outside to being drawn anew: uniform, for each child, whatever stood there before."""
    for axis, size in (1, (2, 40)), (0, (40, 2)):
        image, runs = pictures(1, size=size)[0], []
        for number in range(30):
            flat = BlackBox(box.answer)
            adversarial.one_pixel_attack(flat, image, 2, population=12, generations=1, generator=seed(number))
            runs.append(generations_of(flat, image, 12, box.answer)[0])
        found, name = redrawn(runs, axis, 40), ("row", "column")[axis]
        low, middle, high = found.place.quantile(torch.tensor([0.25, 0.5, 0.75]).double()).tolist()
        assert distance_from_uniform((found.place + 0.5) / 40) < 0.4, (
            f"of what falls outside 40 {name}s, a quarter comes to lie below {low:.0f}, half below {middle:.0f}, "
            f"three quarters below {high:.0f}: draw it anew, uniform in [0, 40) here"
        )
        alike = torch.corrcoef(torch.stack([found.place, found.outside]))[0, 1].item()
        assert alike < 0.65, f"a {name} outside the image is turned back at the border: draw it anew"
        assert alike > -0.65, f"a {name} outside the image comes in at the other end: draw it anew"
        alike = torch.corrcoef(torch.stack([found.place, found.old]))[0, 1].item()
        assert abs(alike) < 0.65, f"a {name} outside the image becomes the old member's: draw it anew"
        same_run = found.run[:, None] == found.run
        equal = (found.place[:, None] == found.place)[same_run & ~torch.eye(len(same_run), dtype=torch.bool)]
        assert float(equal.double().mean()) < 0.4, f"children outside the image get one {name}: draw one for each"
        check_two_places(runs, 1 - axis)


def check_two_places(runs, axis):
    """Hold children of three members in places p, p, 1 - p of two: half of them fall outside, and half of these change over."""
    upper = (torch.cat([members for members, _ in runs])[:, axis] == 0).double().mean().item()
    assert abs(upper - 0.5) < 0.13, f"{upper:.0%} of the start lie in the first of two places, expected 50%: round down"
    trios, stays = torch.tensor([*itertools.permutations(range(12), 3)]), ([], [])
    for place, (members, children) in itertools.product((0, 1), runs):
        mixed = trios[(members[trios][:, :, axis] == torch.tensor([place, place, 1 - place])).all(dim=1)]
        come_from_such = fit(children, members[mixed]).same_colour.any(dim=1)
        stays[place].extend((children[come_from_such, axis] == place).tolist())
    below, above = (f"{sum(stay)} of {len(stay)}" for stay in stays)
    assert not any(map(all, stays)), (
        f"half of the children of members at 0, 0 and 1 fall below 0, and half of these change to 1: {below} are at 0; "
        f"of 1, 1 and 0 {above} are at 1: test the real number, not the rounded one, and draw from both places"
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
        pairs = zip(genes[1:], pools, strict=True)
        return [sum(bool(trios.any()) for trios in parents(*pair, sides, choose)) for pair in pairs]

    old_pools, right = [[old] * 9 for old in olds[:-1]], lambda i: itertools.permutations(others(i), 3)
    drawn = [parents(*pair, sides, right) for pair in zip(genes[1:], old_pools, strict=True)]
    count = [sum(bool(trios.any()) for trios in generation) for generation in drawn]
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
    for_ever = all(bool(torch.stack(trios).all(dim=0).any()) for trios in zip(*drawn, strict=True))
    assert not for_ever, "child i comes from the same three members in every generation: draw them anew"
    box = certain_network()
    adversarial.one_pixel_attack(box, image, 2, population=9, generations=1, generator=seed(4))
    (first, second), _ = generations_of(box, image, 9, box.answer)
    again = parents(second, [first] * 9, sides, right)
    same = all(bool((one & other).any()) for one, other in zip(drawn[0], again, strict=True))
    assert not same, "another seed draws the same members: take all random numbers from generator"


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
