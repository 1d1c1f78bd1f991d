"""Exercise instance_labels: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "Give each pixel a number of its own, in reading order. Neighbours of one class must end up with the same number: the smaller one."
    ),
    (
        "List all pairs of neighbours of one class (right and below are enough). Give both pixels the smaller of their two numbers. Repeat until nothing changes."
    ),
    (
        "This is slow for long regions: in each round, also replace each pixel's number p by the number of pixel p. At the end, count the pixels that kept their own number."
    ),
    "root[p] = min of the reading-order numbers of p's region; label[p] = number of roots <= root[p] in the picture",
)


def numbered(each: str) -> str:
    """The body of a wrong instance_labels that numbers each picture by scikit-image."""
    return f"""
    from skimage.measure import label as number
    import numpy as np

    inside = ((labels != background) & (labels != ignore_index)).numpy()
    shifted = (labels - labels.min() + 1).numpy() * inside
    return torch.stack([torch.from_numpy({each}.astype(np.int64)) for x in shifted])
    """


def spread(rounds: str) -> str:
    """The body of a wrong instance_labels: each pixel takes the smallest number beside it, so many times."""
    return f"""
    inside = (labels != background) & (labels != ignore_index)
    images, height, width = labels.shape
    place = torch.arange(1, height * width + 1).view(1, height, width).expand_as(labels)
    root = place * inside
    for _ in range({rounds}):
        new = root.clone()
        for axis in (1, 2):
            near, far = slice(None, -1), slice(1, None)
            for one, other in ((near, far), (far, near)):
                to, of = ((slice(None),) * axis + (part,) for part in (one, other))
                same = inside[to] & inside[of] & (labels[to] == labels[of])
                new[to] = torch.where(same, torch.minimum(new[to], root[of]), new[to])
        root = new
    number = (inside & (root == place)).flatten(1).cumsum(1)
    return number.gather(1, (root - 1).clamp(min=0).flatten(1)).view_as(labels) * inside
    """


MISTAKES = (
    mistake(
        "corners connect",
        body=numbered("number(x, connectivity=2)"),
        hint="You connect pixels that touch at a corner: use the four sides only.",
    ),
    mistake(
        "classes run together",
        body=numbered("number(x > 0, connectivity=1)"),
        hint="You connect pixels of different classes: a region is of one class.",
    ),
    mistake(
        "numbered over all images",
        "number = first.flatten(1).cumsum(dim=1).flatten()[root]",
        "number = first.flatten().cumsum(dim=0)[root]",
        hint="You continue counting from image to image: start at 1 in each image.",
    ),
    mistake(
        "numbered class by class",
        body=numbered(
            "sum((number(x == k, connectivity=1) + sum(number(x == j, connectivity=1).max() for j in range(1, k))) * (x == k)"
            " for k in range(1, x.max() + 1))"
        )
        .replace("[torch.from_numpy(", "[torch.from_numpy(np.asarray(")
        .replace(".astype(np.int64)", ").astype(np.int64)"),
        hint="You number class by class: number the regions in reading order of their first pixels.",
    ),
    mistake(
        "one step of spreading",
        "while before is None or not torch.equal(root, before):",
        "for _ in range(1):",
        hint="You do one round only, so long regions break into pieces: repeat until nothing changes.",
    ),
    mistake(
        "regions named by their first pixel",
        "return number * inside",
        "return (root.view_as(labels) + 1) * inside",
        hint="You number regions by the position of their first pixel: number them 1, 2, 3.",
    ),
    mistake(
        "background is a region",
        "inside = (labels != background) & (labels != ignore_index)",
        "inside = labels != ignore_index",
        hint="Background pixels get a region: they must be 0.",
    ),
    mistake(
        "ignored pixels are a region",
        "inside = (labels != background) & (labels != ignore_index)",
        "inside = labels != background",
        hint="Pixels whose label is ignore_index get a region: they must be 0.",
    ),
    mistake(
        "255 always ignored",
        "& (labels != ignore_index)",
        "& (labels != 255)",
        hint="You always ignore label 255: use ignore_index.",
    ),
    mistake(
        "background always 0",
        "inside = (labels != background)",
        "inside = (labels != 0)",
        hint="You always take label 0 as background: use the argument background.",
    ),
    mistake(
        "round the border",
        "a = torch.cat([place[:, :, :-1][right], place[:, :-1][below]])",
        "round_ = inside[:, :, 0] & (labels[:, :, 0] == labels[:, :, -1])\n"
        "    a = torch.cat([place[:, :, :-1][right], place[:, :-1][below], place[:, :, 0][round_]])",
        "b = torch.cat([place[:, :, 1:][right], place[:, 1:][below]])",
        "b = torch.cat([place[:, :, 1:][right], place[:, 1:][below], place[:, :, -1][round_]])",
        hint="You connect the last column with the first: they are no neighbours.",
    ),
    mistake(
        "the class for its instances",
        "return number * inside",
        "return labels * inside",
        hint="You return the class of each pixel: return the number of its region.",
    ),
    mistake(
        "rows only",
        "torch.cat([place[:, :, :-1][right], place[:, :-1][below]])",
        "place[:, :, :-1][right]",
        "torch.cat([place[:, :, 1:][right], place[:, 1:][below]])",
        "place[:, :, 1:][right]",
        hint="You connect pixels along rows only: connect them along columns too.",
    ),
    mistake(
        "columns only",
        "torch.cat([place[:, :, :-1][right], place[:, :-1][below]])",
        "place[:, :-1][below]",
        "torch.cat([place[:, :, 1:][right], place[:, 1:][below]])",
        "place[:, 1:][below]",
        hint="You connect pixels along columns only: connect them along rows too.",
    ),
    mistake(
        "numbers from 2",
        "return number * inside",
        "return (number + 1) * inside",
        hint="Your regions start at 2: start at 1.",
    ),
    mistake(
        "numbers from 0",
        "return number * inside",
        "return (number - 1) * inside",
        hint="Your first region is 0, which means no region: start at 1.",
    ),
    mistake(
        "a fixed number of rounds",
        body=spread("100"),
        hint="Your number of rounds is fixed, so long regions break into pieces: go on until nothing changes.",
    ),
    mistake(
        "as many rounds as the longer side",
        body=spread("max(height, width)"),
        hint="Your number of rounds is fixed, so long regions break into pieces: go on until nothing changes.",
    ),
    mistake(
        "numbered again for each class",
        body=numbered("sum(number(x == k, connectivity=1) for k in range(1, x.max() + 1))")
        .replace("[torch.from_numpy(", "[torch.from_numpy(np.asarray(")
        .replace(".astype(np.int64)", ").astype(np.int64)"),
        hint="You start at 1 for each class: number the regions of all classes together.",
    ),
    mistake(
        "images of the batch touch",
        "below = inside[:, 1:] & (labels[:, 1:] == labels[:, :-1])",
        "rows = labels.flatten(0, 1)\n    below = inside.flatten(0, 1)[1:] & (rows[1:] == rows[:-1])",
        "place[:, :-1][below]",
        "place.flatten(0, 1)[:-1][below]",
        "place[:, 1:][below]",
        "place.flatten(0, 1)[1:][below]",
        hint="Your regions continue from one image into the next: each image is separate.",
    ),
    mistake(
        "reading order by columns",
        body="""
        from skimage.measure import label as number

        inside = (labels != background) & (labels != ignore_index)
        shifted = ((labels - labels.min() + 1) * inside).mT
        return torch.stack([torch.from_numpy(number(x.numpy(), connectivity=1)).long().T for x in shifted])
        """,
        hint="You number in the order of columns: number row by row.",
    ),
    mistake(
        "smaller than the background",
        "inside = (labels != background) & (labels != ignore_index)",
        "inside = (labels > background) & (labels < ignore_index)",
        hint="You compare labels with < and >: only the labels background and ignore_index themselves are outside.",
    ),
    mistake(
        "recursion",
        body="""
        result = torch.zeros_like(labels)
        height, width = labels.shape[1:]

        def visit(classes, found, y, x, which, mark):
            if not (0 <= y < height and 0 <= x < width) or found[y][x] or classes[y][x] != which:
                return
            found[y][x] = mark
            for dy, dx in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                visit(classes, found, y + dy, x + dx, which, mark)

        for i, classes in enumerate(labels.tolist()):
            found, mark = [[0] * width for _ in range(height)], 0
            for y in range(height):
                for x in range(width):
                    if not found[y][x] and classes[y][x] not in (background, ignore_index):
                        mark += 1
                        visit(classes, found, y, x, classes[y][x], mark)
            result[i] = torch.tensor(found)
        return result
        """,
        hint="Your recursion goes deeper than Python allows on large regions: keep a list of pixels to visit.",
    ),
    mistake(
        "row ends touch",
        "right = inside[:, :, 1:] & (labels[:, :, 1:] == labels[:, :, :-1])",
        "flat = labels.flatten(1)\n    right = inside.flatten(1)[:, 1:] & (flat[:, 1:] == flat[:, :-1])",
        "place[:, :, :-1][right]",
        "place.flatten(1)[:, :-1][right]",
        "place[:, :, 1:][right]",
        "place.flatten(1)[:, 1:][right]",
        hint="You connect the end of a row with the start of the next: they are no neighbours.",
    ),
    mistake(
        "index -1 is the last",
        body="""
        result = torch.zeros_like(labels, memory_format=torch.contiguous_format)
        height, width = labels.shape[1:]
        for i, classes in enumerate(labels.tolist()):
            found, mark = [[0] * width for _ in range(height)], 0
            for y in range(height):
                for x in range(width):
                    if found[y][x] or classes[y][x] in (background, ignore_index):
                        continue
                    mark += 1
                    found[y][x], todo = mark, [(y, x)]
                    while todo:
                        a, b = todo.pop()
                        for c, d in ((a - 1, b), (a + 1, b), (a, b - 1), (a, b + 1)):
                            inside = -1 <= c < height and -1 <= d < width
                            if inside and not found[c][d] and classes[c][d] == classes[y][x]:
                                found[c][d] = mark
                                todo.append((c, d))
            result[i] = torch.tensor(found)
        return result
        """,
        hint="Row or column -1 is the last one in Python, so your regions wrap around: stay inside the image.",
    ),
    mistake(
        "regions of the stacked images",
        body="""
        n, height, width = labels.shape
        flat = labels.reshape(n * height, width)
        inside = (flat != background) & (flat != ignore_index)
        root = torch.arange(flat.numel(), device=labels.device).view_as(flat)
        while True:
            before = root.clone()
            for axis in (0, 1):
                for turn in (False, True):
                    one, other = (slice(1, None), slice(None, -1))[:: -1 if turn else 1]
                    to, come = ((one, other) if axis == 0 else ((slice(None), one), (slice(None), other)))
                    same = inside[to] & (flat[to] == flat[come])
                    root[to] = torch.where(same, torch.minimum(root[to], root[come]), root[to])
            if torch.equal(before, root):
                break
        result = torch.zeros_like(labels)
        for i in range(n):
            own, where = root.view(n, height, width)[i], inside.view(n, height, width)[i]
            for number, first in enumerate(own[where].unique().tolist(), 1):
                result[i][(own == first) & where] = number
        return result
        """,
        hint="Your regions continue from one image into the next: each image is separate.",
    ),
    mistake(
        "255 always left out",
        "(labels != ignore_index)",
        "(labels != ignore_index) & (labels != 255)",
        hint="You leave out label 255 also where ignore_index is another: use only ignore_index.",
    ),
)

VARIANTS = (
    variant(
        "scikit-image",
        body="""
        from skimage.measure import label as regions

        out = []
        for picture in labels:
            shifted = picture - picture.min() + 1
            shifted = shifted.masked_fill((picture == background) | (picture == ignore_index), 0)
            out.append(torch.from_numpy(regions(shifted.numpy(), background=0, connectivity=1)).long())
        return torch.stack(out)
        """,
    ),
    variant(
        "scipy, class by class, numbered again",
        body="""
        from scipy import ndimage

        out = torch.zeros_like(labels)
        for n, picture in enumerate(labels):
            found = torch.zeros_like(picture)
            for k in picture.unique().tolist():
                if k in (background, ignore_index):
                    continue
                marked, _ = ndimage.label((picture == k).numpy())
                marked = torch.from_numpy(marked).long()
                found = torch.where(marked > 0, marked + found.max(), found)
            flat, seen = found.flatten().tolist(), {0: 0}
            out[n] = torch.tensor([seen.setdefault(i, len(seen)) for i in flat]).view_as(picture)
        return out
        """,
    ),
    variant(
        "flood fill with a stack",
        body="""
        out = torch.zeros_like(labels)
        for n, picture in enumerate(labels.tolist()):
            number = 0
            for y in range(len(picture)):
                for x in range(len(picture[0])):
                    if picture[y][x] in (background, ignore_index) or out[n, y, x]:
                        continue
                    number += 1
                    out[n, y, x] = number
                    stack = [(y, x)]
                    while stack:
                        a, b = stack.pop()
                        for c, d in ((a - 1, b), (a + 1, b), (a, b - 1), (a, b + 1)):
                            inside = 0 <= c < len(picture) and 0 <= d < len(picture[0])
                            if inside and picture[c][d] == picture[y][x] and not out[n, c, d]:
                                out[n, c, d] = number
                                stack.append((c, d))
        return out
        """,
    ),
    variant(
        "spreading the smallest number until nothing changes",
        body="""
        inside = (labels != background) & (labels != ignore_index)
        n, h, w = labels.shape
        number = torch.arange(1, h * w + 1).view(1, h, w).repeat(n, 1, 1) * inside
        while True:
            before = number
            for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                moved = number.roll((dy, dx), (1, 2))
                same = inside & inside.roll((dy, dx), (1, 2)) & (labels == labels.roll((dy, dx), (1, 2)))
                edge = torch.ones(h, w, dtype=torch.bool)
                edge[0 if dy == 1 else -1 if dy == -1 else slice(0, 0)] = False
                edge[:, 0 if dx == 1 else -1 if dx == -1 else slice(0, 0)] = False
                number = torch.where(same & edge, torch.minimum(number, moved), number)
            if torch.equal(number, before):
                break
        out = torch.zeros_like(labels)
        for i in range(n):
            names = number[i].unique()
            names = names[names > 0]
            for k, name in enumerate(names.tolist(), 1):
                out[i][number[i] == name] = k
        return out
        """,
    ),
)
