"""Measurements against numpy and torch.distributions, on models small enough to compute by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Laplace, Normal, kl_divergence
from training_fakes import make_data, make_recipe

from latentlab.core.messages import ModelInfo
from latentlab.models.base import Batch, LatentModel, Posterior, StepContext
from latentlab.models.device import DevicePolicy
from latentlab.training.batches import Pictures
from latentlab.training.measure import measure

CPU = DevicePolicy(torch.device("cpu"))


class Known(LatentModel):
    """mu is two pixels, logvar depends on a third, and the image is the first mean everywhere."""

    def __init__(self, info: ModelInfo) -> None:
        super().__init__(info)
        self.encoder = self.decoder = torch.nn.Identity()
        self.modes: list[bool] = []

    def encode(self, x_BCHW, y_B=None):
        self.modes.append(self.training)
        flat = x_BCHW.flatten(1)
        return Posterior(4.0 * flat[:, :2], flat[:, 2:4] - 1.0)

    def decode(self, z_BD, y_B=None):
        return (0.2 + z_BD[:, :1] / 8.0)[:, :, None, None].expand(-1, 1, 16, 16)

    def parameter_groups(self):
        return {}

    def training_step(self, batch: Batch, context: StepContext):
        raise NotImplementedError


def run(data, rows, **objective):
    recipe = make_recipe(**{f"objective__{k}": v for k, v in objective.items()}, model__latent_dim=2)
    model = Known(ModelInfo(recipe, data.image_shape)).train()
    result = measure(model, Pictures(data.images, CPU), rows, data.labels, CPU, recipe.objective)
    assert model.modes == [False] * len(model.modes)
    assert model.training
    return result


@pytest.fixture(scope="module")
def many():
    return make_data(300)  # three batches, the last one short


def arrays(data, rows):
    x = data.images[rows].astype(np.float64)[:, :, :, 0].reshape(len(rows), -1) / 255.0
    mu, logvar = 4.0 * x[:, :2], x[:, 2:4] - 1.0
    recon = np.repeat((0.2 + mu[:, :1] / 8.0), 256, axis=1)
    return x, mu, logvar, recon


def test_pixel_psnr_and_active_units(many) -> None:
    rows = np.arange(300)
    x, mu, _, recon = arrays(many, rows)
    result = run(many, rows)
    pixel = np.mean((x - recon) ** 2)
    assert result["pixel"] == pytest.approx(pixel, rel=1e-5)
    assert result["psnr"] == pytest.approx(-10 * math.log10(pixel), rel=1e-5)
    assert result["active_units"] == float((mu.var(axis=0, ddof=1) > 0.01).sum())


def test_kld_is_that_of_the_posteriors(many) -> None:
    rows = np.arange(7, 290)
    _, mu, logvar, _ = arrays(many, rows)
    q = Normal(torch.tensor(mu), torch.tensor(np.exp(logvar / 2)))
    expected = kl_divergence(q, Normal(0.0, 1.0)).sum(1).mean()
    result = run(many, rows)
    assert result["kld_nats"] == pytest.approx(float(expected), rel=1e-5)
    assert result["kld_per_dim"] == pytest.approx(float(expected) / 2, rel=1e-5)


def test_batch_kld_is_that_of_the_moments_of_z(many) -> None:
    rows = np.arange(300)
    _, mu, logvar, _ = arrays(many, rows)
    variance = mu.var(axis=0, ddof=1) + np.exp(logvar).mean(axis=0)
    aggregate = Normal(torch.tensor(mu.mean(axis=0)), torch.tensor(np.sqrt(variance)))
    expected = float(kl_divergence(aggregate, Normal(0.0, 1.0)).sum())
    assert run(many, rows, kld="batch")["kld_nats"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["gaussian", "l1", "bernoulli", "optimal-gaussian"])
def test_reconstruction_nats(many, name: str) -> None:
    rows = np.arange(0, 300, 2)
    x, _, _, recon = (torch.tensor(a) for a in arrays(many, rows))
    if name == "bernoulli":
        nats = -Bernoulli(probs=recon, validate_args=False).log_prob(x)
    elif name == "l1":
        nats = -Laplace(recon, 0.3 / math.sqrt(2.0)).log_prob(x)
    else:
        sigma = 0.3 if name == "gaussian" else float(((x - recon) ** 2).mean().sqrt())
        nats = -Normal(recon, sigma).log_prob(x)
    result = run(many, rows, reconstruction=name, sigma=0.3)
    assert result["reconstruction"] == pytest.approx(float(nats.sum(1).mean()), rel=1e-4)
