"""What makes each network of the zoo again: seed, scenes, steps, and what it must reach before it is stored."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """What makes a network's weights again: everything that the training depends on besides the machine."""

    name: str
    seed: int
    epochs: int
    learning_rate: float
    weight_decay: float = 0.05
    num_scenes: int = 12_000
    wanted_accuracy: float = 0.98  # on fresh scenes; a training below it stores nothing
    start_from: str = ""  # a trained network of the zoo whose weights are the start
    eps: float = 0.0  # more than 0: train on adversarial images, made by two steps of PGD, whose budget grows to this
    wanted_robustness: float = 0.0  # accuracy under PGD-20 at eps 4 / 255
    retextured: float = 0.0  # share of the scenes whose object is filled with another class's material
    wanted_shape_bias: float = 0.0  # on fresh conflicts of shape and texture


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("tiny_vgg", seed=1, epochs=8, learning_rate=4e-3),
        Recipe("tiny_alexnet", seed=2, epochs=10, learning_rate=3e-3, wanted_accuracy=0.95),
        Recipe("tiny_squeezenet", seed=3, epochs=14, learning_rate=8e-3, weight_decay=0.02),
        Recipe("tiny_resnet", seed=4, epochs=10, learning_rate=6e-3),
        Recipe(
            "tiny_vgg_robust",
            seed=6,
            epochs=6,
            learning_rate=1e-3,
            num_scenes=8000,
            wanted_accuracy=0.95,
            start_from="tiny_vgg",
            eps=16 / 255,  # far more than is tested: it is what makes the class pictures of part 2 plain
            wanted_robustness=0.75,
        ),
        Recipe(
            "tiny_vgg_stylized",
            seed=7,
            epochs=5,
            learning_rate=1.5e-3,
            num_scenes=9000,
            wanted_accuracy=0.92,
            start_from="tiny_vgg",
            retextured=2 / 3,
            wanted_shape_bias=0.8,
        ),
    )
}
