"""The adversarial loss: the cross-entropy on FGSM images that are made in eval mode."""

import pytest
import torch
from torch import nn

from assignment2 import adversarial
from coursekit.checks.laws import strided, used_network
from coursekit.checks.small_networks import Boom, SmallConvNet, broken, seeded


def mean_surprise(logits, labels):
    """-log of the label's probability, on average."""
    return -logits.log_softmax(dim=1)[torch.arange(len(labels)), labels].mean()


@pytest.mark.points(1, "adversarial_loss")
def test_adversarial_loss_is_the_loss_on_the_attacked_pictures_and_its_gradient(expect, images, labels, right_fgsm):
    """The loss is the mean cross-entropy on the FGSM images, differentiable in the parameters."""
    model, twin = (seeded(SmallConvNet(), seed=1) for _ in range(2))
    known = right_fgsm(model, 0.1)

    loss = adversarial.adversarial_loss(model, images, labels, 0.1)

    # By a twin: the mode that the model is left in is another check's matter.
    right = mean_surprise(twin(known), labels)
    assert isinstance(loss, torch.Tensor), f"the result is a {type(loss).__name__}, expected a torch tensor"
    expect(loss.detach(), right.detach(), "mean over the images of the cross-entropy at the FGSM pictures, 0-d")
    followed = strided(images).requires_grad_()
    attacked = adversarial.adversarial_loss(model, followed, labels, 0.1)
    expect(attacked.detach(), right.detach(), "the same for images of any strides, also with requires_grad")
    (reached,) = torch.autograd.grad(attacked, followed, allow_unused=True)
    joined = reached is not None and bool(reached.any())
    assert not joined, "a gradient reaches the caller's images: the attacked pictures are constants, detach them"
    assert loss.requires_grad, "the loss is detached: training needs its gradient in the parameters"
    mine = torch.autograd.grad(loss, list(model.parameters()))
    theirs = torch.autograd.grad(right, list(twin.parameters()))
    for one, other in zip(mine, theirs, strict=True):
        expect(one, other, "d loss / d parameter at the attacked pictures")


class Thinned(nn.Dropout):
    """A dropout without chance: in train mode every other channel is 0."""

    def forward(self, x):
        return x * (2 * (torch.arange(x.shape[1], device=x.device) % 2)).view(-1, 1, 1) if self.training else x


def thinned_network():
    model = seeded(SmallConvNet(), seed=1)
    model.classifier = nn.Sequential(Thinned(), model.classifier)
    return model.eval()


@pytest.mark.points(1, "adversarial_loss")
def test_adversarial_loss_in_train_mode_lets_batch_norm_see_the_attacked_pictures_only(
    expect, images, labels, right_fgsm
):
    """In train mode, batch norm's statistics are updated once, by the FGSM images alone."""
    model = thinned_network()
    known = right_fgsm(model, 0.1)
    twin = thinned_network().train()
    right = mean_surprise(twin(known), labels).detach()

    loss = adversarial.adversarial_loss(model.train(), images, labels, 0.1)

    expect(loss.detach(), right, "the loss itself in the caller's mode, here train mode")
    norm, twin_norm = model.features[3], twin.features[3]
    expect(norm.running_mean, twin_norm.running_mean, "batch norm moved once, by the attacked pictures")
    expect(norm.running_var, twin_norm.running_var, "batch norm moved once, by the attacked pictures")


@pytest.mark.points(1, "adversarial_loss")
def test_adversarial_loss_puts_every_module_back_into_its_own_mode(expect, images, labels, right_fgsm):
    """Every module is in its own mode again, also after an error."""
    model = seeded(SmallConvNet(), seed=1)
    right_fgsm(model, 0.1)
    model.train()
    model.features[3].eval()  # frozen, as in fine-tuning

    bad = broken(model, "forward", "classifier")
    modes = torch.tensor([module.training for module in model.modules()])

    adversarial.adversarial_loss(model, images, labels, 0.1)
    with pytest.raises(Boom):
        adversarial.adversarial_loss(bad, images, labels, 0.1)

    after = torch.tensor([module.training for module in model.modules()])
    expect(after, modes, "training of each module as it was, whatever its neighbours are in")
    after = torch.tensor([module.training for module in bad.modules()])
    expect(after, modes, "training of each module as it was, also when the attack breaks")


@pytest.mark.points(1, "adversarial_loss")
def test_adversarial_loss_writes_no_gradient_and_works_under_no_grad(expect, images, labels, right_fgsm):
    """No .grad is written or cleared, and the loss is the same under no_grad."""
    model = seeded(SmallConvNet(), seed=1)
    known = right_fgsm(model, 0.1)

    with expect.unchanged(model=model, images=images, labels=labels), torch.no_grad():
        loss = adversarial.adversarial_loss(model, images, labels, 0.1)

    expect(
        loss.detach(), mean_surprise(model(known), labels).detach(), "the same loss under the caller's torch.no_grad()"
    )
    used = used_network(model)
    with expect.unchanged(network=used):  # half of it frozen, gradients of a training step kept
        adversarial.adversarial_loss(used, images, labels, 0.1)
    one = adversarial.adversarial_loss(model, images[1:2], labels[1:2], 0.1)
    expect(one.detach(), mean_surprise(model(known[1:2]), labels[1:2]).detach(), "one image will do")
