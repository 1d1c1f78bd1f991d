"""Given code: what an argument may be. Each alias is a type, with its meaning for the reader and a check for `checked`.

The letters of shapes are the same numbers in one call: labels (N,) belong to images (N, 3, H, W).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import torch
from torch import Tensor, nn

from coursekit.vision import looks
from coursekit.vision import looks_answers as answers
from coursekit.vision import looks_maps as maps
from coursekit.vision import looks_networks as nets
from coursekit.vision.checked import Check
from coursekit.vision.looks import finite_values, in_unit_range, number, of_the_network, tensor, that, whole

# numbers and words
AtLeast1 = Annotated[int, whole(1)]
Channel = Annotated[int, whole(0, role="channel")]
Count = Annotated[int, whole(0)]
Eps = Annotated[float, number("0 to 1", lambda v: 0 <= v <= 1, looks.eps_in_255ths)]
Flag = Annotated[bool, that("True or False", lambda v: isinstance(v, bool))]
Fraction = Annotated[float, number("0 to 1", lambda v: 0 <= v <= 1, role="fraction")]
PixelFraction = Annotated[float, number("0 to 1", lambda v: 0 <= v <= 1)]
SEEDED = f"{looks.SEED} or another seed"
Generator = Annotated[torch.Generator, that(SEEDED, lambda v: isinstance(v, torch.Generator), role="generator")]
Goal = Annotated[str, that(f"one of {', '.join(looks.GOALS)}", lambda v: v in looks.GOALS, looks.reachable)]
ImageSize = Annotated[tuple[int, int], that("(H, W), both 1 or more", looks.is_size, role="image_size")]
Jitter = Annotated[int, whole(0, looks.with_a_generator)]
Levels = Annotated[int, whole(2)]
NotNegative = Annotated[float, number("a number, 0 or more", lambda v: 0 <= v < math.inf)]
Number = Annotated[float, number("a number", lambda v: abs(v) < math.inf)]
Optimizer = Annotated[str, that("one of lbfgs, adam", lambda v: v in ("lbfgs", "adam"))]
Population = Annotated[int, whole(4)]
Positive = Annotated[float, number("a number, more than 0", lambda v: 0 < v < math.inf)]
Severity = Annotated[int, that("1 (weak) to 5 (strong)", lambda v: looks.is_whole(v, 1) and v <= 5)]
TopCount = Annotated[int, Check("1 to the number of images", looks.at_most_the_images)]
UNIT = "a tuple of whole numbers: (channel, y, x), or (channel,)"
Unit = Annotated[tuple[int, ...], that(UNIT, looks.is_unit, role="unit")]
WeightsFile = Annotated[str | Path, that("the path of a .safetensors file", lambda v: isinstance(v, (str, Path)))]

# networks and functions
EVAL = (nets.network, nets.open_inside, nets.in_eval_mode)
LOGITS = "a network in eval mode: images (N, 3, H, W) -> logits (N, K), no softmax"
model = partial(Check, role="model", watch=answers.watch_logits)
Function = Callable[[Tensor], Tensor]
Model = Annotated[nn.Module, model(LOGITS, *EVAL)]
AnyModeModel = Annotated[nn.Module, model("a network in any mode", nets.network, nets.module, nets.open_inside)]
ModelOrFunction = Annotated[nn.Module | Function, model(LOGITS, *EVAL)]
Substitute = Annotated[nn.Module, Check("a network in eval mode", *EVAL, nets.module, watch=nets.watch_substitute)]
Layer = Annotated[str, Check("a module's qualified name", nets.layer, role="layer", watch=nets.watch_layer)]
MAPS_OF = "the name of a layer that returns maps (N, C, h, w)"
MapLayer = Annotated[str, Check(MAPS_OF, nets.layer, role="layer", watch=nets.watch_layer)]
NAMES = "a list of layers' names"
ContentLayers = Annotated[Sequence[str], Check(NAMES, nets.layers, role="content_layers", watch=nets.watch_layers)]
StyleLayers = Annotated[Sequence[str], Check(NAMES, nets.layers, role="style_layers", watch=nets.watch_layers)]
Oracle = Annotated[Function, Check("images (M, 3, H, W) -> labels (M,)", nets.function, watch=answers.watch_oracle)]
Scores = Annotated[Function, Check("images (M, 3, H, W) -> scores (M, K)", nets.function, watch=answers.watch_scores)]
ROWS = "images (M, 3, H, W) -> probabilities (M, K)"
Probabilities = Annotated[Function, Check(ROWS, nets.function, watch=answers.watch_probabilities)]
TRANSFER = "(image (3, H, W), style (3, h, w)) -> image (3, H, W)"
Transfer = Annotated[Callable[[Tensor, Tensor], Tensor], Check(TRANSFER, nets.function, watch=answers.watch_transfer)]
CORRUPTIONS = "a list of functions (images, severity, *, generator) -> images"
Corruption = Callable[..., Tensor]
Corruptions = Annotated[Sequence[Corruption], Check(CORRUPTIONS, maps.corruptions, watch=answers.watch_corruptions)]

# pictures
SEEN = (finite_values, in_unit_range, of_the_network)
picture = partial(tensor, thing="picture")
Images = Annotated[Tensor, picture("(N, 3, H, W) in [0, 1]", *SEEN, role="images")]
NewImages = Annotated[Tensor, picture("pictures like images: (M, 3, H, W)", finite_values, in_unit_range)]
UnboundedImages = Annotated[Tensor, picture("(N, 3, H, W), any numbers", finite_values)]
Content = Annotated[Tensor, picture("(N, 3, H, W) in [0, 1]", *SEEN)]
Init = Annotated[Tensor, picture("content's (N, 3, H, W)", finite_values)]
Style = Annotated[Tensor, picture("one picture (1, 3, h, w)", finite_values, in_unit_range)]
Texture = Annotated[Tensor, picture("one texture a content: (N, 3, h, w)", finite_values, in_unit_range)]
Image = Annotated[Tensor, picture("one picture (3, H, W) in [0, 1]", *SEEN)]
UnboundedImage = Annotated[Tensor, picture("one picture (3, H, W), any numbers", finite_values)]
Gradient = Annotated[Tensor, tensor("the image's (3, H, W)", finite_values)]
Styles = Annotated[Sequence[Tensor], Check("a list of pictures (3, h, w) of any size", maps.styles)]

# classes, counted from 0, and scores
label = partial(tensor, dtype="int64", thing="label")
Labels = Annotated[Tensor, label("one label an image: (N,)", looks.classes, role="labels")]
NewLabels = Annotated[Tensor, label("one label an image: (M,)", looks.classes)]
Label = Annotated[int, whole(0, looks.classes, role="label")]
Target = Annotated[int, whole(0, looks.classes, role="target")]
Source = Annotated[int, whole(0, looks.classes, role="source")]
NumClasses = Annotated[int, whole(2, looks.above_the_labels, role="num_classes")]
Logits = Annotated[Tensor, tensor("logits (N, K)", looks.no_probabilities, dtype="float", role="logits")]
CleanLogits = Annotated[Tensor, tensor("logits' (N, K)", looks.no_probabilities, dtype="float", role="clean_logits")]
TrialClasses = Annotated[Tensor, tensor("one class a trial: (T,)", dtype="int64", thing="")]
ErrorRates = Annotated[Tensor, tensor("(C, S): a row a corruption", maps.rates, dtype="float")]
BaselineRates = Annotated[Tensor, tensor("errors' (C, S)", maps.rates, maps.divides, dtype="float")]
RATE = "an error rate from 0 to 1: a float or a 0-d tensor"
ErrorRate = Annotated[float | Tensor, number(RATE, maps.is_rate)]
BaselineRate = Annotated[float | Tensor, number(RATE, maps.is_rate, role="baseline_clean")]

# tensors of any shape
AnyTensor = Annotated[Tensor, tensor("a floating-point tensor of any shape", thing="")]
GRADIENTS = "a list of tensors, one a parameter"
Gradients = Annotated[Sequence[Tensor], that(GRADIENTS, looks.are_tensors)]

# features of layers, and what is compared with them
FeatureMaps = Annotated[Tensor, Check("a layer's maps (N, C, H, W)", maps.FEATURES, finite_values)]
Features = Annotated[Sequence[Tensor], Check("a list of (N, C, H, W), one a layer", maps.features, role="features")]
LIKE_FEATURES = maps.like_features("features' (N, C, H, W)")
FeatureTargets = Annotated[Sequence[Tensor], Check("a list of (N, C, H, W)", LIKE_FEATURES)]
Grams = Annotated[Sequence[Tensor], Check("a list of (N, C, C)", maps.like_features("(N, C, C) or (1, C, C)"))]
FeatureWeights = Annotated[Sequence[float], Check("a list of numbers, one a layer", maps.feature_weights)]
ContentWeights = Annotated[Sequence[float], Check("a list of numbers, one a layer", maps.content_weights)]
StyleWeights = Annotated[Sequence[float], Check("a list of numbers, one a layer", maps.style_weights)]

# maps and kernels
Maps = Annotated[Tensor, tensor("a floating-point tensor (N, C, H, W)", role="maps")]
INDICES = "values' (N, C, H, W): unpool with the indices of the pooling that made this map"
Indices = Annotated[Tensor, tensor(INDICES, dtype="int64", role="indices")]
Kernel = Annotated[Tensor, tensor("(C, C_out, kh, kw) with x's channels first", role="kernel")]
KernelSize = Annotated[int, whole(1, maps.fits_in_maps)]
Stride = Annotated[int, whole(1, role="stride")]
Crop = Annotated[int, whole(0, maps.leaves_something)]
PlaneSize = Annotated[tuple[int, int], that("(H, W), both 1 or more", looks.is_size, maps.holds_indices)]
LogitMaps = Annotated[Tensor, tensor("(N, K, H, W), K 2 or more", lambda _, v: v.shape[1] > 1, role="logit_maps")]
PIXELS = "(N, H, W): one label a pixel"
LabelMaps = Annotated[Tensor, tensor(PIXELS, maps.pixel_classes, dtype="int64", thing="pixel", role="label_maps")]
PredictedMaps = Annotated[Tensor, tensor(PIXELS, maps.pixel_classes, dtype="int64", thing="pixel")]
LabelValue = Annotated[int, that("a whole number", looks.is_whole)]
ANY = "a whole number (if every pixel counts, one that no label has, such as -100)"
IgnoreIndex = Annotated[int, that(ANY, looks.is_whole, role="ignore_index")]

# networks of maps
Linear = Annotated[nn.Linear, that("an nn.Linear", lambda v: isinstance(v, nn.Linear), role="linear")]
InChannels = Annotated[int, whole(1, role="in_channels")]
MapSize = Annotated[int | tuple[int, int], Check("(h, w), or one whole number for both", maps.map_size)]
Classifier = Annotated[nn.Module, Check("a network with normalize, features and classifier", maps.classifier)]
Stages = Annotated[Sequence[nn.Module], that("the trunk as a list of modules", maps.is_stages, role="stages")]
StageChannels = Annotated[Sequence[int], Check("a list of whole numbers, 1 or more", maps.stage_channels)]
NumSkips = Annotated[int, whole(0, maps.fewer_than_stages)]
WIDTHS = "channels for each level, two levels or more, such as (16, 32, 64)"
Widths = Annotated[Sequence[int], that(WIDTHS, maps.is_widths)]
BLOCK = "1 (the size stays) or 0 (the paper's valid convolutions)"
BlockPadding = Annotated[int, that(BLOCK, lambda v: looks.is_whole(v, 0) and v <= 1)]
