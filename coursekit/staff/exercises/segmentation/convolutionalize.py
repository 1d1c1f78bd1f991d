"""Exercise convolutionalize: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.segmentation.shared import SOFTMAX

HINTS = (
    ("Go through the classifier's layers in order. Most stay as they are, one kind is left out, one kind is replaced."),
    (
        "The first Linear reads a map with the features' channels: its side follows from the number of inputs. All later ones read a single pixel."
    ),
    "Copy every layer, so that nothing is shared. At the end set the model's own mode.",
    "side = sqrt(in_features / channels) for the first Linear; for the next ones side = 1",
)

MISTAKES = (
    mistake(
        "adaptive pooling kept",
        "for layer in model.classifier:",
        "for layer in [*([model.avgpool] if hasattr(model, 'avgpool') else []), *model.classifier]:",
        hint="You keep the adaptive pooling, so every image gives a map of the training size: leave it out.",
    ),
    mistake(
        "normalisation left out",
        "[copy.deepcopy(model.normalize), *copy",
        "[*copy",
        hint="The layer normalize is missing: it comes before the features.",
    ),
    mistake(
        "ReLUs between the linear layers lost",
        "elif not isinstance(layer, nn.Flatten):",
        "elif not isinstance(layer, (nn.Flatten, nn.ReLU)):",
        hint="You leave out the classifier's ReLUs: keep them.",
    ),
    mistake(
        "only the first linear layer",
        body="""
        channels = [layer.out_channels for layer in model.features.modules() if isinstance(layer, nn.Conv2d)][-1]
        layers = [copy.deepcopy(model.normalize), *copy.deepcopy(list(model.features))]
        first = [layer for layer in model.classifier if isinstance(layer, nn.Linear)][0]
        layers.append(linear_to_conv(first, channels, round((first.in_features / channels) ** 0.5)))
        return nn.Sequential(*layers).train(model.training)
        """,
        hint="You convert only the first Linear: the classifier's later layers are missing.",
    ),
    mistake(
        "fresh layers",
        "layers.append(linear_to_conv(layer, channels, side))",
        "layers.append(nn.Conv2d(channels, layer.out_features, side).to(layer.weight))\n"
        "            nn.init.constant_(layers[-1].weight, 0.05)\n"
        "            nn.init.zeros_(layers[-1].bias)",
        hint="Your convolutions have new weights: copy those of the Linear layers.",
    ),
    mistake(
        "features shared",
        "*copy.deepcopy(list(model.features))]",
        "*model.features]",
        hint="You use the model's feature layers themselves: use copies.",
    ),
    mistake(
        "dropout lost",
        "not isinstance(layer, nn.Flatten)",
        "not isinstance(layer, (nn.Flatten, nn.Dropout))",
        hint="You leave out the classifier's dropout: keep it.",
    ),
    mistake(
        "layers without weights shared",
        "layers.append(copy.deepcopy(layer))",
        "layers.append(layer)",
        hint="You use the model's ReLU and Dropout themselves: use copies.",
    ),
    mistake(
        "always in eval mode",
        ".train(model.training)",
        ".eval()",
        hint="Your network is always in eval mode: give it the mode of model.",
    ),
    mistake(
        "left in train mode",
        ".train(model.training)",
        ".train()",
        hint="Your network is always in train mode: give it the mode of model.",
    ),
    mistake(
        "averaged to one answer",
        "return nn.Sequential(*layers).train",
        "return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1)).train",
        hint="You average the map to one pixel: return the whole map (N, K, h, w).",
    ),
    mistake(
        "softmax at the end",
        "return nn.Sequential(*layers).train",
        "return nn.Sequential(*layers, nn.Softmax(dim=1)).train",
        hint=SOFTMAX,
    ),
    mistake(
        "flat",
        "return nn.Sequential(*layers).train",
        "return nn.Sequential(*layers, nn.Flatten()).train",
        hint="You flatten the result: return (N, K, h, w).",
    ),
    mistake(
        "a ReLU at the end",
        "return nn.Sequential(*layers)",
        "layers.append(nn.ReLU())\n    return nn.Sequential(*layers)",
        hint="You add a ReLU at the end: return the logits.",
    ),
    mistake(
        "whole channels dropped",
        "layers.append(copy.deepcopy(layer))",
        "layers.append(nn.Dropout2d(layer.p) if isinstance(layer, nn.Dropout) else copy.deepcopy(layer))",
        hint="You replace Dropout by Dropout2d, which drops whole channels: copy the layer as it is.",
    ),
    mistake(
        "normalisation shared",
        "copy.deepcopy(model.normalize)",
        "model.normalize",
        hint="You use the model's normalize layer itself: use a copy.",
    ),
    mistake(
        "model left in eval mode",
        "    return nn.Sequential",
        "    was = model.training\n    model.eval()\n    return nn.Sequential",
        ".train(model.training)",
        ".train(was)",
        hint="You put the model into eval mode: leave its mode as it was.",
    ),
    mistake(
        "dropout with another p",
        "layers.append(copy.deepcopy(layer))",
        "layers.append(nn.Dropout(0.1) if isinstance(layer, nn.Dropout) else copy.deepcopy(layer))",
        hint="Your dropout has another probability than the model's: copy the layer.",
    ),
)

VARIANTS = (
    variant(
        "a copy whose classifier is replaced",
        body="""
        network = copy.deepcopy(model)
        channels = None
        for layer in network.features.modules():
            if isinstance(layer, nn.Conv2d):
                channels = layer.out_channels
        head = []
        for layer in network.classifier:
            if isinstance(layer, nn.Linear):
                side = int((layer.in_features // channels) ** 0.5 + 0.5)
                head.append(linear_to_conv(layer, channels, (side, side)))
                channels = layer.out_features
            elif not isinstance(layer, nn.Flatten):
                head.append(layer)
        result = nn.Sequential(network.normalize, network.features, nn.Sequential(*head))
        return result.train(model.training)
        """,
    ),
    variant(
        "a class of its own",
        body="""
        class Slides(nn.Module):
            def __init__(self, source):
                super().__init__()
                self.normalize = source.normalize
                self.features = source.features
                self.classifier = nn.ModuleList()
                c = next(m.out_channels for m in reversed(list(source.features.modules())) if isinstance(m, nn.Conv2d))
                for layer in source.classifier:
                    if isinstance(layer, nn.Linear):
                        layer, c = linear_to_conv(layer, c, round((layer.in_features / c) ** 0.5)), layer.out_features
                    if not isinstance(layer, nn.Flatten):
                        self.classifier.append(layer)

            def forward(self, images):
                x = self.features(self.normalize(images))
                for layer in self.classifier:
                    x = layer(x)
                return x

        return Slides(copy.deepcopy(model)).train(model.training)
        """,
    ),
    variant(
        "the map's side from the first linear layer, then 1",
        body="""
        copied = copy.deepcopy(model)
        linears = [layer for layer in copied.classifier if isinstance(layer, nn.Linear)]
        channels = [m for m in copied.features.modules() if isinstance(m, nn.Conv2d)][-1].out_channels
        side = round((linears[0].in_features / channels) ** 0.5)
        convs = {id(linears[0]): linear_to_conv(linears[0], channels, side)}
        convs |= {id(linear): linear_to_conv(linear, linear.in_features, 1) for linear in linears[1:]}
        rest = [convs.get(id(layer), layer) for layer in copied.classifier if not isinstance(layer, nn.Flatten)]
        return nn.Sequential(copied.normalize, copied.features, *rest).train(model.training)
        """,
    ),
)
