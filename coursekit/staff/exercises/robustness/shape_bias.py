"""Exercise shape_bias: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "Go through the trials one by one. Which of them show whether the network prefers shapes?",
    ("Two kinds of trials do not count: both cues are the same class, or the network names a third class."),
    "Count the decisions for the shape and those for the texture. If there are none, the result is NaN.",
    "bias = S / (S + T), S = #{p = s != t}, T = #{p = t != s}",
)

MISTAKES = (
    mistake(
        "counted in eight bits",
        "by_shape = int((conflict & (predictions == shapes)).sum())",
        "by_shape = int((conflict & (predictions == shapes)).sum(dtype=torch.int8))",
        hint="Your counter overflows: an 8-bit integer holds at most 127.",
    ),
    mistake(
        "equal trials count once",
        "conflict = shapes != textures",
        "predictions, shapes, textures = torch.stack([predictions, shapes, textures]).unique(dim=1)\n"
        "    conflict = shapes != textures",
        hint="You remove repeated trials: every trial counts, even with the same three classes.",
    ),
    mistake(
        "all trials in the denominator",
        "by_shape / (by_shape + by_texture) if by_shape + by_texture else math.nan",
        "by_shape / len(shapes) if by_shape + by_texture else math.nan",
        hint="You divide by all trials: divide by shape decisions plus texture decisions.",
    ),
    mistake(
        "conflict trials in the denominator",
        "by_shape / (by_shape + by_texture) if by_shape + by_texture else math.nan",
        "by_shape / int(conflict.sum()) if by_shape + by_texture else math.nan",
        hint="You divide by trials that include third classes: divide by shape decisions plus texture decisions.",
    ),
    mistake(
        "trials without conflict kept",
        "conflict = shapes != textures",
        "conflict = torch.ones_like(shapes, dtype=torch.bool)",
        hint="You count trials whose shape and texture are the same class: leave them out.",
    ),
    mistake(
        "agreeing trials count as shape",
        "by_shape = int((conflict & (predictions == shapes)).sum())",
        "by_shape = int((predictions == shapes).sum())",
        hint="Your shape decisions include trials whose shape and texture are the same class: leave them out.",
    ),
    mistake(
        "texture bias",
        "return by_shape / ",
        "return by_texture / ",
        hint="You return the share of texture decisions: return the share of shape decisions.",
    ),
    mistake(
        "ratio of the two",
        "by_shape / (by_shape + by_texture) if by_shape + by_texture else",
        "by_shape / max(by_texture, 1) if by_shape + by_texture else",
        hint="You divide by the texture decisions only: divide by shape decisions plus texture decisions.",
    ),
    mistake("zero if undecided", "else math.nan", "else 0.0", hint="You return 0 if there is no decision: return NaN."),
    mistake(
        "one half if undecided",
        "else math.nan",
        "else 0.5",
        hint="You return 0.5 if there is no decision: return NaN.",
    ),
    mistake(
        "division by zero",
        " if by_shape + by_texture else math.nan",
        "",
        hint="You divide by zero if there is no decision: return NaN.",
    ),
    mistake(
        "a tensor",
        "return by_shape / (by_shape + by_texture) if by_shape + by_texture else math.nan",
        "return torch.tensor(by_shape).double() / (by_shape + by_texture)",
        hint="You return a tensor: return a float.",
    ),
    mistake(
        "percent",
        "return by_shape / ",
        "return 100 * by_shape / ",
        hint="Your result is in percent: return a share from 0 to 1.",
    ),
    mistake(
        "shape against the rest",
        "by_texture = int((conflict & (predictions == textures)).sum())",
        "by_texture = int((conflict & (predictions != shapes)).sum())",
        hint="You count every prediction except the shape as texture: it must equal the texture.",
    ),
    mistake(
        "average over classes",
        "return by_shape / (by_shape + by_texture) if by_shape + by_texture else math.nan",
        "shares = [(predictions[rows] == k).double().mean() for k in shapes.unique()\n"
        "              if len(rows := (conflict & (shapes == k) & ((predictions == shapes) | (predictions == textures))).nonzero()[:, 0])]\n"
        "    return float(sum(shares)) / len(shares) if shares else math.nan",
        hint="You average the shares of the classes: count the decisions of all classes together.",
    ),
    mistake(
        "difference of the two",
        "return by_shape /",
        "return (by_shape - by_texture) /",
        hint="You subtract the texture decisions in the numerator: use the shape decisions alone.",
    ),
)

VARIANTS = (
    variant(
        "loop",
        body="""
        shape = texture = 0
        for p, s, t in zip(predictions.tolist(), shapes.tolist(), textures.tolist()):
            if s == t:
                continue
            shape += p == s
            texture += p == t
        return shape / (shape + texture) if shape or texture else float("nan")
        """,
    ),
    variant(
        "decided trials first",
        body="""
        decided = (shapes != textures) & ((predictions == shapes) | (predictions == textures))
        return (predictions[decided] == shapes[decided]).double().mean().item()
        """,
    ),
    variant(
        "exclusive or",
        body="""
        by_shape, by_texture = predictions.eq(shapes), predictions.eq(textures)
        only_shape = (by_shape & ~by_texture).sum().item()
        decided = (by_shape ^ by_texture).sum().item()
        return math.nan if decided == 0 else only_shape / decided
        """,
    ),
)
