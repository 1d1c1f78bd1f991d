"""Exercise deconvnet_relu_gradient: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "A rule for the ReLU looks at two signs: that of upstream and that of relu_input. Three methods "
        "differ only in which of the two they use."
    ),
    "The deconvnet applies a ReLU to the backward signal itself.",
    "R_in = R_out * [R_out > 0]",
)

MISTAKES = (
    mistake(
        "ordinary gradient",
        body="return torch.where(relu_input > 0, upstream, 0)",
        hint="This is ordinary backpropagation: the deconvnet tests the sign of upstream, not of relu_input.",
    ),
    mistake(
        "guided rule",
        body="return torch.where((upstream > 0) & (relu_input > 0), upstream, 0)",
        hint="This is the guided rule: the deconvnet tests the sign of upstream only, never relu_input.",
    ),
    mistake(
        "mask",
        "upstream.clamp(min=0)",
        "(upstream > 0).to(upstream)",
        hint="You return a 0/1 mask: return the values of upstream where they pass.",
    ),
    mistake(
        "absolute value",
        "upstream.clamp(min=0)",
        "upstream.abs()",
        hint="You turn negative values of upstream positive: set them to 0.",
    ),
    mistake(
        "edits in place",
        "clamp",
        "clamp_",
        hint="You overwrite upstream, which belongs to the caller: return a new tensor.",
    ),
    mistake(
        "negative part", "min=0", "max=0", hint="You keep the negative values of upstream: keep the positive ones."
    ),
    mistake(
        "times the input",
        "upstream.clamp(min=0)",
        "upstream.clamp(min=0) * relu_input",
        hint="You multiply by relu_input: positive values of upstream pass unchanged.",
    ),
    mistake(
        "stopped where the input is negative",
        "upstream.clamp(min=0)",
        "upstream.clamp(min=0) * (relu_input >= 0)",
        hint="You also stop the signal where relu_input is negative: the deconvnet looks at upstream only.",
    ),
    mistake(
        "cut off at 1",
        "min=0",
        "0, 1",
        hint="You also cut off values above 1: only negative values of upstream become 0.",
    ),
    mistake(
        "either condition",
        body="""
        return torch.where((upstream > 0) | (relu_input > 0), upstream, 0)
        """,
        hint="You also pass negative values of upstream where relu_input is positive: test the sign of upstream only.",
    ),
    mistake(
        "the input itself",
        "upstream.clamp",
        "relu_input.clamp",
        hint="You return values of relu_input: return values of upstream.",
    ),
    mistake(
        "always float32",
        "upstream.clamp(min=0)",
        "upstream * (upstream > 0).float()",
        hint="Your 0/1 mask is always float32, which changes the dtype of the result: keep that of upstream.",
    ),
)

VARIANTS = (
    variant("where", body="return torch.where(upstream > 0, upstream, 0)"),
    variant("relu", body="return F.relu(upstream)"),
    variant("product with a mask", body="return upstream * (upstream > 0)"),
)
