"""Exercise trained_unet: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "Three steps: build the network as it was when it was trained, fill it, put it into the mode in which it is "
        "used."
    ),
    (
        "Loading into a network converts each tensor to the network's own number format, and complains of a name that "
        "is missing: let it."
    ),
    "theta = the file's tensor of the same name, for every parameter theta",
)

MISTAKES = (
    mistake(
        "left in train mode",
        "return network.eval()",
        "return network.train()",
        hint="Which mode is a network in when it is made, and in which is it wanted?",
    ),
    mistake(
        "what is missing is let pass",
        "network.load_state_dict(load_file(path))",
        "network.load_state_dict(load_file(path), strict=False)",
        hint="A file in which half of the weights are missing loads without a word.",
    ),
    mistake(
        "what does not fit is let pass",
        "network.load_state_dict(load_file(path))",
        "own, found = network.state_dict(), load_file(path)\n"
        "    fitting = {k: v if k in own and v.shape == own[k].shape else own[k] for k, v in found.items()}\n"
        "    network.load_state_dict(fitting)",
        hint="A file of another network loads without a word.",
    ),
    mistake(
        "nothing loaded",
        "network.load_state_dict(load_file(path))",
        "load_file(path)",
        hint="The file was read; whose parameters have changed?",
    ),
    mistake(
        "half precision stays",
        "network.load_state_dict(load_file(path))",
        "network.half().load_state_dict(load_file(path))",
        hint="The file is small because its numbers are; the network computes with larger ones.",
    ),
    mistake(
        "no background",
        "UNet(3, UNET_CLASSES, UNET_WIDTHS)",
        "UNet(3, UNET_CLASSES - 1, UNET_WIDTHS)",
        hint="Count the classes again: what is a pixel that shows no object?",
    ),
    mistake(
        "classes for channels",
        "UNet(3, UNET_CLASSES, UNET_WIDTHS)",
        "UNet(UNET_CLASSES, 3, UNET_WIDTHS)",
        hint="What goes in, and what comes out? Two numbers are exchanged.",
    ),
    mistake(
        "paper's valid convolutions",
        "UNet(3, UNET_CLASSES, UNET_WIDTHS)",
        "UNet(3, UNET_CLASSES, UNET_WIDTHS, padding=0)",
        hint="The masks that come out are smaller than the pictures.",
    ),
    mistake(
        "widths in the other order",
        "UNET_WIDTHS)",
        "UNET_WIDTHS[::-1])",
        hint="Is the bottom of the network its narrowest or its widest level?",
    ),
    mistake(
        "frozen",
        "return network.eval()",
        "return network.eval().requires_grad_(False)",
        hint="Somebody may want to train this network further.",
    ),
    mistake(
        "weights only",
        "return network.eval()",
        "return network.state_dict()",
        hint="A network is wanted, ready to be called.",
    ),
)

VARIANTS = (
    variant(
        "safe_open",
        body="""
        from safetensors import safe_open

        network = UNet(in_channels=3, num_classes=UNET_CLASSES, widths=UNET_WIDTHS)
        with safe_open(str(path), framework="pt") as file:
            state = {name: file.get_tensor(name).float() for name in file.keys()}
        network.load_state_dict(state)
        network.eval()
        return network
        """,
    ),
    variant(
        "load_model",
        body="""
        from safetensors.torch import load_model

        network = UNet(3, UNET_CLASSES, UNET_WIDTHS, padding=1)
        load_model(network, path)
        return network.train(False)
        """,
    ),
    variant(
        "bytes",
        body="""
        from safetensors.torch import load

        state = load(Path(path).read_bytes())
        network = UNet(3, UNET_CLASSES, list(UNET_WIDTHS)).float()
        network.load_state_dict({k: v.to(torch.float32) for k, v in state.items()}, strict=True)
        return network.eval()
        """,
    ),
)
