"""What several exercises of class_visualization have in common: hints, and edits that fit two of them."""

from coursekit.staff.edits import Edit, mistake, variant

COUNT = "Count how often the picture moves, and compare with how often it should."
CALLERS = "Look at what you were given after the call: something about it is no longer as it was."
DRAGS = "The result drags the whole computation behind it: cut it off."
ROUND_GREY = "Distances are taken from grey, not from black."
OWN_BLUR = """
            if blur_every > 0 and step % blur_every == 0:
                r = int(4 * blur_sigma) + 1
                d = torch.arange(-r, r + 1).to(image)
                bell = torch.exp(-(d**2) / (2 * blur_sigma**2))
                bell = torch.outer(bell, bell) / bell.sum() ** 2
                image = F.conv2d(F.pad(image[None], (r, r, r, r), mode="replicate"), bell.expand(3, 1, -1, -1), groups=3)[0]
"""


def zeroing(quantity: str) -> tuple[Edit, ...]:
    """Return mistakes that both ways of turning pixels grey know; quantity is the solution's own word for what it sorts."""
    count = f"math.floor(fraction * len({quantity}))"
    off_by_half = "Count the pixels that became grey: a broken number of pixels is rounded towards fewer."
    return (
        mistake("large ones", ".argsort()", ".argsort(descending=True)", hint="You keep exactly what should go."),
        mistake("rounded", "math.floor(fraction", "round(fraction", hint=off_by_half),
        mistake(
            "rounded up",
            "math.floor(fraction",
            "math.ceil(fraction",
            hint=off_by_half + " Yours always takes one more.",
        ),
        mistake(
            "fraction kept",
            "math.floor(fraction",
            "math.floor((1 - fraction)",
            hint="The given share is the one that goes, not the one that stays.",
        ),
        mistake(
            "fixed limit",
            f"{quantity}.argsort()[: {count}]",
            f"({quantity} < fraction * {quantity}.max()).nonzero().flatten()",
            hint="How many pixels turn grey is given; where the limit lies follows from the picture.",
        ),
        mistake(
            "quantile",
            f"{quantity}.argsort()[: {count}]",
            f"({quantity} <= {quantity}.quantile(fraction)).nonzero().flatten()",
            hint="Count the pixels that became grey: there is one too many, as with a percentile.",
        ),
        mistake(
            "black",
            "smallest, 0.5)",
            "smallest, 0.0)",
            hint="Nothing is grey in your result where something should be: which value is grey here?",
        ),
        mistake(
            "all of three axes", f"len({quantity})", "image.numel()", hint="You count values where pixels are meant."
        ),
        mistake(
            "in place", "image.detach().flatten(1).index_fill(", "image.detach().flatten(1).index_fill_(", hint=CALLERS
        ),
        mistake("still in the graph", "image.detach()", "image", hint=DRAGS),
    )


def each_colour_by_itself(scores: str) -> Edit:
    """Return the mistake of sorting the values of all channels; scores are the numbers that it sorts."""
    return mistake(
        "each colour by itself",
        body=f"""
            values = {scores}.flatten()
            smallest = values.argsort()[: math.floor(fraction * len(values))]
            return image.detach().flatten().index_fill(0, smallest, 0.5).view(image.shape)
            """,
        hint="A pixel is grey or not in all three colours at once; yours loses single colours.",
    )


def zeroed_otherwise(scores: str) -> tuple[Edit, ...]:
    """Return right ways to turn the pixels with the smallest scores grey."""
    return (
        variant(
            "topk",
            body=f"""
            scores = {scores}.detach()
            count = int(fraction * scores.numel())
            result = image.detach().clone()
            result.view(3, -1)[:, scores.flatten().topk(count, largest=False).indices] = 0.5
            return result
            """,
        ),
        variant(
            "rank of every pixel",
            body=f"""
            scores = {scores}.flatten()
            ranks = scores.argsort().argsort().view(image.shape[1:])
            return torch.where(ranks < math.floor(fraction * scores.numel()), 0.5, image).detach()
            """,
        ),
        variant(
            "limit by sorting",
            body=f"""
            scores = {scores}
            count = int(fraction * scores.shape[0] * scores.shape[1])
            ordered = scores.flatten().sort().values
            keep = torch.ones_like(scores, dtype=torch.bool) if count == 0 else scores > ordered[count - 1]
            return (0.5 + (image - 0.5) * keep).detach()
            """,
        ),
        variant(
            "plain search",
            body=f"""
            scores = ({scores}).tolist()
            places = sorted((s, y, x) for y, row in enumerate(scores) for x, s in enumerate(row))
            result = image.detach().clone()
            for _, y, x in places[: int(fraction * len(places))]:
                result[:, y, x] = 0.5
            return result
            """,
        ),
    )
