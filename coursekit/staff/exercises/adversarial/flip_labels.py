"""Exercise flip_labels: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.adversarial.shared import ONE_SOURCE

HINTS = (
    "Make two random choices: which labels change, and to which class.",
    "The start of a random permutation gives the wanted number of different positions.",
    "Add a random number from 1 to K - 1 to the label, modulo K. Then each other class has the same probability.",
    "y' = (y + k) mod K, k uniform in 1 .. K-1, at round(fraction * N) places",
)

MISTAKES = (
    mistake(
        "half rounded up",
        "round(fraction * len(labels))",
        "int(fraction * len(labels) + 0.5)",
        hint="You round halves up: use Python's round, which rounds them to even.",
    ),
    mistake(
        "classes counted in the labels",
        "turn = torch.randint(1, num_classes,",
        "num_classes = int(labels.max()) + 1\n    turn = torch.randint(1, max(num_classes, 2),",
        hint="You compute num_classes from the labels: use the given one.",
    ),
    mistake(
        "may keep its class",
        "torch.randint(1, num_classes",
        "torch.randint(0, num_classes",
        hint="A chosen label can keep its class (shift 0): draw the shift from 1 to num_classes - 1.",
    ),
    mistake(
        "the first ones",
        "torch.randperm(len(labels), generator=generator, device=generator.device)[:count]",
        "torch.arange(count)",
        hint="The labels that you change are not spread over all places: choose them at random.",
    ),
    mistake(
        "drawn with replacement",
        "torch.randperm(len(labels), generator=generator, device=generator.device)[:count]",
        "torch.randint(len(labels), (count,), generator=generator, device=generator.device)",
        hint="You draw positions with replacement, so some repeat: draw without replacement.",
    ),
    mistake(
        "each with that probability",
        "flipped[chosen] = (labels[chosen] + turn) % num_classes",
        "hit = torch.rand(len(labels), generator=generator) < fraction\n"
        "    flipped[hit] = (labels[hit] + torch.randint(1, num_classes, (int(hit.sum()),), generator=generator)) % num_classes",
        hint="You flip each label with a probability: flip exactly round(fraction * N) labels.",
    ),
    mistake(
        "rounded down",
        "round(fraction * len(labels))",
        "int(fraction * len(labels))",
        hint="You round the number down: round it to the nearest integer.",
    ),
    mistake(
        "always the next class",
        "torch.randint(1, num_classes, (count,), generator=generator, device=generator.device).to(labels.device)",
        "1",
        hint="All your labels move by the same number of classes: draw another class for each label.",
    ),
    mistake(
        "all to one class",
        "(labels[chosen] + turn) % num_classes",
        "torch.where(labels[chosen] > 0, 0, 1)",
        hint="Nearly all flipped labels become class 0: draw any other class at random.",
    ),
    mistake(
        "no longer a class",
        " % num_classes",
        "",
        hint="Your labels can exceed num_classes - 1: take them modulo num_classes.",
    ),
    mistake(
        "generator started anew",
        "count = round(",
        "generator = torch.Generator().manual_seed(generator.initial_seed())\n    count = round(",
        hint="You restart the generator in every call: continue to draw from the given one.",
    ),
    mistake(
        "caller's labels edited", "labels.clone()", "labels", hint="You write into the caller's labels: work on a copy."
    ),
    mistake(
        "shuffled",
        "flipped = labels.clone()",
        "flipped = labels[torch.randperm(len(labels), generator=generator)]",
        hint="You shuffle all labels: labels that are not chosen stay in place.",
    ),
    mistake(
        "global generator",
        "torch.randperm(len(labels), generator=generator, device=generator.device)",
        "torch.randperm(len(labels))",
        hint=ONE_SOURCE,
    ),
    mistake(
        "one too many",
        "count = round(fraction * len(labels))",
        "count = round(fraction * len(labels)) + 1",
        hint="You flip one label more than round(fraction * N).",
    ),
    mistake(
        "a class that does not depend on the old one",
        "(labels[chosen] + turn) % num_classes",
        "turn",
        hint="Your new label ignores the old one, so it can be equal: add the shift to the label.",
    ),
    mistake(
        "one class is never drawn",
        "torch.randint(1, num_classes",
        "torch.randint(1, max(num_classes - 1, 2)",
        hint="One of the other classes never comes: the upper bound of randint is excluded.",
    ),
    mistake(
        "places from a generator of its own",
        "torch.randperm(len(labels), generator=generator, device=generator.device)",
        "torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))",
        hint="You choose the places with a generator of your own: draw them from generator.",
    ),
    mistake(
        "classes from a generator of its own",
        "torch.randint(1, num_classes, (count,), generator=generator, device=generator.device)",
        "torch.randint(1, num_classes, (count,), generator=torch.Generator().manual_seed(0))",
        hint="You draw the classes with a generator of your own: draw them from generator.",
    ),
)

VARIANTS = (
    variant(
        "loop",
        body="""
        result = labels.clone()
        for i in torch.randperm(len(labels), generator=generator)[: round(fraction * len(labels))].tolist():
            others = [k for k in range(num_classes) if k != int(labels[i])]
            result[i] = others[int(torch.randint(len(others), (1,), generator=generator))]
        return result
        """,
    ),
    variant(
        "skips the old class",
        body="""
        order = torch.rand(len(labels), generator=generator).argsort()
        mask = torch.zeros(len(labels), dtype=torch.bool)
        mask[order[: round(fraction * len(labels))]] = True
        new = torch.randint(num_classes - 1, labels.shape, generator=generator)
        new = new + (new >= labels).long()
        return torch.where(mask, new, labels)
        """,
    ),
    variant(
        "drawn until they differ",
        body="""
        result = labels.clone()
        rows = torch.randperm(len(labels), generator=generator)[: round(fraction * len(labels))]
        while len(rows):
            result[rows] = torch.randint(num_classes, (len(rows),), generator=generator)
            rows = rows[result[rows] == labels[rows]]
        return result
        """,
    ),
)
