from __future__ import annotations

import math

import pytest
import torch
from model_builders import batch, make
from torch.distributions import Bernoulli
from torch.nn import functional as F

from latentlab.core.recipe import ObjectiveConfig
from latentlab.models.adversarial import (
    Labels,
    accuracy,
    fake_losses,
    generator_losses,
    judged_fake,
    judged_real,
    labels_are_flipped,
    labels_for,
    noise_level,
    real_losses,
    squared_gradient,
    verdicts,
)

LOGITS = torch.tensor([-30.0, -2.0, 0.0, 0.5, 30.0])
REAL = torch.tensor([1.5, -0.5, 3.0])
FAKE = torch.tensor([-2.0, 0.25, 0.5])


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


def test_the_saturating_generator_learns_nothing_from_a_confident_discriminator():
    logits = LOGITS.clone().requires_grad_()
    generator_losses(None, {"fake": logits}, "saturating")["g_fake"].backward()
    assert abs(logits.grad[0].item()) < 1e-6
    assert abs(logits.grad[4].item() + 1 / 5) < 1e-6


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


@pytest.mark.parametrize(
    ("gan_loss", "d_real", "d_fake", "g_fake"),
    [
        (
            "non-saturating",
            mean([math.log(1 + math.exp(-1.5)), math.log(1 + math.exp(0.5)), math.log(1 + math.exp(-3.0))]),
            mean([math.log(1 + math.exp(-2.0)), math.log(1 + math.exp(0.25)), math.log(1 + math.exp(0.5))]),
            mean([math.log(1 + math.exp(2.0)), math.log(1 + math.exp(-0.25)), math.log(1 + math.exp(-0.5))]),
        ),
        (
            "saturating",
            mean([math.log(1 + math.exp(-1.5)), math.log(1 + math.exp(0.5)), math.log(1 + math.exp(-3.0))]),
            mean([math.log(1 + math.exp(-2.0)), math.log(1 + math.exp(0.25)), math.log(1 + math.exp(0.5))]),
            mean([math.log(1 - 1 / (1 + math.exp(-x))) for x in (-2.0, 0.25, 0.5)]),
        ),
        ("hinge", mean([0.0, 1.5, 0.0]), mean([0.0, 1.25, 1.5]), mean([2.0, -0.25, -0.5])),
        (
            "relativistic",
            None,
            mean([math.log(1 + math.exp(-3.5)), math.log(1 + math.exp(0.75)), math.log(1 + math.exp(-2.5))]),
            mean([math.log(1 + math.exp(3.5)), math.log(1 + math.exp(-0.75)), math.log(1 + math.exp(2.5))]),
        ),
    ],
)
def test_closed_forms(gan_loss, d_real: float | None, d_fake: float, g_fake: float):
    real = real_losses(REAL, gan_loss)
    assert {name: value.item() for name, value in real.items()} == (
        {} if d_real is None else {"d_real": pytest.approx(d_real, rel=1e-5)}
    )
    assert fake_losses(REAL, {"x": FAKE}, gan_loss)["d_x"].item() == pytest.approx(d_fake, rel=1e-5)
    assert generator_losses(REAL, {"x": FAKE}, gan_loss)["g_x"].item() == pytest.approx(g_fake, rel=1e-5)


def test_a_soft_label_is_the_cross_entropy_of_that_label():
    labels = Labels(torch.tensor([0.9, 0.8, 1.0]), torch.tensor([0.0, 0.3, 0.1]))
    for gan_loss in ("non-saturating", "saturating"):
        expected = F.binary_cross_entropy_with_logits(REAL, labels.real)
        torch.testing.assert_close(real_losses(REAL, gan_loss, labels)["d_real"], expected)
        expected = F.binary_cross_entropy_with_logits(FAKE, labels.fake)
        torch.testing.assert_close(fake_losses(None, {"x": FAKE}, gan_loss, labels)["d_x"], expected)


def test_a_soft_label_of_a_hinge_mixes_both_sides():
    expected = 0.8 * mean([0.0, 1.5, 0.0]) + 0.2 * mean([2.5, 0.5, 4.0])
    assert real_losses(REAL, "hinge", Labels(0.8, 0.0))["d_real"].item() == pytest.approx(expected)


def test_a_pair_with_soft_labels_is_the_cross_entropy_of_the_difference():
    expected = F.binary_cross_entropy_with_logits(REAL - FAKE, torch.full((3,), 0.5 * (0.9 + 1.0 - 0.3)))
    torch.testing.assert_close(fake_losses(REAL, {"x": FAKE}, "relativistic", Labels(0.9, 0.3))["d_x"], expected)


def context_at(step: int = 0, **settings: object):
    _, context = make("vaegan", **settings)
    context.step = step
    return context


def labels_at(step: int = 0, count: int = 20_000, **settings: object) -> Labels:
    context = context_at(step, **settings)
    return labels_for(context.objective, context, torch.empty(count, 1, 1, 1))


def test_labels_are_one_and_zero_by_default_and_draw_nothing():
    context = context_at()
    before = context.generator.get_state()
    assert labels_for(context.objective, context, torch.empty(4, 1)) == (1.0, 0.0)
    assert torch.equal(context.generator.get_state(), before)


def test_smoothing_moves_each_side():
    assert labels_at(label_smoothing=0.1, fake_label_smoothing=0.2) == (0.9, 0.2)


def test_noisy_labels_are_uniform_between_the_label_and_the_noise():
    """Mean and variance of U(a, b): (a + b) / 2 and (b - a)^2 / 12; both sides drawn independently."""
    real, fake = labels_at(label_smoothing=0.1, label_noise=0.3)
    assert 0.6 <= real.min() < 0.601
    assert 0.899 < real.max() <= 0.9
    assert 0.0 <= fake.min() < 0.001
    assert 0.299 < fake.max() <= 0.3
    for label, middle in ((real, 0.75), (fake, 0.15)):
        assert label.mean().item() == pytest.approx(middle, abs=0.003)
        assert label.var().item() == pytest.approx(0.3**2 / 12, rel=0.03)
    assert torch.corrcoef(torch.stack([real, fake]))[0, 1].abs() < 0.03


def test_labels_are_exchanged_at_the_end_of_each_period():
    objective = ObjectiveConfig(label_flip_every=5, label_flip_steps=2)
    assert [labels_are_flipped(objective, step) for step in range(10)] == [*[False] * 3, *[True] * 2] * 2
    assert labels_at(3, label_flip_every=5, label_flip_steps=2, label_smoothing=0.1) == (0.0, 0.9)
    assert labels_at(2, label_flip_every=5, label_flip_steps=2, label_smoothing=0.1) == (0.9, 0.0)
    assert not any(labels_are_flipped(ObjectiveConfig(), step) for step in range(100))


def test_exchanged_labels_reach_the_discriminator_and_nobody_else():
    straight_model, straight = make("vaegan")
    flipped_model, flipped = make("vaegan", label_flip_every=1)
    a, b = straight_model.training_step(batch(), straight), flipped_model.training_step(batch(), flipped)
    assert a["d_real"] != b["d_real"]
    assert (a["g_recon"], a["g_fake"]) == (b["g_recon"], b["g_fake"])


def test_instance_noise_fades_in_a_straight_line():
    objective = ObjectiveConfig(instance_noise=0.4, instance_noise_steps=100)
    levels = [noise_level(objective, step) for step in (0, 25, 50, 100, 500)]
    assert levels == pytest.approx([0.4, 0.3, 0.2, 0.0, 0.0])
    assert noise_level(ObjectiveConfig(instance_noise=0.4), 10_000) == 0.4


def test_accuracy_weighs_real_and_fake_alike():
    real, fakes = (
        torch.tensor([1.0, 1.0, -1.0, -1.0]),
        {"a": torch.tensor([-1.0, -1.0]), "b": torch.tensor([-1.0, 1.0])},
    )
    assert accuracy(verdicts(real, fakes, "hinge")).item() == pytest.approx((0.5 + 0.75) / 2)
    assert accuracy(verdicts(None, fakes, "hinge")).item() == pytest.approx(0.75)
    pairs = {"a": torch.tensor([0.5, 2.0, -3.0, 0.0])}
    assert accuracy(verdicts(real, pairs, "relativistic")).item() == pytest.approx(0.5)


def test_the_squared_gradient_agrees_with_finite_differences():
    """R1 of a smooth network, against the central difference of every pixel of images in [-1, 1]."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(3, 12, generator=generator, dtype=torch.float64)

    def logit_of(x: torch.Tensor) -> torch.Tensor:
        return (x.flatten(1) * 2.0 - 1.0).matmul(weight.T).tanh().square().sum(dim=1)

    x = torch.rand(2, 3, 2, 2, generator=generator, dtype=torch.float64)
    seen = x.clone().requires_grad_()
    penalty = squared_gradient(logit_of(seen), seen)
    epsilon, squares = 1e-6, 0.0
    for pixel in range(12):
        shift = torch.zeros(12, dtype=torch.float64)
        shift[pixel] = epsilon / 2  # Half as far in [0, 1] as in [-1, 1].
        slope = (logit_of(x + shift.view(3, 2, 2)) - logit_of(x - shift.view(3, 2, 2))) / (2 * epsilon)
        squares += slope.square().mean()
    torch.testing.assert_close(penalty, squares, rtol=1e-6, atol=1e-9)


def test_the_penalty_teaches_the_weights_it_came_from():
    """Its gradient by a weight, against the finite difference of the penalty itself."""
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(4, 6, generator=generator, dtype=torch.float64)
    weight = torch.randn(6, generator=generator, dtype=torch.float64)

    def penalty_at(w: torch.Tensor) -> torch.Tensor:
        seen = x.clone().requires_grad_()
        return squared_gradient((seen @ w).sigmoid(), seen)

    taught = weight.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(penalty_at(taught), taught)
    for i in range(6):
        shift = torch.zeros(6, dtype=torch.float64)
        shift[i] = 1e-6
        slope = (penalty_at(weight + shift) - penalty_at(weight - shift)) / 2e-6
        assert gradient[i].item() == pytest.approx(slope.item(), rel=1e-5)
