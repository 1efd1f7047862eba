from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from latentlab.models.base import Posterior
from latentlab.models.kld import BatchKld, SinglePointKld, kl_of_moments, kl_standard_normal

PRIOR = Normal(0.0, 1.0)


def posterior(batch: int = 5, dims: int = 7) -> Posterior:
    generator = torch.Generator().manual_seed(0)
    return Posterior(torch.randn(batch, dims, generator=generator), torch.randn(batch, dims, generator=generator))


def test_elementwise_kl_is_torch_distributions():
    mu, logvar = posterior()
    expected = kl_divergence(Normal(mu, (0.5 * logvar).exp()), PRIOR)
    torch.testing.assert_close(kl_standard_normal(mu, logvar), expected)


def test_single_point_averages_the_batch_and_keeps_dimensions():
    q = posterior()
    expected = kl_divergence(Normal(q.mu_BD, (0.5 * q.logvar_BD).exp()), PRIOR).mean(dim=0)
    torch.testing.assert_close(SinglePointKld()(q, q.mu_BD), expected)


def test_kl_of_moments_is_torch_distributions():
    mean, var = torch.tensor([0.3, -2.0]), torch.tensor([0.2, 5.0])
    torch.testing.assert_close(kl_of_moments(mean, var), kl_divergence(Normal(mean, var.sqrt()), PRIOR))


@pytest.mark.parametrize("momentum", [0.0, 0.1, 0.9])
def test_batch_kld_is_the_texts_recurrence(momentum: float):
    """The text's code, in numpy float64: unbiased variance, mix, cache, KLD; moments start at 0 and 1."""
    module = BatchKld(3)
    moving_mean, moving_var = np.zeros(3), np.ones(3)
    draws = np.random.default_rng(0)
    for _ in range(20):
        z = draws.normal(0.5, 0.3, (6, 3))
        mean = momentum * moving_mean + (1 - momentum) * z.mean(axis=0)
        var = momentum * moving_var + (1 - momentum) * z.var(axis=0, ddof=1)
        moving_mean, moving_var = mean, var
        expected = -0.5 * (1 + np.log(var) - mean**2 - var)
        seen = module(posterior(), torch.tensor(z, dtype=torch.float32), momentum)
        np.testing.assert_allclose(seen.numpy(), expected, rtol=2e-4, atol=1e-6)
    np.testing.assert_allclose(module.mean_D.numpy(), moving_mean, rtol=1e-4)
    np.testing.assert_allclose(module.var_D.numpy(), moving_var, rtol=1e-4)


def test_batch_kld_sends_gradient_through_the_current_batch_only():
    """With momentum 0 the gradient is that of finite differences; the past adds none and the graph does not grow."""
    module = BatchKld(2)
    module(posterior(), torch.randn(6, 2, generator=torch.Generator().manual_seed(1)), 0.5)
    assert not module.mean_D.requires_grad
    z = torch.randn(6, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64, requires_grad=True)
    module.double().eval()  # eval: repeated calls must see the same past
    assert torch.autograd.gradcheck(lambda sample: module(posterior(), sample, 0.5), (z,))


def test_batch_kld_in_eval_mode_mixes_but_does_not_move_the_past():
    module = BatchKld(2).eval()
    z = torch.full((4, 2), 3.0) + torch.arange(4.0)[:, None]
    first = module(posterior(), z, 0.5)
    torch.testing.assert_close(module(posterior(), z, 0.5), first)
    torch.testing.assert_close(module.mean_D, torch.zeros(2))


def test_batch_kld_of_constant_samples_is_finite():
    assert BatchKld(2)(posterior(), torch.ones(4, 2), 0.0).isfinite().all()


def test_moving_moments_belong_to_the_checkpoint():
    module, other = BatchKld(2), BatchKld(2)
    module(posterior(), torch.randn(6, 2, generator=torch.Generator().manual_seed(1)), 0.5)
    other.load_state_dict(module.state_dict())
    assert torch.equal(module.var_D, other.var_D)
    assert not torch.equal(module.var_D, torch.ones(2))
