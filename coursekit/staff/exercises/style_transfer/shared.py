"""What several exercises of style_transfer have in common: hints, and edits that fit both losses of weighted terms."""

from coursekit.staff.edits import mistake

NO_SLOPE = "You detach the features: gradients must reach them."
FRESH = "No gradient reaches the features: detach the targets only, and make no new tensor from numbers."
ONE_ENTRY = "Your loss has shape (1,): return a 0-d tensor."
STILL_JOINED = "Your result has a gradient history: detach it."

OF_THE_LAYERS = (
    mistake(
        "mean over layers",
        "torch.stack(terms).sum()",
        "torch.stack(terms).mean()",
        hint="You average over the layers: sum over them.",
    ),
    mistake(
        "last layer only",
        "torch.stack(terms).sum()",
        "terms[-1]",
        hint="You return the last layer's term only: sum over all layers.",
    ),
    mistake(
        "first layer only",
        "torch.stack(terms).sum()",
        "terms[0]",
        hint="You return the first layer's term only: sum over all layers.",
    ),
)
OF_THE_NUMBER = (
    mistake(
        "one entry instead of none",
        "torch.stack(terms).sum()",
        "torch.stack(terms).sum(0, keepdim=True)",
        hint=ONE_ENTRY,
    ),
    mistake(
        "a Python number",
        "torch.stack(terms).sum()",
        "torch.stack(terms).sum().item()",
        hint="You return a Python number, which has no gradient: return a 0-d tensor.",
    ),
    mistake("a fresh tensor", "torch.stack(terms).sum()", "torch.tensor(sum(terms), requires_grad=True)", hint=FRESH),
)
