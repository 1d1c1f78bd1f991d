"""What several exercises of class_visualization have in common: hints, and edits that fit two of them."""

from coursekit.staff.edits import Edit, mistake, variant

HISTORY = "Your result still has a gradient history: detach it."
EQUAL = "Your limit treats equal pixels alike, so too many or too few become grey: take exactly the given number."
ROUND_GREY = "You measure the distance from black (0): measure it from grey (0.5)."
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
    return (
        mistake(
            "large ones",
            ".argsort()",
            ".argsort(descending=True)",
            hint="You turn the largest values grey: sort in ascending order and take the smallest.",
        ),
        mistake(
            "rounded",
            "math.floor(fraction",
            "round(fraction",
            hint="You round the number of pixels to the nearest integer: round it down.",
        ),
        mistake(
            "rounded up",
            "math.floor(fraction",
            "math.ceil(fraction",
            hint="You round the number of pixels up: round it down.",
        ),
        mistake(
            "fraction kept",
            "math.floor(fraction",
            "math.floor((1 - fraction)",
            hint="You turn 1 - fraction of the pixels grey: fraction is the share that becomes grey.",
        ),
        mistake(
            "fixed limit",
            f"{quantity}.argsort()[: {count}]",
            f"({quantity} < fraction * {quantity}.max()).nonzero().flatten()",
            hint="Your limit is a fraction of the maximum: the number of grey pixels is given, not the limit.",
        ),
        *(
            mistake(
                f"quantile, {sign}",
                f"{quantity}.argsort()[: {count}]",
                f"({quantity} {sign} {quantity}.quantile(fraction)).nonzero().flatten()",
                hint="Your quantile turns one pixel too many grey: sort, and take exactly the given number.",
            )
            for sign in ("<", "<=")
        ),
        mistake(
            "limit, its equals too",
            f"{quantity}.argsort()[: {count}]",
            f"({quantity} <= {quantity}.sort().values[{count} - 1]).nonzero().flatten()[: len({quantity}) * ({count} > 0)]",
            hint=EQUAL,
        ),
        mistake(
            "limit, none of its equals",
            f"{quantity}.argsort()[: {count}]",
            f"({quantity} < torch.cat([{quantity}.sort().values, {quantity}.new_tensor([math.inf])])[{count}]).nonzero().flatten()",
            hint=EQUAL,
        ),
        mistake(
            "limit, only what is below it",
            f"{quantity}.argsort()[: {count}]",
            f"({quantity} < torch.cat([{quantity}.new_tensor([-math.inf]), {quantity}.sort().values])[{count}]).nonzero().flatten()",
            hint="You turn grey only what lies below the last value to become grey: that pixel is missing.",
        ),
        mistake(
            "whole rows",
            count,
            "math.floor(fraction * image.shape[1]) * image.shape[2]",
            hint="You turn a whole number of rows grey: take floor(fraction * H * W) pixels.",
        ),
        mistake(
            "at least one",
            f"[: {count}]",
            f"[: max({count}, 1)]",
            hint="You turn at least one pixel grey: with a small fraction none becomes grey.",
        ),
        mistake(
            "black",
            "smallest, 0.5)",
            "smallest, 0.0)",
            hint="You set pixels to 0, which is black: grey is 0.5.",
        ),
        mistake(
            "all of three axes",
            f"len({quantity})",
            "image.numel()",
            hint="You take a fraction of 3 * H * W values: take it of H * W pixels.",
        ),
        mistake(
            "in place",
            "image.detach().flatten(1).index_fill(",
            "image.detach().flatten(1).index_fill_(",
            hint="You write grey into the caller's image: work on a copy.",
        ),
        mistake("still in the graph", "image.detach()", "image", hint=HISTORY),
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
        hint="You set single channels to grey: choose pixels, and set all three channels together.",
    )


def zeroed_otherwise(scores: str) -> tuple[Edit, ...]:
    """Return right ways to turn the pixels with the smallest scores grey."""
    return (
        variant(
            "topk",
            body=f"""
            scores = {scores}.detach()
            count = int(fraction * scores.numel())
            result = image.detach().clone(memory_format=torch.contiguous_format)
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
            "largest ones kept",
            body=f"""
            scores = {scores}.flatten()
            order = scores.sort(descending=True).indices
            keep = torch.zeros_like(scores, dtype=torch.bool)
            keep[order[: len(scores) - int(fraction * len(scores))]] = True
            return (0.5 + (image - 0.5) * keep.view(image.shape[1:])).detach()
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
