"""Exercise relative_mean_corruption_error: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "A network that errs on clean images errs on corrupted ones too. How much of its error comes from the corruption?"
    ),
    ("Each network has its own clean error. Subtract it from every entry of that network's table."),
    (
        "The rest is as in mCE. You cannot call mean_corruption_error: it takes rates from 0 to 1, and differences may be negative."
    ),
    "relative mCE = 1/C * sum_c (sum_s (E[c, s] - e) / sum_s (B[c, s] - b))",
)

RELATIVE = "(worse.sum(dim=1) / baseline_worse.sum(dim=1)).mean().detach()"

MISTAKES = (
    mistake(
        "baseline's gains taken for losses",
        "baseline_worse.sum(dim=1)",
        "baseline_worse.abs().sum(dim=1)",
        hint="You take the absolute value of the baseline's differences: they may be negative.",
    ),
    mistake(
        "clean error subtracted once",
        RELATIVE,
        "((errors.detach().sum(dim=1) - clean) / (baseline.detach().sum(dim=1) - baseline_clean)).mean().detach()",
        hint="You subtract the clean error once from the sum: subtract it at every severity.",
    ),
    mistake(
        "ratio at each severity",
        "worse.sum(dim=1) / baseline_worse.sum(dim=1)",
        "worse / baseline_worse",
        hint="You divide at each severity: sum over the severities first, then divide.",
    ),
    mistake(
        "pooled ratio",
        RELATIVE,
        "(worse.sum() / baseline_worse.sum()).detach()",
        hint="You sum over the corruptions before you divide: each corruption has its own ratio.",
    ),
    mistake(
        "inverted ratio",
        "worse.sum(dim=1) / baseline_worse.sum(dim=1)",
        "baseline_worse.sum(dim=1) / worse.sum(dim=1)",
        hint="Your ratio is upside down: divide the network's differences by the baseline's.",
    ),
    mistake(
        "baseline's clean error forgotten",
        "baseline.detach() - baseline_clean",
        "baseline.detach()",
        hint="You do not subtract the baseline's clean error from the baseline's table.",
    ),
    mistake(
        "own clean error for both",
        "baseline.detach() - baseline_clean",
        "baseline.detach() - clean",
        hint="You subtract the network's clean error from the baseline's table: subtract the baseline's own.",
    ),
    mistake(
        "clean errors exchanged",
        "errors.detach() - clean, baseline.detach() - baseline_clean",
        "errors.detach() - baseline_clean, baseline.detach() - clean",
        hint="You swap the two clean errors: subtract each from its own network's table.",
    ),
    mistake(
        "clean errors not used",
        "errors.detach() - clean, baseline.detach() - baseline_clean",
        "errors.detach(), baseline.detach()",
        hint="You do not use the clean errors: subtract each from its own network's table.",
    ),
    mistake(
        "never negative",
        "errors.detach() - clean",
        "(errors.detach() - clean).clamp(min=0)",
        hint="You clamp negative differences to 0: keep them negative.",
    ),
    mistake(
        "absolute difference",
        "errors.detach() - clean",
        "(errors.detach() - clean).abs()",
        hint="You take the absolute value of the network's differences: keep their sign.",
    ),
    mistake(
        "added",
        "errors.detach() - clean, baseline.detach() - baseline_clean",
        "errors.detach() + clean, baseline.detach() + baseline_clean",
        hint="You add the clean errors: subtract them.",
    ),
    mistake(
        "divided by the clean error",
        "errors.detach() - clean, baseline.detach() - baseline_clean",
        "errors.detach() / clean, baseline.detach() / baseline_clean",
        hint="You divide by the clean errors: subtract them.",
    ),
    mistake(
        "sum of the ratios",
        ".mean().detach()",
        ".sum().detach()",
        hint="You sum the ratios: take their mean over the corruptions.",
    ),
    mistake(
        "percent of the baseline",
        RELATIVE,
        "100 * (worse.sum(dim=1) / baseline_worse.sum(dim=1)).mean().detach()",
        hint="Your result is 100 times too large: the baseline itself must get 1.",
    ),
    mistake(
        "in place",
        "errors.detach() - clean",
        "errors.detach().sub_(clean)",
        hint="You write into the caller's table: compute a new tensor.",
    ),
    mistake(
        "divided by ImageNet-C's 15",
        ".mean().detach()",
        ".sum().detach() / 15",
        hint="You divide by 15, ImageNet-C's number of corruptions: divide by the number of rows.",
    ),
    mistake(
        "clean ratio subtracted afterwards",
        "errors.detach() - clean, baseline.detach() - baseline_clean",
        "errors.detach(), baseline.detach()",
        ".mean().detach()",
        ".mean().detach() - clean / baseline_clean",
        hint="You subtract a ratio of clean errors at the end: subtract each clean error from its table first.",
    ),
    mistake(
        "sign of the baseline's sum dropped",
        "baseline_worse.sum(dim=1)",
        "baseline_worse.sum(dim=1).abs()",
        hint="You take the absolute value of the baseline's sums: they may be negative.",
    ),
    mistake(
        "small sums raised",
        "baseline_worse.sum(dim=1)",
        "baseline_worse.sum(dim=1).clamp(min=0.01)",
        hint="You raise small or negative sums of the baseline: divide by the sums as they are.",
    ),
    mistake(
        "baseline's clean error for both",
        "errors.detach() - clean",
        "errors.detach() - baseline_clean",
        hint="You subtract the baseline's clean error from the network's table: subtract the network's own.",
    ),
    mistake(
        "own clean error forgotten",
        "errors.detach() - clean",
        "errors.detach()",
        hint="You do not subtract the network's clean error from its table.",
    ),
    mistake(
        "joined to the clean error",
        ".mean().detach()",
        ".mean()",
        hint="Your result has the gradient history of clean: detach the result.",
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
