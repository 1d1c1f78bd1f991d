"""Exercise receptive_field: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "Go from the unit back to the image, one step at a time. For each map, keep the range of rows and "
        "the range of columns that the unit reads."
    ),
    (
        "Draw one convolution in one dimension. Which inputs does output 3 read with stride 2, padding 1 and "
        "a kernel of 3?"
    ),
    (
        "Several later maps may read the same map. Keep the smallest range that covers all of them. Cut off "
        "what lies outside the map."
    ),
    "first_in = first_out * stride - padding; end_in = (end_out - 1) * stride - padding + dilation * (kernel - 1) + 1",
)

AXES = "You take an entry of the wrong axis: kernel, stride, padding and dilation are (vertical, horizontal)."
ENTRIES = "kernel", "stride", "padding", "dilation"


def of_one_axis(*names: str) -> tuple[str, ...]:
    """Return the edits with which the vertical entry serves for both axes."""
    old = (
        "low = first * step.stride[axis] - step.padding[axis]",
        "reach = step.dilation[axis] * (step.kernel[axis] - 1) + 1",
        "high = (last - 1) * step.stride[axis] - step.padding[axis] + reach",
    )
    edits: list[str] = []
    for line in old:
        new = line
        for name in names:
            new = new.replace(f"{name}[axis]", f"{name}[0]")
        edits += [line, new]
    return tuple(edits)


MISTAKES = (
    mistake(
        "padding forgotten",
        "low = first * step.stride[axis] - step.padding[axis]",
        "low = first * step.stride[axis]",
        "high = (last - 1) * step.stride[axis] - step.padding[axis] + reach",
        "high = (last - 1) * step.stride[axis] + reach",
        hint="You do not subtract the padding: your box starts and ends too late.",
    ),
    mistake(
        "stride forgotten",
        "low = first * step.stride[axis]",
        "low = first",
        "high = (last - 1) * step.stride[axis]",
        "high = (last - 1)",
        hint=(
            "You do not multiply by the stride: one unit further in the map is `stride` pixels further in its input."
        ),
    ),
    mistake(
        "dilation forgotten",
        "reach = step.dilation[axis] * (step.kernel[axis] - 1) + 1",
        "reach = step.kernel[axis]",
        hint="You ignore the dilation: a kernel of k taps spans dilation * (k - 1) + 1 inputs.",
    ),
    mistake(
        "x and y swapped",
        "place = unit[1:] or (0, 0)",
        "place = unit[:0:-1] or (0, 0)",
        hint="You swap row and column: unit is (channel, y, x).",
    ),
    mistake(
        "left and top swapped",
        "return top, left, bottom, right",
        "return left, top, right, bottom",
        hint="You return left before top: the order is top, left, bottom, right.",
    ),
    mistake(
        "not clipped above and left",
        "max(low, 0)",
        "low",
        hint="Your box starts before the image (negative top or left): clip it at 0.",
    ),
    mistake(
        "not clipped below and right",
        "min(high, size)",
        "high",
        hint="Your box ends beyond the image: clip it at the map's size.",
    ),
    mistake(
        "last row included",
        "high = (last - 1) * step.stride[axis] - step.padding[axis] + reach",
        "high = (last - 1) * step.stride[axis] - step.padding[axis] + reach - 1",
        hint="Your box ends one row and column too early: it is half-open, so its end is excluded.",
    ),
    mistake(
        "one branch only",
        "for source in step.inputs:",
        "for source in step.inputs[:1]:",
        hint="You follow only the first input of a step: follow all of them and take the union.",
    ),
    mistake(
        "branches in series",
        body="""
        spans = [(i, i + 1) for i in unit[1:] or (0, 0)]
        for step in reversed(spatial_steps(model, layer, image_size)):
            for axis, (first, last) in enumerate(spans):
                low, high = 0, step.size[axis]
                if step.kernel is not None:
                    low = max(first * step.stride[axis] - step.padding[axis], 0)
                    reach = step.dilation[axis] * (step.kernel[axis] - 1) + 1
                    high = min((last - 1) * step.stride[axis] - step.padding[axis] + reach, high)
                spans[axis] = (low, high)
        (top, bottom), (left, right) = spans
        return top, left, bottom, right
        """,
        hint="You treat parallel branches as one chain: go back through each branch and take the union.",
    ),
    mistake(
        "flat layer",
        "low, high = 0, size",
        "low, high = first, last",
        hint="Behind flatten or global pooling (kernel None) a unit sees the whole map: return its full range.",
    ),
    mistake(
        "remembered from another network",
        "    steps = spatial_steps(model, layer, image_size)",
        "    memory = globals().setdefault('_memory', {})\n"
        "    steps = memory.setdefault((layer, image_size), None) or spatial_steps(model, layer, image_size)\n"
        "    memory[layer, image_size] = steps",
        hint="You cache the steps by layer and size, so another network gets the first one's answer.",
    ),
    mistake(
        "errors swallowed",
        "    steps = spatial_steps(model, layer, image_size)",
        "    try:\n        steps = spatial_steps(model, layer, image_size)\n"
        "    except Exception:\n        return (0, 0, *image_size)",
        hint="The network's error does not reach the caller: do not catch it.",
    ),
    mistake(
        "global pooling taken for a single place",
        "low, high = 0, size",
        "low, high = (0, size) if len(unit) == 1 else (first, last)",
        hint="Where the kernel is None a unit sees the whole map, also if unit has a place (c, 0, 0).",
    ),
    mistake(
        "kernel one too large",
        "(step.kernel[axis] - 1) + 1",
        "step.kernel[axis] + 1",
        hint="Your reach is too large: a kernel of k taps has k - 1 gaps between them.",
    ),
    mistake(
        "padding added",
        "first * step.stride[axis] - step.padding[axis]",
        "first * step.stride[axis] + step.padding[axis]",
        hint="You add the padding to the start: subtract it.",
    ),
    mistake(
        "one stride too far",
        "(last - 1) * step.stride[axis]",
        "last * step.stride[axis]",
        hint="Your box ends one stride too late: its end is excluded, so the last unit is one before it.",
    ),
    mistake(
        "top and bottom first",
        "return top, left, bottom, right",
        "return top, bottom, left, right",
        hint="You return top, bottom, left, right: the order is top, left, bottom, right.",
    ),
    *(mistake(f"one {name} for both axes", *of_one_axis(name), hint=AXES) for name in ENTRIES[:3]),
    mistake("one axis for both", *of_one_axis(*ENTRIES), hint=AXES),
    mistake("kernel of the other axis", "step.kernel[axis]", "step.kernel[1 - axis]", hint=AXES),
    mistake(
        "padding counted in dilated steps",
        "low = first * step.stride[axis] - step.padding[axis]",
        "padding = step.padding[axis] * step.dilation[axis]\n                low = first * step.stride[axis] - padding",
        "high = (last - 1) * step.stride[axis] - step.padding[axis] + reach",
        "high = (last - 1) * step.stride[axis] - padding + reach",
        hint="You multiply the padding by the dilation: padding is counted in pixels, whatever the dilation.",
    ),
    mistake(
        "start of a dilated padding",
        "first * step.stride[axis] - step.padding[axis]",
        "first * step.stride[axis] - step.padding[axis] * step.dilation[axis]",
        hint="Your box starts too early: you multiply the padding by the dilation, but padding is counted in pixels.",
    ),
    mistake(
        "clipped to the image alone",
        "max(low, 0)",
        "low",
        "min(high, size)",
        "high",
        "return top, left, bottom, right",
        "return max(top, 0), max(left, 0), min(bottom, image_size[0]), min(right, image_size[1])",
        hint="You clip only at the image: in between, a unit sees nothing beyond the edges of a map either.",
    ),
    mistake(
        "whole image behind any global step",
        "seen = {steps",
        "if any(step.kernel is None for step in steps):\n        return 0, 0, *image_size\n    seen = {steps",
        hint="A global step sees its whole map, which may show only a part of the image: go further back.",
    ),
    mistake(
        "height for the width of a whole map",
        "low, high = 0, size",
        "low, high = 0, step.size[0]",
        hint="Behind flatten or global pooling you use the map's height for its width as well.",
    ),
    mistake(
        "dilation times the kernel",
        "step.dilation[axis] * (step.kernel[axis] - 1) + 1",
        "step.dilation[axis] * step.kernel[axis]",
        hint="Your reach is too large: a kernel of k taps has k - 1 gaps between them.",
    ),
    mistake(
        "gradient of one picture",
        body="""
        parameter = next(model.parameters())
        picture = torch.full((1, 3, *image_size), 0.5, dtype=parameter.dtype)
        touched = activation_gradient(model, picture, layer, unit)[0].abs().sum(dim=0)
        rows, columns = (touched > 0).nonzero(as_tuple=True)
        if not len(rows):
            return 0, 0, 0, 0
        return rows.min().item(), columns.min().item(), rows.max().item() + 1, columns.max().item() + 1
        """,
        hint="You look where one image's gradient is not 0: ReLU and max pooling hide pixels. Use the list of steps.",
    ),
    mistake(
        "last path alone",
        "(min(span[axis][0], max(low, 0)), max(span[axis][1], min(high, size)))",
        "(max(low, 0), min(high, size))",
        hint="Where several paths reach a map, your last one replaces the others: take the box around all of them.",
    ),
    mistake(
        "bottom and right counted in",
        "return top, left, bottom, right",
        "return top, left, bottom - 1, right - 1",
        hint="Your box ends one row and column too early: bottom and right are not in the box.",
    ),
    mistake(
        "flat unit without a place",
        "unit[1:] or (0, 0)",
        "(unit[1], unit[2])",
        hint="In a flat layer, unit is (channel,): it has no row and no column.",
    ),
    mistake(
        "not clipped at all",
        "max(low, 0)",
        "low",
        "min(high, size)",
        "high",
        hint="You never clip: nothing lies beyond the edges of the image or of a map.",
    ),
    mistake(
        "gradient of a random picture",
        body="""
        picture = torch.rand(1, 3, *image_size)
        touched = activation_gradient(model, picture, layer, unit)[0].abs().sum(dim=0)
        rows, columns = touched.nonzero(as_tuple=True)
        if not len(rows):
            return 0, 0, 0, 0
        return rows.min().item(), columns.min().item(), rows.max().item() + 1, columns.max().item() + 1
        """,
        hint="You draw a random picture and look at its gradient, which hides pixels: use the list of steps.",
    ),
)

VARIANTS = (
    variant(
        "recursion",
        body="""
        steps = spatial_steps(model, layer, image_size)
        made_by = {step.output: step for step in steps}

        def back(number, box):
            made = [s.size for s in steps if number in s.inputs]
            if made:
                height, width = made[0]
                box = max(box[0], 0), max(box[1], 0), min(box[2], height), min(box[3], width)
            if number not in made_by:
                return box
            step = made_by[number]
            top, left, bottom, right = box
            if step.kernel is None:
                wide = (0, 0, *step.size)
            else:
                wide = tuple(
                    (first * s - p) for first, s, p in zip((top, left), step.stride, step.padding)
                ) + tuple(
                    ((last - 1) * s - p + d * (k - 1) + 1)
                    for last, s, p, d, k in zip((bottom, right), step.stride, step.padding, step.dilation, step.kernel)
                )
            boxes = [back(source, wide) for source in step.inputs]
            tops, lefts, bottoms, rights = zip(*boxes)
            return min(tops), min(lefts), max(bottoms), max(rights)

        y, x = unit[1:] if len(unit) == 3 else (0, 0)
        return back(steps[-1].output, (y, x, y + 1, x + 1))
        """,
    ),
    variant(
        "gradient of a network of ones",
        body="""
        from copy import deepcopy
        from torch.overrides import TorchFunctionMode

        class Pools(TorchFunctionMode):
            def __torch_function__(self, func, types, args=(), kwargs=None):
                if func in (F.max_pool2d, torch.max_pool2d, F.relu, torch.relu):
                    if func in (F.relu, torch.relu):
                        return args[0].clone()
                    return F.avg_pool2d(args[0], args[1], **{k: v for k, v in (kwargs or {}).items() if k in ("stride", "padding")})
                return func(*args, **(kwargs or {}))

        ones = deepcopy(model).double()
        with torch.no_grad():
            for name, value in ones.state_dict().items():
                if value.is_floating_point():
                    value.fill_(1.0 if not name.endswith(("bias", "running_mean")) else 0.0)
        x = torch.ones(1, 3, *image_size, dtype=torch.float64, requires_grad=True)
        with Pools(), record_outputs(ones, [layer]) as outputs:
            ones(x)
        (g,) = torch.autograd.grad(outputs[layer][(0, *unit)], x)
        rows = (g[0].sum(0).sum(1) > 0).nonzero().flatten()
        columns = (g[0].sum(0).sum(0) > 0).nonzero().flatten()
        return rows[0].item(), columns[0].item(), rows[-1].item() + 1, columns[-1].item() + 1
        """,
    ),
    variant(
        "one list of rows and one of columns",
        body="""
        height, width = image_size
        steps = spatial_steps(model, layer, image_size)
        seen = {steps[-1].output: tuple({i} for i in (unit[1:] or (0, 0)))}
        for step in steps[::-1]:
            for source in step.inputs if step.output in seen else ():
                for axis, places in enumerate(seen.setdefault(source, (set(), set()))):
                    for place in seen[step.output][axis]:
                        taps = range(step.size[axis])
                        if step.kernel is not None:
                            start = place * step.stride[axis] - step.padding[axis]
                            reads = {start + tap * step.dilation[axis] for tap in range(step.kernel[axis])}
                            taps = reads & set(taps)
                        places.update(taps)
        rows, columns = seen[0]
        return min(rows), min(columns), max(rows) + 1, max(columns) + 1
        """,
    ),
)
