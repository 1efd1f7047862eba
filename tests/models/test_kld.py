from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from latentlab.core.recipe import ObjectiveConfig
from latentlab.models.base import Posterior
from latentlab.models.kld import BatchKld, SinglePointKld, constrained, kl_of_moments, kl_standard_normal

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


KLDS = [0.02, 0.4, 0.1, 1.5, 0.0]


def term(kld_D: torch.Tensor, step: int = 0, **settings: object) -> torch.Tensor:
    return constrained(kld_D, ObjectiveConfig(**settings), step)


def test_plain_is_the_sum():
    assert term(torch.tensor(KLDS)).item() == pytest.approx(2.02)


@pytest.mark.parametrize("free", [0.0, 0.1, 0.25, 3.0])
def test_free_bits_are_a_loop_over_dimensions(free: float):
    expected = 0.0
    for kld in KLDS:
        expected += kld if kld > free else free
    assert term(torch.tensor(KLDS), kld_form="free-bits", free_bits=free).item() == pytest.approx(expected)


@pytest.mark.parametrize(("step", "capacity"), [(0, 0.0), (30, 1.2), (100, 4.0), (101, 4.0), (10**6, 4.0)])
def test_capacity_is_the_distance_from_a_ramp(step: int, capacity: float):
    seen = term(torch.tensor(KLDS), step, kld_form="capacity", capacity=4.0, capacity_steps=100)
    assert seen.item() == pytest.approx(abs(sum(KLDS) - capacity), abs=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        {"kld_form": "free-bits", "free_bits": 0.25},
        {"kld_form": "capacity", "capacity": 1.0, "capacity_steps": 1},
        {"kld_form": "capacity", "capacity": 9.0, "capacity_steps": 1},
    ],
    ids=str,
)
def test_gradients_are_finite_differences(settings: dict[str, object]):
    kld_D = torch.tensor(KLDS, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(term(kld_D, 5, **settings), kld_D)
    for index in range(len(KLDS)):
        up, down = (kld_D.detach().clone() for _ in range(2))
        up[index] += 1e-6
        down[index] -= 1e-6
        slope = (term(up, 5, **settings) - term(down, 5, **settings)) / 2e-6
        assert gradient[index].item() == pytest.approx(slope.item(), abs=1e-4)


def test_free_bits_pull_only_on_dimensions_above_their_share():
    """The maximum is of the batch's mean: one image below its share still feels the pull of the others."""
    mu = torch.tensor([[2.0, 0.1], [0.1, 0.2]], requires_grad=True)
    q = Posterior(mu, torch.zeros(2, 2))
    term(SinglePointKld()(q, mu), kld_form="free-bits", free_bits=0.5).backward()
    torch.testing.assert_close(mu.grad, torch.tensor([[1.0, 0.0], [0.05, 0.0]]))


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.9])
def test_moments_of_posteriors_are_those_of_many_samples(momentum: float):
    """The KLD as tested, against samples drawn from the mixture of the posteriors."""
    module, q = BatchKld(7).eval(), posterior(batch=40)
    module.mean_D, module.var_D = torch.full((7,), 0.5), torch.full((7,), 2.0)
    draws = torch.Generator().manual_seed(3)
    z = q.mu_BD + (0.5 * q.logvar_BD).exp() * torch.randn(20_000, 40, 7, generator=draws)
    mean = 0.5 * momentum + (1 - momentum) * z.mean(dim=(0, 1))
    within, between = z.var(dim=0).mean(dim=0), q.mu_BD.var(dim=0)
    var = 2.0 * momentum + (1 - momentum) * (within + between)
    expected = kl_divergence(Normal(mean, var.sqrt()), PRIOR)
    torch.testing.assert_close(module.of_posteriors(q, momentum), expected, rtol=0.01, atol=0.005)
    assert torch.equal(module.mean_D, torch.full((7,), 0.5))
