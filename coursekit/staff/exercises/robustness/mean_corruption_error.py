"""Exercise mean_corruption_error: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "Some corruptions are hard for every network. Comparing with a baseline takes that out, corruption by "
        "corruption."
    ),
    (
        "First bring the severities of one corruption together, for both tables; then compare; then average over the "
        "corruptions."
    ),
    "Try it with the baseline's own table: what must come out?",
    "mCE = 1/C * sum_c (sum_s E[c, s] / sum_s B[c, s])",
)

RATIO = "return (errors.detach().sum(dim=1) / baseline.detach().sum(dim=1)).mean()"

MISTAKES = (
    mistake(
        "mean of the ratios at each severity",
        "errors.detach().sum(dim=1) / baseline.detach().sum(dim=1)",
        "errors.detach() / baseline.detach()",
        hint="In which order do you add and divide? The severities of one corruption come together first.",
    ),
    mistake(
        "pooled",
        RATIO,
        "return errors.detach().sum() / baseline.detach().sum()",
        hint="The hardest corruption decides nearly everything in your number: each should have its own ratio.",
    ),
    mistake(
        "sums over corruptions",
        "errors.detach().sum(dim=1) / baseline.detach().sum(dim=1)",
        "errors.detach().sum(dim=0) / baseline.detach().sum(dim=0)",
        hint="Over which axis did you add? Rows are corruptions.",
    ),
    mistake(
        "inverted",
        "errors.detach().sum(dim=1) / baseline.detach().sum(dim=1)",
        "baseline.detach().sum(dim=1) / errors.detach().sum(dim=1)",
        hint="A better network should get a smaller number.",
    ),
    mistake(
        "accuracy for error",
        RATIO,
        "return ((1 - errors.detach()).sum(dim=1) / (1 - baseline.detach()).sum(dim=1)).mean()",
        hint="The tables hold error rates already: nothing has to be turned round.",
    ),
    mistake(
        "sum over corruptions of the ratios",
        ".mean()",
        ".sum()",
        hint="What does the baseline get when it is compared with itself?",
    ),
    mistake(
        "percent",
        RATIO,
        "return 100 * (errors.detach().sum(dim=1) / baseline.detach().sum(dim=1)).mean()",
        hint="The paper writes a hundred where the exercise wants a one.",
    ),
    mistake("one number a corruption", ".mean()", "", hint="The last step is missing: one number for the network."),
    mistake(
        "not compared", RATIO, "return errors.detach().mean(dim=1).mean()", hint="With what is the network compared?"
    ),
    mistake(
        "difference",
        "errors.detach().sum(dim=1) / baseline.detach().sum(dim=1)",
        "errors.detach().sum(dim=1) - baseline.detach().sum(dim=1)",
        hint="Twice as many errors: is that told by a difference?",
    ),
    mistake("median", ".mean()", ".median()", hint="All corruptions should have a say, also the extreme ones."),
    mistake("Python number", ".mean()", ".mean().item()", hint="A tensor is asked for, with no axes."),
    mistake(
        "still joined to the graph",
        RATIO,
        "return (errors.sum(dim=1) / baseline.sum(dim=1)).mean()",
        hint="Cut the history off.",
    ),
    mistake(
        "strongest severity alone",
        "errors.detach().sum(dim=1) / baseline.detach().sum(dim=1)",
        "errors.detach()[:, -1] / baseline.detach()[:, -1]",
        hint="All severities of a corruption count.",
    ),
    mistake(
        "divided by ImageNet-C's 15",
        ".mean()",
        ".sum() / 15",
        hint="You divide by 15, ImageNet-C's number of corruptions: divide by the number of rows you were given.",
    ),
    mistake(
        "geometric mean",
        ").mean()",
        ").log().mean().exp()",
        hint="You take the geometric mean of the ratios: the paper takes the arithmetic one.",
    ),
    mistake(
        "worst severity alone",
        "errors.detach().sum(dim=1) / baseline.detach().sum(dim=1)",
        "errors.detach().amax(dim=1) / baseline.detach().amax(dim=1)",
        hint="Only the largest error of each corruption counts in yours: add all severities.",
    ),
)

VARIANTS = (
    variant(
        "means for sums",
        body="""
        return torch.mean(errors.mean(-1) / baseline.mean(-1)).detach()
        """,
    ),
    variant(
        "loop",
        body="""
        ratios = []
        for mine, theirs in zip(errors.detach(), baseline.detach()):
            ratios.append(mine.sum() / theirs.sum())
        return sum(ratios) / len(ratios)
        """,
    ),
    variant(
        "einsum",
        body="""
        weights = 1 / baseline.detach().sum(dim=1)
        return torch.einsum("cs,c->", errors.detach(), weights) / len(errors)
        """,
    ),
)
