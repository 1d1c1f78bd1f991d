"""Every function follows its arguments: to their device, and in their dtype. Runs on each device that this machine has."""

import os
import subprocess
import sys

import pytest
import torch

from assignment2 import adversarial, class_visualization, robustness, saliency, segmentation, style_transfer, upsampling
from coursekit.checks.small_networks import SIZE, numbers, pictures, seeded
from coursekit.parts import PARTS, ROOT
from coursekit.vision import load_model

DEVICES = ["cpu"]
DEVICES += ["cuda"] if torch.cuda.is_available() else []
DEVICES += ["mps"] if torch.backends.mps.is_available() else []
# Of the largest value of the float64 result on the CPU.
TOLERANCES = {torch.float64: 1e-9, torch.float32: 1e-3, torch.bfloat16: 0.2}
PAIRS = [(device, dtype) for device in DEVICES for dtype in TOLERANCES if (device, dtype) != ("mps", torch.float64)]

OWN_STAND_INS = (  # checks whose own siblings, callbacks or generators make tensors while the function runs
    "test_one_pixel_attack_replaces_one_pixel_and_counts_its_queries",
    "test_one_pixel_attack_starts_everywhere_with_every_colour_and_redraws_what_falls_outside",
    "test_one_pixel_children_come_from_three_other_members_and_replace_a_less_fit_parent",
    "test_one_pixel_attack_stops_before_the_generation_after_the_fittest_succeeds",
    "test_estimated_gradient_is_the_mean_over_what_was_asked",
    "test_directions_are_normal_and_own_for_each_image",
    "test_estimating_leaves_no_trace_and_repeats",
    "test_class_visualization_leaves_no_trace_and_repeats",
    "test_corruption_errors_leave_no_trace",
    "test_guided_grad_cam_is_the_product_of_its_factors_in_each_image",
    "test_guided_grad_cam_of_a_single_image_and_of_two_keeps_the_shape",
    "test_guided_grad_cam_leaves_no_trace_and_repeats",
    "test_every_image_is_repainted_in_its_place_and_keeps_its_label",
    "test_stylize_leaves_no_trace",
)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_function_makes_a_tensor_without_a_device():
    others = " and ".join(f"not {name}" for name in OWN_STAND_INS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.staff.elsewhere", "--tb=short", "-k", others]
    checks = [str(part.tests_path) for part in PARTS]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    done = subprocess.run(
        [*command, *checks], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=850, check=False
    )

    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


def network():
    return seeded(load_model("tiny_vgg"), seed=1)


def images():
    return pictures(2, seed=3, size=(96, 96))


LABELS = torch.tensor([3, 17])


def maps():
    return numbers(2, 4, *SIZE, seed=5)


def of_logits(function, *rest):
    return lambda like, to: function(like(numbers(2, 4, *SIZE, seed=5)), *map(to, rest))


TRUTH = torch.arange(2 * SIZE[0] * SIZE[1]).reshape(2, *SIZE) % 4


def of_network(function, *rest, **options):
    """A call of function(model, images, labels, ...); `like` moves and casts, `to` only moves."""
    return lambda like, to: function(like(network()), like(images()), to(LABELS), *rest, **options)


def of_corruption(function):
    return lambda like, to: function(like(images()), 3, generator=torch.Generator().manual_seed(0))


CALLS = {
    "saliency_map": of_network(saliency.saliency_map),
    "guided_backprop": of_network(saliency.guided_backprop),
    "grad_cam": of_network(saliency.grad_cam, "features.16"),
    "ascent_step": lambda like, to: class_visualization.ascent_step(
        like(network()), like(images())[0], 5, step_size=1.0, l2_weight=0.1
    ),
    "blur": lambda like, to: class_visualization.blur(like(images())[0], 1.3),
    "fgsm": of_network(adversarial.fgsm, 0.03),
    "pgd": of_network(adversarial.pgd, 0.03, step_size=0.01, num_steps=2),
    "content_loss": lambda like, to: style_transfer.content_loss([like(maps())], [like(2 * maps())], [0.5]),
    "gram_matrix": lambda like, to: style_transfer.gram_matrix(like(maps())),
    "total_variation_loss": lambda like, to: style_transfer.total_variation_loss(like(images())),
    "max_pool": lambda like, to: upsampling.max_pool(like(maps()), 2, 1)[0],
    "transposed_conv2d": lambda like, to: upsampling.transposed_conv2d(like(maps()), like(numbers(4, 3, 2, 3, seed=6))),
    "pixel_cross_entropy": of_logits(segmentation.pixel_cross_entropy, TRUTH),
    **{name: of_corruption(getattr(robustness, name)) for name in ("defocus_blur", "zoom_blur", "frosted_glass_blur")},
}


@pytest.mark.parametrize(("device", "dtype"), PAIRS, ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_a_result_is_where_and_what_its_arguments_are(name, device, dtype):
    call = CALLS[name]
    exact = call(lambda x: x.double(), lambda x: x)

    result = call(lambda x: x.to(device, dtype), lambda x: x.to(device))

    assert (result.device.type, result.dtype) == (device, dtype)
    found = result.double().cpu()
    assert found.isfinite().all()
    error = (found - exact).abs()
    if name in ("fgsm", "pgd", "frosted_glass_blur"):  # signs and swaps: a rounding may turn one, and no more
        error = error.mean() / exact.std()
    elif dtype == torch.bfloat16 and exact.dim() > 2:  # three digits, through 14 layers
        error = error.mean() / exact.abs().mean()
    else:
        error = error.max() / exact.abs().max()
    assert error <= TOLERANCES[dtype], float(error)
