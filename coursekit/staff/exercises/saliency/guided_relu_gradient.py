"""Exercise guided_relu_gradient: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "Three ways to go back through a ReLU differ only in which of two signs they look at: of the signal that comes "
        "back, and of what the ReLU was given."
    ),
    "Guided backprop is as strict as both others together.",
    "R_in = R_out * [R_out > 0] * [z > 0], with z what the ReLU was given",
)

MISTAKES = (
    mistake(
        "ordinary gradient",
        "upstream.clamp(min=0)",
        "upstream",
        hint="One of the two conditions is missing: this is plain backpropagation.",
    ),
    mistake(
        "deconvnet rule",
        " * (relu_input > 0)",
        "",
        hint="One of the two conditions is missing: this is the deconvnet's rule.",
    ),
    mistake(
        "either condition",
        body="return torch.where((upstream > 0) | (relu_input > 0), upstream, 0)",
        hint="Both conditions must hold at once; in yours one of them is enough.",
    ),
    mistake(
        "active at zero",
        "relu_input > 0",
        "relu_input >= 0",
        hint="What does a ReLU that was given exactly zero let through?",
    ),
    mistake(
        "mask",
        "upstream.clamp(min=0)",
        "(upstream > 0).to(upstream)",
        hint="What goes back is the signal itself, not only where it passes.",
    ),
    mistake(
        "absolute value",
        body="return torch.where(relu_input > 0, upstream.abs(), 0)",
        hint="Negative signals are stopped, not turned round.",
    ),
    mistake(
        "edits in place",
        body="upstream[(upstream <= 0) | (relu_input <= 0)] = 0\nreturn upstream",
        hint="The signal that you were given was changed: make a new one.",
    ),
    mistake(
        "sign of the product",
        body="return torch.where(upstream * relu_input > 0, upstream, 0)",
        hint="Two negative numbers also have a positive product.",
    ),
    mistake(
        "always float64",
        "(relu_input > 0)",
        "(relu_input > 0).double()",
        hint="Look at the type of numbers that goes in and the one that comes out.",
    ),
    mistake(
        "times the ReLU's output",
        "(relu_input > 0)",
        "relu_input.clamp(min=0)",
        hint="Your signal is multiplied by the ReLU's output: where it passes, it passes unscaled.",
    ),
    mistake(
        "smaller of the two",
        "upstream.clamp(min=0) * (relu_input > 0)",
        "torch.minimum(upstream.clamp(min=0), relu_input.clamp(min=0))",
        hint="Your signal is limited by what the ReLU was given: where it passes, it passes unchanged.",
    ),
)

VARIANTS = (
    variant("both conditions in one where", body="return torch.where((upstream > 0) & (relu_input > 0), upstream, 0)"),
    variant("product of masks", body="return upstream * (upstream > 0) * (relu_input > 0)"),
    variant(
        "clamp and where", body="return torch.where(relu_input > 0, upstream.clamp(min=0), torch.zeros_like(upstream))"
    ),
    variant(
        "masked copy",
        body="""
        result = upstream.clone()
        result[upstream <= 0] = 0
        result[relu_input <= 0] = 0
        return result
        """,
    ),
    variant("relu and sign", body="return F.relu(upstream) * F.relu(relu_input).sign()"),
)
