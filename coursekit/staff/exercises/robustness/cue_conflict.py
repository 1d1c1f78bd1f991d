"""Exercise cue_conflict: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "The function transfer makes each picture. You only pair each content with its texture.",
    "Give transfer single images (3, H, W), without a batch axis: the content first, the texture second.",
    "What transfer returns may have a gradient history and may leave [0, 1].",
    "x_i = clip(T(content_i, texture_i), 0, 1) for i = 1 .. N",
)

PAIRS = "torch.stack([transfer(image, style).detach() for image, style in pairs]).clamp(0, 1)"

MISTAKES = (
    mistake(
        "transfer without gradients",
        "    return torch.stack(",
        "    with torch.no_grad():\n        return torch.stack(",
        hint="You switch gradients off with no_grad, but some transfers need them: detach their results instead.",
    ),
    mistake(
        "cues exchanged",
        "transfer(image, style)",
        "transfer(style, image)",
        hint="You swap transfer's arguments: the content comes first, the texture second.",
    ),
    mistake(
        "one texture for all",
        "zip(content.detach(), texture.detach(), strict=True)",
        "[(image, texture.detach()[0]) for image in content.detach()]",
        hint="You use the first texture for every content: texture i goes with content i.",
    ),
    mistake(
        "one content for all",
        "zip(content.detach(), texture.detach(), strict=True)",
        "[(content.detach()[0], style) for style in texture.detach()]",
        hint="You use the first content for every texture: content i goes with texture i.",
    ),
    mistake(
        "all pairs",
        "zip(content.detach(), texture.detach(), strict=True)",
        "[(image, style) for image in content.detach() for style in texture.detach()]",
        hint="You combine every content with every texture: pair content i with texture i only.",
    ),
    mistake(
        "whole batch at once",
        PAIRS,
        "transfer(content.detach(), texture.detach()).detach().clamp(0, 1)",
        hint="You pass whole batches to transfer: call it once per pair, with single images (3, H, W).",
    ),
    mistake(
        "batches of one",
        PAIRS,
        "torch.cat([transfer(x[None], y[None]).detach() for x, y in pairs]).clamp(0, 1)",
        hint="You pass batches of one, (1, 3, H, W): transfer takes single images (3, H, W).",
    ),
    mistake("not clamped", ".clamp(0, 1)", "", hint="Some values lie outside [0, 1]: clamp the result."),
    mistake(
        "graph kept",
        "transfer(image, style).detach()",
        "transfer(image, style)",
        hint="Your result has a gradient history: detach what transfer returns.",
    ),
    mistake(
        "textures in reverse",
        "texture.detach(), strict",
        "texture.detach().flip(0), strict",
        hint="You reverse the order of the textures: texture i goes with content i.",
    ),
    mistake(
        "half content",
        PAIRS,
        "(0.5 * content.detach() + 0.5 * torch.stack([transfer(*pair).detach() for pair in pairs])).clamp(0, 1)",
        hint="You mix the content into the result: return transfer's picture alone.",
    ),
    mistake(
        "content itself",
        PAIRS,
        "torch.stack([(image, transfer(image, style))[0] for image, style in pairs]).clamp(0, 1)",
        hint="You return the content: return the picture that transfer makes.",
    ),
    mistake(
        "transfer called twice",
        "[transfer(image, style).detach() for image, style in pairs]",
        "[(transfer(image, style), transfer(image, style))[1].detach() for image, style in pairs]",
        hint="You call transfer twice per pair: call it once.",
    ),
    mistake(
        "a list",
        PAIRS,
        "[transfer(*pair).detach().clamp(0, 1) for pair in pairs]",
        hint="You return a list: return one tensor (N, 3, H, W).",
    ),
    mistake(
        "picture as its own style",
        "transfer(image, style)",
        "transfer(image, image)",
        hint="You pass the content twice: transfer's second argument is the texture.",
    ),
    mistake(
        "texture resized",
        "zip(content.detach(), texture.detach(), strict=True)",
        'zip(content.detach(), F.interpolate(texture.detach(), content.shape[-2:], mode="bilinear"), strict=True)',
        hint="You resize the textures to the content's size: pass each as it is.",
    ),
    mistake(
        "next texture",
        "texture.detach(), strict",
        "texture.detach().roll(1, 0), strict",
        hint="Content i gets the texture of another pair: texture i goes with content i.",
    ),
    mistake(
        "painted twice",
        "transfer(image, style).detach()",
        "transfer(transfer(image, style), style).detach()",
        hint="You paint each picture twice: call transfer once per pair.",
    ),
    mistake(
        "content overwritten",
        body="""
        for i, style in enumerate(texture.detach()):
            content.detach()[i] = transfer(content.detach()[i], style).detach().clamp(0, 1)
        return content.detach()
        """,
        hint="You write the results into the caller's content: make a new tensor.",
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
