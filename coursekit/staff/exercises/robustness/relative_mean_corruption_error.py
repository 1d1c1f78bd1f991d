"""Exercise relative_mean_corruption_error: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "A network that errs on clean pictures errs on corrupted ones too. How much of the error comes from the "
        "corruption?"
    ),
    (
        "Each network has its own clean error. It goes from every entry of its table, so from a sum as often as there "
        "are severities."
    ),
    (
        "The rest is as in mCE, whose function takes shares from 0 to 1 only: differences are none. A number below "
        "zero is possible: the corruption then did good."
    ),
    "relative mCE = 1/C * sum_c (sum_s (E[c, s] - e) / sum_s (B[c, s] - b))",
)

RELATIVE = "(worse.sum(dim=1) / baseline_worse.sum(dim=1)).mean().detach()"

MISTAKES = (
    mistake(
        "baseline's gains taken for losses",
        "baseline_worse.sum(dim=1)",
        "baseline_worse.abs().sum(dim=1)",
        hint="Where the baseline errs less than on clean images the difference is negative, and counts as that.",
    ),
    mistake(
        "clean error subtracted once",
        RELATIVE,
        "((errors.detach().sum(dim=1) - clean) / (baseline.detach().sum(dim=1) - baseline_clean)).mean().detach()",
        hint="The sum has as many terms as there are severities: how often must the clean error go?",
    ),
    mistake(
        "ratio at each severity",
        "worse.sum(dim=1) / baseline_worse.sum(dim=1)",
        "worse / baseline_worse",
        hint="The severities of one corruption are added before anything is divided.",
    ),
    mistake(
        "pooled ratio",
        RELATIVE,
        "(worse.sum() / baseline_worse.sum()).detach()",
        hint="Each corruption should have a ratio of its own.",
    ),
    mistake(
        "inverted ratio",
        "worse.sum(dim=1) / baseline_worse.sum(dim=1)",
        "baseline_worse.sum(dim=1) / worse.sum(dim=1)",
        hint="Whoever loses less should get less.",
    ),
    mistake(
        "baseline's clean error forgotten",
        "baseline.detach() - baseline_clean",
        "baseline.detach()",
        hint="Below the fraction line stands something else than above it.",
    ),
    mistake(
        "own clean error for both",
        "baseline.detach() - baseline_clean",
        "baseline.detach() - clean",
        hint="Each of the two networks has a clean error of its own.",
    ),
    mistake(
        "clean errors exchanged",
        "errors.detach() - clean, baseline.detach() - baseline_clean",
        "errors.detach() - baseline_clean, baseline.detach() - clean",
        hint="Which clean error belongs to which table?",
    ),
    mistake(
        "clean errors not used",
        "errors.detach() - clean, baseline.detach() - baseline_clean",
        "errors.detach(), baseline.detach()",
        hint="Two of the four arguments do nothing.",
    ),
    mistake(
        "never negative",
        "errors.detach() - clean",
        "(errors.detach() - clean).clamp(min=0)",
        hint="A corruption may also help; then the difference has another sign.",
    ),
    mistake(
        "absolute difference",
        "errors.detach() - clean",
        "(errors.detach() - clean).abs()",
        hint="Losing and gaining are counted alike in your version.",
    ),
    mistake(
        "added",
        "errors.detach() - clean, baseline.detach() - baseline_clean",
        "errors.detach() + clean, baseline.detach() + baseline_clean",
        hint="Look at the sign of the clean errors.",
    ),
    mistake(
        "divided by the clean error",
        "errors.detach() - clean, baseline.detach() - baseline_clean",
        "errors.detach() / clean, baseline.detach() / baseline_clean",
        hint="How much worse, or how many times worse? A network without clean errors would break yours.",
    ),
    mistake(
        "sum of the ratios", ".mean().detach()", ".sum().detach()", hint="What does the baseline get against itself?"
    ),
    mistake(
        "percent of the baseline",
        RELATIVE,
        "100 * (worse.sum(dim=1) / baseline_worse.sum(dim=1)).mean().detach()",
        hint="The paper writes a hundred where the exercise wants a one.",
    ),
    mistake(
        "in place",
        "errors.detach() - clean",
        "errors.detach().sub_(clean)",
        hint="Compare the tables before and after the call.",
    ),
    mistake(
        "divided by ImageNet-C's 15",
        ".mean().detach()",
        ".sum().detach() / 15",
        hint="You divide by 15, ImageNet-C's number of corruptions: divide by the number of rows you were given.",
    ),
    mistake(
        "clean ratio subtracted afterwards",
        "errors.detach() - clean, baseline.detach() - baseline_clean",
        "errors.detach(), baseline.detach()",
        ".mean().detach()",
        ".mean().detach() - clean / baseline_clean",
        hint="You subtract a ratio of clean errors at the end: subtract each clean error before dividing.",
    ),
)

VARIANTS = (
    variant(
        "clean error times severities",
        body="""
        n = errors.shape[1]
        mine = errors.detach().sum(1) - n * float(clean)
        theirs = baseline.detach().sum(1) - n * float(baseline_clean)
        return (mine / theirs).mean()
        """,
    ),
    variant(
        "means",
        body="""
        return torch.mean((errors.mean(1) - clean) / (baseline.mean(1) - baseline_clean)).detach()
        """,
    ),
    variant(
        "loop",
        body="""
        total = 0
        for mine, theirs in zip(errors.detach(), baseline.detach(), strict=True):
            total = total + (mine - clean).sum() / (theirs - baseline_clean).sum()
        return (total / len(errors)).detach()
        """,
    ),
)
