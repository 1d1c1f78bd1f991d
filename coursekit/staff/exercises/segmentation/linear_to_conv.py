"""Exercise linear_to_conv: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "A linear layer gives each output one weight for each number of the map. A kernel of the map's own size does "
        "the same: it can lie in one place only."
    ),
    (
        "Flattening writes channel after channel, in each row after row. The weight of one output, cut in the same "
        "order, is a kernel."
    ),
    "Make the layer with the right sizes, then fill its parameters with copies, without telling autograd.",
    "K[o, c, y, x] = W[o, (c * h + y) * w + x]",
)

MISTAKES = (
    mistake(
        "channels read last",
        "weight.unflatten(1, (in_channels, h, w))",
        "weight.unflatten(1, (h, w, in_channels)).movedim(-1, 1)",
        hint="In which order does flattening write channels, rows and columns? Follow the second number of the row.",
    ),
    mistake(
        "rows and columns exchanged",
        "weight.unflatten(1, (in_channels, h, w))",
        "weight.unflatten(1, (in_channels, w, h)).mT",
        hint="On a map that is not square, rows and columns are confused.",
    ),
    mistake(
        "kernel rotated",
        "weight.unflatten(1, (in_channels, h, w))",
        "weight.unflatten(1, (in_channels, h, w)).flip(2, 3)",
        hint="A layer of this library slides its kernel as it stands; nothing is turned.",
    ),
    mistake(
        "bias dropped",
        "conv.bias.copy_(linear.bias)",
        "conv.bias.zero_()",
        hint="On a black map the layer answers something, and yours does not.",
    ),
    mistake(
        "bias always",
        '"bias": linear.bias is not None,',
        '"bias": True,',
        "        if linear.bias is not None:\n            conv.bias.copy_(linear.bias)\n",
        "        conv.bias.copy_(0 if linear.bias is None else linear.bias)\n",
        hint="Count the parameters of both layers.",
    ),
    mistake(
        "weights not copied",
        "conv.weight.copy_(weight.unflatten(1, (in_channels, h, w)))",
        "conv.weight.fill_(0.1)",
        hint="The form is right, and the layer has forgotten what it had learnt.",
    ),
    mistake(
        "padded",
        "linear.out_features, (h, w), **options",
        "linear.out_features, (h, w), padding=(h // 2, w // 2), **options",
        hint="Your result is larger than one pixel: the kernel may look only where the whole map is.",
    ),
    mistake(
        "stride of the map",
        "linear.out_features, (h, w), **options",
        "linear.out_features, (h, w), stride=(h, w), **options",
        hint="On a larger map windows overlap: how far is it from one answer to the next?",
    ),
    mistake(
        "parameters shared",
        "return conv.train(linear.training)",
        "conv.weight.data = linear.weight.data.view_as(conv.weight)\n    return conv.train(linear.training)",
        hint="Training the one would change the other.",
    ),
    mistake(
        "always float32",
        '"dtype": weight.dtype}',
        '"dtype": torch.float32}',
        hint="Numbers are rounded on their way: in which type did you make the new layer?",
    ),
    mistake(
        "always float64",
        '"dtype": weight.dtype}',
        '"dtype": torch.float64}',
        hint="Look at the number format of the parameters, before and after.",
    ),
)

VARIANTS = (
    variant(
        "view and Parameter",
        body="""
        if isinstance(size, int):
            size = (size, size)
        conv = nn.Conv2d(in_channels, linear.out_features, tuple(size), bias=linear.bias is not None)
        conv.weight = nn.Parameter(linear.weight.detach().clone().view(linear.out_features, in_channels, *size))
        if linear.bias is not None:
            conv.bias = nn.Parameter(linear.bias.detach().clone())
        return conv
        """,
    ),
    variant(
        "load_state_dict",
        body="""
        h, w = (size, size) if isinstance(size, int) else size
        conv = nn.Conv2d(in_channels, linear.out_features, (h, w), bias=linear.bias is not None).to(linear.weight.dtype)
        state = dict(linear.state_dict())
        state["weight"] = state["weight"].reshape(-1, in_channels, h, w)
        conv.load_state_dict(state)
        return conv
        """,
    ),
    variant(
        "a loop over output units",
        body="""
        h, w = (size, size) if isinstance(size, int) else size
        conv = nn.Conv2d(in_channels, linear.out_features, (h, w), bias=linear.bias is not None)
        conv = conv.to(linear.weight.device, linear.weight.dtype)
        with torch.no_grad():
            for k in range(linear.out_features):
                conv.weight[k] = linear.weight[k].reshape(in_channels, h, w)
                if linear.bias is not None:
                    conv.bias[k] = linear.bias[k]
        return conv
        """,
    ),
)
