"""Exercise one_pixel_attack: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.adversarial.shared import ONE_SOURCE

HINTS = (
    (
        "It is differential evolution without crossover. Three other members make a child, and each child "
        "competes with its own parent."
    ),
    (
        "Write three helpers. One paints a member's pixel on a copy of the image, one shows members to "
        "predict, one draws random members."
    ),
    (
        "Keep the probabilities of every member. You need them to compare, to find the best, and to know "
        "when to stop. Count every image that you show."
    ),
    "child_i = r1 + 0.5 (r2 - r3), r1, r2, r3 different from each other and from i; x_i <- child_i if p_label(child_i) < p_label(x_i)",
)

MISTAKES = (
    mistake(
        "class 0 is no target",
        "if target is None else",
        "if not target else",
        hint="Your target 0 counts as no target: 0 is a class, and only None means that there is none.",
    ),
    mistake(
        "as fit as the parent is enough",
        "< sign * scores[:, [wanted]]",
        "<= sign * scores[:, [wanted]]",
        hint="You replace a parent by an equally fit child: replace it only by a strictly fitter one.",
    ),
    mistake(
        "start not looked at",
        "for _ in range(generations):",
        "for generation in range(generations):",
        "if (scores[best]",
        "if generation > 0 and (scores[best]",
        hint="You skip the stop test before the first generation: a start member may already succeed.",
    ),
    mistake(
        "drawn anew in a square",
        "fresh = sides *",
        "fresh = sides.clamp(max=min(image.shape[1:])) *",
        hint="You draw new positions from a square: draw rows up to H and columns up to W.",
    ),
    mistake(
        "last row and column never drawn anew",
        "fresh = sides *",
        "fresh = (sides - 1) *",
        hint="Your new positions never reach the last row and column: draw over the full H and W.",
    ),
    mistake(
        "crossover",
        "        child_scores, queries",
        "        keep = uniform(population, 5, like=image, generator=generator) < 0.5\n"
        "        children = torch.where(keep, members, children)\n        child_scores, queries",
        hint="You keep some genes of the parent (crossover): here all genes come from the three others.",
    ),
    mistake(
        "parent among the three",
        ".fill_diagonal_(2)",
        ".fill_diagonal_(-1)",
        hint="The parent itself is always among your three members: exclude it.",
    ),
    mistake(
        "parent not excluded",
        ".fill_diagonal_(2)",
        "",
        hint="The parent can be among your three members: exclude it.",
    ),
    mistake(
        "the same member twice",
        "one, two, three = order.topk(3, dim=1, largest=False).indices.unbind(dim=1)",
        "one, two, three = (order.roll(k, 0).argmin(dim=1).roll(-k) for k in range(3))",
        hint="Your three members can be equal: draw three different ones.",
    ),
    mistake(
        "whole difference",
        "0.5 * (",
        "1.0 * (",
        hint="You add the whole difference of two members: add half of it.",
    ),
    mistake(
        "sum instead of difference",
        "members[two] - members[three]",
        "members[two] + members[three]",
        hint="You add the sum of two members: add half of their difference.",
    ),
    mistake(
        "compared with the best",
        "< sign * scores[:, [wanted]]",
        "< (sign * scores[:, [wanted]]).min()",
        hint="You compare each child with the best member: compare it with its own parent.",
    ),
    mistake(
        "children always win",
        "sign * child_scores[:, [wanted]] < sign * scores[:, [wanted]]",
        "torch.ones(population, 1, dtype=torch.bool)",
        hint="You always replace the parent: replace it only if the child is fitter.",
    ),
    mistake(
        "the less fit survives",
        "sign * child_scores[:, [wanted]] < sign",
        "sign * child_scores[:, [wanted]] > sign",
        hint="Your comparison is reversed: keep the fitter of parent and child.",
    ),
    mistake(
        "old scores kept",
        "scores = torch.where(fitter, child_scores, scores)",
        "pass",
        hint="When a child replaces its parent, you keep the parent's scores: store the child's.",
    ),
    mistake(
        "colour added",
        "row, column] = genes",
        "row, column] += genes",
        hint="You add the colour to the old pixel: replace the pixel.",
    ),
    mistake(
        "three channels, three pixels",
        "images[torch.arange(len(genes)), :, row, column] = genes[:, 2:]",
        "for c in range(3):\n            images[torch.arange(len(genes)), c, (row + c) % image.shape[1], column] = genes[:, 2 + c]",
        hint="You change three pixels, one per channel: change all channels of one pixel.",
    ),
    mistake(
        "one channel only",
        "row, column] = genes[:, 2:]",
        "row, column] = genes[:, 2:3]",
        hint="You write the red gene into all three channels: write r, g and b.",
    ),
    mistake(
        "x and y swapped",
        "row, column = genes",
        "column, row = genes",
        hint="You swap row and column: genes are (y, x, r, g, b).",
    ),
    mistake(
        "rounded to the nearest pixel",
        "genes[:, :2].long()",
        "torch.minimum(genes[:, :2].round().long(), sides[:2].long() - 1)",
        hint="You round positions to the nearest pixel, so the first row and column get too few: round down.",
    ),
    mistake(
        "clamped onto the border",
        "torch.where(inside, children[:, :2], fresh[:, :2])",
        "torch.minimum(children[:, :2].clamp(min=0), sides[:2] - 1e-6)",
        hint="You clamp positions outside the image to its border: draw them anew.",
    ),
    mistake(
        "colour not clipped",
        "children[:, 2:].clamp(0, 1)",
        "children[:, 2:]",
        hint="Your children's colours leave [0, 1]: clamp them.",
    ),
    mistake(
        "Gaussian colours",
        "    scores, queries = show",
        "    members[:, 2:] = (0.5 + 0.2 * normal(population, 3, like=image, generator=generator)).clamp(0, 1)\n    scores, queries = show",
        hint="Your first colours are Gaussian: draw them uniformly from [0, 1].",
    ),
    mistake(
        "start not counted",
        "scores, queries = show(members), population",
        "scores, queries = show(members), 0",
        hint="You do not count the first population's queries: each image shown counts.",
    ),
    mistake(
        "batches counted",
        "queries + population",
        "queries + 1",
        hint="You count one query per batch: count one per image.",
    ),
    mistake(
        "never stops",
        "(scores[best].argmax() == wanted) == (target is not None)",
        "False",
        hint="You do not stop when the best member succeeds: test before each generation.",
    ),
    mistake(
        "stops when anybody succeeds",
        "(scores[best].argmax() == wanted) == (target is not None)",
        "((scores.argmax(dim=1) == wanted) == (target is not None)).any()",
        hint="You stop when any member succeeds: stop when the fittest does.",
    ),
    mistake(
        "target ignored when stopping",
        "(scores[best].argmax() == wanted) == (target is not None)",
        "scores[best].argmax() != label",
        hint="You stop at any wrong class: with a target, stop only when it is predicted.",
    ),
    mistake(
        "target ignored",
        "(label, 1) if target is None else (target, -1)",
        "(label, 1)",
        "== (target is not None)",
        "== False",
        hint="You ignore target: with a target, raise its probability until it is predicted.",
    ),
    mistake(
        "first member returned",
        "paint(members[best][None])[0]",
        "paint(members[:1])[0]",
        hint="You return the first member: return the fittest.",
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
        hint="You write into the caller's image: return a copy.",
    ),
    mistake(
        "best member as base",
        "members[one] + 0.5",
        "members[best] + 0.5",
        hint="You use the best member as the base (DE/best/1): use a random member.",
    ),
    mistake(
        "both coordinates drawn anew",
        "inside = (children[:, :2] >= 0) & (children[:, :2] < sides[:2])",
        "inside = ((children[:, :2] >= 0) & (children[:, :2] < sides[:2])).all(dim=1, keepdim=True)",
        hint="If one coordinate is outside, you draw both anew: draw only that one.",
    ),
    mistake(
        "colours drawn anew",
        "children[:, 2:].clamp(0, 1)",
        "torch.where((children[:, 2:] >= 0) & (children[:, 2:] <= 1), children[:, 2:], fresh[:, 2:])",
        hint="You draw colours outside [0, 1] anew: clip them.",
    ),
    mistake(
        "lead as fitness",
        "fitter = sign * child_scores[:, [wanted]] < sign * scores[:, [wanted]]",
        "lead = lambda rows: sign * (rows[:, wanted] - rows.index_fill(1, torch.tensor([wanted]), -1).amax(dim=1))\n        fitter = (lead(child_scores) < lead(scores))[:, None]",
        hint="You compare the lead over other classes: compare the probability of the label (of the target) alone.",
    ),
    mistake(
        "whole positions",
        "    scores, queries = show",
        "    members[:, :2] = members[:, :2].floor()\n    scores, queries = show",
        hint="You round the positions of the members themselves: keep them real, and round only to paint.",
    ),
    mistake(
        "stops at a probability of one half",
        "(scores[best].argmax() == wanted) == (target is not None)",
        "(scores[best, wanted] > 0.5) == (target is not None)",
        hint="You stop by a probability of 0.5: stop by which class the fittest member is predicted as.",
    ),
    mistake(
        "clean image shown",
        "members = sides *",
        "if (predict(image.detach()[None])[0].argmax() == wanted) == (target is not None):\n        return image.detach().clone(), 1\n    members = sides *",
        hint="You show the image itself to predict: show only members, each with one pixel replaced.",
    ),
    mistake(
        "queries in a tensor",
        "return paint(members[best][None])[0], queries",
        "return paint(members[best][None])[0], torch.tensor(queries)",
        hint="You return queries as a tensor: return a Python int.",
    ),
    mistake(
        "parents with repetition",
        "one, two, three = order.topk(3, dim=1, largest=False).indices.unbind(dim=1)",
        "one, two, three = (uniform(population, 3, like=image, generator=generator) * population).long().unbind(dim=1)",
        hint="Your parents may be equal to each other or to member i: draw three distinct others.",
    ),
    mistake(
        "children of replaced members",
        body="""
        sides = torch.tensor([*image.shape[1:], 1, 1, 1], dtype=image.dtype, device=image.device)
        wanted, sign = (label, 1) if target is None else (target, -1)

        def paint(genes):
            images = image.detach().repeat(len(genes), 1, 1, 1)
            row, column = genes[:, :2].long().unbind(dim=1)
            images[torch.arange(len(genes)), :, row, column] = genes[:, 2:]
            return images

        members = sides * uniform(population, 5, like=image, generator=generator)
        scores, queries = predict(paint(members)).clone(), population
        for _ in range(generations):
            best = (sign * scores[:, wanted]).argmin()
            if (scores[best].argmax() == wanted) == (target is not None):
                break
            order = uniform(population, population, like=image, generator=generator).fill_diagonal_(2)
            fresh = sides * uniform(population, 5, like=image, generator=generator)
            for i, (one, two, three) in enumerate(order.topk(3, dim=1, largest=False).indices.tolist()):
                child = members[one] + 0.5 * (members[two] - members[three])
                inside = (child[:2] >= 0) & (child[:2] < sides[:2])
                child[:2] = torch.where(inside, child[:2], fresh[i, :2])
                child[2:] = child[2:].clamp(0, 1)
                answer, queries = predict(paint(child[None]))[0], queries + 1
                if sign * answer[wanted] < sign * scores[i, wanted]:
                    members[i], scores[i] = child, answer
        best = (sign * scores[:, wanted]).argmin()
        return paint(members[best][None])[0], queries
        """,
        hint="Your children come from members that this generation has replaced already: make all children first.",
    ),
    mistake(
        "outside after rounding",
        "(children[:, :2] >= 0)",
        "(children[:, :2].trunc() >= 0)",
        hint="You cut the position to an integer before you test it, so -0.5 counts as inside: test the real number.",
    ),
    mistake(
        "position mirrored at the border",
        "torch.where(inside, children[:, :2], fresh[:, :2])",
        "torch.where(children[:, :2] < 0, -children[:, :2], children[:, :2]).minimum(2 * sides[:2] - children[:, :2] - 1e-3).abs()",
        hint="You mirror positions outside the image at its border: draw them anew.",
    ),
    mistake(
        "position modulo the size",
        "torch.where(inside, children[:, :2], fresh[:, :2])",
        "children[:, :2] % sides[:2]",
        hint="You take positions outside the image modulo its size: draw them anew.",
    ),
    mistake(
        "position of the old member",
        "torch.where(inside, children[:, :2], fresh[:, :2])",
        "torch.where(inside, children[:, :2], members[:, :2])",
        hint="A position outside becomes that of the old member: draw it anew.",
    ),
    mistake(
        "one new position for all",
        "        fresh = sides * uniform(population, 5,",
        "        fresh = sides * uniform(1, 5,",
        "torch.where(inside, children[:, :2], fresh[:, :2])",
        "torch.where(inside, children[:, :2], fresh[:, :2].expand(population, 2))",
        hint="All positions outside the image become one new position: draw one for each child.",
    ),
    mistake(
        "start on the diagonal",
        "    scores, queries = show",
        "    members[:, 1] = members[:, 0] / sides[0] * sides[1]\n    scores, queries = show",
        hint="Your start uses one random number for row and column: draw each alone.",
    ),
    mistake(
        "parents drawn once",
        "    for _ in range(generations):\n",
        "    order = uniform(population, population, like=image, generator=generator).fill_diagonal_(2)\n    for _ in range(generations):\n",
        "        order = uniform(population, population, like=image, generator=generator).fill_diagonal_(2)\n        one",
        "        one",
        hint="You draw the three members only once: draw them anew in every generation.",
    ),
    mistake(
        "parents from a generator of its own",
        "    members = sides *",
        "    own = torch.Generator().manual_seed(0)\n    members = sides *",
        "order = uniform(population, population, like=image, generator=generator)",
        "order = uniform(population, population, like=image, generator=own)",
        hint="You draw the three members with a generator of your own: draw them from generator.",
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
