"""Part 3 against torchattacks and foolbox: alternating runs in one process, one thread, ratios of medians."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import foolbox
import torch
import torchattacks
from alternating import HEAD, alternate, compare, row
from foolbox.criteria import Misclassification

from assignment2 import adversarial
from coursekit.vision import evaluation_scenes, load_model

EPS, STEP_SIZE, NUM_STEPS = 8 / 255, 2 / 255, 10
POPULATION, GENERATIONS = 100, 3


def main() -> None:
    """Print a row for each attack and batch size, then one for the one-pixel attack, per query."""
    torch.set_num_threads(1)
    model = load_model("tiny_vgg")
    scenes = evaluation_scenes(16)
    print(HEAD)
    for size in (1, 16):
        images, labels = scenes.images[:size], scenes.label[:size]
        bounded, wrong = foolbox.PyTorchModel(model, bounds=(0, 1)), Misclassification(labels)
        fgsm = partial(adversarial.fgsm, model, images, labels, EPS)
        pgd = partial(adversarial.pgd, model, images, labels, EPS, step_size=STEP_SIZE, num_steps=NUM_STEPS)
        their_fgsm = torchattacks.FGSM(model, eps=EPS)
        their_pgd = torchattacks.PGD(model, eps=EPS, alpha=STEP_SIZE, steps=NUM_STEPS, random_start=False)
        box_fgsm = foolbox.attacks.LinfFastGradientAttack(random_start=False)
        box_pgd = foolbox.attacks.LinfPGD(abs_stepsize=STEP_SIZE, steps=NUM_STEPS, random_start=False)
        for name, ours, peer, attack, repeats in (
            ("fgsm", fgsm, "torchattacks", partial(their_fgsm, images, labels), 15),
            ("fgsm", fgsm, "foolbox", partial(box_fgsm.run, bounded, images, wrong, epsilon=EPS), 15),
            (f"pgd({NUM_STEPS})", pgd, "torchattacks", partial(their_pgd, images, labels), 5),
            (f"pgd({NUM_STEPS})", pgd, "foolbox", partial(box_pgd.run, bounded, images, wrong, epsilon=EPS), 5),
        ):
            compare(f"`{name}`, batch of {size}", ours, peer, attack, repeats)
    one_pixel(model, scenes.images[0], int(scenes.label[0]))


def one_pixel(model: torch.nn.Module, image: torch.Tensor, label: int) -> None:
    """Print milliseconds per picture that the network is shown, for the same population and generations."""
    shown = {"ours": 0, "peer": 0}
    attack = torchattacks.OnePixel(model, steps=GENERATIONS, popsize=POPULATION)

    def run(side: str, action: Callable[[], object]) -> None:
        def count(_module: object, inputs: tuple[torch.Tensor, ...], _output: object) -> None:
            shown[side] += len(inputs[0])

        handle = model.register_forward_hook(count)
        try:
            action()
        finally:
            handle.remove()

    @torch.no_grad()
    def predict(images: torch.Tensor) -> torch.Tensor:
        return model(images).softmax(1)

    def ours() -> None:
        adversarial.one_pixel_attack(
            predict,
            image,
            label,
            population=POPULATION,
            generations=GENERATIONS,
            generator=torch.Generator().manual_seed(0),
        )

    mine, theirs = alternate(
        lambda: run("ours", ours), lambda: run("peer", lambda: attack(image[None], torch.tensor([label]))), 5
    )
    runs = 1 + 5  # the first is a warm-up
    row("`one_pixel_attack`, a query", mine * runs / shown["ours"], "torchattacks", theirs * runs / shown["peer"])


if __name__ == "__main__":
    main()
