"""Exercise linear_to_conv: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "A linear layer has one weight for each output and each number of the map. So does a kernel as large as the map: it fits at one position only."
    ),
    (
        "torch.flatten writes one channel after the other, each row by row. Cut the weights of one output in the same order: this is its kernel."
    ),
    "Make the convolution with the right sizes. Then copy the parameters into it, without recording gradients.",
    "K[o, c, y, x] = W[o, (c * h + y) * w + x]",
)

MISTAKES = (
    mistake(
        "channels read last",
        "weight.unflatten(1, (in_channels, h, w))",
        "weight.unflatten(1, (h, w, in_channels)).movedim(-1, 1)",
        hint="You read the weights with channels last: torch.flatten writes channel by channel, each row by row.",
    ),
    mistake(
        "rows and columns exchanged",
        "weight.unflatten(1, (in_channels, h, w))",
        "weight.unflatten(1, (in_channels, w, h)).mT",
        hint="You swap rows and columns of the kernel: maps need not be square.",
    ),
    mistake(
        "kernel rotated",
        "weight.unflatten(1, (in_channels, h, w))",
        "weight.unflatten(1, (in_channels, h, w)).flip(2, 3)",
        hint="You rotate the kernel: torch's convolution uses it as it stands.",
    ),
    mistake(
        "bias dropped",
        "conv.bias.copy_(linear.bias)",
        "conv.bias.zero_()",
        hint="Your bias is 0: copy the bias of linear.",
    ),
    mistake(
        "bias always",
        '"bias": linear.bias is not None,',
        '"bias": True,',
        "        if linear.bias is not None:\n            conv.bias.copy_(linear.bias)\n",
        "        conv.bias.copy_(0 if linear.bias is None else linear.bias)\n",
        hint="You always make a bias: if linear has none, the convolution has none.",
    ),
    mistake(
        "weights not copied",
        "conv.weight.copy_(weight.unflatten(1, (in_channels, h, w)))",
        "conv.weight.fill_(0.1)",
        hint="You fill the kernel with a constant: copy the weights of linear.",
    ),
    mistake(
        "padded",
        "linear.out_features, (h, w), **options",
        "linear.out_features, (h, w), padding=(h // 2, w // 2), **options",
        hint="Your convolution has padding: use none.",
    ),
    mistake(
        "stride of the map",
        "linear.out_features, (h, w), **options",
        "linear.out_features, (h, w), stride=(h, w), **options",
        hint="Your stride is the size of the map: use stride 1.",
    ),
    mistake(
        "parameters shared",
        "return conv.train(linear.training)",
        "conv.weight.data = linear.weight.data.view_as(conv.weight)\n    return conv.train(linear.training)",
        hint="Your convolution shares memory with linear (its weight or its bias): copy both.",
    ),
    mistake(
        "always float32",
        '"dtype": weight.dtype}',
        '"dtype": torch.float32}',
        hint="Your parameters are always float32: use the dtype of linear.",
    ),
    mistake(
        "always float64",
        '"dtype": weight.dtype}',
        '"dtype": torch.float64}',
        hint="Your parameters are always float64: use the dtype of linear.",
    ),
    mistake(
        "parameters frozen",
        "return conv.train(linear.training)",
        "return conv.train(linear.training).requires_grad_(False)",
        hint="You freeze the convolution: its parameters must require gradients.",
    ),
    mistake(
        "size as a pair only",
        "(size, size) if isinstance(size, int) else size",
        "size",
        hint="You unpack size, but it may be one number for both sides.",
    ),
    mistake(
        "bias left random",
        "            conv.bias.copy_(linear.bias)",
        "            pass",
        hint="Your convolution keeps its own random bias: copy linear's bias too.",
    ),
    mistake(
        "size read as width and height",
        "h, w = (size, size)",
        "w, h = (size, size)",
        hint="You read size as (width, height): it is (height, width).",
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
