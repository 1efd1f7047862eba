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
    """Return ``active_units``, ``z_mean`` and, for probabilistic encoders, ``z_std``."""
    with torch.no_grad():
        metrics = {"active_units": active_units(posterior.mu_BD), "z_mean": z_BD.mean()}
        if posterior.logvar_BD is not None:
            metrics["z_std"] = (0.5 * posterior.logvar_BD).exp().mean()
    return metrics


def kld_metrics(kld_D: Tensor, beta: Tensor) -> dict[str, Tensor]:
    """Return ``kld_nats``, ``kld_per_dim`` and the ``beta`` that weighed them."""
    kld = kld_D.detach()
    return {"kld_nats": kld.sum(), "kld_per_dim": kld.mean(), "beta": beta}
