"""KL divergence from the prior N(0, I), per latent dimension, in nats.

Two estimators. ``single-point``: the KL of each image's posterior, averaged over the batch (Kingma &
Welling 2013). ``batch``: the KL of the batch's moments, with moving averages, as in the splatoon
text "VAE-GAN Part 7: Batch KLD"; it constrains the aggregate posterior only.

What the batch KLD of test images is. ``test_kld_nats`` and ``test_kld_per_dim``: the KL of the moments of z
over the whole test set, by the law of total variance (mean of the posteriors' variances + variance of their
means), which needs no momentum and does not depend on how the set is cut into batches.
``test_kld_moving``, per dimension: what the text tests, each batch's moments mixed with the training's moving
ones, averaged over the batches (128 images, fewer in the last); small momenta leave it to the batch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentlab.core.recipe import ObjectiveConfig
from latentlab.core.recipe_variational import KldEstimator
from latentlab.models.base import Posterior
from latentlab.models.beta import capacity_at

MIN_VARIANCE = 1e-12


def kl_standard_normal(mu: Tensor, logvar: Tensor) -> Tensor:
    """Return KL(N(mu, exp(logvar)) || N(0, 1)) elementwise: (mu^2 + sigma^2 - 1 - log sigma^2) / 2."""
    return 0.5 * (mu.square() + logvar.exp() - 1.0 - logvar)


def kl_of_moments(mean: Tensor, var: Tensor) -> Tensor:
    """Return KL(N(mean, var) || N(0, 1)) elementwise; variances below 1e-12 count as 1e-12 in the logarithm."""
    return 0.5 * (mean.square() + var - 1.0 - var.clamp(min=MIN_VARIANCE).log())


def constrained(kld_D: Tensor, objective: ObjectiveConfig, step: int) -> Tensor:
    """Return what of the KLD is minimised, in nats, by ``objective.kld_form``.

    - plain: the KLD itself, the sum over dimensions.
    - capacity: |KLD - C(t)|, C growing linearly from 0 (Burgess et al. 2018, eq. 8).
    - free-bits: sum over j of max(free_bits, KLD_j), with KLD_j averaged over the batch before the maximum
      (Kingma et al. 2016, eq. 15): dimensions below their share feel no pull towards the prior.

    Parameters
    ----------
    kld_D
        KLD of each dimension, (D,) nats.
    step
        Training step, for the capacity.
    """
    if objective.kld_form == "free-bits":
        return kld_D.clamp(min=objective.free_bits).sum()
    if objective.kld_form == "capacity":
        return (kld_D.sum() - capacity_at(objective, step)).abs()
    return kld_D.sum()


class SinglePointKld(nn.Module):
    """The usual KLD: of every posterior, averaged over the batch."""

    def forward(self, posterior: Posterior, z_BD: Tensor, momentum: float = 0.0) -> Tensor:
        """Return the KLD of each dimension, (D,) nats; ``z_BD`` and ``momentum`` play no part."""
        assert posterior.logvar_BD is not None
        return kl_standard_normal(posterior.mu_BD, posterior.logvar_BD).mean(dim=0)


class BatchKld(nn.Module):
    """KLD of the batch's sample moments, smoothed over steps (splatoon text, Part 7).

    ``mean = m * moving_mean + (1 - m) * batch_mean``, the variance (unbiased) likewise; the mixed
    moments are what is measured and what becomes the next moving moments. Gradient flows through the
    current batch only, so that it shrinks with 1 - m. The moving moments start at the prior's, 0 and 1,
    and belong to the checkpoint. In eval mode they are mixed in but not moved.
    """

    mean_D: Tensor
    var_D: Tensor

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.register_buffer("mean_D", torch.zeros(latent_dim))
        self.register_buffer("var_D", torch.ones(latent_dim))

    def reset_buffers(self) -> None:
        """Set the moving moments to the prior's."""
        self.mean_D.zero_()
        self.var_D.fill_(1.0)

    def forward(self, posterior: Posterior, z_BD: Tensor, momentum: float = 0.0) -> Tensor:
        """Return the KLD of each dimension, (D,) nats, of samples ``z_BD`` with B of at least 2."""
        mean_D = momentum * self.mean_D + (1.0 - momentum) * z_BD.mean(dim=0)
        var_D = momentum * self.var_D + (1.0 - momentum) * z_BD.var(dim=0)
        if self.training:
            self.mean_D, self.var_D = mean_D.detach(), var_D.detach()
        return kl_of_moments(mean_D, var_D)

    def of_posteriors(self, posterior: Posterior, momentum: float) -> Tensor:
        """Return the KLD of each dimension, (D,) nats, of the moments that samples of these posteriors have.

        Nothing is drawn: the variance of a sample is that of the means plus the mean of the variances. The
        moving moments are mixed in, and stay.
        """
        assert posterior.logvar_BD is not None
        var_D = posterior.mu_BD.var(dim=0) + posterior.logvar_BD.exp().mean(dim=0)
        mean_D = momentum * self.mean_D + (1.0 - momentum) * posterior.mu_BD.mean(dim=0)
        return kl_of_moments(mean_D, momentum * self.var_D + (1.0 - momentum) * var_D)


def build_kld(estimator: KldEstimator, latent_dim: int) -> SinglePointKld | BatchKld:
    """Return the estimator called ``estimator``."""
    return BatchKld(latent_dim) if estimator == "batch" else SinglePointKld()
