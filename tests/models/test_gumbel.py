"""The Gumbel-softmax against the distribution it samples, its limits, and its temperature's closed form."""

from __future__ import annotations

import math

import pytest
import torch
from model_builders import make_info
from scipy import stats

from latentlab.models.gumbel import averaged_softmax, entropy, gumbel_softmax, straight_through, temperature

PROBABILITIES = torch.tensor([0.5, 0.3, 0.15, 0.05])


def samples(tau: float, count: int = 20_000, seed: int = 0) -> torch.Tensor:
    log_q = PROBABILITIES.log().expand(count, -1)
    return gumbel_softmax(log_q, tau, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("tau", [0.1, 1.0, 5.0])
def test_the_largest_share_falls_as_often_as_softmax_says(tau: float):
    counts = samples(tau).argmax(dim=1).bincount(minlength=4).numpy()
    expected = PROBABILITIES.double().numpy() * counts.sum()
    assert stats.chisquare(counts, expected * counts.sum() / expected.sum()).pvalue > 1e-3


def test_a_constant_added_to_the_logits_changes_nothing():
    log_q = PROBABILITIES.log().expand(5, -1)
    a = gumbel_softmax(log_q, 0.7, torch.Generator().manual_seed(3))
    b = gumbel_softmax(log_q + 4.0, 0.7, torch.Generator().manual_seed(3))
    torch.testing.assert_close(a, b)


def test_rows_lie_on_the_simplex():
    soft = samples(0.5, 1000)
    torch.testing.assert_close(soft.sum(dim=1), torch.ones(1000))
    assert (soft >= 0).all()


def test_a_low_temperature_gives_one_hot_rows_and_a_high_one_gives_uniform_rows():
    assert (samples(1e-4, 2000).amax(dim=1) > 0.999).float().mean() > 0.99
    torch.testing.assert_close(samples(1e4, 2000), torch.full((2000, 4), 0.25), atol=1e-3, rtol=0)


def test_the_mean_of_a_cold_sample_is_the_distribution():
    torch.testing.assert_close(samples(1e-3, 50_000).mean(dim=0), PROBABILITIES, atol=0.01, rtol=0)


def test_the_density_is_that_of_the_papers_appendix():
    """With two classes, logit(y_1) = (logit(q_1) + logistic noise) / tau: Jang et al. 2017, eq. 25, for K = 2."""
    tau, log_q = 0.8, torch.tensor([0.7, 0.3]).log()
    soft = gumbel_softmax(log_q.expand(5000, -1), tau, torch.Generator().manual_seed(1)).double()
    logits = (soft[:, 0].log() - soft[:, 1].log()).numpy() * tau - math.log(0.7 / 0.3)
    assert stats.kstest(logits, stats.logistic.cdf).pvalue > 1e-3


def test_the_noise_comes_from_the_generator_alone():
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    torch.testing.assert_close(samples(1.0, 10, seed=5), samples(1.0, 10, seed=5), rtol=0, atol=0)
    assert torch.equal(before, torch.random.get_rng_state())


def test_straight_through_is_exactly_one_hot_and_has_the_soft_gradient():
    logits = torch.randn(6, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    weights = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    soft = (logits / 0.6).softmax(dim=1)
    hard = straight_through(soft)
    assert torch.equal(hard.detach(), torch.nn.functional.one_hot(soft.argmax(1), 4).float())
    (of_soft,) = torch.autograd.grad((soft * weights).sum(), logits, retain_graph=True)
    (of_hard,) = torch.autograd.grad((hard * weights).sum(), logits)
    torch.testing.assert_close(of_hard, of_soft)
    assert of_hard.abs().max() > 0


def hard_samples(count: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    classes = PROBABILITIES.multinomial(count, replacement=True, generator=generator)
    return torch.nn.functional.one_hot(classes, 4).float()


@pytest.mark.parametrize("tau", [0.3, 1.5])
def test_noise_that_leads_to_a_drawn_class_is_distributed_as_noise_that_draws_it(tau: float):
    log_q, hard = PROBABILITIES.log().expand(8000, -1), hard_samples(8000)
    given = averaged_softmax(log_q, hard, tau, 1, torch.Generator().manual_seed(1))
    assert torch.equal(given.argmax(dim=1), hard.argmax(dim=1))
    free = samples(tau, 8000, seed=2)
    for k in range(4):
        assert stats.ks_2samp(given[:, k].numpy(), free[:, k].numpy()).pvalue > 1e-3


def test_averaging_over_the_noise_keeps_the_mean_of_the_gradient_and_lowers_its_variance():
    """Against a plain straight-through gradient, of a function that is not linear, so that the class matters."""
    cost = torch.tensor([0.3, -1.0, 2.0, 0.7])

    def gradients(draws: int, seed: int, rows: int = 60_000) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        log_q = PROBABILITIES.log().expand(rows, -1).clone().requires_grad_()
        hard = straight_through(gumbel_softmax(log_q, 0.4, generator))
        if draws:
            soft = averaged_softmax(log_q, hard, 0.4, draws, generator)
            hard = hard.detach() + (soft - soft.detach())
        loss = ((hard * cost).sum(dim=1) ** 2).sum()
        (gradient,) = torch.autograd.grad(loss, log_q)
        return gradient

    plain, one, many = gradients(0, 1), gradients(1, 2), gradients(30, 3)
    spread = plain.std(dim=0) / math.sqrt(len(plain))
    for other in (one, many):
        assert ((plain.mean(dim=0) - other.mean(dim=0)).abs() < 6 * spread).all()
    torch.testing.assert_close(one.var(dim=0), plain.var(dim=0), rtol=0.1, atol=0.0)
    assert (many.var(dim=0) < 0.7 * plain.var(dim=0)).all()


def test_a_class_that_was_next_to_impossible_gives_finite_gradients():
    logits = torch.tensor([[200.0, 0.0, -200.0]], requires_grad=True)
    hard = torch.tensor([[0.0, 0.0, 1.0]])
    soft = averaged_softmax(logits.log_softmax(1), hard, 0.1, 5, torch.Generator().manual_seed(0))
    (gradient,) = torch.autograd.grad(soft[0, 2], logits)
    assert torch.isfinite(gradient).all()


def test_a_sharp_distribution_gives_finite_gradients():
    logits = torch.tensor([[200.0, 0.0, -200.0]], requires_grad=True)
    soft = gumbel_softmax(logits.log_softmax(1), 0.1, torch.Generator().manual_seed(0))
    (gradient,) = torch.autograd.grad(soft[0, 0] + entropy(logits.log_softmax(1)).sum(), logits)
    assert torch.isfinite(gradient).all()


def test_entropy_is_that_of_torch_distributions():
    logits = 3 * torch.randn(20, 7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(entropy(logits.log_softmax(1)), torch.distributions.Categorical(logits=logits).entropy())


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 2.0),
        (99, 2.0),
        (100, 2.0 * math.exp(-0.5)),
        (199, 2.0 * math.exp(-0.5)),
        (250, 2.0 * math.exp(-1.0)),
        (10_000, 0.4),
    ],
)
def test_the_temperature_falls_in_stairs_to_its_minimum(step: int, expected: float):
    settings = {"start": 2.0, "minimum": 0.4, "rate": 0.005, "every": 100}
    info = make_info("ssvae", **{f"temperature_{name}": value for name, value in settings.items()})
    assert temperature(info.recipe.objective, step) == pytest.approx(expected, rel=1e-12)
