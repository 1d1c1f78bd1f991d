"""Cost against size: milliseconds of the processor at four sizes, and the exponent of the line through them on log axes.

Work that grows with the number of pixels has exponent 2 against the side of a square picture and 1 against the batch. A fixed
part, such as looking at the arguments, pulls the exponent down where a run takes a millisecond or less.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from functools import partial
from math import log

import torch
from alternating import spend
from torch import Tensor

from assignment2 import adversarial, class_visualization, saliency, segmentation, style_transfer, upsampling
from coursekit.vision import load_model

REPEATS, EPS, CLASSES = 7, 8 / 255, 24
SIDES, SMALL_SIDES, COUNTS, BATCHES = (96, 192, 384, 768), (32, 64, 128, 256), (1, 2, 4, 8), (4, 8, 16, 32)
Make = Callable[[int], Callable[[], object]]
Row = tuple[str, str, tuple[int, ...], Make]


def rows() -> Iterator[Row]:
    """Return function, what grows, its four sizes, and what makes a run of a size."""
    yield from methods()
    yield from losses()
    yield from maps()


def methods() -> Iterator[Row]:
    """Return the rows of what looks through a network, one that takes pictures of any size."""
    model = load_model("tiny_squeezenet")

    def batch(count: int, side: int) -> tuple[Tensor, Tensor]:
        return torch.rand(count, 3, side, side), torch.arange(count) % CLASSES

    for method, settings in (
        (saliency.saliency_map, {}),
        (saliency.guided_backprop, {}),
        (saliency.grad_cam, {"layer": "features.9"}),
        (adversarial.fgsm, {"eps": EPS}),
        (adversarial.pgd, {"eps": EPS, "step_size": EPS / 4, "num_steps": 3}),
    ):
        run = partial(method, model, **settings)
        yield method.__name__, "side", SIDES, lambda side, run=run: partial(run, *batch(1, side))
        yield method.__name__, "batch", BATCHES, lambda count, run=run: partial(run, *batch(count, 96))

    def paint(targets: int = 1, side: int = 96, num_steps: int = 2) -> Callable[[], object]:
        settings = {"image_size": (side, side), "num_steps": num_steps}
        return lambda: [class_visualization.class_visualization(model, k, **settings) for k in range(targets)]

    yield "class_visualization", "side", SIDES, lambda side: paint(side=side)
    yield "class_visualization", "steps", COUNTS, lambda steps: paint(num_steps=steps)
    yield "class_visualization", "targets", COUNTS, lambda targets: paint(targets)

    def transfer(networks: int) -> Callable[[], object]:
        images, labels = batch(4, 96)
        zoo = [model] * networks

        def attack(network: torch.nn.Module) -> list[Tensor]:
            adv_images = adversarial.fgsm(network, images, labels, EPS)
            return [other(adv_images) for other in zoo]

        return lambda: [attack(network) for network in zoo]

    yield "fgsm on each network, shown to each", "networks", COUNTS, transfer


def losses() -> Iterator[Row]:
    """Return the rows of part 5."""

    def features(channels: int = 32, side: int = 64, count: int = 1) -> Tensor:
        return torch.rand(count, channels, side, side)

    def gram(maps: Tensor) -> Callable[[], object]:
        return lambda: style_transfer.gram_matrix(maps)

    yield "gram_matrix", "side", SMALL_SIDES, lambda side: gram(features(side=side))
    yield "gram_matrix", "channels", (32, 64, 128, 256), lambda channels: gram(features(channels))
    yield "gram_matrix", "batch", COUNTS, lambda count: gram(features(count=count))

    def style(side: int = 64, layers: int = 4) -> Callable[[], object]:
        maps = [features(side=side).requires_grad_() for _ in range(layers)]
        grams, weights = [torch.zeros(1, 32, 32)] * layers, [1.0] * layers
        return lambda: torch.autograd.grad(style_transfer.style_loss(maps, grams, weights), maps)

    yield "style_loss and its slope", "side", SMALL_SIDES, lambda side: style(side)
    yield "style_loss and its slope", "layers", COUNTS, lambda layers: style(layers=layers)


def maps() -> Iterator[Row]:
    """Return the rows of part 6."""

    def unpool(side: int = 64, count: int = 1) -> Callable[[], object]:
        values, indices = upsampling.max_pool(torch.rand(count, 16, side, side), 2, 2)
        return lambda: upsampling.max_unpool(values, indices, (side, side))

    def stamp(side: int = 32, kernel: int = 3, count: int = 1) -> Callable[[], object]:
        x, weight = torch.rand(count, 16, side, side), torch.rand(16, 16, kernel, kernel)
        return lambda: upsampling.transposed_conv2d(x, weight, stride=2)

    def count_pixels(side: int = 128, count: int = 1, classes: int = 6) -> Callable[[], object]:
        a, b = torch.randint(classes, (2, count, side, side))
        return lambda: segmentation.confusion_matrix(a, b, classes)

    yield "max_unpool", "side", SMALL_SIDES, lambda side: unpool(side)
    yield "max_unpool", "batch", COUNTS, lambda count: unpool(count=count)
    yield "transposed_conv2d", "side", SMALL_SIDES, lambda side: stamp(side)
    yield "transposed_conv2d", "kernel's side", COUNTS, lambda kernel: stamp(kernel=kernel)
    yield "transposed_conv2d", "batch", COUNTS, lambda count: stamp(count=count)
    yield "confusion_matrix", "side", (128, 256, 512, 1024), lambda side: count_pixels(side)
    yield "confusion_matrix", "batch", COUNTS, lambda count: count_pixels(count=count)
    yield "confusion_matrix", "classes", (4, 8, 16, 32), lambda classes: count_pixels(classes=classes)


def exponent(sizes: tuple[int, ...], times: list[float]) -> float:
    """Return the slope of log(time) against log(size), by least squares."""
    slope = statistics.linear_regression([log(s) for s in sizes], [log(t) for t in times]).slope
    return round(slope, 2) + 0  # 0.0 instead of -0.0


def main() -> None:
    """Print a row for each function and each size that may grow."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print("| function | what grows | sizes | milliseconds | exponent |\n|---|---|---|---|---|")
    for name, what, sizes, make in rows():
        runs = [make(size) for size in sizes]
        for run in runs:
            run()
        times = [statistics.median(spend(run) for _ in range(REPEATS)) for run in runs]
        shown = ", ".join(f"{t:.1f}" if t >= 10 else f"{t:.2f}" for t in times)
        print(
            f"| `{name}` | {what} | {', '.join(map(str, sizes))} | {shown} | {exponent(sizes, times):.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
