"""Given code: the scenes that part 6 segments, its training loop, and a trunk to transfer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from coursekit.vision.scenes import CLASSES, make_scenes
from coursekit.vision.zoo import load_model

SEGMENTED = ("cat", "bird", "car", "coffee cup", "elephant")  # the slides' own; background is label 0
UNET_CLASSES = 1 + len(SEGMENTED)
UNET_WIDTHS = (16, 32, 64, 128)
SIZE = (64, 64)
Loss = Callable[[Tensor, Tensor], Tensor]


def segmentation_scenes(
    num_scenes: int, *, seed: int, size: tuple[int, int] = SIZE, num_objects: int = 2, among: Sequence[str] = SEGMENTED
) -> tuple[Tensor, Tensor, Tensor]:
    """Compose scenes of several objects, whose classes are those in among.

    Returns:
        images (N, 3, H, W); labels (N, H, W) int64, 0 for background, else 1 + the class's place in among; and
        instances (N, H, W) int64, the number of the object that each pixel shows.
    """
    scenes = make_scenes(num_scenes, seed=seed, num_objects=num_objects, among=among, size=size)
    renumber = torch.zeros(1 + len(CLASSES), dtype=torch.int64)
    for i, name in enumerate(among):
        renumber[1 + CLASSES.index(name)] = 1 + i
    return scenes.images, renumber[scenes.semantic()], scenes.instances


def trunk(*, pretrained: bool = True) -> tuple[list[nn.Module], list[int]]:
    """Return the stages of tiny_vgg without its linear layers, each ending in a pool, and their channels."""
    model = load_model("tiny_vgg")
    if not pretrained:
        draw_he_weights(model.features)
    stages: list[nn.Module] = []
    current: list[nn.Module] = [model.normalize]
    channels: list[int] = []
    for layer in model.features:
        current.append(layer)
        if isinstance(layer, nn.Conv2d):
            width = layer.out_channels
        if isinstance(layer, nn.MaxPool2d):
            stages.append(nn.Sequential(*current))
            channels.append(width)
            current = []
    return stages, channels


def photo_trunk(*, pretrained: bool = True) -> tuple[list[nn.Module], list[int]]:
    """Return four stages of efficientnet_lite0 (trained on ImageNet), each halving the size, and their channels."""
    model = load_model("efficientnet_lite0")
    if not pretrained:
        draw_he_weights(model.features)
    first = nn.Sequential(model.normalize, *model.features[:2])
    return [first, model.features[2:4], model.features[4:6], model.features[6:12]], [16, 24, 40, 112]


def draw_he_weights(network: nn.Module) -> nn.Module:
    """Draw random weights for each Conv2d with a bias, in place, so that ReLUs keep the signal's size; return the network.

    Source: He et al. 2015, section 2.2.
    """
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            # No ReLU follows a block's last convolution: with the usual gain its ReLU6s would all stand at 6.
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear" if name.endswith("project") else "relu")
            nn.init.zeros_(layer.bias)
    return network


def soft_dice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return 1 - the mean over the classes of the Dice overlap, with probabilities in place of predictions.

    Every class has the same weight, also one with few pixels. With cross-entropy alone, a network can have a low loss
    by predicting "background" everywhere.
    """
    probability = logits.softmax(dim=1)  # (N, K, H, W)
    truth = nn.functional.one_hot(labels, logits.shape[1]).movedim(-1, 1).to(probability.dtype)
    both = (probability * truth).sum(dim=(0, 2, 3))  # (K,)
    return 1 - ((2 * both + 1) / (probability.sum(dim=(0, 2, 3)) + truth.sum(dim=(0, 2, 3)) + 1)).mean()


@dataclass
class Curve:
    """Scores on validation scenes while a network learnt: after how many steps and seconds of training, how good."""

    steps: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)


def train_segmenter(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    loss: Loss,
    *,
    num_steps: int,
    batch_size: int = 16,
    learning_rate: float = 2e-3,
    seed: int = 0,
    score: Callable[[nn.Module], float] | None = None,
    score_every: int = 0,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> Curve:
    """Train a network in place: AdamW, one cycle of the learning rate, random mirror images, bfloat16 where it is faster.

    Args:
        images, labels: (N, 3, H, W) and (N, H, W), at least one scene.
        loss: of logits and labels; `pixel_cross_entropy` plus `soft_dice_loss`, for example.
        score: called with the network every score_every steps and at the end; its time does not count.
        progress: wraps the range of steps, for example tqdm.

    Raises:
        ValueError: no scene, or images and labels that do not belong together.
    """
    if not len(images) or labels.shape != (len(images), *images.shape[-2:]):
        raise ValueError(f"{tuple(images.shape)} images and {tuple(labels.shape)} labels: give one label a pixel")
    generator = torch.Generator().manual_seed(seed)
    network.train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=num_steps, pct_start=0.2)
    curve, spent = Curve(), 0.0
    fast = bfloat16_is_faster(network, images.device)
    for step in progress(range(1, num_steps + 1)):
        started = time.perf_counter()
        rows = torch.randint(len(images), (batch_size,), generator=generator)
        x, y = images[rows], labels[rows]
        mirrored = torch.rand(batch_size, generator=generator) < 0.5
        x = torch.where(mirrored[:, None, None, None], x.flip(3), x).to(memory_format=torch.channels_last)
        y = torch.where(mirrored[:, None, None], y.flip(2), y)
        with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=fast):
            logits = network(x)
        value = loss(logits.float(), y)
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        spent += time.perf_counter() - started
        if score is not None and (step == num_steps or (score_every and step % score_every == 0)):
            curve.steps.append(step)
            curve.seconds.append(round(spent, 2))
            curve.scores.append(round(score(network.eval()), 4))
            network.train()
    network.eval()
    return curve


def bfloat16_is_faster(network: nn.Module, device: torch.device) -> bool:
    """Say whether a device trains this network faster in bfloat16 than in float32.

    A processor with instructions for it takes 0.6 of the time, but 1.4 times as long for depthwise convolutions.
    One without them takes 2.5 times (AVX-512) to 12 times (AVX2) as long.
    """
    if device.type != "cpu":
        return True
    ask = getattr(torch.cpu, "get_capabilities", dict)  # older releases of torch do not say
    capabilities: Mapping[str, bool] = ask()
    depthwise = any(module.groups > 1 for module in network.modules() if isinstance(module, nn.Conv2d))
    return capabilities.get("avx512_bf16", False) and not depthwise


@torch.no_grad()
def segment(network: nn.Module, images: Tensor, *, batch_size: int = 32) -> Tensor:
    """Return the class with the largest logit at each pixel, (N, H, W) int64."""
    return torch.cat([network(x).argmax(dim=1) for x in images.split(batch_size)])
