"""Bounds on log p(x) where log p(x) is known: linear decoders with Gaussian noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from evaluation_fakes import PIXELS, SIGMA, LinearGaussian, LinearM2, linear_data, pixels_of, subject_of
from torch.distributions import Categorical, MultivariateNormal, Normal, kl_divergence

from latentlab.training.evaluation import importance
from latentlab.training.evaluation.bound import measure_bound
from latentlab.training.evaluation.importance import measure_importance

BOUND = {"distortion", "rate", "negative_elbo", "bits_per_dim"}


def standard() -> MultivariateNormal:
    return MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double())


@pytest.fixture(scope="module")
def linear():
    model, data = LinearGaussian(), linear_data()
    return model, data, pixels_of(data, data.test_index)


def test_rate_is_the_mean_kl_of_the_posteriors(linear) -> None:
    model, data, x = linear
    expected = kl_divergence(model.proposal(x), standard()).mean()
    assert measure_bound(subject_of(model, data), {"rate"}).values == {"rate": pytest.approx(float(expected), rel=1e-5)}


def test_the_bound_is_the_evidence_and_the_gap_to_the_exact_posterior(linear) -> None:
    model, data, x = linear
    gap = kl_divergence(model.proposal(x), model.posterior(x)).mean()
    expected = float(gap - model.evidence(x).mean())
    found = measure_bound(subject_of(model, data, posterior_samples=400), BOUND)
    error = found.details["negative_elbo_standard_error"]
    assert found.values["negative_elbo"] == pytest.approx(expected, abs=0.15)
    assert 0.1 < error * math.sqrt(len(x)) < 100.0
    assert found.values["negative_elbo"] == pytest.approx(found.values["distortion"] + found.values["rate"])
    bits = found.values["negative_elbo"] / PIXELS / math.log(2.0)
    assert found.values["bits_per_dim"] == pytest.approx(bits)


def test_distortion_is_the_likelihood_at_the_draws(linear) -> None:
    model, data, x = linear
    model = LinearGaussian(widen=-1.0 + 1e-12)  # all draws are the mean
    z = model.proposal(x).mean
    expected = -Normal(model.centres[0] + z @ model.weight.T, SIGMA).log_prob(x).sum(1).mean()
    found = measure_bound(subject_of(model, data), BOUND)
    assert found.values["distortion"] == pytest.approx(float(expected), rel=1e-4)


def test_sigma_vae_takes_the_best_sigma_of_the_split(linear) -> None:
    _, data, x = linear
    model = LinearGaussian(widen=-1.0 + 1e-12)
    model.info.recipe.objective.reconstruction = "optimal-gaussian"
    mean = model.centres[0] + model.proposal(x).mean @ model.weight.T
    losses = [-Normal(mean, sigma).log_prob(x).sum(1).mean() for sigma in np.linspace(0.05, 0.5, 2000)]
    found = measure_bound(subject_of(model, data), BOUND)
    assert found.values["distortion"] == pytest.approx(float(min(losses)), rel=1e-4)
    assert found.details["sigma"] == pytest.approx(float((x - mean).square().mean().sqrt()), rel=1e-4)
    assert any("best one" in note for note in found.notes)


def test_importance_weighting_finds_the_evidence(linear) -> None:
    model, data, x = linear
    expected = float(-model.evidence(x).mean())
    found = measure_importance(subject_of(model, data, importance_samples=3000), {"iw_nll"})
    assert found.values["iw_nll"] == pytest.approx(expected, abs=0.01)
    assert found.values["iw_bits_per_dim"] == pytest.approx(expected / PIXELS / math.log(2.0), abs=0.001)


def test_one_draw_of_importance_weighting_is_the_elbo_and_more_are_tighter(linear) -> None:
    model, data, _ = linear
    bounds = [measure_importance(subject_of(model, data, importance_samples=k), set()) for k in (1, 10, 500)]
    nll = [bound.values["iw_nll"] for bound in bounds]
    elbo = measure_bound(subject_of(model, data, posterior_samples=200), BOUND).values["negative_elbo"]
    assert nll[0] == pytest.approx(elbo, abs=1.0)
    assert nll[0] > nll[1] > nll[2]


def test_with_the_exact_posterior_every_draw_gives_the_evidence(linear) -> None:
    _, data, x = linear
    model = LinearGaussian(shift=0.0, widen=0.0)
    # The proposal is diagonal: make the exact posterior so, too.
    model.weight = torch.linalg.qr(model.weight).Q * 0.1
    model.covariance = torch.linalg.inv(torch.eye(2).double() + model.weight.T @ model.weight / SIGMA**2)
    expected = float(-model.evidence(x).mean())
    for found in (measure_importance(subject_of(model, data, importance_samples=1), set()),):
        assert found.values["iw_nll"] == pytest.approx(expected, rel=1e-5)
    assert measure_bound(subject_of(model, data), BOUND).values["negative_elbo"] == pytest.approx(expected, abs=1.0)


def test_memory_does_not_grow_with_the_draws(linear, monkeypatch) -> None:
    model, data, _ = linear
    seen = []
    decode = model.decode_logits
    monkeypatch.setattr(model, "decode_logits", lambda z, y=None: (seen.append(len(z)), decode(z, y))[1])
    monkeypatch.setattr(importance, "CHUNK_ELEMENTS", 20 * PIXELS * 7)
    whole = measure_importance(subject_of(model, data, importance_samples=50), set()).values["iw_nll"]
    assert seen == [140] * 7 + [20]
    monkeypatch.setattr(importance, "CHUNK_ELEMENTS", 10**9)
    assert whole == pytest.approx(
        measure_importance(subject_of(model, data, importance_samples=50), set()).values["iw_nll"], abs=0.5
    )


@pytest.fixture(scope="module")
def m2():
    data = linear_data(classes=3)
    return LinearM2(), data, pixels_of(data, data.test_index)


def test_m2_bound_by_enumeration(m2) -> None:
    model, data, x = m2
    q = model.class_probabilities(x.reshape(-1, 1, 4, 4)).double()
    bound = torch.zeros(len(x)).double()
    for k in range(3):
        inner = model.evidence(x, k) - kl_divergence(model.proposal(x, k), model.posterior(x, k))
        bound += q[:, k] * (inner - math.log(3.0))
    bound += Categorical(q).entropy()
    found = measure_bound(subject_of(model, data, posterior_samples=400), BOUND)
    assert found.values["negative_elbo"] == pytest.approx(float(-bound.mean()), abs=0.15)
    rate = sum(q[:, k] * kl_divergence(model.proposal(x, k), standard()) for k in range(3))
    rate = rate + math.log(3.0) - Categorical(q).entropy()
    assert found.values["rate"] == pytest.approx(float(rate.mean()), rel=1e-5)


def test_m2_evidence_by_importance(m2) -> None:
    model, data, x = m2
    every = torch.stack([model.evidence(x, k) for k in range(3)])
    expected = float(-(every.logsumexp(0) - math.log(3.0)).mean())
    found = measure_importance(subject_of(model, data, importance_samples=4000), set())
    assert found.values["iw_nll"] == pytest.approx(expected, abs=0.02)


def test_batch_kld_runs_say_what_the_rate_is(linear) -> None:
    model, data, x = linear
    model = LinearGaussian()
    model.info.recipe.objective.kld = "batch"
    found = measure_bound(subject_of(model, data), BOUND)
    expected = kl_divergence(model.proposal(x), standard()).mean()
    assert found.values["rate"] == pytest.approx(float(expected), rel=1e-5)
    assert any("moments" in note for note in found.notes)
