"""Mistakes of part 1 in where a unit looks and where the evidence lies."""

from coursekit.staff.edits import mistake

BATCH_AXIS = "Try it on one picture: the axis of the batch must survive, also when it has length 1."
ALIASED = "The layer that follows writes over what you kept: look at negative values of your copy."
PRE_SOFTMAX = "The lecture takes the score before it becomes a probability: look at what the network returns."
OTHER_CLASS = "Which class is explained is the caller's choice, not the network's."
EPSILON = "A small constant below the line keeps the maximum away from 1."

RECEPTIVE_FIELD = (
    mistake(
        "receptive_field",
        "padding forgotten",
        "low = first * step.stride[axis] - step.padding[axis]",
        "low = first * step.stride[axis]",
        "high = (last - 1) * step.stride[axis] - step.padding[axis] + reach",
        "high = (last - 1) * step.stride[axis] + reach",
        hint="Your window starts too late: what was laid round the map before the kernel ran over it?",
    ),
    mistake(
        "receptive_field",
        "stride forgotten",
        "low = first * step.stride[axis]",
        "low = first",
        "high = (last - 1) * step.stride[axis]",
        "high = (last - 1)",
        hint="A neighbour in a deep map is more than one pixel away in the picture.",
    ),
    mistake(
        "receptive_field",
        "dilation forgotten",
        "reach = step.dilation[axis] * (step.kernel[axis] - 1) + 1",
        "reach = step.kernel[axis]",
        hint="The kernel's taps need not lie side by side.",
    ),
    mistake(
        "receptive_field",
        "x and y swapped",
        "place = unit[1:] or (0, 0)",
        "place = unit[:0:-1] or (0, 0)",
        hint="The unit's place is row first, column second.",
    ),
    mistake(
        "receptive_field",
        "left and top swapped",
        "return top, left, bottom, right",
        "return left, top, right, bottom",
        hint="The order of the four sides matters: rows come first.",
    ),
    mistake(
        "receptive_field",
        "not clipped above and left",
        "max(low, 0)",
        "low",
        hint="A window that begins before the picture does: a negative slice counts from the other end.",
    ),
    mistake(
        "receptive_field",
        "not clipped below and right",
        "min(high, size)",
        "high",
        hint="Your window ends beyond the picture.",
    ),
    mistake(
        "receptive_field",
        "last row included",
        "high = (last - 1) * step.stride[axis] - step.padding[axis] + reach",
        "high = (last - 1) * step.stride[axis] - step.padding[axis] + reach - 1",
        hint="The box is half-open: its end is the first row that no longer belongs to it.",
    ),
    mistake(
        "receptive_field",
        "one branch only",
        "for source in step.inputs:",
        "for source in step.inputs[:1]:",
        hint="Where the network branches, a unit sees through all branches.",
    ),
    mistake(
        "receptive_field",
        "branches in series",
        body="""
        spans = [(i, i + 1) for i in unit[1:] or (0, 0)]
        for step in reversed(spatial_steps(model, layer, image_size)):
            for axis, (first, last) in enumerate(spans):
                low, high = 0, step.size[axis]
                if step.kernel is not None:
                    low = max(first * step.stride[axis] - step.padding[axis], 0)
                    reach = step.dilation[axis] * (step.kernel[axis] - 1) + 1
                    high = min((last - 1) * step.stride[axis] - step.padding[axis] + reach, high)
                spans[axis] = (low, high)
        (top, bottom), (left, right) = spans
        return top, left, bottom, right
        """,
        hint="Branches are parallel: no path leads through one of them and then through the other.",
    ),
    mistake(
        "receptive_field",
        "flat layer",
        "low, high = 0, size",
        "low, high = first, last",
        hint="Behind flattening or global pooling a unit is no longer bound to a place.",
    ),
    mistake(
        "receptive_field",
        "remembered from another network",
        "    steps = spatial_steps(model, layer, image_size)",
        "    memory = globals().setdefault('_memory', {})\n"
        "    steps = memory.setdefault((layer, image_size), None) or spatial_steps(model, layer, image_size)\n"
        "    memory[layer, image_size] = steps",
        hint="Ask about two networks in turn: the second answer belongs to the first one.",
    ),
    mistake(
        "receptive_field",
        "errors swallowed",
        "    steps = spatial_steps(model, layer, image_size)",
        "    try:\n        steps = spatial_steps(model, layer, image_size)\n"
        "    except Exception:\n        return (0, 0, *image_size)",
        hint="An error of the network is news for the caller.",
    ),
    mistake(
        "receptive_field",
        "global pooling taken for a single place",
        "low, high = 0, size",
        "low, high = (0, size) if len(unit) == 1 else (first, last)",
        hint="A unit behind global pooling has a place, (0, 0), and sees more than that place: which kernel is None?",
    ),
)

TOP_PATCHES = (
    mistake("top_patches", "weakest first", "descending=True", "descending=False", hint="The strongest come first."),
    mistake(
        "top_patches",
        "several patches of one image",
        "strongest, places = responses.reshape(len(images), -1).max(dim=1)",
        "flat = responses.flatten(); best = flat.topk(len(images)); strongest, places = best.values, best.indices % responses[0].numel()",
        hint="One picture may give one patch only, at its own strongest place.",
    ),
    mistake(
        "top_patches",
        "running maximum starts at zero",
        "responses = outputs[layer][:, channel]",
        "responses = outputs[layer][:, channel].clamp(min=0)",
        hint="A channel may answer below zero everywhere; its strongest answer is then negative.",
    ),
    mistake(
        "top_patches",
        "x and y swapped",
        "(channel, *divmod(place, responses.shape[-1]))",
        "(channel, *divmod(place, responses.shape[-1])[::-1])",
        hint="The place in the flattened map is row times width plus column, in this order.",
    ),
    mistake(
        "top_patches",
        "height for width",
        "divmod(place, responses.shape[-1])",
        "divmod(place, responses.shape[-2])",
        hint="Maps need not be square: how many units make up one row?",
    ),
    mistake(
        "top_patches",
        "boxes of the unsorted images",
        "places[indices].tolist()",
        "places[:k].tolist()",
        hint="The boxes are in the order of the batch, the rest in the order of strength.",
    ),
    mistake(
        "top_patches",
        "values sorted, images not",
        "values, indices = strongest.sort(descending=True, stable=True)",
        "values, indices = strongest.sort(descending=True).values, torch.arange(len(images))",
        hint="Which picture does each of your values come from?",
    ),
    mistake(
        "top_patches",
        "the first k images",
        "values, indices = strongest.sort(descending=True, stable=True)",
        "values, indices = strongest, torch.arange(len(images))",
        hint="Your answers stand in the order of the batch, not in the order of strength.",
    ),
    mistake(
        "top_patches",
        "patch from the wrong image",
        "images[i, :, top:bottom, left:right].detach().clone()",
        "images[0, :, top:bottom, left:right].detach().clone()",
        hint="Each patch is cut from its own picture.",
    ),
    mistake(
        "top_patches",
        "patch is a view",
        "left:right].detach().clone()",
        "left:right]",
        hint="Whoever draws on a patch must not draw on the caller's picture.",
    ),
    mistake(
        "top_patches",
        "by size",
        "responses.reshape(len(images), -1).max(dim=1)",
        "responses.reshape(len(images), -1).abs().max(dim=1)",
        hint="A strongly negative answer is not a strong one.",
    ),
    mistake(
        "top_patches",
        "mean over the map",
        "strongest, places = responses.reshape(len(images), -1).max(dim=1)",
        "places = responses.reshape(len(images), -1).argmax(dim=1); strongest = responses.reshape(len(images), -1).mean(dim=1)",
        hint="A picture is as strong as its strongest unit, not as its average one.",
    ),
)

GRAD_CAM = (
    mistake(
        "grad_cam",
        "no final ReLU",
        ".sum(dim=1, keepdim=True).relu()",
        ".sum(dim=1, keepdim=True)",
        hint="What speaks against the class is still in your map.",
    ),
    mistake(
        "grad_cam",
        "ReLU on the weights",
        "gradient.mean(dim=(2, 3), keepdim=True)",
        "gradient.mean(dim=(2, 3), keepdim=True).relu()",
        hint="A channel may speak against the class; you drop it before it can.",
    ),
    mistake(
        "grad_cam",
        "ReLU for each channel",
        "(weights * features).sum(dim=1, keepdim=True).relu()",
        "(weights * features).relu().sum(dim=1, keepdim=True)",
        hint="You rectify too early: first all channels have their say.",
    ),
    mistake(
        "grad_cam",
        "ReLU after enlarging",
        ".relu().detach()",
        ".detach()",
        "align_corners=False)[:, 0]",
        "align_corners=False)[:, 0].relu()",
        hint="The order matters where positive and negative places are neighbours: rectify the small map.",
    ),
    mistake(
        "grad_cam",
        "gradient times activation at each place",
        "gradient.mean(dim=(2, 3), keepdim=True)",
        "gradient / gradient[0, 0].numel()",
        hint="A channel has one weight, the same at every place.",
    ),
    mistake(
        "grad_cam",
        "weights averaged over the batch",
        "gradient.mean(dim=(2, 3), keepdim=True)",
        "gradient.mean(dim=(0, 2, 3), keepdim=True)",
        hint="Each picture weighs the channels for itself.",
    ),
    mistake("grad_cam", "probability", "model(images)", "model(images).softmax(dim=1)", hint=PRE_SOFTMAX),
    mistake(
        "grad_cam",
        "aligned corners",
        "align_corners=False",
        "align_corners=True",
        hint="The small map is stretched a little too far: where do its corner cells lie in the picture?",
    ),
    mistake(
        "grad_cam",
        "nearest neighbour",
        'mode="bilinear", align_corners=False',
        'mode="nearest"',
        hint="Your map has steps where a smooth one is asked for.",
    ),
    mistake(
        "grad_cam",
        "normalised over the batch",
        "cam.amax(dim=(1, 2), keepdim=True)",
        "cam.amax()",
        hint="Each map has its own maximum.",
    ),
    mistake(
        "grad_cam",
        "normalised before enlarging",
        "cam = F.interpolate(cam, images.shape[-2:]",
        "cam = cam / cam.amax(dim=(1, 2, 3), keepdim=True).clamp(min=1e-300)\n    cam = F.interpolate(cam, images.shape[-2:]",
        "peak = cam.amax(dim=(1, 2), keepdim=True)",
        "peak = torch.zeros(1)",
        hint="Enlarging flattens the peak: a map whose maximum was 1 no longer has it.",
    ),
    mistake(
        "grad_cam",
        "minimum subtracted",
        "peak = cam.amax(dim=(1, 2), keepdim=True)",
        "cam = cam - cam.amin(dim=(1, 2), keepdim=True)\n    peak = cam.amax(dim=(1, 2), keepdim=True)",
        hint="Zero means that nothing speaks for the class; do not shift it.",
    ),
    mistake(
        "grad_cam",
        "zero by zero",
        "cam / torch.where(peak > 0, peak, 1)",
        "cam / peak",
        hint="What does your last step do with a map in which nothing speaks for the class?",
    ),
    mistake(
        "grad_cam",
        "sum for mean, an epsilon that bites",
        "cam / torch.where(peak > 0, peak, 1)",
        "cam / (peak + 1e-2)",
        hint=EPSILON,
    ),
    mistake(
        "grad_cam", "the usual epsilon", "cam / torch.where(peak > 0, peak, 1)", "cam / (peak + 1e-8)", hint=EPSILON
    ),
    mistake(
        "grad_cam",
        "activation aliased by an in-place ReLU",
        "with record_outputs(model, [layer]) as outputs:",
        "outputs = {}\n    handle = model.get_submodule(layer).register_forward_hook(lambda m, i, o: outputs.update({layer: o}))\n    try:",
        "labels[:, None])  # (N, 1)",
        "labels[:, None])\n    finally:\n        handle.remove()",
        hint=ALIASED,
    ),
    mistake("grad_cam", "predicted class", ".gather(1, labels[:, None])", ".amax(dim=1)", hint=OTHER_CLASS),
    mistake(
        "grad_cam",
        "squeeze",
        "return cam / torch.where(peak > 0, peak, 1)",
        "return (cam / torch.where(peak > 0, peak, 1)).squeeze()",
        hint=BATCH_AXIS,
    ),
    mistake(
        "grad_cam",
        "gradients erased",
        "images = images.detach().requires_grad_()",
        "model.zero_grad()\n    images = images.detach().requires_grad_()",
        hint="Somebody may still need what was stored beside the weights before the call.",
    ),
    mistake(
        "grad_cam",
        "needs trainable weights",
        "images = images.detach().requires_grad_()",
        "images = images.detach()",
        hint="A network with frozen weights can be explained as well: whom must autograd follow from the start?",
    ),
    mistake(
        "grad_cam",
        "empty map beside full ones",
        "cam / torch.where(peak > 0, peak, 1)",
        "cam if cam.max() == 0 else cam / peak",
        hint="One picture's map may be empty while its neighbours' are not.",
    ),
)

GUIDED_GRAD_CAM = (
    mistake(
        "guided_grad_cam",
        "broadcast over the wrong axis",
        "cam[:, None]",
        "cam",
        hint="Three pictures and three colours: your product pairs the wrong ones.",
    ),
    mistake(
        "guided_grad_cam",
        "CAM inside the guided rule",
        "cam = grad_cam(model, images, labels, layer)",
        "with relu_rule(guided_relu_gradient):\n        cam = grad_cam(model, images, labels, layer)",
        hint="One of the two factors needs ordinary gradients.",
    ),
    mistake(
        "guided_grad_cam",
        "different targets",
        "guided_backprop(model, images, labels)",
        "guided_backprop(model, images, model(images).argmax(dim=1))",
        hint="Both factors explain the same class.",
    ),
    mistake(
        "guided_grad_cam",
        "sum for product",
        "* cam[:, None]",
        "+ cam[:, None]",
        hint="Where one factor says nothing, the answer is nothing.",
    ),
    mistake(
        "guided_grad_cam",
        "absolute value",
        "return guided_backprop(model, images, labels)",
        "return guided_backprop(model, images, labels).abs()",
        hint="The sign of the fine structure belongs to the answer.",
    ),
    mistake(
        "guided_grad_cam",
        "summed over channels",
        body="return (guided_backprop(model, images, labels) * grad_cam(model, images, labels, layer)[:, None]).sum(dim=1)",
        hint="The answer is a colour picture.",
    ),
    mistake(
        "guided_grad_cam",
        "first map for all",
        "cam[:, None]",
        "cam[:1, None]",
        hint="Each picture has a map of its own.",
    ),
    mistake(
        "guided_grad_cam",
        "thresholded map",
        "cam[:, None]",
        "(cam > 0.5)[:, None]",
        hint="The map weighs the fine structure; it does not cut it out.",
    ),
    mistake(
        "guided_grad_cam",
        "layer ignored",
        "grad_cam(model, images, labels, layer)",
        "grad_cam(model, images, labels, [n for n, m in model.named_modules() if isinstance(m, nn.Conv2d)][-1])",
        hint="Which map is asked for is the caller's choice.",
    ),
)

MISTAKES = (
    *RECEPTIVE_FIELD,
    *TOP_PATCHES,
    *GRAD_CAM,
    *GUIDED_GRAD_CAM,
)
