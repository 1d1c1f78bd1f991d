"""Exercise shape_bias: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "Go through the trials one by one: which of them tell whether the network prefers shapes?",
    (
        "Two kinds of trials tell nothing: those in which both cues agree, and those in which the network names a "
        "third class."
    ),
    "Count the decisions for the shape and those for the texture. If there is none of either, no share exists.",
    "bias = S / (S + T), S = #{p = s != t}, T = #{p = t != s}",
)

MISTAKES = (
    mistake(
        "counted in eight bits",
        "by_shape = int((conflict & (predictions == shapes)).sum())",
        "by_shape = int((conflict & (predictions == shapes)).sum(dtype=torch.int8))",
        hint="Many trials are more than your counter can hold.",
    ),
    mistake(
        "equal trials count once",
        "conflict = shapes != textures",
        "predictions, shapes, textures = torch.stack([predictions, shapes, textures]).unique(dim=1)\n"
        "    conflict = shapes != textures",
        hint="Two trials with the same three classes are two decisions.",
    ),
    mistake(
        "all trials in the denominator",
        "by_shape / (by_shape + by_texture) if by_shape + by_texture else math.nan",
        "by_shape / len(shapes) if by_shape + by_texture else math.nan",
        hint="How many trials do you divide by? In some the network chose neither.",
    ),
    mistake(
        "conflict trials in the denominator",
        "by_shape / (by_shape + by_texture) if by_shape + by_texture else math.nan",
        "by_shape / int(conflict.sum()) if by_shape + by_texture else math.nan",
        hint="A network that names a third class has decided for no cue at all.",
    ),
    mistake(
        "trials without conflict kept",
        "conflict = shapes != textures",
        "conflict = torch.ones_like(shapes, dtype=torch.bool)",
        hint="Where both cues say the same, no decision between them can be seen.",
    ),
    mistake(
        "agreeing trials count as shape",
        "by_shape = int((conflict & (predictions == shapes)).sum())",
        "by_shape = int((predictions == shapes).sum())",
        hint="Some of your decisions for the shape are as good for the texture.",
    ),
    mistake("texture bias", "return by_shape / ", "return by_texture / ", hint="Which of the two cues is asked about?"),
    mistake(
        "ratio of the two",
        "by_shape / (by_shape + by_texture) if by_shape + by_texture else",
        "by_shape / max(by_texture, 1) if by_shape + by_texture else",
        hint="A share lies between 0 and 1.",
    ),
    mistake("zero if undecided", "else math.nan", "else 0.0", hint="Of no decision, what share is for the shape?"),
    mistake(
        "one half if undecided",
        "else math.nan",
        "else 0.5",
        hint="Nothing was decided: is that the same as undecided between the two?",
    ),
    mistake(
        "division by zero",
        " if by_shape + by_texture else math.nan",
        "",
        hint="What happens if the network never chose one of the two?",
    ),
    mistake(
        "a tensor",
        "return by_shape / (by_shape + by_texture) if by_shape + by_texture else math.nan",
        "return torch.tensor(by_shape).double() / (by_shape + by_texture)",
        hint="Look at the type: a plain number is asked for.",
    ),
    mistake(
        "percent",
        "return by_shape / ",
        "return 100 * by_shape / ",
        hint="A share lies between 0 and 1; yours is a hundred times that.",
    ),
    mistake(
        "shape against the rest",
        "by_texture = int((conflict & (predictions == textures)).sum())",
        "by_texture = int((conflict & (predictions != shapes)).sum())",
        hint="Not the shape does not mean the texture.",
    ),
    mistake(
        "average over classes",
        "return by_shape / (by_shape + by_texture) if by_shape + by_texture else math.nan",
        "shares = [(predictions[rows] == k).double().mean() for k in shapes.unique()\n"
        "              if len(rows := (conflict & (shapes == k) & ((predictions == shapes) | (predictions == textures))).nonzero()[:, 0])]\n"
        "    return float(sum(shares)) / len(shares) if shares else math.nan",
        hint="Every decision counts the same, whatever class it is about.",
    ),
    mistake(
        "difference of the two",
        "return by_shape /",
        "return (by_shape - by_texture) /",
        hint="You return a difference of the two shares, from -1 to 1: the share for shape was asked for.",
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
