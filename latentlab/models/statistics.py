"""What a step tells about its latents, as detached scalars on the device."""

from __future__ import annotations

import torch
from torch import Tensor

from latentlab.models.base import Posterior

ACTIVE_VARIANCE = 0.01


def active_units(mu_BD: Tensor) -> Tensor:
    """Return the number of dimensions with Var_x(E[z|x]) > 0.01 (Burda et al. 2015), a float32 scalar.

    The variance is the unbiased one over the batch, which needs at least two images.
    """
    return (mu_BD.var(dim=0) > ACTIVE_VARIANCE).sum().float()


def latent_metrics(posterior: Posterior, z_BD: Tensor) -> dict[str, Tensor]:
    """Return how many dimensions are used and how the latents spread, over the batch and all dimensions.

    ``active_units``; ``z_mean`` and ``z_var`` of the samples; ``z_mean_min`` and ``z_mean_max`` of the posterior
    means; and for probabilistic encoders mean, variance and ends of the posteriors' standard deviations,
    ``z_std``, ``z_std_var``, ``z_std_min``, ``z_std_max``.
    """
    with torch.no_grad():
        low, high = posterior.mu_BD.aminmax()
        metrics = {
            "active_units": active_units(posterior.mu_BD),
            "z_mean": z_BD.mean(),
            "z_var": z_BD.var(),
            "z_mean_min": low,
            "z_mean_max": high,
        }
        if posterior.logvar_BD is not None:
            std_BD = (0.5 * posterior.logvar_BD).exp()
            variance, mean = torch.var_mean(std_BD)
            low, high = std_BD.aminmax()
            metrics |= {"z_std": mean, "z_std_var": variance, "z_std_min": low, "z_std_max": high}
    return metrics


def kld_metrics(kld_D: Tensor, beta: Tensor) -> dict[str, Tensor]:
    """Return ``kld_nats``, ``kld_per_dim`` and the ``beta`` that weighed them."""
    kld = kld_D.detach()
    return {"kld_nats": kld.sum(), "kld_per_dim": kld.mean(), "beta": beta}
