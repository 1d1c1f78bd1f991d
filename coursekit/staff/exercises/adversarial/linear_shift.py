"""Exercise linear_shift: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    ("A linear score is a sum of weight times pixel. Each pixel may move up or down by eps: which way should each go?"),
    "Every pixel contributes something positive, if it goes the right way: how much?",
    "max over |d_i| <= eps of sum_i w_i d_i = eps * sum_i |w_i|",
)

MISTAKES = (
    mistake("still joined to the graph", "weight.detach()", "weight", hint="Cut the history off."),
    mistake(
        "sum before the absolute value",
        "weight.detach().abs().sum()",
        "weight.detach().sum().abs()",
        hint="Weights of different sign cancel in your sum, but the attacker chooses each direction alone.",
    ),
    mistake("plain sum", ".abs().sum()", ".sum()", hint="A negative weight can be used against the network as well."),
    mistake("mean", ".sum()", ".mean()", hint="The more pixels, the larger the change: yours does not grow."),
    mistake("largest weight", ".sum()", ".max()", hint="The attacker moves all pixels, not the best one."),
    mistake(
        "L2 norm",
        ".abs().sum()",
        ".norm()",
        hint="Your answer is for a budget on the length of the whole change; here each entry has its own.",
    ),
    mistake(
        "sum of squares",
        ".abs().sum()",
        ".square().sum()",
        hint="A change moves the score by weight times step, not more.",
    ),
    mistake("without eps", "eps * ", "", hint="How does the answer change when the budget is halved?"),
    mistake("twice", "eps * ", "2 * eps * ", hint="Count from the unchanged score, not from one extreme to the other."),
    mistake(
        "eps squared",
        "eps * ",
        "eps**2 * ",
        hint="A budget ten times smaller makes your answer a hundred times smaller.",
    ),
    mistake("shape (1,)", ".sum()", ".sum().reshape(1)", hint="Look at the shape: a number, no list."),
    mistake("Python number", ".sum()", ".sum().item()", hint="A tensor is asked for, with no axes."),
    mistake("one number a row", ".sum()", ".sum(dim=-1)", hint="All axes together make one number."),
    mistake(
        "range of the weights",
        "weight.detach().abs().sum()",
        "(weight.detach().max() - weight.detach().min())",
        hint="You look at the largest and the smallest weight only: every weight has a part in the change.",
    ),
    mistake(
        "divided by the root of the number",
        "weight.detach().abs().sum()",
        "weight.detach().abs().sum() / weight.numel() ** 0.5",
        hint="Your shift grows with the root of the number of pixels: it grows with the number.",
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
