"""Principal directions of the codes of a data set, to look along and to come back from.

Shape suffixes: N codes, D latent dimensions, P principal directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentlab.core.messages import Floats

CHUNK = 8192


@dataclass(frozen=True, eq=False, slots=True)
class Pca:
    """Orthonormal directions through the mean of the codes, the one of largest variance first.

    Attributes
    ----------
    mean
        (D,) float32.
    directions
        (P, D) float32, unit rows; the largest coordinate of each is positive, so that a view does not flip.
    variance
        (P,) float64, variance of the codes along each (divisor N).
    total
        Variance of the codes in all D dimensions.
    """

    mean: Floats
    directions: Floats
    variance: npt.NDArray[np.float64]
    total: float

    @property
    def share(self) -> npt.NDArray[np.float64]:
        """(P,) share of the total variance along each direction."""
        return self.variance / self.total if self.total > 0 else np.zeros_like(self.variance)

    def project(self, z_ND: Floats, dims: Sequence[int] | None = None) -> Floats:
        """Return coordinates (N, len(dims)) float32 along some directions; along all by default."""
        chosen = self.directions if dims is None else self.directions[list(dims)]
        points: Floats = z_ND @ chosen.T - self.mean @ chosen.T
        return points

    def lift(self, points_NP: npt.NDArray[np.floating], dims: Sequence[int]) -> Floats:
        """Return the z (N, D) float32 with these coordinates along ``dims``, and the mean's along all others."""
        z: Floats = np.asarray(points_NP, dtype=np.float32) @ self.directions[list(dims)] + self.mean
        return z


def pca(codes_ND: Floats, count: int | None = None) -> Pca:
    """Return the principal directions of codes (N, D), N at least 1: the eigenvectors of their covariance.

    The covariance is one pass of D x D products, 0.4 s for 100,000 x 256 on one core of 2024. Products are taken in
    float32 of centred values and added up in float64.

    Parameters
    ----------
    count
        How many directions to return; all D by default.
    """
    size, dim = codes_ND.shape
    if size < 1:
        raise ValueError("there are no codes to look at")
    mean = codes_ND.mean(axis=0, dtype=np.float64)
    centre = mean.astype(np.float32)
    covariance = np.zeros((dim, dim))
    for start in range(0, size, CHUNK):
        part = codes_ND[start : start + CHUNK] - centre
        covariance += part.T @ part
    values, vectors = np.linalg.eigh(covariance / size)
    keep = dim if count is None else min(count, dim)
    rows = vectors.T[::-1][:keep]
    signs = np.sign(rows[np.arange(keep), np.abs(rows).argmax(axis=1)])
    variance = np.maximum(values[::-1], 0.0)
    directions = np.ascontiguousarray(rows * signs[:, None], dtype=np.float32)
    return Pca(centre, directions, variance[:keep].copy(), float(variance.sum()))
