"""Exercise guided_relu_gradient: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "A rule for the ReLU looks at two signs: that of upstream and that of relu_input. Three methods "
        "differ only in which of the two they use."
    ),
    (
        "Guided backprop uses both conditions: the deconvnet's on upstream, and ordinary backpropagation's "
        "on relu_input."
    ),
    "R_in = R_out * [R_out > 0] * [z > 0], with z what the ReLU was given",
)

MISTAKES = (
    mistake(
        "product of both tested",
        body="both = (upstream.clamp(min=0) * relu_input.clamp(min=0)) > 0\nreturn torch.where(both, upstream, 0)",
        hint="You test the product of two values: of two tiny values it is 0. Test each value by itself.",
    ),
    mistake(
        "ordinary gradient",
        "upstream.clamp(min=0)",
        "upstream",
        hint="This is ordinary backpropagation: you also have to stop negative values of upstream.",
    ),
    mistake(
        "deconvnet rule",
        " * relu_input.clamp(min=0).sign()",
        "",
        hint="This is the deconvnet's rule: you also have to stop the signal where relu_input is not positive.",
    ),
    mistake(
        "either condition",
        body="return torch.where((upstream > 0) | (relu_input > 0), upstream, 0)",
        hint="You pass upstream where either condition holds: both must hold (and, not or).",
    ),
    mistake(
        "active at zero",
        "relu_input.clamp(min=0).sign()",
        "(relu_input >= 0)",
        hint="You pass the signal where relu_input is exactly 0: only relu_input > 0 passes.",
    ),
    mistake(
        "mask",
        "upstream.clamp(min=0)",
        "(upstream > 0).to(upstream)",
        hint="You return a 0/1 mask: return the values of upstream where they pass.",
    ),
    mistake(
        "absolute value",
        body="return torch.where(relu_input > 0, upstream.abs(), 0)",
        hint="You turn negative values of upstream positive: set them to 0.",
    ),
    mistake(
        "edits in place",
        body="upstream[(upstream <= 0) | (relu_input <= 0)] = 0\nreturn upstream",
        hint="You overwrite upstream, which belongs to the caller: return a new tensor.",
    ),
    mistake(
        "sign of the product",
        body="return torch.where(upstream * relu_input > 0, upstream, 0)",
        hint="The product is also positive where both are negative: test the two signs separately.",
    ),
    mistake(
        "always float64",
        "relu_input.clamp(min=0).sign()",
        "relu_input.clamp(min=0).sign().double()",
        hint="Your result is always float64: keep the dtype of upstream.",
    ),
    mistake(
        "times the ReLU's output",
        "relu_input.clamp(min=0).sign()",
        "relu_input.clamp(min=0)",
        hint="You multiply by the ReLU's output: use relu_input only as a condition (0 or 1).",
    ),
    mistake(
        "smaller of the two",
        "upstream.clamp(min=0) * relu_input.clamp(min=0).sign()",
        "torch.minimum(upstream.clamp(min=0), relu_input.clamp(min=0))",
        hint="You return the smaller of upstream and relu_input: return upstream unchanged where both are positive.",
    ),
    mistake(
        "cut off at 1",
        "upstream.clamp(min=0)",
        "upstream.clamp(0, 1)",
        hint="You also cut off values above 1: values of upstream pass unchanged or become 0.",
    ),
    mistake(
        "times the sign",
        "relu_input.clamp(min=0).sign()",
        "relu_input.sign()",
        hint="You multiply by the sign of relu_input, which turns values negative: where relu_input is negative, the result is 0.",
    ),
    mistake(
        "the input itself",
        body="""
        return relu_input.clamp(min=0) * (upstream > 0)
        """,
        hint="You return values of relu_input: return values of upstream.",
    ),
    mistake(
        "always float32",
        "relu_input.clamp(min=0).sign()",
        "relu_input.clamp(min=0).sign().float()",
        hint="Your 0/1 mask is always float32, which changes the dtype of the result: keep that of upstream.",
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
    variant("relu and a mask", body="return F.relu(upstream) * (relu_input > 0)"),
)
