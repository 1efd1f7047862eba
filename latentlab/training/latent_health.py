"""What the posteriors of the test images look like all together, beside the prior: per dimension and as a whole."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from latentlab.core.messages import Floats
from latentlab.core.vectors import NORM_BINS, Z_BINS, norm_reach, z_edges
from latentlab.models.base import Posterior
from latentlab.models.kld import kl_of_moments, kl_standard_normal
from latentlab.training.evaluation.latents import chi_moments, log_ratio

# Entries of the (images, dimensions, edges) table held at once.
_TABLE = 1 << 21
_SEED = 0xA11


class LatentHealth:
    """Collects posteriors and measures them together; everything stays on the device until ``result``.

    The points that are drawn, for lengths and mutual information, come from a generator of their own with always
    the same seed, so that figures of two steps differ by the weights alone and the training is not disturbed.
    """

    def __init__(self) -> None:
        self._posteriors: list[Posterior] = []

    def add(self, posterior: Posterior) -> None:
        """Add the posteriors of a batch."""
        self._posteriors.append(posterior)

    def result(self) -> tuple[dict[str, float], dict[str, Floats]]:
        """Return scalars (names of ``latentlab.core.metrics``) and vectors (``latentlab.core.vectors``)."""
        if not self._posteriors:
            return {}, {}
        mu_ND = torch.cat([posterior.mu_BD for posterior in self._posteriors]).double()
        logvars = [posterior.logvar_BD for posterior in self._posteriors if posterior.logvar_BD is not None]
        if not logvars:
            vectors = {"mean_dim": mu_ND.mean(0), "std_dim": mu_ND.std(0), "variance_dim": mu_ND.var(0)}
            return {}, _to_host(vectors)
        logvar_ND = torch.cat(logvars).double()
        scalars, vectors = _measured(mu_ND, logvar_ND)
        names = list(scalars)
        return dict(zip(names, torch.stack([scalars[n].double() for n in names]).tolist(), strict=True)), _to_host(
            vectors
        )


def _to_host(vectors: dict[str, Tensor]) -> dict[str, Floats]:
    """Bring all vectors to the host in one copy."""
    flat = torch.cat([vector.float().flatten() for vector in vectors.values()]).cpu().numpy()
    found, start = {}, 0
    for name, vector in vectors.items():
        found[name] = flat[start : start + vector.numel()].copy()
        start += vector.numel()
    return found


def _measured(mu_ND: Tensor, logvar_ND: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    count, dim = mu_ND.shape
    variance_D = mu_ND.var(0) if count > 1 else torch.zeros_like(mu_ND[0])
    total_D = variance_D + logvar_ND.exp().mean(0)
    noise = torch.randn(
        mu_ND.shape, generator=torch.Generator(mu_ND.device).manual_seed(_SEED), device=mu_ND.device, dtype=mu_ND.dtype
    )
    z_ND = mu_ND + (0.5 * logvar_ND).exp() * noise
    own_N = torch.arange(count, device=mu_ND.device)
    length_N = z_ND.norm(dim=1)
    scalars = {
        "mutual_information": log_ratio(z_ND, own_N, mu_ND, logvar_ND).mean(),
        "prior_gap": kl_of_moments(mu_ND.mean(0), total_D).mean(),
        "z_norm_mean": length_N.mean() / chi_moments(dim)[0],
    }
    vectors = {
        "kld_dim": kl_standard_normal(mu_ND, logvar_ND).mean(0),
        "mean_dim": mu_ND.mean(0),
        "std_dim": total_D.sqrt(),
        "variance_dim": variance_D,
        "z_hist": mixture_histogram(mu_ND.float(), logvar_ND.float()),
        "z_norm_hist": histogram(length_N, 0.0, norm_reach(dim), NORM_BINS),
    }
    return scalars, vectors


def histogram(values: Tensor, low: float, high: float, bins: int) -> Tensor:
    """Return the share of ``values`` in each of ``bins`` equal bins; what lies outside counts for the end bins."""
    place = ((values - low) / (high - low) * bins).long().clamp(0, bins - 1)
    counts = torch.zeros(bins, device=values.device, dtype=torch.float64)
    counts.scatter_add_(0, place, torch.ones_like(place, dtype=torch.float64))
    return counts / max(values.numel(), 1)


def mixture_histogram(mu_ND: Tensor, logvar_ND: Tensor) -> Tensor:
    """Return the probability of each bin of ``z_edges`` under the mean of all posteriors, (D, 32).

    Exact: differences of normal distribution functions; what lies beyond the edges counts for the end bins.
    """
    count, dim = mu_ND.shape
    inner_E = torch.as_tensor(z_edges()[1:-1], dtype=mu_ND.dtype, device=mu_ND.device)
    scale_ND = (-0.5 * logvar_ND).exp() / math.sqrt(2.0)
    below_DE = torch.zeros(dim, len(inner_E), dtype=torch.float64, device=mu_ND.device)
    step = max(1, _TABLE // (dim * Z_BINS))
    for start in range(0, count, step):
        part = slice(start, start + step)
        t_NDE = (inner_E - mu_ND[part, :, None]) * scale_ND[part, :, None]
        below_DE += (0.5 + 0.5 * t_NDE.erf()).sum(0).double()
    below_DE /= count
    ends = below_DE.new_zeros(dim, 1)
    return torch.cat([below_DE, ends + 1.0], dim=1) - torch.cat([ends, below_DE], dim=1)
