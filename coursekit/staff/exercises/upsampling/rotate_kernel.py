"""Exercise rotate_kernel: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.upsampling.shared import DETACHED

HINTS = (
    "Write the kernel 1 2 / 3 4 on paper and turn the paper by 180 degrees. Where is the 1 now?",
    "A turn by 180 degrees reverses rows and columns. The two channel axes stay as they are.",
    "r[a, b, i, j] = w[a, b, kh - 1 - i, kw - 1 - j]",
)

MISTAKES = (
    mistake(
        "three rows and columns at most",
        "return weight.flip(2, 3)",
        "turned = weight.clone()\n    turned[:, :, :3, :3] = weight[:, :, :3, :3].flip(2, 3)\n    return turned",
        hint="You turn only the first three rows and columns: turn the whole kernel.",
    ),
    mistake(
        "rows only", "weight.flip(2, 3)", "weight.flip(2)", hint="You reverse the rows only: reverse the columns too."
    ),
    mistake(
        "columns only",
        "weight.flip(2, 3)",
        "weight.flip(3)",
        hint="You reverse the columns only: reverse the rows too.",
    ),
    mistake(
        "all axes",
        "weight.flip(2, 3)",
        "weight.flip(0, 1, 2, 3)",
        hint="You reverse the channel axes too: reverse only the two spatial axes.",
    ),
    mistake(
        "channel axes",
        "weight.flip(2, 3)",
        "weight.flip(0, 1)",
        hint="You reverse the channel axes: reverse the two spatial axes instead.",
    ),
    mistake(
        "quarter turn",
        "weight.flip(2, 3)",
        "torch.rot90(weight, 1, (2, 3))",
        hint="You turn by 90 degrees: turn by 180 degrees.",
    ),
    mistake(
        "transposed",
        "weight.flip(2, 3)",
        "weight.transpose(2, 3).contiguous()",
        hint="You swap rows and columns: reverse both instead.",
    ),
    mistake(
        "channels exchanged as well",
        "weight.flip(2, 3)",
        "weight.flip(2, 3).transpose(0, 1).contiguous()",
        hint="You also swap the two channel axes: leave them as they are.",
    ),
    mistake(
        "nothing done",
        "weight.flip(2, 3)",
        "weight.clone()",
        hint="You return the kernel unchanged: reverse both spatial axes.",
    ),
    mistake("detached", "weight.flip(2, 3)", "weight.flip(2, 3).detach()", hint=DETACHED),
    mistake(
        "in place",
        "return weight.flip(2, 3)",
        "turned = weight.flip(2, 3)\n    weight.data.copy_(turned)\n    return turned",
        hint="You overwrite the caller's kernel: return a new tensor and leave weight unchanged.",
    ),
    mistake(
        "sign turned",
        "weight.flip(2, 3)",
        "-weight.flip(2, 3)",
        hint="You also negate the kernel: remove the minus sign.",
    ),
    mistake(
        "channels and rows reversed",
        "flip(2, 3)",
        "flip(1, 2)",
        hint="You reverse a channel axis and the rows: reverse the two spatial axes.",
    ),
    mistake(
        "transposed as well",
        "weight.flip(2, 3)",
        "weight.transpose(2, 3).flip(2, 3)",
        hint="You also swap rows and columns: only reverse them.",
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
