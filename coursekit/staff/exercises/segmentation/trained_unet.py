"""Exercise trained_unet: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    ("Three steps: build the network as it was trained, load its weights, set the mode."),
    (
        "Loading weights into a network converts them to the network's dtype. It raises an error if a name is missing: let it."
    ),
    "theta = the file's tensor of the same name, for every parameter theta",
)

MISTAKES = (
    mistake(
        "left in train mode",
        "return network.eval()",
        "return network.train()",
        hint="Your network is in train mode: return it in eval mode.",
    ),
    mistake(
        "what is missing is let pass",
        "network.load_state_dict(load_file(path))",
        "network.load_state_dict(load_file(path), strict=False)",
        hint="With strict=False missing parameters are accepted: they must raise an error.",
    ),
    mistake(
        "what does not fit is let pass",
        "network.load_state_dict(load_file(path))",
        "own, found = network.state_dict(), load_file(path)\n"
        "    fitting = {k: v if k in own and v.shape == own[k].shape else own[k] for k, v in found.items()}\n"
        "    network.load_state_dict(fitting)",
        hint="You accept tensors of another shape than the parameter: they must raise an error.",
    ),
    mistake(
        "nothing loaded",
        "network.load_state_dict(load_file(path))",
        "load_file(path)",
        hint="You read the file, but do not load its weights into the network.",
    ),
    mistake(
        "half precision stays",
        "network.load_state_dict(load_file(path))",
        "network.half().load_state_dict(load_file(path))",
        hint="Your network is in half precision: return it in float32.",
    ),
    mistake(
        "no background",
        "UNet(3, UNET_CLASSES, UNET_WIDTHS)",
        "UNet(3, UNET_CLASSES - 1, UNET_WIDTHS)",
        hint="Your network has one class too few: UNET_CLASSES includes the background.",
    ),
    mistake(
        "classes for channels",
        "UNet(3, UNET_CLASSES, UNET_WIDTHS)",
        "UNet(UNET_CLASSES, 3, UNET_WIDTHS)",
        hint="You swap the number of input channels and the number of classes.",
    ),
    mistake(
        "paper's valid convolutions",
        "UNet(3, UNET_CLASSES, UNET_WIDTHS)",
        "UNet(3, UNET_CLASSES, UNET_WIDTHS, padding=0)",
        hint="Your network has padding 0: use padding 1.",
    ),
    mistake(
        "widths in the other order",
        "UNET_WIDTHS)",
        "UNET_WIDTHS[::-1])",
        hint="You reverse the widths: use UNET_WIDTHS as they are.",
    ),
    mistake(
        "frozen",
        "return network.eval()",
        "return network.eval().requires_grad_(False)",
        hint="You freeze the parameters: leave them trainable.",
    ),
    mistake(
        "weights only",
        "return network.eval()",
        "return network.state_dict()",
        hint="You return the weights: return the network.",
    ),
    mistake(
        "copied by broadcasting",
        "network.load_state_dict(load_file(path))",
        "state = load_file(path)\n    with torch.no_grad():\n        for name, parameter in network.named_parameters():\n            parameter.copy_(state[name])",
        hint="copy_() broadcasts, so a tensor of another shape is accepted: it must raise an error.",
    ),
    mistake(
        "another file",
        "load_file(path)",
        'load_file("trained/unet.safetensors")',
        hint="You read trained/unet.safetensors whatever path is: read the file at path.",
    ),
    mistake(
        "error caught",
        "    network.load_state_dict(load_file(path))",
        "    try:\n        network.load_state_dict(load_file(path))\n    except RuntimeError:\n        pass",
        hint="You catch the error of load_state_dict: let it reach the caller.",
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
