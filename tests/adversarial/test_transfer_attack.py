"""The transfer attack: FGSM on the substitute."""

import pytest

from assignment2 import adversarial
from coursekit.checks.laws import strided
from coursekit.checks.small_networks import SmallConvNet, seeded


@pytest.mark.points(1, "transfer_attack")
def test_transfer_attack_is_the_whole_step_of_fgsm_on_the_substitute(expect, images, labels, right_fgsm):
    """The result is FGSM on the substitute, for the true labels, with all of eps."""
    substitute = seeded(SmallConvNet())
    known = right_fgsm(substitute, 0.01)

    result = adversarial.transfer_attack(substitute, images, labels, 0.01)

    expect(result, known, "FGSM on the substitute for the true labels, with all of eps, for every image")


@pytest.mark.points(1, "transfer_attack")
def test_transfer_attack_keeps_the_batch_and_leaves_no_trace(expect, images, labels, right_fgsm):
    """The substitute and the images are unchanged; one image gives (1, 3, H, W)."""
    substitute = seeded(SmallConvNet())
    known = right_fgsm(substitute, 0.01)

    with expect.unchanged(substitute=substitute, images=images):
        result = adversarial.transfer_attack(substitute, images, labels, 0.01)
    one = adversarial.transfer_attack(substitute, images[1:2], labels[1:2], 0.01)

    expect.new(result, images=images)
    followed = adversarial.transfer_attack(substitute, strided(images).requires_grad_(), labels, 0.01)
    expect(followed, known, "the same for images of any strides, also with requires_grad, detached")
    expect(one, known[1:2], "one image gives (1, 3, H, W)")
