"""Hidden checks of noisy_predict: fresh inputs. Staff only."""

import pytest

from assignment2 import adversarial
from coursekit.checks.randomness import seed
from coursekit.checks.recorder import Recorder
from coursekit.checks.steps import by_image


@pytest.mark.points(1, "noisy_predict")
def test_noisy_prediction_of_fresh_pictures(expect, model, images):
    """The result is the mean of the softmax over the noisy copies, on another image and network."""
    recorder = Recorder(model)
    result = adversarial.noisy_predict(recorder, images[:1], sigma=0.1, num_samples=4, generator=seed(5))
    (copies,) = by_image(recorder, images[:1])
    expect(result[0], model(copies).softmax(dim=1).mean(dim=0).detach(), "mean probability over the copies")
