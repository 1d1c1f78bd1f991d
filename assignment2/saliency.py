"""Part 1. Looking into networks: what in the picture does a network look at?

Simonyan et al. 2013 (saliency), Zeiler & Fergus 2014 (deconvnet), Springenberg et al. 2015 (guided backprop),
Selvaraju et al. 2017 (Grad-CAM).

In every function: images are (N, 3, H, W) in [0, 1], of any strides; model maps them to logits (N, K) and is in eval mode;
a layer is a module's qualified name ("features.12"). Nothing given is modified, results are new, detached tensors, and the
map of one image does not depend on the other images. Gradients are enabled for you. Bad arguments raise ValueError before
your code.
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
    """The strongest responses of one channel, strongest first."""

    indices: Tensor  # (k,) int64, which image
    values: Tensor  # (k,) the response
    boxes: Tensor  # (k, 4) int64: top, left, bottom, right
    patches: list[Tensor]  # k pictures (3, h, w), smaller where the box is clipped


@checked
def saliency_map(model: ModelOrFunction, images: Images, labels: Labels) -> Tensor:
    """Show how strongly each pixel moves the score of the label.

    The absolute gradient of the label's logit (pre-softmax), summed over the colour channels as in the lecture. (The
    paper and some courses take the maximum over channels.)

    Args:
        model: a network, or a function that calls one: use nothing of it but the call.
        images: (N, 3, H, W) in [0, 1].
        labels: (N,) the class whose score is explained.

    Returns:
        (N, H, W), not negative.

    Source: Simonyan et al. 2013, section 3.
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
    """Differentiate one unit of one layer with respect to the picture.

    Args:
        images: (N, 3, H, W) in [0, 1].
        unit: (channel, y, x), or (channel,) in a flat layer: this unit, in every image.

    Returns:
        (N, 3, H, W), signed; zeros where no path joins the unit to the image.

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
    """Pass back through a ReLU as a deconvnet does: what is positive in the backward signal.

    Args:
        upstream: the gradient at the ReLU's output, any shape. Not modified.
        relu_input: what the ReLU was given, the same shape. Not modified.

    Returns:
        The same shape: upstream where it is greater than 0, else 0, whatever the ReLU was given.

    Source: Springenberg et al. 2015, figure 1; Zeiler & Fergus 2014.
    """
    ### BEGIN SOLUTION
    return upstream.clamp(min=0)
    ### END SOLUTION


@checked
def guided_relu_gradient(upstream: AnyTensor, relu_input: AnyTensor) -> Tensor:
    """Pass back through a ReLU as guided backprop does: what is positive in the signal, where the unit was active.

    Args:
        upstream: the gradient at the ReLU's output, any shape. Not modified.
        relu_input: what the ReLU was given, the same shape. Not modified.

    Returns:
        The same shape: upstream where both it and relu_input are greater than 0, else 0.

    Source: Springenberg et al. 2015, figure 1.
    """
    ### BEGIN SOLUTION
    return upstream.clamp(min=0) * (relu_input > 0)
    ### END SOLUTION


@checked
def guided_backprop(model: Model, images: Images, labels: Labels) -> Tensor:
    """Differentiate the label's logit with the guided rule at every ReLU (`relu_rule` puts it there).

    Args:
        images: (N, 3, H, W) in [0, 1].
        labels: (N,) the class whose score is explained.

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
    """Project a channel's strongest unit back to the pixels with the deconvnet rule at every ReLU.

    Args:
        images: (N, 3, H, W) in [0, 1].
        channel: of the layer, which may be flat. In each image its strongest unit (of equals the first in reading order)
            is seeded with 1, every other unit of the layer with 0.

    Returns:
        (N, 3, H, W), signed. Max pooling goes back through the switches, which is what autograd does.

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
    """Find the part of the picture that a unit can see.

    `spatial_steps(model, layer, image_size)` lists the way from the image (map 0) to the layer; a `Step` names the maps
    it reads (`inputs`, each of `size`), the map it makes (`output`) and its kernel, stride, padding and dilation, each
    (vertical, horizontal). Its kernel is None where every unit sees everything (flatten, global pooling).

    Args:
        unit: (channel, y, x), or (channel,) in a flat layer, which sees the whole image. Last rows and columns that a
            stride or a pooling leaves over, and no unit sees, may be in the box or not.
        image_size: (H, W).

    Returns:
        (top, left, bottom, right), ints, half-open, inside the image: image[:, top:bottom, left:right] is the patch.

    Source: Dumoulin & Visin 2016, section 2; the union over all paths where the network branches.
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
    """Cut out what excites a channel most: in each image the patch that its strongest unit sees, the k best images.

    Args:
        images: (N, 3, H, W) in [0, 1].
        layer: with a map (N, C, h, w), or flat; the boxes are those of `receptive_field`.
        k: how many images, 1 to N; one patch an image.

    Returns:
        Patches, strongest first.

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
    """Show where a layer's features speak for the label.

    A channel's weight is the spatial mean of the logit's gradient at the layer's output; the map is the ReLU of the
    weighted sum of the channels, enlarged (bilinear, align_corners=False), then divided by its own maximum.

    Args:
        images: (N, 3, H, W) in [0, 1].
        labels: (N,) the class whose score is explained.
        layer: with an output (N, C, h, w); a flat layer raises ValueError.

    Returns:
        (N, H, W) in [0, 1], each map with maximum 1; a map that is zero everywhere stays zero.

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
    """Keep of guided backprop what lies where Grad-CAM looks: sharp and specific to the class.

    Args:
        images: (N, 3, H, W) in [0, 1].
        labels: (N,) the class whose score is explained, by both factors.
        layer: for Grad-CAM, whose gradients are ordinary ones.

    Returns:
        (N, 3, H, W), signed: the product of `guided_backprop` and `grad_cam`.

    Source: Selvaraju et al. 2017, section 3.2.
    """
    ### BEGIN SOLUTION
    cam = grad_cam(model, images, labels, layer)  # (N, H, W)
    return guided_backprop(model, images, labels) * cam[:, None]  # (N, 3, H, W)
    ### END SOLUTION
