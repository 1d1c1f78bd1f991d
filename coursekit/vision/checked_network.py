"""Given code: the base class of the networks of part 6, which refuses arguments and images that make no sense."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from coursekit.vision.checked import Signature
from coursekit.vision.looks import shaped

MAPS = shaped("a floating-point tensor (N, C, H, W)")


class Network(nn.Module):
    """A network whose constructor's arguments are looked at as the signature says, and the images whenever it is called.

    Nothing of a class that derives from it is wrapped or replaced, so %autoreload can write into its methods what was saved.
    Copies and pickles make their object without arguments, which Python would refuse in a call: nothing is looked at.
    """

    _signature = Signature(nn.Module.__init__, skip=1)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._signature = Signature(cls.__init__, skip=1)

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        cls._signature.look(args, kwargs)
        return super().__new__(cls)

    def __call__(self, images: Tensor) -> Any:
        _look_at_images(self, images)
        return super().__call__(images)


def _look_at_images(network: nn.Module, images: Any) -> None:
    """Refuse images of another number of channels, of another dtype, or with a side below the network's total stride."""
    MAPS("images", images, sizes={})
    first = next((module for module in network.modules() if isinstance(module, nn.Conv2d)), None)
    if first is None:
        return
    if images.shape[1] != first.in_channels:
        raise ValueError(f"images have {images.shape[1]} channels, but the network reads {first.in_channels}")
    size = tuple(images.shape[-2:])
    levels = len(next((getattr(network, n) for n in ("down", "encoder", "stages") if hasattr(network, n)), ()))
    if min(size) < 2**levels:
        raise ValueError(f"images of {size} are smaller than the network's total stride, {2**levels}: enlarge them")
    if hasattr(network, "down") and first.padding == (0, 0) and min(_valid(side, levels) for side in size) < 1:
        raise ValueError(f"images of {size} are too small for {levels} levels of valid convolutions: enlarge them")


def _valid(side: int, levels: int) -> int:
    """Return what U-Net leaves of a side if its convolutions are valid ones."""
    for _ in range(levels):
        side = (side - 4) // 2
    side -= 4
    for _ in range(levels):
        side = 2 * side - 4
    return side
