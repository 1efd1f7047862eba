from __future__ import annotations

import torch
from torch.distributions import Bernoulli

from latentlab.models.adversarial import judged_fake, judged_real

LOGITS = torch.tensor([-30.0, -2.0, 0.0, 0.5, 30.0])


def test_judged_real_is_the_negative_log_likelihood_of_real():
    expected = -Bernoulli(logits=LOGITS).log_prob(torch.ones(5)).mean()
    torch.testing.assert_close(judged_real(LOGITS), expected)


def test_judged_fake_is_the_negative_log_likelihood_of_fake():
    expected = -Bernoulli(logits=LOGITS).log_prob(torch.zeros(5)).mean()
    torch.testing.assert_close(judged_fake(LOGITS), expected)


def test_label_smoothing_mixes_the_two():
    expected = 0.9 * judged_real(LOGITS) + 0.1 * judged_fake(LOGITS)
    torch.testing.assert_close(judged_real(LOGITS, 0.1), expected)


def test_a_confident_discriminator_still_moves_the_generator():
    """The non-saturating form: the gradient at a firmly rejected fake is 1 / B, not 0."""
    logits = LOGITS.clone().requires_grad_()
    judged_real(logits).backward()
    assert abs(logits.grad[0].item() + 1 / 5) < 1e-6
