"""Measurements over a set of images with the weights as they are: posterior means, nothing random."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from latentlab.core.messages import Ints
from latentlab.core.recipe import ObjectiveConfig
from latentlab.models.base import LatentModel, Posterior
from latentlab.models.device import DevicePolicy
from latentlab.models.kld import kl_of_moments, kl_standard_normal
from latentlab.models.reconstruction import gaussian_nll, laplace_nll, optimal_gaussian_nll
from latentlab.models.statistics import ACTIVE_VARIANCE
from latentlab.training.batches import Pictures, labels_at

BATCH = 128
# A decoded 0 or 1 has a logarithm only up to float32's resolution near 1.
_EPSILON = 1e-7


class Measurement:
    """Sums over images, on the device and in float64, that become metrics at the end.

    ``pixel`` is the MSE in [0,1] units of the reconstruction from the posterior mean; ``psnr`` is
    10 log10(1 / pixel) dB. ``kld_nats`` is the mean KL(q(z|x) ‖ N(0,1)) of the images or, with the batch
    estimator, the KL of the moments of z over all of them. ``reconstruction`` is the negative log-likelihood
    in nats per image. ``active_units`` counts Var_x(E[z|x]) > 0.01 (Burda et al. 2015).
    """

    def __init__(self, objective: ObjectiveConfig, kind: str) -> None:
        self._objective = objective
        self._kind = kind
        self._images = 0
        self._elements = 1
        self._errors: Tensor | None = None
        self._moments: Tensor | None = None

    def add(self, posterior: Posterior, reconstructions: Tensor, x: Tensor) -> None:
        """Add a batch: its posterior and its images (B,C,H,W) float32 before and after."""
        self._images += len(x)
        self._elements = x[0].numel()
        error = reconstructions - x
        errors = torch.stack([error.square().sum(), error.abs().sum(), _bernoulli_sum(reconstructions, x)]).double()
        self._errors = errors if self._errors is None else self._errors + errors
        mu = posterior.mu_BD.double()
        rows = [mu.sum(0), mu.square().sum(0)]
        if posterior.logvar_BD is not None:
            logvar = posterior.logvar_BD.double()
            rows += [kl_standard_normal(mu, logvar).sum(0), logvar.exp().sum(0)]
        moments = torch.stack(rows)
        self._moments = moments if self._moments is None else self._moments + moments

    def result(self) -> dict[str, float]:
        """Return the metrics of everything added."""
        if self._errors is None or self._moments is None:
            return {}
        squared, absolute, bernoulli = (self._errors / self._images).tolist()
        moments = self._moments.cpu() / self._images
        mean = moments[0]
        variance = (moments[1] - mean.square()).clamp(min=0.0) * (self._images / max(self._images - 1, 1))
        pixel = squared / self._elements
        metrics = {"pixel": pixel, "psnr": 10.0 * math.log10(1.0 / max(pixel, 1e-12))}
        if self._kind != "vaegan":
            metrics["reconstruction"] = self._nats(pixel, absolute / self._elements, bernoulli)
        if len(moments) > 2:
            batch = self._objective.kld == "batch"
            kld = kl_of_moments(mean, variance + moments[3]) if batch else moments[2]
            metrics |= {"kld_nats": float(kld.sum()), "kld_per_dim": float(kld.mean())}
        metrics["active_units"] = float((variance > ACTIVE_VARIANCE).sum())
        return metrics

    def _nats(self, mse: float, mean_absolute: float, bernoulli: float) -> float:
        name = self._objective.reconstruction
        if name == "bernoulli":
            return bernoulli
        if name == "l1":
            return float(laplace_nll(torch.tensor(mean_absolute), self._elements, self._objective.sigma))
        if name == "optimal-gaussian":
            return float(optimal_gaussian_nll(torch.tensor(mse), self._elements))
        return float(gaussian_nll(torch.tensor(mse), self._elements, self._objective.sigma))


def _bernoulli_sum(reconstructions: Tensor, x: Tensor) -> Tensor:
    return F.binary_cross_entropy(reconstructions.clamp(_EPSILON, 1.0 - _EPSILON), x, reduction="sum")


def measure(
    model: LatentModel,
    pictures: Pictures,
    rows: Ints,
    labels: Ints | None,
    policy: DevicePolicy,
    objective: ObjectiveConfig,
) -> dict[str, float]:
    """Measure reconstructions and posteriors of some rows of a data set.

    Parameters
    ----------
    model
        On the policy's device; its training or evaluation mode is left as it was.
    rows
        Row numbers to measure, at least one.
    labels
        Labels of the whole data set, or None.

    Returns
    -------
    dict
        pixel, psnr, reconstruction (not for vaegan), kld_nats and kld_per_dim (not for ae), active_units.
    """
    measurement = Measurement(objective, model.info.kind)
    was_training = model.training
    model.eval()
    try:
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            x, y = pictures.at(part), labels_at(labels, part, policy.device)
            with torch.no_grad():
                with policy.autocast():
                    posterior = model.encode(x, y)
                    reconstructions = model.decode(posterior.mu_BD, y)
                measurement.add(posterior, reconstructions.float(), x)
    finally:
        model.train(was_training)
    return measurement.result()
