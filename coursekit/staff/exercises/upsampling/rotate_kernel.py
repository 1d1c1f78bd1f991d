"""Exercise rotate_kernel: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.upsampling.shared import DETACHED

HINTS = (
    "Take a kernel 1 2 / 3 4 on paper and turn the paper by half a turn: where does the 1 stand?",
    "Half a turn is two mirrors, one for each axis of the plane. The other two axes are channels and stay.",
    "r[a, b, i, j] = w[a, b, kh - 1 - i, kw - 1 - j]",
)

MISTAKES = (
    mistake(
        "three rows and columns at most",
        "return weight.flip(2, 3)",
        "turned = weight.clone()\n    turned[:, :, :3, :3] = weight[:, :, :3, :3].flip(2, 3)\n    return turned",
        hint="Try a kernel of 5 x 5: only a part of yours is turned.",
    ),
    mistake(
        "rows only", "weight.flip(2, 3)", "weight.flip(2)", hint="That is a mirror: half a turn moves columns as well."
    ),
    mistake(
        "columns only", "weight.flip(2, 3)", "weight.flip(3)", hint="That is a mirror: half a turn moves rows as well."
    ),
    mistake(
        "all axes",
        "weight.flip(2, 3)",
        "weight.flip(0, 1, 2, 3)",
        hint="Only the plane turns; a channel stays where it is.",
    ),
    mistake(
        "channel axes",
        "weight.flip(2, 3)",
        "weight.flip(0, 1)",
        hint="Which of the four axes are places in the picture?",
    ),
    mistake(
        "quarter turn",
        "weight.flip(2, 3)",
        "torch.rot90(weight, 1, (2, 3))",
        hint="How many degrees has your turn? Follow one corner.",
    ),
    mistake(
        "transposed",
        "weight.flip(2, 3)",
        "weight.transpose(2, 3).contiguous()",
        hint="Mirrored along a diagonal is not turned: follow the two corners of the diagonal.",
    ),
    mistake(
        "channels exchanged as well",
        "weight.flip(2, 3)",
        "weight.flip(2, 3).transpose(0, 1).contiguous()",
        hint="The shape is another one now: the exchange of channels is a step of its own.",
    ),
    mistake("nothing done", "weight.flip(2, 3)", "weight.clone()", hint="Your kernel comes back as it was."),
    mistake("detached", "weight.flip(2, 3)", "weight.flip(2, 3).detach()", hint=DETACHED),
    mistake(
        "in place",
        "return weight.flip(2, 3)",
        "turned = weight.flip(2, 3)\n    weight.data.copy_(turned)\n    return turned",
        hint="Compare what you were given before and after the call.",
    ),
    mistake(
        "sign turned",
        "weight.flip(2, 3)",
        "-weight.flip(2, 3)",
        hint="Your kernel is negated as well: only its places change.",
    ),
    mistake(
        "channels and rows reversed",
        "flip(2, 3)",
        "flip(1, 2)",
        hint="You reverse a channel axis and the rows: reverse the two spatial axes.",
    ),
)

VARIANTS = (
    variant("two quarter turns", body="return torch.rot90(weight, 2, (-2, -1)).clone()"),
    variant("mirrored twice", body="return weight.flip(-1).flip(-2)"),
    variant(
        "indices",
        body="""
        rows = torch.arange(weight.shape[2] - 1, -1, -1)
        columns = torch.arange(weight.shape[3] - 1, -1, -1)
        return weight[:, :, rows][:, :, :, columns]
        """,
    ),
)
