"""Mistakes of part 6 in turning a classifier into a segmentation network, and in the three networks."""

from coursekit.staff.edits import mistake
from coursekit.staff.mistakes.segmentation_scores import SCORES

SOFTMAX = "What a network returns before the softmax is wanted: look at the values of one pixel."
CORNERS = (
    "Where do the four corner pixels of a small map lie in the large one? Two conventions exist, and one is named."
)

LINEAR_TO_CONV = (
    mistake(
        "linear_to_conv",
        "channels read last",
        "weight.unflatten(1, (in_channels, h, w))",
        "weight.unflatten(1, (h, w, in_channels)).movedim(-1, 1)",
        hint="In which order does flattening write channels, rows and columns? Follow the second number of the row.",
    ),
    mistake(
        "linear_to_conv",
        "rows and columns exchanged",
        "weight.unflatten(1, (in_channels, h, w))",
        "weight.unflatten(1, (in_channels, w, h)).mT",
        hint="On a map that is not square, rows and columns are confused.",
    ),
    mistake(
        "linear_to_conv",
        "kernel rotated",
        "weight.unflatten(1, (in_channels, h, w))",
        "weight.unflatten(1, (in_channels, h, w)).flip(2, 3)",
        hint="A layer of this library slides its kernel as it stands; nothing is turned.",
    ),
    mistake(
        "linear_to_conv",
        "bias dropped",
        "conv.bias.copy_(linear.bias)",
        "conv.bias.zero_()",
        hint="On a black map the layer answers something, and yours does not.",
    ),
    mistake(
        "linear_to_conv",
        "bias always",
        '"bias": linear.bias is not None,',
        '"bias": True,',
        "        if linear.bias is not None:\n            conv.bias.copy_(linear.bias)\n",
        "        conv.bias.copy_(0 if linear.bias is None else linear.bias)\n",
        hint="Count the parameters of both layers.",
    ),
    mistake(
        "linear_to_conv",
        "weights not copied",
        "conv.weight.copy_(weight.unflatten(1, (in_channels, h, w)))",
        "conv.weight.fill_(0.1)",
        hint="The form is right, and the layer has forgotten what it had learnt.",
    ),
    mistake(
        "linear_to_conv",
        "padded",
        "linear.out_features, (h, w), **options",
        "linear.out_features, (h, w), padding=(h // 2, w // 2), **options",
        hint="Your result is larger than one pixel: the kernel may look only where the whole map is.",
    ),
    mistake(
        "linear_to_conv",
        "stride of the map",
        "linear.out_features, (h, w), **options",
        "linear.out_features, (h, w), stride=(h, w), **options",
        hint="On a larger map windows overlap: how far is it from one answer to the next?",
    ),
    mistake(
        "linear_to_conv",
        "parameters shared",
        "return conv.train(linear.training)",
        "conv.weight.data = linear.weight.data.view_as(conv.weight)\n    return conv.train(linear.training)",
        hint="Training the one would change the other.",
    ),
    mistake(
        "linear_to_conv",
        "always float32",
        '"dtype": weight.dtype}',
        '"dtype": torch.float32}',
        hint="Numbers are rounded on their way: in which type did you make the new layer?",
    ),
    mistake(
        "linear_to_conv",
        "always float64",
        '"dtype": weight.dtype}',
        '"dtype": torch.float64}',
        hint="Look at the number format of the parameters, before and after.",
    ),
)

CONVOLUTIONALIZE = (
    mistake(
        "convolutionalize",
        "adaptive pooling kept",
        "for layer in model.classifier:",
        "for layer in [*([model.avgpool] if hasattr(model, 'avgpool') else []), *model.classifier]:",
        hint="However large the picture, one of your layers makes every map as small as in training.",
    ),
    mistake(
        "convolutionalize",
        "normalisation left out",
        "[copy.deepcopy(model.normalize), *copy",
        "[*copy",
        hint="The classifier does something to the colours before its first layer.",
    ),
    mistake(
        "convolutionalize",
        "ReLUs between the linear layers lost",
        "elif not isinstance(layer, nn.Flatten):",
        "elif not isinstance(layer, (nn.Flatten, nn.ReLU)):",
        hint="Compare the list of layers of both networks: some without parameters are gone.",
    ),
    mistake(
        "convolutionalize",
        "only the first linear layer",
        body="""
        channels = [layer.out_channels for layer in model.features.modules() if isinstance(layer, nn.Conv2d)][-1]
        layers = [copy.deepcopy(model.normalize), *copy.deepcopy(list(model.features))]
        first = [layer for layer in model.classifier if isinstance(layer, nn.Linear)][0]
        layers.append(linear_to_conv(first, channels, round((first.in_features / channels) ** 0.5)))
        return nn.Sequential(*layers).train(model.training)
        """,
        hint="How many channels has your result, and how many classes are there?",
    ),
    mistake(
        "convolutionalize",
        "fresh layers",
        "layers.append(linear_to_conv(layer, channels, side))",
        "layers.append(nn.Conv2d(channels, layer.out_features, side).to(layer.weight))\n"
        "            nn.init.constant_(layers[-1].weight, 0.05)\n"
        "            nn.init.zeros_(layers[-1].bias)",
        hint="The classifier had learnt something, and your new layers do not know it.",
    ),
    mistake(
        "convolutionalize",
        "features shared",
        "*copy.deepcopy(list(model.features))]",
        "*model.features]",
        hint="Train your new network, and look at the classifier.",
    ),
    mistake(
        "convolutionalize",
        "dropout lost",
        "not isinstance(layer, nn.Flatten)",
        "not isinstance(layer, (nn.Flatten, nn.Dropout))",
        hint="For training on, something random is missing: which layers did you leave out?",
    ),
    mistake(
        "convolutionalize",
        "layers without weights shared",
        "layers.append(copy.deepcopy(layer))",
        "layers.append(layer)",
        hint="A layer without weights has a mode as well: switch your network, and look at the classifier.",
    ),
    mistake(
        "convolutionalize",
        "always in eval mode",
        ".train(model.training)",
        ".eval()",
        hint="Look at the mode of both networks, and at dropout's.",
    ),
    mistake(
        "convolutionalize",
        "left in train mode",
        ".train(model.training)",
        ".train()",
        hint="Call your network twice on one picture.",
    ),
    mistake(
        "convolutionalize",
        "averaged to one answer",
        "return nn.Sequential(*layers).train",
        "return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1)).train",
        hint="One answer a picture is what the classifier had; a larger picture deserves a map.",
    ),
    mistake(
        "convolutionalize",
        "softmax at the end",
        "return nn.Sequential(*layers).train",
        "return nn.Sequential(*layers, nn.Softmax(dim=1)).train",
        hint=SOFTMAX,
    ),
    mistake(
        "convolutionalize",
        "flat",
        "return nn.Sequential(*layers).train",
        "return nn.Sequential(*layers, nn.Flatten()).train",
        hint="Your answer is a row of numbers for each picture: keep its two axes of places.",
    ),
)

FCN = (
    mistake(
        "FCN",
        "align_corners",
        'return F.interpolate(score, images.shape[-2:], mode="bilinear", align_corners=False)',
        'return F.interpolate(score, images.shape[-2:], mode="bilinear", align_corners=True)',
        'skip.shape[-2:], mode="bilinear", align_corners=False)',
        'skip.shape[-2:], mode="bilinear", align_corners=True)',
        hint=CORNERS,
    ),
    mistake(
        "FCN",
        "nearest",
        'return F.interpolate(score, images.shape[-2:], mode="bilinear", align_corners=False)',
        'return F.interpolate(score, images.shape[-2:], mode="nearest")',
        'F.interpolate(score, skip.shape[-2:], mode="bilinear", align_corners=False)',
        'F.interpolate(score, skip.shape[-2:], mode="nearest")',
        hint="Your masks consist of squares: pixels between two scores should be between them.",
    ),
    mistake(
        "FCN",
        "each resize by a factor",
        "score = F.interpolate(score, skip.shape[-2:], ",
        "score = F.interpolate(score, scale_factor=2, ",
        hint="Two maps do not fit each other where a side is odd: twice a half that was rounded down is not the whole.",
    ),
    mistake(
        "FCN",
        "last resize by a factor",
        'return F.interpolate(score, images.shape[-2:], mode="bilinear", align_corners=False)',
        'return F.interpolate(score, scale_factor=2.0 ** (len(self.stages) + 1 - len(self.scores)), mode="bilinear")',
        hint="Pooling drops a row of an odd size: a factor alone does not lead back to the picture.",
    ),
    mistake(
        "FCN",
        "skips straight to the picture",
        body="""
        def __init__(self, stages: Stages, channels: StageChannels, num_classes: NumClasses, *, num_skips: NumSkips = 2):
            super().__init__()
            self.stages = nn.ModuleList(stages)
            self.scores = nn.ModuleList(nn.Conv2d(c, num_classes, 1) for c in channels[-1 - num_skips :])

        def forward(self, images):
            maps, x, total = [], images, 0
            for stage in self.stages:
                x = stage(x)
                maps.append(x)
            for head, found in zip(self.scores, maps[-len(self.scores) :]):
                total = total + F.interpolate(head(found), images.shape[-2:], mode="bilinear", align_corners=False)
            return total
        """,
        hint="In which steps does one come back to the full height? Yours takes one leap.",
    ),
    mistake(
        "FCN",
        "coarse score dropped",
        "score = score + head(skip)",
        "score = head(skip)",
        hint="Only one of the scores reaches the end: what becomes of the running one?",
    ),
    mistake(
        "FCN",
        "mean of two scores",
        "score = score + head(skip)",
        "score = (score + head(skip)) / 2",
        hint="Each map's score counts in full.",
    ),
    mistake(
        "FCN",
        "product of two scores",
        "score = score + head(skip)",
        "score = score * head(skip)",
        hint="How do two scores of one place become one? The figure of the paper shows the sign.",
    ),
    mistake(
        "FCN",
        "softmax at the end",
        'return F.interpolate(score, images.shape[-2:], mode="bilinear", align_corners=False)',
        'return F.interpolate(score, images.shape[-2:], mode="bilinear", align_corners=False).softmax(dim=1)',
        hint=SOFTMAX,
    ),
    mistake(
        "FCN",
        "a ReLU on the scores",
        "score = self.scores[-1](maps.pop())",
        "score = self.scores[-1](maps.pop()).relu()",
        hint="May a score be negative?",
    ),
    mistake(
        "FCN",
        "heads in the other order",
        "for c in channels[-1 - num_skips :])",
        "for c in reversed(channels[-1 - num_skips :]))",
        "self.scores[-1](maps.pop())",
        "self.scores[0](maps.pop())",
        "for head in reversed(self.scores[:-1]):",
        "for head in self.scores[1:]:",
        hint="Which of the heads comes first in the list?",
    ),
    mistake(
        "FCN",
        "trunk frozen",
        "self.stages = nn.ModuleList(stages)",
        "self.stages = nn.ModuleList(stages).requires_grad_(False)",
        hint="What was trained before may learn on: which part of your network stands still?",
    ),
    mistake(
        "FCN",
        "trunk copied",
        "self.stages = nn.ModuleList(stages)",
        "self.stages = nn.ModuleList(copy.deepcopy(list(stages)))",
        hint="Whose weights does your network train? Transfer means that trunk itself.",
    ),
    mistake(
        "FCN",
        "skips cut off",
        "head(skip)",
        "head(skip.detach())",
        hint="The coarsest score teaches the trunk, the finer ones do not: follow a gradient from each.",
    ),
    mistake(
        "FCN",
        "trunk cut off",
        "maps.append(stage(maps[-1]))",
        "maps.append(stage(maps[-1]).detach())",
        hint="The trunk is to learn as well: follow a gradient to it.",
    ),
    mistake(
        "FCN",
        "one skip more than asked for",
        "channels[-1 - num_skips :]",
        "channels[max(0, len(channels) - 2 - num_skips) :]",
        hint="Count the heads: one for the coarsest map, and one for each of what is asked for.",
    ),
    mistake(
        "FCN",
        "heads of 3 x 3",
        "nn.Conv2d(c, num_classes, 1) for",
        "nn.Conv2d(c, num_classes, 3, padding=1) for",
        hint="Each pixel of a map is scored for itself: look at the shape of a head's kernel.",
    ),
)

DECONV_NET = (
    mistake(
        "DeconvNet",
        "indices of the wrong stage",
        "indices, size = switches.pop()\n            x = F.max_unpool2d(x, indices, 2, output_size=size)",
        "_, size = switches.pop()\n"
        "            first = F.max_pool2d(F.interpolate(images[:, :1], size), 2, return_indices=True)[1]\n"
        "            x = F.max_unpool2d(x, first.expand_as(x), 2, output_size=size)",
        hint="Whose maxima does your decoder remember? Each level pooled a map of its own.",
    ),
    mistake(
        "DeconvNet",
        "enlarged instead of unpooled",
        "x = F.max_unpool2d(x, indices, 2, output_size=size)",
        "x = F.interpolate(x, size)",
        hint="The encoder remembered places, and your decoder does not ask for them.",
    ),
    mistake(
        "DeconvNet",
        "places taken before the ReLU, values after",
        "x = conv(x).relu()\n            size",
        "x = conv(x)\n            size",
        hint="A step between convolution and pooling is missing.",
    ),
    mistake(
        "DeconvNet",
        "no ReLU in the decoder",
        "x = x.relu()\n        return",
        "return",
        hint="The decoder has the encoder's non-linearity as well.",
    ),
    mistake(
        "DeconvNet",
        "no ReLU behind the stem",
        "self.stem(images).relu()",
        "self.stem(images)",
        hint="Negative values pass the first layer of your network.",
    ),
    mistake(
        "DeconvNet",
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
        hint="First back to the larger plane, then the kernels: your levels do it the other way round.",
    ),
    mistake(
        "DeconvNet",
        "tied with a bias",
        "F.conv_transpose2d(x, conv.weight, padding=1)",
        "F.conv_transpose2d(x, conv.weight, conv.weight.sum((0, 2, 3)), padding=1)",
        hint="With tied kernels your decoder adds something that the encoder's kernel does not say.",
    ),
    mistake(
        "DeconvNet",
        "tied and rotated",
        "F.conv_transpose2d(x, conv.weight, padding=1)",
        "F.conv_transpose2d(x, conv.weight.flip(2, 3), padding=1)",
        hint="Stamping turns a kernel by itself: yours is turned twice.",
    ),
    mistake(
        "DeconvNet",
        "tied but frozen",
        "F.conv_transpose2d(x, conv.weight, padding=1)",
        "F.conv_transpose2d(x, conv.weight.detach(), padding=1)",
        hint="The kernel is used twice: from how many places does it learn?",
    ),
    mistake(
        "DeconvNet",
        "tied decoder with weights of its own",
        "self.decoder = None if tied else nn.ModuleList(mirror)",
        "self.decoder = nn.ModuleList(mirror)",
        hint="No decoder learning was asked for: count the parameters.",
    ),
    mistake(
        "DeconvNet",
        "decoder finest first",
        "for fine, coarse in reversed(levels)]",
        "for fine, coarse in levels]",
        "self.decoder[j](x)",
        "self.decoder[-1 - j](x)",
        hint="Which of the decoder's levels stands first in the list?",
    ),
    mistake(
        "DeconvNet",
        "softmax at the end",
        "return self.head(x)",
        "return self.head(x).softmax(dim=1)",
        hint=SOFTMAX,
    ),
    mistake(
        "DeconvNet",
        "overwritten picture",
        "x, switches = self.stem(images).relu(), []",
        "images.clamp_(min=0.5); x, switches = self.stem(images).relu(), []",
        hint="Compare the picture before and after the call.",
    ),
)

UNET = (
    mistake(
        "UNet",
        "skip taken after pooling",
        "            skips.append(block(x))\n            x = F.max_pool2d(skips[-1], 2)",
        "            x = F.max_pool2d(block(x), 2)\n            skips.append(F.interpolate(x, scale_factor=2.0))",
        hint="What the skip brings over has lost its fine detail already: where does the paper's arrow start?",
    ),
    mistake(
        "UNet",
        "crop rounded up",
        "top, left = rows // 2, columns // 2",
        "top, left = (rows + 1) // 2, (columns + 1) // 2",
        hint="Where the difference is odd, your crop lies one pixel too far down and to the right.",
    ),
    mistake(
        "UNet",
        "crop with rows and columns exchanged",
        "top, left = rows // 2, columns // 2",
        "left, top = rows // 2, columns // 2",
        hint="Your crop is right for square pictures only: which difference belongs to which axis?",
    ),
    mistake(
        "UNet",
        "cropped where it should be filled",
        "x = F.pad(x, (0, columns, 0, rows))",
        "skip = skip[:, :, : x.shape[-2], : x.shape[-1]]",
        hint="The logits lack the row or column that a pooling dropped: in this form what comes up grows, the skip stays.",
    ),
    mistake(
        "UNet",
        "a ReLU behind up",
        "skips.pop(), up(x)",
        "skips.pop(), up(x).relu()",
        hint="The drawing has one kind of arrow upwards, and no nonlinearity on it.",
    ),
    mistake(
        "UNet",
        "crop from the corner",
        "top, left = rows // 2, columns // 2",
        "top, left = 0, 0",
        hint="Which part of the picture do both halves show? Yours are shifted against each other.",
    ),
    mistake(
        "UNet",
        "up before skip",
        "torch.cat([skip, x], dim=1)",
        "torch.cat([x, skip], dim=1)",
        hint="Which of the two stands first when they are joined?",
    ),
    mistake(
        "UNet",
        "added instead of joined",
        "torch.cat([skip, x], dim=1)",
        "torch.cat([skip + x, skip + x], dim=1)",
        hint="Copy means beside each other, not into each other.",
    ),
    mistake(
        "UNet",
        "no skip",
        "torch.cat([skip, x], dim=1)",
        "torch.cat([torch.zeros_like(x), x], dim=1)",
        hint="The encoder's detail never reaches the decoder.",
    ),
    mistake(
        "UNet",
        "zeros above and on the left",
        "F.pad(x, (0, columns, 0, rows))",
        "F.pad(x, (columns, 0, rows, 0))",
        hint="Which pixels did pooling drop: at which side?",
    ),
    mistake(
        "UNet",
        "stretched to the skip's size",
        "x = F.pad(x, (0, columns, 0, rows))",
        "x = F.interpolate(x, skip.shape[-2:])",
        hint="What came up is stretched over the odd line: the docstring says how the line is filled.",
    ),
    mistake(
        "UNet",
        "average pooling",
        "F.max_pool2d(skips[-1], 2)",
        "F.avg_pool2d(skips[-1], 2)",
        hint="How does the paper's red arrow make a map smaller?",
    ),
    mistake(
        "UNet",
        "ceil pooling",
        "F.max_pool2d(skips[-1], 2)",
        "F.max_pool2d(skips[-1], 2, ceil_mode=True)",
        "self.padding:\n                x",
        "self.padding:\n                x = x[:, :, : skip.shape[-2], : skip.shape[-1]]\n                rows = columns = 0\n                x",
        hint="An odd line at the border has no partner, and is dropped.",
    ),
    mistake(
        "UNet",
        "skips in the wrong order",
        "skips.pop(), up(x)",
        "skips.pop(0), up(x)",
        "rows, columns =",
        "skip = F.interpolate(skip.mean(1, keepdim=True).expand(-1, x.shape[1], -1, -1), [2 * s for s in x.shape[-2:]])[:, :, : x.shape[-2] + 1, : x.shape[-1] + 1]\n            rows, columns =",
        "        return self.head(x)",
        "        x = x[:, :, : images.shape[-2], : images.shape[-1]]\n        return self.head(x)",
        hint="Each level meets its own: the last map on the way down is the first on the way up.",
    ),
    mistake(
        "UNet",
        "softmax at the end",
        "return self.head(x)",
        "return self.head(x).softmax(dim=1)",
        hint=SOFTMAX,
    ),
    mistake(
        "UNet",
        "no block at the bottom",
        "        x = self.bottom(x)\n",
        "        x = x.mean(1, keepdim=True).expand(-1, self.up[0].in_channels, -1, -1)\n",
        hint="The lowest level of the drawing is a block like the others: how many pixels does it lose?",
    ),
    mistake(
        "UNet",
        "picture cut off",
        "x, skips = images, []",
        "x, skips = images.detach(), []",
        hint="A saliency map of this network would be empty.",
    ),
    mistake(
        "UNet",
        "skips cut off",
        "            skips.append(block(x))\n            x = F.max_pool2d(skips[-1], 2)",
        "            x = block(x)\n            skips.append(x.detach())\n            x = F.max_pool2d(x, 2)",
        hint="Your logits are right, and part of what they depend on is not told about it on the way back.",
    ),
    mistake(
        "UNet",
        "up finest first",
        "for high, low in reversed(levels))\n        self.merge",
        "for high, low in levels)\n        self.merge",
        "zip(self.up, self.merge, strict=True)",
        "zip(reversed(self.up), self.merge, strict=True)",
        hint="Which of the decoder's levels stands first in the list?",
    ),
    mistake(
        "UNet",
        "always padded",
        "conv_block(inputs[i], inputs[i + 1], padding)",
        "conv_block(inputs[i], inputs[i + 1], 1)",
        "conv_block(widths[-2], widths[-1], padding)",
        "conv_block(widths[-2], widths[-1], 1)",
        "conv_block(2 * high, high, padding)",
        "conv_block(2 * high, high, 1)",
        hint="One option of the constructor changes nothing about the convolutions.",
    ),
)

TRAINED_UNET = (
    mistake(
        "trained_unet",
        "left in train mode",
        "return network.eval()",
        "return network.train()",
        hint="Which mode is a network in when it is made, and in which is it wanted?",
    ),
    mistake(
        "trained_unet",
        "what is missing is let pass",
        "network.load_state_dict(load_file(path))",
        "network.load_state_dict(load_file(path), strict=False)",
        hint="A file in which half of the weights are missing loads without a word.",
    ),
    mistake(
        "trained_unet",
        "what does not fit is let pass",
        "network.load_state_dict(load_file(path))",
        "own, found = network.state_dict(), load_file(path)\n"
        "    fitting = {k: v if k in own and v.shape == own[k].shape else own[k] for k, v in found.items()}\n"
        "    network.load_state_dict(fitting)",
        hint="A file of another network loads without a word.",
    ),
    mistake(
        "trained_unet",
        "nothing loaded",
        "network.load_state_dict(load_file(path))",
        "load_file(path)",
        hint="The file was read; whose parameters have changed?",
    ),
    mistake(
        "trained_unet",
        "half precision stays",
        "network.load_state_dict(load_file(path))",
        "network.half().load_state_dict(load_file(path))",
        hint="The file is small because its numbers are; the network computes with larger ones.",
    ),
    mistake(
        "trained_unet",
        "no background",
        "UNet(3, UNET_CLASSES, UNET_WIDTHS)",
        "UNet(3, UNET_CLASSES - 1, UNET_WIDTHS)",
        hint="Count the classes again: what is a pixel that shows no object?",
    ),
    mistake(
        "trained_unet",
        "classes for channels",
        "UNet(3, UNET_CLASSES, UNET_WIDTHS)",
        "UNet(UNET_CLASSES, 3, UNET_WIDTHS)",
        hint="What goes in, and what comes out? Two numbers are exchanged.",
    ),
    mistake(
        "trained_unet",
        "paper's valid convolutions",
        "UNet(3, UNET_CLASSES, UNET_WIDTHS)",
        "UNet(3, UNET_CLASSES, UNET_WIDTHS, padding=0)",
        hint="The masks that come out are smaller than the pictures.",
    ),
    mistake(
        "trained_unet",
        "widths in the other order",
        "UNET_WIDTHS)",
        "UNET_WIDTHS[::-1])",
        hint="Is the bottom of the network its narrowest or its widest level?",
    ),
    mistake(
        "trained_unet",
        "frozen",
        "return network.eval()",
        "return network.eval().requires_grad_(False)",
        hint="Somebody may want to train this network further.",
    ),
    mistake(
        "trained_unet",
        "weights only",
        "return network.eval()",
        "return network.state_dict()",
        hint="A network is wanted, ready to be called.",
    ),
)

MISTAKES = LINEAR_TO_CONV + CONVOLUTIONALIZE + FCN + DECONV_NET + UNET + TRAINED_UNET + SCORES
