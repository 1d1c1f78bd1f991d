"""Part 1. Looking into networks: which pixels does a network use?

Simonyan et al. 2013 (saliency), Zeiler & Fergus 2014 (deconvnet), Springenberg et al. 2015 (guided backprop),
Selvaraju et al. 2017 (Grad-CAM).

In every function: images are (N, 3, H, W) in [0, 1], any strides (`view` may fail, `reshape` works). model maps them to
logits (N, K), before the softmax, and is in eval mode; its weights may be frozen, so let the images require gradients
(a copy of them). layer is the qualified name of a module ("features.12"). The arguments are not modified. Results are
new, detached tensors. The result for one image does not depend on the other images of the batch. Your code runs with
gradients enabled. Invalid arguments are checked for you: they raise ValueError before your code runs.

To get a layer's output, call model inside `with record_outputs(model, ["features.12"]) as outputs:`. Then read
outputs["features.12"].
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn  # noqa: F401 (the exercises may use it)

from coursekit.vision import checked, record_outputs, relu_rule, spatial_steps

from coursekit.vision.arguments import (  # isort: skip
    AnyTensor, Channel, Images, ImageSize, Labels, Layer, MapLayer, Model, ModelOrFunction, TopCount, Unit
)  # fmt: skip


class Patches(NamedTuple):
    """The strongest responses of one channel and their image patches, strongest first."""

    indices: Tensor  # (k,) int64, which image
    values: Tensor  # (k,) the response
    boxes: Tensor  # (k, 4) int64: top, left, bottom, right
    patches: list[Tensor]  # k pictures (3, h, w), smaller where the box is clipped


@checked
def saliency_map(model: ModelOrFunction, images: Images, labels: Labels) -> Tensor:
    """Return the gradient of the label's logit with respect to each pixel, absolute, summed over channels.

    Args:
        model: a network, or a plain function from images to logits. Only call model(images): a function has no layers.
        images: (N, 3, H, W) in [0, 1].
        labels: (N,) the classes whose logits are differentiated, one per image.

    Returns:
        (N, H, W), not negative.

    Source: Simonyan et al. 2013, section 3. The sum over channels is the lecture's; the paper takes the maximum.
    """
    ### BEGIN SOLUTION
    images = images.detach().requires_grad_()
    scores = model(images).gather(1, labels[:, None])  # (N, 1)
    # No image's score depends on another image, so one backward pass of the sum gives every image its own gradient.
    (gradient,) = torch.autograd.grad(scores.sum(), images)
    return gradient.abs().sum(dim=1)  # (N, H, W)
    ### END SOLUTION


@checked
def activation_gradient(model: Model, images: Images, layer: Layer, unit: Unit) -> Tensor:
    """Return the gradient of one unit of a layer with respect to each pixel and channel of the image.

    Args:
        images: (N, 3, H, W) in [0, 1].
        unit: (channel, y, x), or (channel,) in a flat layer (N, C). It is the same unit for every image.

    Returns:
        (N, 3, H, W), signed. Zeros if the unit does not depend on the image.

    Source: the lecture, "gradient of any layer with respect to the input".
    """
    ### BEGIN SOLUTION
    images = images.detach().requires_grad_()
    with record_outputs(model, [layer]) as outputs:
        model(images)
    activation = outputs[layer].movedim(0, -1)[unit]  # (N,)
    (gradient,) = torch.autograd.grad(activation.sum(), images, materialize_grads=True)
    return gradient.detach()  # torch 2.6 lets zeros that it materialises require a gradient
    ### END SOLUTION


@checked
def deconvnet_relu_gradient(upstream: AnyTensor, relu_input: AnyTensor) -> Tensor:
    """Return the gradient that a deconvnet passes back through a ReLU: the positive entries of upstream.

    Args:
        upstream: the gradient at the ReLU's output, any shape. Not modified.
        relu_input: the input of the ReLU in the forward pass, the same shape. The deconvnet's rule does not use it; it
            is an argument because `relu_rule` calls every rule with both tensors.

    Returns:
        The same shape: upstream where it is greater than 0, else 0.

    Source: Springenberg et al. 2015, figure 1; Zeiler & Fergus 2014.
    """
    ### BEGIN SOLUTION
    return upstream.clamp(min=0)
    ### END SOLUTION


@checked
def guided_relu_gradient(upstream: AnyTensor, relu_input: AnyTensor) -> Tensor:
    """Return the gradient that guided backprop passes back through a ReLU: positive entries at active units.

    Args:
        upstream: the gradient at the ReLU's output, any shape. Not modified.
        relu_input: the input of the ReLU in the forward pass, the same shape. Not modified.

    Returns:
        The same shape: upstream where both upstream and relu_input are greater than 0, else 0.

    Source: Springenberg et al. 2015, figure 1.
    """
    ### BEGIN SOLUTION
    return upstream.clamp(min=0) * relu_input.clamp(min=0).sign()  # the sign is 1 where the unit was active, else 0
    ### END SOLUTION


@checked
def guided_backprop(model: Model, images: Images, labels: Labels) -> Tensor:
    """Return the gradient of the label's logit with respect to each pixel, with the guided rule at every ReLU.

    Run the forward pass inside `with relu_rule(rule):`. Each ReLU that runs inside it uses rule in the backward pass.
    The network itself is not changed, and the backward pass may come after the block.

    Args:
        labels: (N,) the classes whose logits are differentiated, one per image.

    Returns:
        (N, 3, H, W), signed.

    Source: Springenberg et al. 2015, section 3.
    """
    ### BEGIN SOLUTION
    images = images.detach().requires_grad_()
    with relu_rule(guided_relu_gradient):
        scores = model(images).gather(1, labels[:, None])  # (N, 1)
    (gradient,) = torch.autograd.grad(scores.sum(), images)
    return gradient
    ### END SOLUTION


@checked
def deconvnet(model: Model, images: Images, layer: Layer, channel: Channel) -> Tensor:
    """Return the gradient of a channel's strongest unit with respect to the image, by the deconvnet rule at each ReLU.

    In each image, the strongest unit is the channel's largest value in the layer's output; of equal values, the first
    in reading order. The backward pass starts at the layer, with gradient 1 at this unit and 0 at all others.
    Leave max pooling to autograd: it passes the gradient to the position of each maximum.

    Args:
        channel: a channel of the layer; in a flat layer (N, C) a channel is one unit.

    Returns:
        (N, 3, H, W), signed. If the unit does not depend on the image, zeros.
    Source: Zeiler & Fergus 2014, section 2.1.
    """
    ### BEGIN SOLUTION
    images = images.detach().requires_grad_()
    with relu_rule(deconvnet_relu_gradient), record_outputs(model, [layer]) as outputs:
        model(images)
    responses = outputs[layer][:, channel].reshape(len(images), -1)  # (N, h * w)
    strongest = responses.max(dim=1).values  # (N,)
    (projection,) = torch.autograd.grad(strongest.sum(), images, materialize_grads=True)
    return projection
    ### END SOLUTION


@checked
def receptive_field(model: Model, layer: Layer, unit: Unit, image_size: ImageSize) -> tuple[int, int, int, int]:
    """Return the box of pixels that one unit of a layer depends on.

    `spatial_steps(model, layer, image_size)` lists the steps from the image to the layer's output. Maps are numbered;
    the image is map 0. A step reads the maps `step.inputs` and makes the map `step.output`. `step.size` is the (height,
    width) of the maps it reads. Its kernel, stride, padding and dilation are (vertical, horizontal). kernel is None if
    a unit depends on the whole input (flatten, global pooling). Clip at the edges of every map: nothing lies beyond.

    Args:
        unit: (channel, y, x), or (channel,) in a flat layer.
        image_size: (H, W). If a stride leaves edge rows or columns unread, the box may include them or not.
    Returns (top, left, bottom, right), Python ints inside the image; the patch is image[:, top:bottom, left:right].
    Source: Dumoulin & Visin 2016, section 2. Where the network branches, take the smallest box around all paths.
    """
    ### BEGIN SOLUTION
    steps = spatial_steps(model, layer, image_size)
    place = unit[1:] or (0, 0)
    seen = {steps[-1].output: [(i, i + 1) for i in place]}  # map -> [(top, bottom), (left, right)]
    for step in reversed(steps):
        if step.output not in seen:
            continue
        for axis, (first, last) in enumerate(seen[step.output]):
            size = step.size[axis]
            if step.kernel is None:
                low, high = 0, size
            else:
                low = first * step.stride[axis] - step.padding[axis]
                reach = step.dilation[axis] * (step.kernel[axis] - 1) + 1
                high = (last - 1) * step.stride[axis] - step.padding[axis] + reach
            for source in step.inputs:
                span = seen.setdefault(source, [(side, 0) for side in step.size])  # empty
                span[axis] = (min(span[axis][0], max(low, 0)), max(span[axis][1], min(high, size)))
    (top, bottom), (left, right) = seen.get(0, [(0, 0), (0, 0)])
    return top, left, bottom, right
    ### END SOLUTION


@checked
def top_patches(model: Model, images: Images, layer: Layer, channel: Channel, k: TopCount) -> Patches:
    """Return the k images in which a channel responds most, and the patch that the strongest unit sees in each of them.

    The response of an image is the channel's largest value in the layer's output. Its box is the `receptive_field` of
    the unit with that value (of several, any); its patch is the part of the image inside the box.

    Args:
        layer: returns maps (N, C, h, w), or is flat (N, C).
        k: the number of images, 1 to N; one patch per image.

    Returns:
        A `Patches`, as defined above: the image with the strongest response first.
    Source: Zeiler & Fergus 2014, figure 2.
    """
    ### BEGIN SOLUTION
    with torch.no_grad(), record_outputs(model, [layer]) as outputs:
        model(images)
    responses = outputs[layer][:, channel]  # (N, h, w), or (N,) in a flat layer
    strongest, places = responses.reshape(len(images), -1).max(dim=1)  # (N,)
    values, indices = strongest.sort(descending=True, stable=True)
    values, indices = values[:k], indices[:k]
    boxes = []
    for place in places[indices].tolist():
        unit = (channel, *divmod(place, responses.shape[-1])) if responses.dim() == 3 else (channel,)
        boxes.append(receptive_field(model, layer, unit, (images.shape[-2], images.shape[-1])))
    patches = [
        images[i, :, top:bottom, left:right].detach().clone()
        for i, (top, left, bottom, right) in zip(indices.tolist(), boxes, strict=True)
    ]
    return Patches(indices, values, torch.tensor(boxes, device=images.device), patches)
    ### END SOLUTION


@checked
def grad_cam(model: Model, images: Images, labels: Labels, layer: MapLayer) -> Tensor:
    """Return the Grad-CAM map of each label: ReLU(sum over channels of w_c A_c), enlarged and scaled to maximum 1.

    A is the layer's output. w_c is the spatial mean of the gradient of the label's logit with respect to A_c. After the
    ReLU, enlarge the map to (H, W) (bilinear, align_corners=False). Then divide each map by its own maximum.

    Args:
        labels: (N,) the classes whose logits are differentiated, one per image.
        layer: returns maps (N, C, h, w); a flat layer raises ValueError before your code runs.

    Returns:
        (N, H, W) in [0, 1]. A map that is zero everywhere stays zero. If the logit ignores the layer, zeros.
    Source: Selvaraju et al. 2017, section 3.
    """
    ### BEGIN SOLUTION
    images = images.detach().requires_grad_()
    with record_outputs(model, [layer]) as outputs:
        scores = model(images).gather(1, labels[:, None])  # (N, 1)
    features = outputs[layer]  # (N, C, h, w)
    (gradient,) = torch.autograd.grad(scores.sum(), features, materialize_grads=True)
    weights = gradient.mean(dim=(2, 3), keepdim=True)  # (N, C, 1, 1)
    cam = (weights * features).sum(dim=1, keepdim=True).relu().detach().to(images.dtype)  # (N, 1, h, w)
    cam = F.interpolate(cam, images.shape[-2:], mode="bilinear", align_corners=False)[:, 0]  # (N, H, W)
    peak = cam.amax(dim=(1, 2), keepdim=True)
    return cam / torch.where(peak > 0, peak, 1)
    ### END SOLUTION


@checked
def guided_grad_cam(model: Model, images: Images, labels: Labels, layer: MapLayer) -> Tensor:
    """Return the product of `guided_backprop` and `grad_cam`, per pixel and channel.

    Args:
        images: (N, 3, H, W) in [0, 1].
        labels: (N,) the classes that both factors explain.
        layer: the layer of Grad-CAM. Call `grad_cam` outside `relu_rule`: it needs ordinary gradients.

    Returns:
        (N, 3, H, W), signed.

    Source: Selvaraju et al. 2017, section 3.2.
    """
    ### BEGIN SOLUTION
    cam = grad_cam(model, images, labels, layer)  # (N, H, W)
    return guided_backprop(model, images, labels) * cam[:, None]  # (N, 3, H, W)
    ### END SOLUTION
