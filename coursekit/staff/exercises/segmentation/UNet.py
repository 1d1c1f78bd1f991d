"""Exercise UNet: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.segmentation.shared import SOFTMAX

HINTS = (
    "Keep a list of skips: append each block's output before the pooling, and take the last one at each step up.",
    (
        "The map after `up` may be a row or column smaller than the skip (padding 1), or much smaller (padding 0). Compute both differences first."
    ),
    (
        "F.pad starts at the last axis: left, right, top, bottom. For a crop at the centre, the first row that stays is half of the difference."
    ),
    "x_i = merge([skip_i, fit(up(x_(i+1)))]), with skip_i = down_i(pool(skip_(i-1))); logits = head(x_0)",
)

MISTAKES = (
    mistake(
        "skip taken after pooling",
        "            skips.append(block(x))\n            x = F.max_pool2d(skips[-1], 2)",
        "            x = F.max_pool2d(block(x), 2)\n            skips.append(F.interpolate(x, scale_factor=2.0))",
        hint="You take the skip after pooling: take the block's output before pooling.",
    ),
    mistake(
        "crop rounded up",
        "top, left = rows // 2, columns // 2",
        "top, left = (rows + 1) // 2, (columns + 1) // 2",
        hint="If the difference is odd, your crop starts one pixel too late: round down.",
    ),
    mistake(
        "crop with rows and columns exchanged",
        "top, left = rows // 2, columns // 2",
        "left, top = rows // 2, columns // 2",
        hint="You swap rows and columns in the crop: top comes from rows, left from columns.",
    ),
    mistake(
        "cropped where it should be filled",
        "x = F.pad(x, (0, columns, 0, rows))",
        "skip = skip[:, :, : x.shape[-2], : x.shape[-1]]",
        hint="With padding 1 you crop the skip: fill up with zeros to the skip's size instead.",
    ),
    mistake(
        "a ReLU behind up",
        "skips.pop(), up(x)",
        "skips.pop(), up(x).relu()",
        hint="You apply a ReLU after the transposed convolution: leave it out.",
    ),
    mistake(
        "crop from the corner",
        "top, left = rows // 2, columns // 2",
        "top, left = 0, 0",
        hint="You crop the skip from its top left corner: crop it at its centre.",
    ),
    mistake(
        "up before skip",
        "torch.cat([skip, x], dim=1)",
        "torch.cat([x, skip], dim=1)",
        hint="You concatenate up before skip: the skip comes first.",
    ),
    mistake(
        "added instead of joined",
        "torch.cat([skip, x], dim=1)",
        "torch.cat([skip + x, skip + x], dim=1)",
        hint="You add skip and up: concatenate them.",
    ),
    mistake(
        "no skip",
        "torch.cat([skip, x], dim=1)",
        "torch.cat([torch.zeros_like(x), x], dim=1)",
        hint="You concatenate zeros instead of the skip.",
    ),
    mistake(
        "zeros above and on the left",
        "F.pad(x, (0, columns, 0, rows))",
        "F.pad(x, (columns, 0, rows, 0))",
        hint="You add zeros above and on the left: add them below and on the right.",
    ),
    mistake(
        "stretched to the skip's size",
        "x = F.pad(x, (0, columns, 0, rows))",
        "x = F.interpolate(x, skip.shape[-2:])",
        hint="You interpolate up to the skip's size: add zeros below and on the right instead.",
    ),
    mistake(
        "average pooling",
        "F.max_pool2d(skips[-1], 2)",
        "F.avg_pool2d(skips[-1], 2)",
        hint="You use average pooling: use max pooling.",
    ),
    mistake(
        "ceil pooling",
        "F.max_pool2d(skips[-1], 2)",
        "F.max_pool2d(skips[-1], 2, ceil_mode=True)",
        "self.padding:\n                x",
        "self.padding:\n                x = x[:, :, : skip.shape[-2], : skip.shape[-1]]\n                rows = columns = 0\n                x",
        hint="Pooling must drop an odd last row or column (no ceil_mode); then pad the upsampled map.",
    ),
    mistake(
        "skips in the wrong order",
        "skips.pop(), up(x)",
        "skips.pop(0), up(x)",
        "rows, columns =",
        "skip = F.interpolate(skip.mean(1, keepdim=True).expand(-1, x.shape[1], -1, -1), [2 * s for s in x.shape[-2:]])[:, :, : x.shape[-2] + 1, : x.shape[-1] + 1]\n            rows, columns =",
        "        return self.head(x)",
        "        x = x[:, :, : images.shape[-2], : images.shape[-1]]\n        return self.head(x)",
        hint="You use the finest skip first: use the coarsest skip, the last one, first.",
    ),
    mistake("softmax at the end", "return self.head(x)", "return self.head(x).softmax(dim=1)", hint=SOFTMAX),
    mistake(
        "no block at the bottom",
        "        x = self.bottom(x)\n",
        "        x = x.mean(1, keepdim=True).expand(-1, self.up[0].in_channels, -1, -1)\n",
        hint="The block at the bottom is missing: apply it after the last pooling.",
    ),
    mistake(
        "picture cut off",
        "x, skips = images, []",
        "x, skips = images.detach(), []",
        hint="You detach the images: gradients must reach them.",
    ),
    mistake(
        "skips cut off",
        "            skips.append(block(x))\n            x = F.max_pool2d(skips[-1], 2)",
        "            x = block(x)\n            skips.append(x.detach())\n            x = F.max_pool2d(x, 2)",
        hint="You detach the skips: gradients must pass through them too.",
    ),
    mistake(
        "up finest first",
        "for high, low in reversed(levels))\n        self.merge",
        "for high, low in levels)\n        self.merge",
        "zip(self.up, self.merge, strict=True)",
        "zip(reversed(self.up), self.merge, strict=True)",
        hint="Your list up starts at the finest level: the coarsest level comes first.",
    ),
    mistake(
        "always padded",
        "conv_block(inputs[i], inputs[i + 1], padding)",
        "conv_block(inputs[i], inputs[i + 1], 1)",
        "conv_block(widths[-2], widths[-1], padding)",
        "conv_block(widths[-2], widths[-1], 1)",
        "conv_block(2 * high, high, padding)",
        "conv_block(2 * high, high, 1)",
        hint="Your blocks always have padding 1: give them the padding of the constructor.",
    ),
    mistake(
        "padding 0 fills below and on the right",
        "if self.padding:",
        "if self.padding >= 0:",
        hint="With padding 0 you add zeros to up: crop the skip at its centre instead.",
    ),
    mistake(
        "padding 0 fills all round",
        "                top, left = rows // 2, columns // 2\n                skip = skip[:, :, top : top + x.shape[-2], left : left + x.shape[-1]]",
        "                top, left = rows // 2, columns // 2\n                x = F.pad(x, (left, columns - left, top, rows - top))",
        hint="With padding 0 you add zeros to up, as milesial's U-Net does: crop the skip instead.",
    ),
    mistake(
        "sigmoid at the end",
        "return self.head(x)",
        "return self.head(x).sigmoid()",
        hint="You apply a sigmoid at the end: return the logits.",
    ),
    mistake(
        "every second pixel for pooling",
        "F.max_pool2d(skips[-1], 2)",
        "skips[-1][:, :, : skips[-1].shape[2] // 2 * 2 : 2, : skips[-1].shape[3] // 2 * 2 : 2]",
        hint="You keep every second pixel: use max pooling.",
    ),
    mistake(
        "stretched to the skip's size, bilinear",
        "x = F.pad(x, (0, columns, 0, rows))",
        'x = F.interpolate(x, skip.shape[-2:], mode="bilinear")',
        hint="You interpolate up to the skip's size: add zeros below and on the right instead.",
    ),
    mistake(
        "filled with the last row and column",
        "F.pad(x, (0, columns, 0, rows))",
        'F.pad(x, (0, columns, 0, rows), mode="replicate")',
        hint="You repeat up's last row and column: add zeros instead.",
    ),
    mistake(
        "a ReLU behind the head",
        "return self.head(x)",
        "return self.head(x).relu()",
        hint="You apply a ReLU after the head: return its logits as they are.",
    ),
    mistake(
        "zeros with rows and columns exchanged",
        "F.pad(x, (0, columns, 0, rows))",
        "F.pad(x, (0, rows, 0, columns))",
        hint="You swap rows and columns in F.pad: it names the last axis, the columns, first.",
    ),
    mistake(
        "merge always padded",
        "conv_block(2 * high, high, padding)",
        "conv_block(2 * high, high, 1)",
        hint="Your merge blocks always have padding 1: give them the padding of the constructor.",
    ),
    mistake(
        "logits enlarged",
        "return self.head(x)",
        "return F.interpolate(self.head(x), images.shape[-2:])",
        hint="With padding 0 you enlarge the logits to the images' size: return them as they are.",
    ),
)

VARIANTS = (
    variant(
        "levels by index",
        body="""
        def __init__(self, in_channels: InChannels, num_classes: NumClasses, widths: Widths, *, padding: BlockPadding = 1):
            super().__init__()
            self.p = padding
            depth = len(widths) - 1
            self.down, self.up, self.merge = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
            for i in range(depth):
                self.down.append(self._block(in_channels if i == 0 else widths[i - 1], widths[i]))
            self.bottom = self._block(widths[depth - 1], widths[depth])
            for i in range(depth - 1, -1, -1):
                self.up.append(nn.ConvTranspose2d(widths[i + 1], widths[i], kernel_size=2, stride=2))
                self.merge.append(self._block(widths[i] * 2, widths[i]))
            self.head = nn.Conv2d(widths[0], num_classes, kernel_size=1)

        def _block(self, a, b):
            p = self.p
            return nn.Sequential(
                nn.Conv2d(a, b, 3, padding=p), nn.ReLU(inplace=True), nn.Conv2d(b, b, 3, padding=p), nn.ReLU(inplace=True)
            )

        def forward(self, images):
            kept, x = [], images
            for i in range(len(self.down)):
                x = self.down[i](x)
                kept.append(x)
                x = nn.functional.max_pool2d(x, kernel_size=2, stride=2)
            x = self.bottom(x)
            for j in range(len(self.up)):
                skip = kept[len(kept) - 1 - j]
                x = self.up[j](x)
                if self.p == 0:
                    y0 = (skip.size(2) - x.size(2)) // 2
                    x0 = (skip.size(3) - x.size(3)) // 2
                    skip = skip.narrow(2, y0, x.size(2)).narrow(3, x0, x.size(3))
                elif x.shape[2:] != skip.shape[2:]:
                    grown = skip.new_zeros(x.shape[0], x.shape[1], skip.shape[2], skip.shape[3])
                    grown[:, :, : x.shape[2], : x.shape[3]] = x
                    x = grown
                x = self.merge[j](torch.cat((skip, x), 1))
            return self.head(x)
        """,
    ),
    variant(
        "crop by negative padding",
        "            if self.padding:\n                x = F.pad(x, (0, columns, 0, rows))\n            else:\n"
        "                top, left = rows // 2, columns // 2\n"
        "                skip = skip[:, :, top : top + x.shape[-2], left : left + x.shape[-1]]\n",
        "            if self.padding == 1:\n                x = F.pad(x, (0, columns, 0, rows))\n            else:\n"
        "                left, top = columns // 2, rows // 2\n"
        "                skip = F.pad(skip, (-left, left - columns, -top, top - rows))\n",
    ),
    variant(
        "recursion",
        "        x, skips = images, []\n"
        "        for block in self.down:\n"
        "            skips.append(block(x))\n"
        "            x = F.max_pool2d(skips[-1], 2)\n"
        "        x = self.bottom(x)\n"
        "        for up, merge in zip(self.up, self.merge, strict=True):\n"
        "            skip, x = skips.pop(), up(x)\n",
        "        return self.head(self._level(images, 0))\n\n"
        "    def _level(self, x, i):\n"
        "        if i == len(self.down):\n"
        "            return self.bottom(x)\n"
        "        skip = self.down[i](x)\n"
        "        for up, merge in [(self.up[-1 - i], self.merge[-1 - i])]:\n"
        "            x = up(self._level(F.max_pool2d(skip, 2), i + 1))\n",
        "            x = merge(torch.cat([skip, x], dim=1))\n        return self.head(x)",
        "            return merge(torch.cat([skip, x], dim=1))",
    ),
)
