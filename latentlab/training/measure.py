"""Measurements over a set of images with the weights as they are: posterior means, nothing random."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from latentlab.core.messages import Ints
from latentlab.core.metrics import TEST_PREFIX
from latentlab.core.recipe import ObjectiveConfig
from latentlab.core.recipe_base import LIKELIHOOD
from latentlab.models.base import LatentModel, Posterior
from latentlab.models.device import DevicePolicy
from latentlab.models.kld import BatchKld, kl_of_moments, kl_standard_normal
from latentlab.models.reconstruction import gaussian_nll, laplace_nll, optimal_gaussian_nll
from latentlab.models.statistics import ACTIVE_VARIANCE
from latentlab.training.batches import Pictures, labels_at
from latentlab.training.class_samples import measure_samples

BATCH = 128
BEST_BY = ("pixel", "energy_distance")
# A decoded 0 or 1 has a logarithm only up to float32's resolution near 1.
_EPSILON = 1e-7


class PosteriorSums:
    """Sums over the posteriors of images, on the device and in float64, that become moments at the end."""

    def __init__(self) -> None:
        self.images = 0
        self._sums: Tensor | None = None

    def add(self, posterior: Posterior) -> None:
        """Add the posteriors of a batch."""
        mu = posterior.mu_BD.double()
        rows = [mu.sum(0), mu.square().sum(0)]
        if posterior.logvar_BD is not None:
            logvar = posterior.logvar_BD.double()
            rows += [kl_standard_normal(mu, logvar).sum(0), logvar.exp().sum(0)]
        sums = torch.stack(rows)
        self._sums = sums if self._sums is None else self._sums + sums
        self.images += len(mu)

    def result(self) -> PosteriorMoments:
        """Return the moments of everything added; there must be something."""
        assert self._sums is not None
        mean_D, square_D, *noisy = self._sums.cpu() / self.images
        variance_D = (square_D - mean_D.square()).clamp(min=0.0) * (self.images / max(self.images - 1, 1))
        if not noisy:
            return PosteriorMoments(mean_D, variance_D)
        kld_D, noise_D = noisy
        return PosteriorMoments(mean_D, variance_D, kld_D, kl_of_moments(mean_D, variance_D + noise_D))


class PosteriorMoments(NamedTuple):
    """Of each dimension, (D,) float64.

    Mean and variance of the posterior means over images, mean KL of the posteriors from N(0, 1), and KL of the
    moments of z over all images; the last two None for a plain auto-encoder.
    """

    mean_D: Tensor
    variance_D: Tensor
    kld_D: Tensor | None = None
    kld_of_moments_D: Tensor | None = None


class Measurement:
    """Sums over images, on the device and in float64, that become metrics at the end.

    ``pixel`` is the MSE in [0,1] units of the reconstruction from the posterior mean; ``psnr`` is
    10 log10(1 / pixel) dB. ``kld_nats`` is the mean KL(q(z|x) ‖ N(0,1)) of the images or, with the batch
    estimator, the KL of the moments of z over all of them. ``reconstruction`` is the negative log-likelihood
    in nats per image. ``active_units`` counts Var_x(E[z|x]) > 0.01 (Burda et al. 2015). ``kld_moving`` is the
    batch estimator's own, batch by batch (see ``latentlab.models.kld``).
    """

    def __init__(self, model: LatentModel, objective: ObjectiveConfig) -> None:
        self._objective = objective
        self._kind = model.info.kind
        self._kld = getattr(model, "kld", None)
        self._moving: list[Tensor] = []
        self._elements = 1
        self._errors: Tensor | None = None
        self._posteriors = PosteriorSums()

    def add(self, posterior: Posterior, reconstructions: Tensor, x: Tensor) -> None:
        """Add a batch: its posterior and its images (B,C,H,W) float32 before and after."""
        self._elements = x[0].numel()
        error = reconstructions - x
        errors = torch.stack([error.square().sum(), error.abs().sum(), _bernoulli_sum(reconstructions, x)]).double()
        self._errors = errors if self._errors is None else self._errors + errors
        self._posteriors.add(posterior)
        if isinstance(self._kld, BatchKld) and len(x) > 1:
            self._moving.append(self._kld.of_posteriors(posterior, self._objective.kld_momentum).mean())

    def result(self) -> dict[str, float]:
        """Return the metrics of everything added."""
        if self._errors is None:
            return {}
        squared, absolute, bernoulli = (self._errors / self._posteriors.images).tolist()
        pixel = squared / self._elements
        metrics = {"pixel": pixel, "psnr": 10.0 * math.log10(1.0 / max(pixel, 1e-12))}
        if self._kind in LIKELIHOOD:
            metrics["reconstruction"] = self._nats(pixel, absolute / self._elements, bernoulli)
        moments = self._posteriors.result()
        kld_D = moments.kld_of_moments_D if self._objective.kld == "batch" else moments.kld_D
        if kld_D is not None:
            metrics |= {"kld_nats": float(kld_D.sum()), "kld_per_dim": float(kld_D.mean())}
        metrics["active_units"] = float((moments.variance_D > ACTIVE_VARIANCE).sum())
        if self._moving:
            metrics["kld_moving"] = float(torch.stack(self._moving).mean())
        return metrics

    def _nats(self, mse: float, mean_absolute: float, bernoulli: float) -> float:
        name = self._objective.reconstruction
        if name == "bernoulli":
            return bernoulli
        if name == "l1":
            return float(laplace_nll(torch.tensor(mean_absolute), self._elements, self._objective.sigma))
        if name == "optimal-gaussian":
            return float(optimal_gaussian_nll(torch.tensor(mse), self._elements))
        return float(gaussian_nll(torch.tensor(mse), self._elements, self._objective.likelihood_sigma))


def _bernoulli_sum(reconstructions: Tensor, x: Tensor) -> Tensor:
    return F.binary_cross_entropy(reconstructions.clamp(_EPSILON, 1.0 - _EPSILON), x, reduction="sum")


def measure(
    model: LatentModel,
    pictures: Pictures,
    rows: Ints,
    labels: Ints | None,
    policy: DevicePolicy,
    objective: ObjectiveConfig,
    watch: Callable[[Posterior], None] = lambda _posterior: None,
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
    watch
        Called with the posteriors of every batch.

    Returns
    -------
    dict
        pixel, psnr, reconstruction (not for vaegan), kld_nats and kld_per_dim (not for ae), active_units, and
        kld_moving with the batch estimator (see ``latentlab.models.kld``).
        For a model without an encoder, sample_diversity and energy_distance instead.
    """
    measurement = Measurement(model, objective)
    was_training = model.training
    model.eval()
    try:
        if not model.info.has_encoder and labels is not None:
            return measure_samples(model, pictures, rows, labels, policy)
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            x, y = pictures.at(part), labels_at(labels, part, policy.device)
            with torch.no_grad():
                with policy.autocast():
                    y = model.classes_of(x, y)
                    posterior = model.encode(x, y)
                    reconstructions = model.decode(posterior.mu_BD, y)
                measurement.add(posterior, reconstructions.float(), x)
                watch(posterior)
    finally:
        model.train(was_training)
    return measurement.result()


def best_score(tested: Mapping[str, float]) -> float:
    """Return what the checkpoint ``best`` has least of: the pixel loss of the test images.

    A model without an encoder has no pixel loss; its energy distance stands in, which neither sharp pictures
    that are all alike nor varied pictures of nothing can lower. Infinity where neither was measured.
    """
    return next((tested[TEST_PREFIX + name] for name in BEST_BY if TEST_PREFIX + name in tested), math.inf)
