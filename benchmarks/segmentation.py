"""Part 6: our operators against torch's on 64 x 64 x 16, one pass against sliding windows; alternating, one thread, medians."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from alternating import alternate

from assignment2 import segmentation, upsampling
from coursekit.vision import load_model, make_scenes


@torch.no_grad()
def main() -> None:
    """Print a row for each function."""
    torch.set_num_threads(1)
    x, weight = torch.randn(1, 16, 64, 64), torch.randn(16, 16, 3, 3)
    pooled, indices = F.max_pool2d(x, 2, return_indices=True)
    model = load_model("tiny_vgg")
    slides, scene = segmentation.convolutionalize(model), make_scenes(1, seed=5, num_objects=4, size=(288, 384)).images
    windows = scene[0].unfold(1, 96, 16).unfold(2, 96, 16).permute(1, 2, 0, 3, 4).flatten(0, 1)
    print("| what | ours, ms | peer | peer, ms | ours / peer |\n|---|---|---|---|---|")
    for name, ours, peer_name, peer in (
        (
            "`max_pool`, 2 x 2",
            lambda: upsampling.max_pool(x, 2, 2),
            "torch",
            lambda: F.max_pool2d(x, 2, return_indices=True),
        ),
        (
            "`max_unpool`",
            lambda: upsampling.max_unpool(pooled, indices, (64, 64)),
            "torch",
            lambda: F.max_unpool2d(pooled, indices, 2),
        ),
        (
            "`transposed_conv2d`, 3 x 3, stride 1",
            lambda: upsampling.transposed_conv2d(x, weight),
            "torch",
            lambda: F.conv_transpose2d(x, weight),
        ),
        (
            "`transposed_conv2d`, 3 x 3, stride 2",
            lambda: upsampling.transposed_conv2d(x, weight, stride=2, padding=1),
            "torch",
            lambda: F.conv_transpose2d(x, weight, stride=2, padding=1),
        ),
        (
            "`convolutionalize`d tiny_vgg, 288 x 384",
            lambda: slides(scene),
            "247 windows",
            lambda: [model(part) for part in windows.split(32)],
        ),
    ):
        mine, theirs = alternate(ours, peer)
        print(f"| {name} | {mine:.2f} | {peer_name} | {theirs:.2f} | {mine / theirs:.2f} |")


if __name__ == "__main__":
    main()
