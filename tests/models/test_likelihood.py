from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Bernoulli, Laplace, Normal

from latentlab.core.recipe import ObjectiveConfig
from latentlab.models.reconstruction import optimal_gaussian_nll, pixel_loss


def images_and_logits() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(5, 3, 4, 6, generator=generator), 2.0 * torch.randn(5, 3, 4, 6, generator=generator)


def nats_per_image(log_prob: torch.Tensor) -> torch.Tensor:
    return -log_prob.flatten(1).sum(dim=1).mean()


def test_bernoulli():
    x, logits = images_and_logits()
    x = x.round()
    nll, _ = pixel_loss(logits, x, ObjectiveConfig(reconstruction="bernoulli"))
    torch.testing.assert_close(nll, nats_per_image(Bernoulli(logits=logits).log_prob(x)))


@pytest.mark.parametrize("sigma", [0.05, 1.0])
def test_gaussian_counts_its_constants(sigma: float):
    x, logits = images_and_logits()
    nll, _ = pixel_loss(logits, x, ObjectiveConfig(reconstruction="gaussian", sigma=sigma))
    torch.testing.assert_close(nll, nats_per_image(Normal(logits.sigmoid(), sigma).log_prob(x)))


def test_optimal_gaussian_is_the_gaussian_at_the_best_sigma():
    x, logits = images_and_logits()
    nll, _ = pixel_loss(logits, x, ObjectiveConfig(reconstruction="optimal-gaussian"))
    best = (x - logits.sigmoid()).square().mean().sqrt()
    torch.testing.assert_close(nll, nats_per_image(Normal(logits.sigmoid(), best).log_prob(x)))
    for other in (0.9, 1.1):
        assert nll < nats_per_image(Normal(logits.sigmoid(), best * other).log_prob(x))


def test_optimal_gaussian_gradient_is_that_of_log_mse():
    """Rybkin et al. 2021: D/2 log MSE + const, whose derivative by the MSE is D / (2 MSE)."""
    mse = torch.tensor(0.03, requires_grad=True)
    optimal_gaussian_nll(mse, 100).backward()
    assert mse.grad.item() == pytest.approx(100 / (2 * 0.03))


def test_optimal_gaussian_of_a_perfect_reconstruction_is_finite():
    assert math.isfinite(optimal_gaussian_nll(torch.tensor(0.0), 100).item())


def test_l1_is_a_laplace_of_that_standard_deviation():
    x, logits = images_and_logits()
    nll, _ = pixel_loss(logits, x, ObjectiveConfig(reconstruction="l1", sigma=0.2))
    distribution = Laplace(logits.sigmoid(), 0.2 / math.sqrt(2.0))
    assert distribution.stddev.mean().item() == pytest.approx(0.2)
    torch.testing.assert_close(nll, nats_per_image(distribution.log_prob(x)))


@pytest.mark.parametrize("name", ["bernoulli", "gaussian", "optimal-gaussian", "l1"])
def test_pixel_is_the_mse_of_the_picture_without_gradient(name: str):
    x, logits = images_and_logits()
    nll, pixel = pixel_loss(logits.requires_grad_(), x, ObjectiveConfig(reconstruction=name))
    assert pixel.item() == pytest.approx((x - logits.sigmoid()).square().mean().item())
    assert not pixel.requires_grad
    assert nll.requires_grad


@pytest.mark.parametrize("name", ["bernoulli", "gaussian", "optimal-gaussian", "l1"])
def test_bfloat16_logits_are_summed_in_float32(name: str):
    x, logits = images_and_logits()
    low = logits.bfloat16()
    objective = ObjectiveConfig(reconstruction=name)
    nll, pixel = pixel_loss(low, x, objective)
    assert nll.dtype == pixel.dtype == torch.float32
    torch.testing.assert_close(nll, pixel_loss(low.float(), x, objective).nll)
