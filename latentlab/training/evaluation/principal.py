"""Which latent dimensions the principal directions of the encoded data are made of.

Shape suffixes: D latent dimensions (columns) and principal directions (rows).
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import numpy as np
import torch

from latentlab.core.eigenvectors import Loadings, loadings_of
from latentlab.training.evaluation.subject import Findings, Subject

SHOWN = 8
"""Directions listed, and dimensions listed for each."""


def measure_principal(subject: Subject, wanted: Set[str]) -> Findings:
    """Measure the principal directions of the means of q(z|x), from eigenvalues alone (up to 64 dimensions)."""
    found = Findings()
    if len(subject.rows) < 2:
        found.notes.append("Principal directions need at least two images.")
        return found
    loadings = loadings_of(covariance(subject))
    variance_D = np.clip(loadings.variance_D, 0.0, None)
    total = float(variance_D.sum())
    if total <= 0.0:
        found.notes.append("Every image has the same mean of q(z|x): there is no principal direction.")
        return found
    dimensions_D = 1.0 / np.square(loadings.share_DD).sum(axis=1)
    found.values = {
        "principal_share": float(variance_D[0]) / total,
        "principal_dimensions": float(variance_D @ dimensions_D) / total,
    }
    found.details = {"principal_loadings": table(loadings, total)}
    return found


def covariance(subject: Subject) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the unbiased covariance (D, D) of the means of q(z|x) over the images, accumulated in float64."""
    dim, count = subject.info.latent_dim, 0
    # Deviations from some first guess of the mean: squares of far-off codes would cancel.
    guess_D: torch.Tensor | None = None
    sum_D, square_DD = torch.zeros(dim, dtype=torch.float64), torch.zeros(dim, dim, dtype=torch.float64)
    for images in subject.batches("Principal directions"):
        mu_BD = subject.encode(images).mu_BD.double().cpu()
        guess_D = mu_BD.mean(0) if guess_D is None else guess_D
        mu_BD = mu_BD - guess_D
        sum_D += mu_BD.sum(0)
        square_DD += mu_BD.T @ mu_BD
        count += len(mu_BD)
    result: np.ndarray[Any, np.dtype[np.float64]] = (
        (square_DD - torch.outer(sum_D, sum_D) / count) / (count - 1)
    ).numpy()
    return result


def table(loadings: Loadings, total: float) -> list[dict[str, Any]]:
    """Return the first directions: share of the variance, and the dimensions that load on them most."""
    rows = []
    for variance, share_D in list(zip(loadings.variance_D, loadings.share_DD, strict=True))[:SHOWN]:
        most = np.argsort(-share_D, kind="stable")[:SHOWN]
        rows.append(
            {
                "variance_share": float(variance) / total,
                "loadings": [{"dimension": int(j), "share": float(share_D[j])} for j in most],
            }
        )
    return rows
