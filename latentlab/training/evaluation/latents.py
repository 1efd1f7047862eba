"""Whether the posteriors, all together, are the prior: moments, lengths, mutual information, aggregate KL.

Shape suffixes: D latent dimensions, N images whose posteriors are mixed, M points at which the mixture is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Set

import torch
from torch import Tensor

from latentlab.models.base import Posterior
from latentlab.models.kld import kl_standard_normal
from latentlab.training.evaluation.subject import Findings, Subject, standard_error
from latentlab.training.measure import PosteriorSums

MIXED = 10_000
POINTS = 2_000
# Entries of the (points, images) table held at once, float64: 32 MB.
_TABLE = 4_000_000


def measure_latents(subject: Subject, wanted: Set[str]) -> Findings:
    """Measure the aggregate posterior against the prior."""
    found = Findings()
    if wanted - {"mutual_information", "aggregate_kl"}:
        found.values |= _moments_and_lengths(subject)
    if wanted & {"mutual_information", "aggregate_kl"}:
        information = measure_information(subject)
        found.values |= information.values
        found.details |= information.details
        found.notes += information.notes
    return found


def _moments_and_lengths(subject: Subject) -> dict[str, float]:
    sums, lengths = PosteriorSums(), []
    noise = subject.generator("lengths")
    for images in subject.batches("Latents"):
        posterior = subject.encode(images)
        sums.add(posterior)
        lengths.append(subject.draw(posterior, noise).double().norm(dim=1).cpu())
    length_N, dim = torch.cat(lengths), subject.info.latent_dim
    kld_D = sums.result().kld_of_moments_D
    assert kld_D is not None
    mean, std = chi_moments(dim)
    return {
        "kld_moments": float(kld_D.sum()),
        "z_norm_mean": float(length_N.mean()),
        "z_norm_std": float(length_N.std()) if len(length_N) > 1 else 0.0,
        "prior_norm_mean": mean,
        "prior_norm_std": std,
        "z_norm_ks": ks_distance(length_N, dim),
    }


def chi_moments(dim: int) -> tuple[float, float]:
    """Return mean and standard deviation of |z| for z ~ N(0, I) in ``dim`` dimensions (chi distribution)."""
    mean = math.sqrt(2.0) * math.exp(math.lgamma((dim + 1) / 2.0) - math.lgamma(dim / 2.0))
    return mean, math.sqrt(dim - mean**2)


def chi_cdf(length_N: Tensor, dim: int) -> Tensor:
    """Return P(|z| <= length) for z ~ N(0, I): the regularised lower incomplete gamma of (D/2, length^2 / 2)."""
    half = torch.full_like(length_N, dim / 2.0)
    probability_N: Tensor = torch.special.gammainc(half, 0.5 * length_N.square())
    return probability_N


def ks_distance(length_N: Tensor, dim: int) -> float:
    """Return the largest gap between the distribution of the lengths and the chi distribution."""
    expected = chi_cdf(length_N.sort().values, dim)
    count = len(expected)
    above = torch.arange(1, count + 1, dtype=torch.float64) / count - expected
    below = expected - torch.arange(count, dtype=torch.float64) / count
    return float(torch.maximum(above, below).max())


def measure_information(subject: Subject) -> Findings:
    """Measure mutual information and aggregate KL (Hoffman & Johnson 2016), on at most 10,000 images."""
    rows = subject.some(subject.rows, MIXED, "mixture")
    posteriors = [subject.encode(images) for images in subject.batches("Posteriors", rows)]
    mu_ND = torch.cat([mu_BD for mu_BD, _ in posteriors]).double()
    logvar_ND = torch.cat([logvar_BD for _, logvar_BD in posteriors if logvar_BD is not None]).double()
    noise = subject.generator("information")
    # Each image as often as the others: which one a point comes from adds no noise of its own.
    at_M = torch.randperm(len(rows), generator=noise)[:POINTS].repeat(-(-POINTS // len(rows))).to(mu_ND.device)
    z_MD = subject.draw(Posterior(mu_ND[at_M], logvar_ND[at_M]), noise)
    parts = []
    step = max(1, _TABLE // len(rows))
    for start in range(0, len(at_M), step):
        subject.tell("Mutual information", start, len(at_M))
        part = slice(start, start + step)
        parts.append(log_ratio(z_MD[part], at_M[part], mu_ND, logvar_ND))
    ratio_M = torch.cat(parts).cpu()
    information = float(ratio_M.mean())
    rate = float(kl_standard_normal(mu_ND, logvar_ND).sum(1).mean())
    cap = math.log(len(rows))
    found = Findings({"mutual_information": information, "aggregate_kl": rate - information})
    found.details = {
        "mutual_information_cap": cap,
        "mutual_information_images": len(rows),
        "mutual_information_standard_error": standard_error(ratio_M),
    }
    if information > cap - 0.1:
        found.notes.append(
            f"mutual_information is at its cap, log {len(rows)} = {cap:.2f} nats: read it as a lower bound, and "
            "aggregate_kl as an upper one."
        )
    return found


def log_ratio(z_MD: Tensor, own_M: Tensor, mu_ND: Tensor, logvar_ND: Tensor) -> Tensor:
    """Return log q(z|x) - log 1/N sum_n q(z|x_n) of points drawn from the posteriors ``own_M``, (M,) float64.

    The squares are expanded, so that the table of M x N densities is two products of matrices; float64, because
    the expansion subtracts large numbers where posteriors are narrow.
    """
    precision_ND = (-logvar_ND).exp()
    constant_N = (mu_ND.square() * precision_ND + logvar_ND).sum(1)
    quadratic_MN = z_MD.square() @ precision_ND.T - 2.0 * z_MD @ (mu_ND * precision_ND).T + constant_N
    # The factor (2 pi)^(-D/2) is common to both logarithms.
    log_q_MN = -0.5 * quadratic_MN
    own = log_q_MN.gather(1, own_M[:, None]).squeeze(1)
    return own - (log_q_MN.logsumexp(1) - math.log(len(mu_ND)))
