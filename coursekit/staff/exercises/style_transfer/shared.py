"""What several exercises of style_transfer have in common: hints, and edits that fit both losses of weighted terms."""

from coursekit.staff.edits import mistake

CONSTANT = "What the features are compared with gets a slope from you as well: it is given, and nothing may move it."
NO_SLOPE = "The value is right, but nothing can descend on it: the way back to the features is cut."
FRESH = "You make a new tensor out of a finished number: switching its gradient on does not tell it where it came from."
ONE_ENTRY = "A loss is a single number without any axis; yours still has one."
STILL_JOINED = "The pictures are right, but they drag the whole computation behind them: cut it off."

OF_THE_LAYERS = (
    mistake(
        "mean over layers",
        "torch.stack(terms).sum()",
        "torch.stack(terms).mean()",
        hint="The more layers you are given, the less each of them counts.",
    ),
    mistake(
        "last layer only",
        "torch.stack(terms).sum()",
        "terms[-1]",
        hint="Only one of the layers has a say in your loss.",
    ),
    mistake(
        "first layer only",
        "torch.stack(terms).sum()",
        "terms[0]",
        hint="Your loss stops after the first of several layers: is a return indented too far?",
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
        hint="You return a number that has forgotten where it came from.",
    ),
    mistake("a fresh tensor", "torch.stack(terms).sum()", "torch.tensor(sum(terms), requires_grad=True)", hint=FRESH),
)
