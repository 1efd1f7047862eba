"""The aggregate posterior against scipy and against integrals in one dimension."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from evaluation_fakes import linear_data, subject_of
from scipy import stats
from torch.distributions import Normal, kl_divergence
from training_fakes import make_recipe

from latentlab.core.messages import ModelInfo
from latentlab.models.base import LatentModel, Posterior
from latentlab.training.evaluation.latents import chi_moments, ks_distance, log_ratio, measure_latents

ALL = {"kld_moments", "z_norm_ks", "mutual_information", "aggregate_kl"}


class Table(LatentModel):
    """Posteriors given one by one, looked up by the first pixel."""

    def __init__(self, mu: torch.Tensor, std: torch.Tensor) -> None:
        recipe = make_recipe(model__latent_dim=mu.shape[1])
        super().__init__(ModelInfo(recipe, (4, 4, 1)))
        self.encoder = self.decoder = torch.nn.Identity()
        self.mu, self.std = mu, std

    def encode(self, x_BCHW, y_B=None):
        row = (x_BCHW[:, 0, 0, 0] * 255.0).round().long()
        return Posterior(self.mu[row].float(), 2.0 * self.std[row].log().float())

    def decode(self, z_BD, y_B=None):
        return torch.zeros(len(z_BD), 1, 4, 4)

    def parameter_groups(self):
        return {}

    def training_step(self, batch, context):
        raise NotImplementedError


def table_subject(mu: torch.Tensor, std: torch.Tensor):
    data = linear_data(len(mu))
    data.images[:, 0, 0, 0] = np.arange(len(mu))
    return subject_of(Table(mu, std), data, np.arange(len(mu)))


def integral(mu: np.ndarray, std: np.ndarray) -> tuple[float, float]:
    """Return mutual information and KL of the mixture from N(0, 1) by integration over a fine grid."""
    z = np.linspace(-15.0, 15.0, 60_001)
    q = stats.norm.pdf(z[None], mu[:, None], std[:, None])
    mixture = q.mean(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.where(q > 0, q * (np.log(q) - np.log(mixture)), 0.0)
    aggregate = np.where(mixture > 0, mixture * (np.log(np.maximum(mixture, 1e-300)) - stats.norm.logpdf(z)), 0.0)
    return float(np.trapezoid(information, z, axis=1).mean()), float(np.trapezoid(aggregate, z))


@pytest.mark.parametrize("spread", [0.2, 1.0, 3.0])
def test_information_and_aggregate_kl_in_one_dimension(spread: float) -> None:
    rng = np.random.default_rng(1)
    mu, std = spread * rng.normal(size=7), rng.uniform(0.3, 1.2, 7)
    information, aggregate = integral(mu, std)
    found = measure_latents(table_subject(torch.tensor(mu)[:, None], torch.tensor(std)[:, None]), ALL)
    assert found.values["mutual_information"] == pytest.approx(information, abs=0.05)
    assert found.values["aggregate_kl"] == pytest.approx(aggregate, abs=0.05)
    assert found.details["mutual_information_standard_error"] < 0.03


def test_information_cannot_exceed_its_cap_and_says_so() -> None:
    mu = torch.arange(8.0)[:, None] * 100.0
    found = measure_latents(table_subject(mu, torch.full((8, 1), 0.1)), ALL)
    assert found.values["mutual_information"] == pytest.approx(math.log(8), rel=1e-6)
    assert found.details["mutual_information_cap"] == pytest.approx(math.log(8))
    assert "lower bound" in found.notes[0]


def test_no_information_where_all_posteriors_are_the_prior() -> None:
    found = measure_latents(table_subject(torch.zeros(20, 3), torch.ones(20, 3)), ALL)
    assert found.values["mutual_information"] == pytest.approx(0.0, abs=1e-6)
    assert found.values["aggregate_kl"] == pytest.approx(0.0, abs=1e-6)
    assert found.values["kld_moments"] == pytest.approx(0.0, abs=1e-6)
    assert found.notes == []


def test_densities_are_exact_where_posteriors_are_narrow() -> None:
    generator = torch.Generator().manual_seed(0)
    mu = torch.randn(30, 50, generator=generator).double()
    std = torch.rand(30, 50, generator=generator).double() * 0.01 + 1e-3
    own = torch.arange(30)
    z = mu + std * torch.randn(30, 50, generator=generator).double()
    log_q = Normal(mu[None], std[None]).log_prob(z[:, None]).sum(2)
    expected = log_q.diagonal() - (log_q.logsumexp(1) - math.log(30))
    assert log_ratio(z, own, mu, 2.0 * std.log()) == pytest.approx(expected, rel=1e-6)


def test_kl_of_the_moments() -> None:
    mu, std = torch.tensor([[0.5, -1.0], [1.5, 2.0], [0.0, 0.3]]), torch.tensor([[0.5, 0.1], [0.2, 1.0], [0.9, 0.7]])
    variance = mu.var(0) + std.square().mean(0)
    expected = kl_divergence(Normal(mu.mean(0), variance.sqrt()), Normal(0.0, 1.0)).sum()
    assert measure_latents(table_subject(mu, std), ALL).values["kld_moments"] == pytest.approx(
        float(expected), rel=1e-5
    )


@pytest.mark.parametrize("dim", [1, 2, 20, 1024])
def test_lengths_of_the_prior_are_chi(dim: int) -> None:
    mean, std = chi_moments(dim)
    assert mean == pytest.approx(stats.chi.mean(dim), rel=1e-9)
    assert std == pytest.approx(stats.chi.std(dim), rel=1e-5)


@pytest.mark.parametrize(("dim", "scale"), [(1, 1.0), (20, 1.0), (20, 0.8), (1024, 1.02)])
def test_distance_of_the_lengths_is_that_of_scipy(dim: int, scale: float) -> None:
    length = torch.tensor(scale * stats.chi.rvs(dim, size=500, random_state=4))
    assert ks_distance(length, dim) == pytest.approx(
        stats.kstest(length.numpy(), "chi", args=(dim,)).statistic, abs=1e-9
    )


def test_posteriors_that_are_the_prior_have_its_lengths() -> None:
    found = measure_latents(table_subject(torch.zeros(250, 16), torch.ones(250, 16)), {"z_norm_ks"})
    assert found.values["z_norm_ks"] < 1.63 / math.sqrt(250)  # the 1 % critical value
    assert found.values["z_norm_mean"] == pytest.approx(found.values["prior_norm_mean"], rel=0.04)
    narrow = measure_latents(table_subject(torch.zeros(250, 16), torch.full((250, 16), 0.5)), {"z_norm_ks"})
    assert narrow.values["z_norm_ks"] > 0.9
