"""Exercise deconvnet_relu_gradient: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "Three ways to go back through a ReLU differ only in which of two signs they look at: of the signal that comes "
        "back, and of what the ReLU was given."
    ),
    "The deconvnet runs a ReLU on the backward signal itself.",
    "R_in = R_out * [R_out > 0]",
)

MISTAKES = (
    mistake(
        "ordinary gradient",
        body="return torch.where(relu_input > 0, upstream, 0)",
        hint="That is what backpropagation does already: the deconvnet looks at the other of the two signals.",
    ),
    mistake(
        "guided rule",
        body="return torch.where((upstream > 0) & (relu_input > 0), upstream, 0)",
        hint="You apply two conditions; the deconvnet knows nothing of what the unit was given.",
    ),
    mistake(
        "mask",
        "upstream.clamp(min=0)",
        "(upstream > 0).to(upstream)",
        hint="What goes back is the signal itself, not only where it passes.",
    ),
    mistake(
        "absolute value",
        "upstream.clamp(min=0)",
        "upstream.abs()",
        hint="Negative signals are stopped, not turned round.",
    ),
    mistake("edits in place", "clamp", "clamp_", hint="The signal that you were given was changed: make a new one."),
    mistake("negative part", "min=0", "max=0", hint="You keep exactly what should be stopped."),
    mistake(
        "times the input",
        "upstream.clamp(min=0)",
        "upstream.clamp(min=0) * relu_input",
        hint="The signal passes through unscaled where it passes.",
    ),
    mistake(
        "stopped where the input is negative",
        "upstream.clamp(min=0)",
        "upstream.clamp(min=0) * (relu_input >= 0)",
        hint="Your rule looks at what the ReLU was given: the deconvnet's rule looks at the signal alone.",
    ),
)

VARIANTS = (
    variant("where", body="return torch.where(upstream > 0, upstream, 0)"),
    variant("relu", body="return F.relu(upstream)"),
    variant("product with a mask", body="return upstream * (upstream > 0)"),
)
