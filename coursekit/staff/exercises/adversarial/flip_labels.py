"""Exercise flip_labels: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.adversarial.shared import CALLERS, ONE_SOURCE

HINTS = (
    "Two random choices: which labels, and to which class.",
    "A random permutation gives exactly as many different places as you want.",
    (
        "To reach every other class with the same chance, turn the label by a random step on the circle of classes, "
        "but not by a whole turn."
    ),
    "y' = (y + k) mod K, k uniform in 1 .. K-1, at round(fraction * N) places",
)

MISTAKES = (
    mistake(
        "half rounded up",
        "round(fraction * len(labels))",
        "int(fraction * len(labels) + 0.5)",
        hint="How many labels change is said in Python: what does its function make of a half?",
    ),
    mistake(
        "classes counted in the labels",
        "turn = torch.randint(1, num_classes,",
        "num_classes = int(labels.max()) + 1\n    turn = torch.randint(1, max(num_classes, 2),",
        hint="How many classes there are is told you; labels need not hold all of them.",
    ),
    mistake(
        "may keep its class",
        "torch.randint(1, num_classes",
        "torch.randint(0, num_classes",
        hint="Some of the chosen labels come out as they were.",
    ),
    mistake(
        "the first ones",
        "torch.randperm(len(labels), generator=generator, device=generator.device)[:count]",
        "torch.arange(count)",
        hint="Which labels were changed? They all stand together.",
    ),
    mistake(
        "drawn with replacement",
        "torch.randperm(len(labels), generator=generator, device=generator.device)[:count]",
        "torch.randint(len(labels), (count,), generator=generator, device=generator.device)",
        hint="The same label can be chosen twice: count what really changed.",
    ),
    mistake(
        "each with that probability",
        "flipped[chosen] = (labels[chosen] + turn) % num_classes",
        "hit = torch.rand(len(labels), generator=generator) < fraction\n"
        "    flipped[hit] = (labels[hit] + torch.randint(1, num_classes, (int(hit.sum()),), generator=generator)) % num_classes",
        hint="How many are changed is left to chance in your version: the number is given.",
    ),
    mistake(
        "rounded down",
        "round(fraction * len(labels))",
        "int(fraction * len(labels))",
        hint="Work out the number for a tenth of 37 labels.",
    ),
    mistake(
        "always the next class",
        "torch.randint(1, num_classes, (count,), generator=generator, device=generator.device).to(labels.device)",
        "1",
        hint="From the new label one can tell the old one: any other class is possible.",
    ),
    mistake(
        "all to one class",
        "(labels[chosen] + turn) % num_classes",
        "torch.where(labels[chosen] > 0, 0, 1)",
        hint="Count the new labels: nearly all are the same.",
    ),
    mistake("no longer a class", " % num_classes", "", hint="Look at the largest label: there is no such class."),
    mistake(
        "generator started anew",
        "count = round(",
        "generator = torch.Generator().manual_seed(generator.initial_seed())\n    count = round(",
        hint="Who asks twice gets the same labels flipped twice: where does your second call begin to draw?",
    ),
    mistake("caller's labels edited", "labels.clone()", "labels", hint=CALLERS),
    mistake(
        "shuffled",
        "flipped = labels.clone()",
        "flipped = labels[torch.randperm(len(labels), generator=generator)]",
        hint="The labels that were not chosen do not stand in their old places.",
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
        hint="You flip one label more than asked for.",
    ),
    mistake(
        "a class that does not depend on the old one",
        "(labels[chosen] + turn) % num_classes",
        "turn",
        hint="Your new labels do not depend on the old ones: some keep their class, and class 0 never comes.",
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
