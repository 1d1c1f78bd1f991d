"""Exercise linear_shift: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "A linear score is a sum of weight times pixel. Each pixel may move by eps, up or down. Which way "
        "should each pixel go?"
    ),
    "If it moves the right way, every pixel adds something positive to the score. How much?",
    "max over |d_i| <= eps of sum_i w_i d_i = eps * sum_i |w_i|",
)

MISTAKES = (
    mistake(
        "still joined to the graph",
        "weight.detach()",
        "weight",
        hint="Your result still has a gradient history: detach it.",
    ),
    mistake(
        "sum before the absolute value",
        "weight.detach().abs().sum()",
        "weight.detach().sum().abs()",
        hint="You sum the weights before you take the absolute value, so they cancel: absolute value first.",
    ),
    mistake(
        "plain sum", ".abs().sum()", ".sum()", hint="You sum signed weights, so they cancel: sum their absolute values."
    ),
    mistake("mean", ".sum()", ".mean()", hint="You average the absolute weights: sum them."),
    mistake(
        "largest weight", ".sum()", ".max()", hint="You use the largest absolute weight only: sum over all weights."
    ),
    mistake(
        "L2 norm",
        ".abs().sum()",
        ".norm()",
        hint="You take the L2 norm of the weights: for an L-infinity budget sum their absolute values.",
    ),
    mistake(
        "sum of squares",
        ".abs().sum()",
        ".square().sum()",
        hint="You sum squared weights: sum absolute values.",
    ),
    mistake("without eps", "eps * ", "", hint="You do not multiply by eps."),
    mistake(
        "twice", "eps * ", "2 * eps * ", hint="Your shift is twice too large: measure it from the unchanged score."
    ),
    mistake(
        "eps squared",
        "eps * ",
        "eps**2 * ",
        hint="You multiply by eps squared: multiply by eps.",
    ),
    mistake("shape (1,)", ".sum()", ".sum().reshape(1)", hint="Your result has shape (1,): return a 0-d tensor."),
    mistake("Python number", ".sum()", ".sum().item()", hint="You return a Python number: return a 0-d tensor."),
    mistake("one number a row", ".sum()", ".sum(dim=-1)", hint="You sum over the last axis only: sum over all axes."),
    mistake(
        "range of the weights",
        "weight.detach().abs().sum()",
        "(weight.detach().max() - weight.detach().min())",
        hint="You use the largest and smallest weight only: sum the absolute values of all weights.",
    ),
    mistake(
        "divided by the root of the number",
        "weight.detach().abs().sum()",
        "weight.detach().abs().sum() / weight.numel() ** 0.5",
        hint="You divide by the square root of the number of weights: do not divide.",
    ),
    mistake(
        "positive weights only",
        ".abs().sum()",
        ".clamp(min=0).sum()",
        hint="You count positive weights only: where a weight is negative, its entry falls, and the score rises too.",
    ),
    mistake(
        "viewed as one row",
        "weight.detach().abs().sum()",
        "weight.detach().view(-1).abs().sum()",
        hint="The method view fails for weights of some strides: sum over all entries without it.",
    ),
    mistake(
        "largest row sum",
        ".abs().sum()",
        ".abs().flatten(1).sum(dim=1).max()",
        hint="You take the largest of the rows' sums: sum over all entries of weight.",
    ),
)

VARIANTS = (
    variant("L1 norm", body="return eps * weight.detach().norm(p=1)"),
    variant("product with the sign", body="return (weight * eps * weight.sign()).sum().detach()"),
    variant(
        "positive and negative apart",
        body="w = weight.detach().flatten()\nreturn torch.einsum('i->', eps * (w.clamp(min=0) - w.clamp(max=0)))",
    ),
)
