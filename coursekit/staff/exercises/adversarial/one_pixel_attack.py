"""Exercise one_pixel_attack: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.adversarial.shared import ONE_SOURCE

HINTS = (
    "Evolution without crossover: members, children made of three others, and each child fights its own parent.",
    (
        "Write three helpers: one paints a member's pixel on a copy of the picture, one shows many members to predict, "
        "one draws random members."
    ),
    (
        "Keep what predict said of every member: you need it to compare, to find the fittest, and to know whether it "
        "succeeds. Count every picture shown."
    ),
    "child_i = r1 + 0.5 (r2 - r3), r1, r2, r3 different from each other and from i; x_i <- child_i if p_label(child_i) < p_label(x_i)",
)

MISTAKES = (
    mistake(
        "as fit as the parent is enough",
        "< sign * scores[:, [wanted]]",
        "<= sign * scores[:, [wanted]]",
        hint="When parent and child are equally fit, who stays?",
    ),
    mistake(
        "start not looked at",
        "for _ in range(generations):",
        "for generation in range(generations):",
        "if (scores[best]",
        "if generation > 0 and (scores[best]",
        hint="What if somebody has won before the first generation?",
    ),
    mistake(
        "drawn anew in a square",
        "fresh = sides *",
        "fresh = sides.clamp(max=min(image.shape[1:])) *",
        hint="A picture need not be square: some places are never drawn a second time.",
    ),
    mistake(
        "last row and column never drawn anew",
        "fresh = sides *",
        "fresh = (sides - 1) *",
        hint="A place that is drawn anew may lie in any row and column: which ones does your second draw leave out?",
    ),
    mistake(
        "crossover",
        "        child_scores, queries",
        "        keep = uniform(population, 5, like=image, generator=generator) < 0.5\n"
        "        children = torch.where(keep, members, children)\n        child_scores, queries",
        hint="A child here inherits nothing directly from its parent: this variant of the search does not cross.",
    ),
    mistake(
        "parent among the three",
        ".fill_diagonal_(2)",
        ".fill_diagonal_(-1)",
        hint="Whose sum is a child? Its parent is not among them.",
    ),
    mistake(
        "parent not excluded",
        ".fill_diagonal_(2)",
        "",
        hint="Now and then a parent helps to make its own child: it must not.",
    ),
    mistake(
        "the same member twice",
        "one, two, three = order.topk(3, dim=1, largest=False).indices.unbind(dim=1)",
        "one, two, three = (order.roll(k, 0).argmin(dim=1).roll(-k) for k in range(3))",
        hint="Two of the three can be the same member in your draw: then nothing new comes of the difference.",
    ),
    mistake(
        "whole difference",
        "0.5 * (",
        "1.0 * (",
        hint="How much of the difference of two members is added? Less than you do.",
    ),
    mistake(
        "sum instead of difference",
        "members[two] - members[three]",
        "members[two] + members[three]",
        hint="Two members that are alike should move the third by next to nothing.",
    ),
    mistake(
        "compared with the best",
        "< sign * scores[:, [wanted]]",
        "< (sign * scores[:, [wanted]]).min()",
        hint="A child competes with its own parent; the best of all is too high a bar.",
    ),
    mistake(
        "children always win",
        "sign * child_scores[:, [wanted]] < sign * scores[:, [wanted]]",
        "torch.ones(population, 1, dtype=torch.bool)",
        hint="Good members are lost in your search: when may a child take a place?",
    ),
    mistake(
        "the less fit survives",
        "sign * child_scores[:, [wanted]] < sign",
        "sign * child_scores[:, [wanted]] > sign",
        hint="Follow the best score over the generations: your search makes things worse.",
    ),
    mistake(
        "old scores kept",
        "scores = torch.where(fitter, child_scores, scores)",
        "pass",
        hint="When a child takes a place, what the box said about it comes along.",
    ),
    mistake(
        "colour added",
        "row, column] = genes",
        "row, column] += genes",
        hint="The pixel is replaced: nothing of its old colour remains.",
    ),
    mistake(
        "three channels, three pixels",
        "images[torch.arange(len(genes)), :, row, column] = genes[:, 2:]",
        "for c in range(3):\n            images[torch.arange(len(genes)), c, (row + c) % image.shape[1], column] = genes[:, 2 + c]",
        hint="Count the places in which a candidate differs from the picture.",
    ),
    mistake(
        "one channel only",
        "row, column] = genes[:, 2:]",
        "row, column] = genes[:, 2:3]",
        hint="A colour has three numbers; your pixels are all grey.",
    ),
    mistake(
        "x and y swapped",
        "row, column = genes",
        "column, row = genes",
        hint="Try a picture that is wider than high: which number says the line?",
    ),
    mistake(
        "rounded to the nearest pixel",
        "genes[:, :2].long()",
        "torch.minimum(genes[:, :2].round().long(), sides[:2].long() - 1)",
        hint="How likely is each line of the picture at the start? The first one gets too little.",
    ),
    mistake(
        "clamped onto the border",
        "torch.where(inside, children[:, :2], fresh[:, :2])",
        "torch.minimum(children[:, :2].clamp(min=0), sides[:2] - 1e-6)",
        hint="Your candidates pile up at the edge of the picture: what falls outside is drawn again.",
    ),
    mistake(
        "colour not clipped",
        "children[:, 2:].clamp(0, 1)",
        "children[:, 2:]",
        hint="Look at the largest value in what you show: no picture has it.",
    ),
    mistake(
        "Gaussian colours",
        "    scores, queries = show",
        "    members[:, 2:] = (0.5 + 0.2 * normal(population, 3, like=image, generator=generator)).clamp(0, 1)\n    scores, queries = show",
        hint="At the start all colours are as likely; yours crowd in the middle.",
    ),
    mistake(
        "start not counted",
        "scores, queries = show(members), population",
        "scores, queries = show(members), 0",
        hint="The first generation was shown as well.",
    ),
    mistake(
        "batches counted",
        "queries + population",
        "queries + 1",
        hint="A batch of pictures costs as many questions as it has pictures.",
    ),
    mistake(
        "never stops",
        "(scores[best].argmax() == wanted) == (target is not None)",
        "False",
        hint="The search goes on after it has succeeded, and every question counts.",
    ),
    mistake(
        "stops when anybody succeeds",
        "(scores[best].argmax() == wanted) == (target is not None)",
        "((scores.argmax(dim=1) == wanted) == (target is not None)).any()",
        hint="Whether the search is over is up to one member, the fittest.",
    ),
    mistake(
        "target ignored when stopping",
        "(scores[best].argmax() == wanted) == (target is not None)",
        "scores[best].argmax() != label",
        hint="With a wanted class, being wrong somehow is too little.",
    ),
    mistake(
        "target ignored",
        "(label, 1) if target is None else (target, -1)",
        "(label, 1)",
        "== (target is not None)",
        "== False",
        hint="What changes in your search when a class is wanted? Nothing does.",
    ),
    mistake(
        "first member returned",
        "paint(members[best][None])[0]",
        "paint(members[:1])[0]",
        hint="Of the last members, which one is the answer?",
    ),
    mistake(
        "global generator",
        "sides * uniform(population, 5, like=image, generator=generator)\n    scores",
        "sides * torch.rand(population, 5, dtype=image.dtype)\n    scores",
        hint=ONE_SOURCE,
    ),
    mistake(
        "caller's image edited",
        "    return paint(members[best][None])[0], queries",
        "    image.copy_(paint(members[best][None])[0])\n    return image, queries",
        hint="The picture that you were given is another one after the call.",
    ),
    mistake(
        "best member as base",
        "members[one] + 0.5",
        "members[best] + 0.5",
        hint="Your children all start from the best member (DE/best/1): the base is a random member.",
    ),
)

VARIANTS = (
    variant(
        "of equally fit members the last",
        body="""
        mine = label if target is None else target

        def paint(genes):
            pictures = image.detach().repeat(population, 1, 1, 1)
            for picture, (y, x, *color) in zip(pictures, genes.tolist()):
                picture[:, int(y), int(x)] = torch.tensor(color, dtype=image.dtype)
            return pictures

        def fitness(rows):
            return -rows[:, mine] if target is None else rows[:, mine]

        def fittest():
            fit = fitness(rows)
            return max(range(population), key=lambda i: (float(fit[i]), i))

        sides = torch.tensor([image.shape[1], image.shape[2], 1, 1, 1], dtype=image.dtype)
        genes = uniform(population, 5, like=image, generator=generator) * sides
        rows, queries = predict(paint(genes)), population
        for _ in range(generations):
            top = int(rows[fittest()].argmax())
            if (top == target) if target is not None else (top != label):
                break
            orders = uniform(population, population, like=image, generator=generator).argsort(dim=1).tolist()
            trios = [[j for j in order if j != i][:3] for i, order in enumerate(orders)]
            a, b, c = torch.tensor(trios).T
            children = genes[a] + (genes[b] - genes[c]) / 2
            again = uniform(population, 5, like=image, generator=generator) * sides
            for axis in 0, 1:
                lost = (children[:, axis] < 0) | (children[:, axis] >= sides[axis])
                children[lost, axis] = again[lost, axis]
            children[:, 2:].clamp_(0, 1)
            answers = predict(paint(children))
            queries += population
            better = fitness(answers) > fitness(rows)
            genes[better], rows[better] = children[better], answers[better]
        return paint(genes)[fittest()].clone(), queries
        """,
    ),
    variant(
        "loops and Python numbers",
        body="""
        height, width = image.shape[1:]

        def one():
            return uniform(1, like=image, generator=generator).item()

        def member():
            return [one() * height, one() * width, one(), one(), one()]

        def show(members):
            rows = []
            for y, x, *colour in members:
                picture = image.detach().clone()
                picture[:, int(y), int(x)] = torch.tensor(colour, dtype=image.dtype)
                rows.append(predict(picture[None])[0])
            return rows

        def fitness(row):
            return float(row[label]) if target is None else -float(row[target])

        def picture_of(gene):
            picture = image.detach().clone()
            picture[:, int(gene[0]), int(gene[1])] = torch.tensor(gene[2:], dtype=image.dtype)
            return picture

        members = [member() for _ in range(population)]
        rows = show(members)
        queries = population
        for _ in range(generations):
            best = min(range(population), key=lambda i: fitness(rows[i]))
            top = int(rows[best].argmax())
            if (target is None and top != label) or (target is not None and top == target):
                break
            children = []
            for i in range(population):
                others = [j for j in range(population) if j != i]
                a, b, c = (others.pop(int(one() * len(others))) for _ in range(3))
                child = [p + 0.5 * (q - r) for p, q, r in zip(members[a], members[b], members[c])]
                if not 0 <= child[0] < height:
                    child[0] = one() * height
                if not 0 <= child[1] < width:
                    child[1] = one() * width
                child[2:] = [min(max(value, 0.0), 1.0) for value in child[2:]]
                children.append(child)
            answers = show(children)
            queries += population
            for i in range(population):
                if fitness(answers[i]) < fitness(rows[i]):
                    members[i], rows[i] = children[i], answers[i]
        best = min(range(population), key=lambda i: fitness(rows[i]))
        return picture_of(members[best]), queries
        """,
    ),
    variant("all at once", "0, population, 25", "0, population, population", "i + 25", "i + population"),
    variant(
        "weighted draw of three others",
        "order = uniform(population, population, like=image, generator=generator).fill_diagonal_(2)",
        "chances = 1 - torch.eye(population)",
        "order.topk(3, dim=1, largest=False).indices.unbind(dim=1)",
        "torch.multinomial(chances, 3, generator=generator).unbind(dim=1)",
    ),
    variant(
        "other order of draws",
        "children = members[one] + 0.5 * (members[two] - members[three])\n"
        "        fresh = sides * uniform(population, 5, like=image, generator=generator)",
        "fresh = sides * uniform(5, population, like=image, generator=generator).T\n"
        "        children = torch.lerp(members[three], members[two], 0.5) - members[three] + members[one]",
    ),
)
