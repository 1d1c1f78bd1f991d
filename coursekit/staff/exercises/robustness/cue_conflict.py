"""Exercise cue_conflict: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "The work is done by the transfer that you are handed. You make the pairs.",
    "The transfer knows single pictures: three axes, shape first, material second.",
    "Whatever it returns may have a history and may leave the range of a picture.",
    "x_i = clip(T(content_i, texture_i), 0, 1) for i = 1 .. N",
)

PAIRS = "torch.stack([transfer(image, style).detach() for image, style in pairs]).clamp(0, 1)"

MISTAKES = (
    mistake(
        "transfer without gradients",
        "    return torch.stack(",
        "    with torch.no_grad():\n        return torch.stack(",
        hint="Some ways to paint a picture descend a loss, and cannot where derivatives are switched off.",
    ),
    mistake(
        "cues exchanged",
        "transfer(image, style)",
        "transfer(style, image)",
        hint="Which of the two gives the shape? Look at the order of the arguments.",
    ),
    mistake(
        "one texture for all",
        "zip(content.detach(), texture.detach(), strict=True)",
        "[(image, texture.detach()[0]) for image in content.detach()]",
        hint="All your pictures are made of the same material.",
    ),
    mistake(
        "one content for all",
        "zip(content.detach(), texture.detach(), strict=True)",
        "[(content.detach()[0], style) for style in texture.detach()]",
        hint="All your pictures have the same shape.",
    ),
    mistake(
        "all pairs",
        "zip(content.detach(), texture.detach(), strict=True)",
        "[(image, style) for image in content.detach() for style in texture.detach()]",
        hint="Count what comes out: one picture for each pair is asked for.",
    ),
    mistake(
        "whole batch at once",
        PAIRS,
        "transfer(content.detach(), texture.detach()).detach().clamp(0, 1)",
        hint="The transfer works on one picture and one material, without a batch axis.",
    ),
    mistake(
        "batches of one",
        PAIRS,
        "torch.cat([transfer(x[None], y[None]).detach() for x, y in pairs]).clamp(0, 1)",
        hint="What shape does the transfer get? One picture has three axes.",
    ),
    mistake("not clamped", ".clamp(0, 1)", "", hint="Look at the smallest and the largest value."),
    mistake(
        "graph kept", "transfer(image, style).detach()", "transfer(image, style)", hint="A picture needs no history."
    ),
    mistake(
        "textures in reverse",
        "texture.detach(), strict",
        "texture.detach().flip(0), strict",
        hint="Picture i belongs to texture i.",
    ),
    mistake(
        "half content",
        PAIRS,
        "(0.5 * content.detach() + 0.5 * torch.stack([transfer(*pair).detach() for pair in pairs])).clamp(0, 1)",
        hint="The transfer's own picture is the result; mixing is not your business.",
    ),
    mistake(
        "content itself",
        PAIRS,
        "torch.stack([(image, transfer(image, style))[0] for image, style in pairs]).clamp(0, 1)",
        hint="What did the transfer return, and what do you return?",
    ),
    mistake(
        "transfer called twice",
        "[transfer(image, style).detach() for image, style in pairs]",
        "[(transfer(image, style), transfer(image, style))[1].detach() for image, style in pairs]",
        hint="A transfer may take minutes: how often do you ask for it?",
    ),
    mistake(
        "a list",
        PAIRS,
        "[transfer(*pair).detach().clamp(0, 1) for pair in pairs]",
        hint="One tensor is asked for, not several.",
    ),
    mistake(
        "picture as its own style",
        "transfer(image, style)",
        "transfer(image, image)",
        hint="You hand over the content twice: the second argument is the texture's picture.",
    ),
)

VARIANTS = (
    variant(
        "list and stack",
        body="""
        pictures = []
        for i in range(len(content)):
            pictures.append(transfer(content[i].detach().clone(), texture[i].detach().clone()).detach().clone())
        return torch.clamp(torch.stack(pictures), 0, 1)
        """,
    ),
    variant(
        "no graph outside of transfer",
        body="""
        made = list(map(transfer, content.detach(), texture.detach()))
        with torch.no_grad():
            return torch.stack(made).clip(0, 1)
        """,
    ),
    variant(
        "into an empty batch",
        body="""
        result = torch.empty_like(content.detach())
        for i, (shape, material) in enumerate(zip(content.detach(), texture.detach())):
            result[i] = transfer(shape, material).detach().clamp(0, 1)
        return result
        """,
    ),
)
