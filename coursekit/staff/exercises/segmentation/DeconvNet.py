"""Exercise DeconvNet: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.segmentation.shared import SOFTMAX

HINTS = (
    (
        "Draw the network as a mirror: what the encoder does last, the decoder undoes first. Each pooling keeps two things for the decoder: its indices and the size before pooling."
    ),
    ("Torch's max pooling returns the indices if asked. Its unpooling takes them, with the size before pooling."),
    (
        "If tied, make no layers for the decoder: the functional transposed convolution takes the encoder's weight as it stands."
    ),
    "y_i = relu(stamp_i(unpool(y_(i+1), places_i, size_i))), with stamp_i the transpose of convolution i when tied",
)

MISTAKES = (
    mistake(
        "indices of the wrong stage",
        "indices, size = switches.pop()\n            x = F.max_unpool2d(x, indices, 2, output_size=size)",
        "_, size = switches.pop()\n"
        "            first = F.max_pool2d(F.interpolate(images[:, :1], size), 2, return_indices=True)[1]\n"
        "            x = F.max_unpool2d(x, first.expand_as(x), 2, output_size=size)",
        hint="You unpool with indices of the images: use the indices of the same level's pooling.",
    ),
    mistake(
        "enlarged instead of unpooled",
        "x = F.max_unpool2d(x, indices, 2, output_size=size)",
        "x = F.interpolate(x, size)",
        hint="You enlarge by interpolation: unpool with the encoder's indices.",
    ),
    mistake(
        "places taken before the ReLU, values after",
        "x = conv(x).relu()\n            size",
        "x = conv(x)\n            size",
        hint="The ReLU between the encoder's convolution and its pooling is missing.",
    ),
    mistake(
        "no ReLU in the decoder",
        "            x = x.relu()\n",
        "",
        hint="The ReLU after the decoder's convolution is missing.",
    ),
    mistake(
        "no ReLU behind the stem",
        "self.stem(images).relu()",
        "self.stem(images)",
        hint="The ReLU after the stem is missing.",
    ),
    mistake(
        "convolution before unpooling",
        body="""
        def __init__(self, in_channels: InChannels, widths: Widths, num_classes: NumClasses, *, tied: Flag = False):
            super().__init__()
            levels = list(zip(widths[:-1], widths[1:]))
            self.stem = nn.Conv2d(in_channels, widths[0], 3, padding=1)
            self.encoder = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in levels)
            mirror = [nn.ConvTranspose2d(b, a, 3, padding=1) for a, b in reversed(levels)]
            self.decoder = None if tied else nn.ModuleList(mirror)
            self.head = nn.Conv2d(widths[0], num_classes, 1)

        def forward(self, images):
            x, sizes = self.stem(images).relu(), []
            for conv in self.encoder:
                x = conv(x).relu()
                sizes.append(x.shape[-2:])
                x = F.max_pool2d(x, 2)
            for j, conv in enumerate(reversed(self.encoder)):
                x = F.conv_transpose2d(x, conv.weight, padding=1) if self.decoder is None else self.decoder[j](x)
                x = F.interpolate(x.relu(), sizes.pop())
            return self.head(x)
        """,
        hint="Your decoder convolves, then interpolates: unpool with the encoder's indices first, then convolve.",
    ),
    mistake(
        "tied with a bias",
        "F.conv_transpose2d(x, conv.weight, padding=1)",
        "F.conv_transpose2d(x, conv.weight, conv.weight.sum((0, 2, 3)), padding=1)",
        hint="You add a bias in the tied decoder: use the encoder's weight alone.",
    ),
    mistake(
        "tied and rotated",
        "F.conv_transpose2d(x, conv.weight, padding=1)",
        "F.conv_transpose2d(x, conv.weight.flip(2, 3), padding=1)",
        hint="You rotate the tied weight: use it as it stands.",
    ),
    mistake(
        "tied but frozen",
        "F.conv_transpose2d(x, conv.weight, padding=1)",
        "F.conv_transpose2d(x, conv.weight.detach(), padding=1)",
        hint="You detach the tied weight: gradients must also reach it from the decoder.",
    ),
    mistake(
        "tied decoder with weights of its own",
        "self.decoder = None if tied else nn.ModuleList(mirror)",
        "self.decoder = nn.ModuleList(mirror)",
        hint="If tied, you still make layers for the decoder: it must have no parameters.",
    ),
    mistake(
        "decoder finest first",
        "for fine, coarse in reversed(levels)]",
        "for fine, coarse in levels]",
        "self.decoder[j](x)",
        "self.decoder[-1 - j](x)",
        hint="Your decoder's list starts at the finest level: put the coarsest first, and index it in that order.",
    ),
    mistake("softmax at the end", "return self.head(x)", "return self.head(x).softmax(dim=1)", hint=SOFTMAX),
    mistake(
        "overwritten picture",
        "x, switches = self.stem(images).relu(), []",
        "images.clamp_(min=0.5); x, switches = self.stem(images).relu(), []",
        hint="clamp_() overwrites the caller's images: leave them unchanged.",
    ),
    mistake(
        "a ReLU behind the head",
        "return self.head(x)",
        "return self.head(x).relu()",
        hint="You apply a ReLU after the head: return its logits as they are.",
    ),
    mistake(
        "leaky ReLU",
        "            x = x.relu()",
        "            x = F.leaky_relu(x)",
        hint="Your decoder uses a leaky ReLU: use a plain ReLU.",
    ),
    mistake(
        "pooled before the ReLU",
        "x = conv(x).relu()\n            size",
        "x = conv(x)\n            size",
        "            switches.append",
        "            x = x.relu()\n            switches.append",
        hint="You pool before the ReLU, so indices differ where all values are negative: apply the ReLU first.",
    ),
    mistake(
        "twice the size",
        "F.max_unpool2d(x, indices, 2, output_size=size)",
        "F.max_unpool2d(x, indices, 2)",
        hint="You unpool to twice the size, wrong for odd sizes: unpool to the size before that pooling.",
    ),
    mistake(
        "top left of each window",
        "x = F.max_unpool2d(x, indices, 2, output_size=size)",
        "small, x = x, x.new_zeros(*x.shape[:2], *size)\n"
        "            x[:, :, : 2 * small.shape[2] : 2, : 2 * small.shape[3] : 2] = small",
        hint="You put each value at the top left of its window: unpool with the encoder's indices.",
    ),
    mistake(
        "no ReLU at the end",
        "            x = x.relu()\n        return",
        "            x = x.relu() if switches else x\n        return",
        hint="The ReLU after the last transposed convolution is missing.",
    ),
    mistake(
        "sizes rounded up",
        "F.max_pool2d(x, 2, return_indices=True)",
        "F.max_pool2d(x, 2, return_indices=True, ceil_mode=True)",
        hint="Pooling must drop an odd last row or column (no ceil_mode); then pad the upsampled map.",
    ),
    mistake(
        "an empty list if tied",
        "None if tied else nn.ModuleList(mirror)",
        "nn.ModuleList([] if tied else mirror)",
        "if self.decoder is None else",
        "if not len(self.decoder) else",
        hint="If tied, your decoder is an empty list: it must be None.",
    ),
)

VARIANTS = (
    variant(
        "levels by index, torch's pool modules",
        body="""
        def __init__(self, in_channels: InChannels, widths: Widths, num_classes: NumClasses, *, tied: Flag = False):
            super().__init__()
            self.stem = nn.Conv2d(in_channels, widths[0], 3, padding=1)
            self.encoder, self.decoder = nn.ModuleList(), None
            for i in range(len(widths) - 1):
                self.encoder.append(nn.Conv2d(widths[i], widths[i + 1], 3, padding=1))
            if not tied:
                self.decoder = nn.ModuleList()
                for i in range(len(widths) - 2, -1, -1):
                    self.decoder.append(nn.ConvTranspose2d(widths[i + 1], widths[i], 3, padding=1))
            self.head = nn.Conv2d(widths[0], num_classes, 1)
            self.pool = nn.MaxPool2d(2, return_indices=True)
            self.unpool = nn.MaxUnpool2d(2)

        def forward(self, images):
            x = F.relu(self.stem(images))
            sizes, places = [], []
            for conv in self.encoder:
                x = F.relu(conv(x))
                sizes.append(x.size()[2:])
                x, where = self.pool(x)
                places.append(where)
            n = len(self.encoder)
            for i in range(n - 1, -1, -1):
                x = self.unpool(x, places[i], output_size=sizes[i])
                if self.decoder is None:
                    x = F.conv_transpose2d(x, self.encoder[i].weight, padding=1)
                else:
                    x = self.decoder[n - 1 - i](x)
                x = F.relu(x)
            return self.head(x)
        """,
    ),
    variant(
        "tied by the rotated convolution",
        "F.conv_transpose2d(x, conv.weight, padding=1)",
        "F.conv2d(x, conv.weight.flip(2, 3).transpose(0, 1), padding=1)",
    ),
    variant(
        "unpooling by scatter",
        "x = F.max_unpool2d(x, indices, 2, output_size=size)",
        "plane = x.new_zeros(*x.shape[:2], size[0] * size[1])\n"
        "            x = plane.scatter_add(2, indices.flatten(2), x.flatten(2)).unflatten(2, tuple(size))",
    ),
)
