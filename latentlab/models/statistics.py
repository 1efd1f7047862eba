"""What a step tells about its latents, as detached scalars on the device."""

from __future__ import annotations

import torch
from torch import Tensor

from latentlab.core.metrics_signals import QUANTILES
from latentlab.models.base import Posterior

ACTIVE_VARIANCE = 0.01
_MAX_SORTED = 1 << 16


def active_units(mu_BD: Tensor) -> Tensor:
    """Return the number of dimensions with Var_x(E[z|x]) > 0.01 (Burda et al. 2015), a float32 scalar.

    The variance is the unbiased one over the batch, which needs at least two images.
    """
    return (mu_BD.var(dim=0) > ACTIVE_VARIANCE).sum().float()


def quantiles(name: str, values: Tensor) -> dict[str, Tensor]:
    """Return ``name_q02`` to ``name_q98``: the nearest-rank quantiles of all ``values``, of a part of very many."""
    flat = values.detach().flatten()
    flat = flat[:: max(1, -(-len(flat) // _MAX_SORTED))].sort().values
    # Places are known without looking at the values, so that nothing waits for the device.
    return {f"{name}_{suffix}": flat[round(share * (len(flat) - 1))] for suffix, share in QUANTILES.items()}


def latent_metrics(posterior: Posterior, z_BD: Tensor, *, detail: bool = False) -> dict[str, Tensor]:
    """Return how many dimensions are used and how the latents spread, over the batch and all dimensions.

    ``active_units``; ``z_mean`` and ``z_var`` of the samples; ``z_mean_min`` and ``z_mean_max`` of the posterior
    means; and for probabilistic encoders mean, variance and ends of the posteriors' standard deviations,
    ``z_std``, ``z_std_var``, ``z_std_min``, ``z_std_max``. With ``detail`` also quantiles of means and deviations.
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
        if detail:
            metrics |= quantiles("z_mean", posterior.mu_BD)
        if posterior.logvar_BD is not None:
            std_BD = (0.5 * posterior.logvar_BD).exp()
            variance, mean = torch.var_mean(std_BD)
            low, high = std_BD.aminmax()
            metrics |= {"z_std": mean, "z_std_var": variance, "z_std_min": low, "z_std_max": high}
            if detail:
                metrics |= quantiles("z_std", std_BD)
    return metrics


def kld_metrics(kld_D: Tensor, beta: Tensor) -> dict[str, Tensor]:
    """Return ``kld_nats``, ``kld_per_dim`` and the ``beta`` that weighed them."""
    kld = kld_D.detach()
    return {"kld_nats": kld.sum(), "kld_per_dim": kld.mean(), "beta": beta}
