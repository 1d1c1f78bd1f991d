"""Exercise mean_corruption_error: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    ("Some corruptions are hard for every network. So divide by a baseline's errors, corruption by corruption."),
    ("Sum over the severities of each corruption, in both tables. Divide the sums. Average over the corruptions."),
    "Try the baseline's own table as errors. Which number must come out?",
    "mCE = 1/C * sum_c (sum_s E[c, s] / sum_s B[c, s])",
)

RATIO = "return (errors.detach().sum(dim=1) / baseline.detach().sum(dim=1)).mean()"

MISTAKES = (
    mistake(
        "mean of the ratios at each severity",
        "errors.detach().sum(dim=1) / baseline.detach().sum(dim=1)",
        "errors.detach() / baseline.detach()",
        hint="You divide at each severity: sum over the severities first, then divide.",
    ),
    mistake(
        "pooled",
        RATIO,
        "return errors.detach().sum() / baseline.detach().sum()",
        hint="You sum over the corruptions before you divide: each corruption has its own ratio.",
    ),
    mistake(
        "sums over corruptions",
        "errors.detach().sum(dim=1) / baseline.detach().sum(dim=1)",
        "errors.detach().sum(dim=0) / baseline.detach().sum(dim=0)",
        hint="You sum over the corruptions (rows): sum over the severities (columns).",
    ),
    mistake(
        "inverted",
        "errors.detach().sum(dim=1) / baseline.detach().sum(dim=1)",
        "baseline.detach().sum(dim=1) / errors.detach().sum(dim=1)",
        hint="Your ratio is upside down: divide the network's errors by the baseline's.",
    ),
    mistake(
        "accuracy for error",
        RATIO,
        "return ((1 - errors.detach()).sum(dim=1) / (1 - baseline.detach()).sum(dim=1)).mean()",
        hint="You use 1 - error: the tables hold error rates already.",
    ),
    mistake(
        "sum over corruptions of the ratios",
        ".mean()",
        ".sum()",
        hint="You sum the ratios: take their mean over the corruptions.",
    ),
    mistake(
        "percent",
        RATIO,
        "return 100 * (errors.detach().sum(dim=1) / baseline.detach().sum(dim=1)).mean()",
        hint="Your result is 100 times too large: the baseline itself must get 1.",
    ),
    mistake("one number a corruption", ".mean()", "", hint="You return one ratio per corruption: return their mean."),
    mistake(
        "not compared",
        RATIO,
        "return errors.detach().mean(dim=1).mean()",
        hint="You do not use the baseline: divide by its errors.",
    ),
    mistake(
        "difference",
        "errors.detach().sum(dim=1) / baseline.detach().sum(dim=1)",
        "errors.detach().sum(dim=1) - baseline.detach().sum(dim=1)",
        hint="You subtract the baseline's errors: divide by them.",
    ),
    mistake("median", ".mean()", ".median()", hint="You take the median of the ratios: take their mean."),
    mistake("Python number", ".mean()", ".mean().item()", hint="You return a Python number: return a 0-d tensor."),
    mistake(
        "still joined to the graph",
        RATIO,
        "return (errors.sum(dim=1) / baseline.sum(dim=1)).mean()",
        hint="Your result has a gradient history: detach it.",
    ),
    mistake(
        "strongest severity alone",
        "errors.detach().sum(dim=1) / baseline.detach().sum(dim=1)",
        "errors.detach()[:, -1] / baseline.detach()[:, -1]",
        hint="You use only the last severity: sum over all severities.",
    ),
    mistake(
        "divided by ImageNet-C's 15",
        ".mean()",
        ".sum() / 15",
        hint="You divide by 15, ImageNet-C's number of corruptions: divide by the number of rows.",
    ),
    mistake(
        "geometric mean",
        ").mean()",
        ").log().mean().exp()",
        hint="You take the geometric mean of the ratios: take the arithmetic mean.",
    ),
    mistake(
        "worst severity alone",
        "errors.detach().sum(dim=1) / baseline.detach().sum(dim=1)",
        "errors.detach().amax(dim=1) / baseline.detach().amax(dim=1)",
        hint="You use only the largest error of each corruption: sum over all severities.",
    ),
    mistake(
        "small sums raised",
        "baseline.detach().sum(dim=1)",
        "baseline.detach().sum(dim=1).clamp(min=0.01)",
        hint="You raise small sums of the baseline: divide by the sums as they are.",
    ),
    mistake(
        "epsilon below",
        "baseline.detach().sum(dim=1)",
        "(baseline.detach().sum(dim=1) + 1e-4)",
        hint="You add an epsilon to the baseline's sums: divide by the sums as they are.",
    ),
    mistake(
        "ratios of at most 1",
        ").mean()",
        ").clamp(max=1).mean()",
        hint="You limit each ratio to 1: a network may be worse than the baseline.",
    ),
    mistake(
        "a small epsilon below",
        "baseline.detach().sum(dim=1)",
        "(baseline.detach().sum(dim=1) + 1e-6)",
        hint="You add an epsilon to the baseline's sums: divide by the sums as they are.",
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
