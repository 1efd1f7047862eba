"""Eigenvectors from eigenvalues: how much each coordinate has of each eigenvector, without computing a vector.

For a Hermitian A with eigenvalues l_i and unit eigenvectors v_i, and M_j the matrix A without row and column j:

    |v_ij|^2 prod_{k != i} (l_i - l_k) = prod_k (l_i - l_k(M_j))

(Denton, Parke, Tao & Zhang 2019, "Eigenvectors from Eigenvalues", eq. 2). Of the codes of a data set, A is their
covariance, v_i are its principal directions, and |v_ij|^2 says which latent dimensions a direction is made of.
The identity takes n eigenvalue problems of size n - 1, so n^4 operations where ``numpy.linalg.eigh`` takes n^3:
a way to see, not a way to save.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
SAME = 1e-9
"""Eigenvalues closer than this share of the largest (by magnitude) count as one."""
MAX_BY_IDENTITY = 64
"""Latent dimensions up to which loadings come from the identity; a matter of a second."""


class Loadings(NamedTuple):
    """Principal directions of codes, the one of largest variance first.

    ``variance_D``: variance of the codes along each. ``share_DD``: rows are directions, columns latent dimensions;
    |v|^2, so that each row sums to 1. Where directions have the same variance only their span is defined, and each
    is given the span's mean.
    """

    variance_D: Matrix
    share_DD: Matrix


def squared_components(matrix: npt.NDArray[Any]) -> tuple[Matrix, Matrix]:
    """Return eigenvalues, ascending (n,), and |v_ij|^2 (n, n): row i is eigenvector i, column j its coordinate j.

    Numerator and denominator are multiplied as ratios between 0 and 1 (by Cauchy's interlacing
    l_k <= l_k(M_j) <= l_(k+1)), so that nothing overflows however large n is.

    Eigenvalues that are equal, to within ``SAME`` of the largest, have no eigenvectors of their own, only
    a common space: each of their rows is the diagonal of the projector onto it divided by its dimension. The
    identity has 0 = 0 there; m - 1 of the factors on either side, which interlacing makes equal, are cancelled.

    Parameters
    ----------
    matrix
        (n, n) Hermitian, real or complex; only its lower triangle is looked at.

    Raises
    ------
    ValueError
        If it is not square or not finite.
    """
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        raise ValueError(f"a finite square matrix is needed, not one of shape {matrix.shape}")
    values = np.linalg.eigvalsh(matrix)
    count = len(values)
    minors = np.empty((count, max(count - 1, 0)))
    for j in range(count):
        rest = np.delete(np.delete(matrix, j, axis=0), j, axis=1)
        minors[j] = np.linalg.eigvalsh(rest) if count > 1 else 0.0
    squares = np.empty((count, count))
    for first, last in _groups(values):
        value = values[first : last + 1].mean()
        others = np.delete(values, np.s_[first : last + 1])
        # Minors' eigenvalues between equal ones are equal to them; the others pair off with the other eigenvalues.
        paired = np.delete(minors, np.s_[first:last], axis=1)
        ratios = np.clip((value - paired) / (value - others), 0.0, 1.0)
        squares[first : last + 1] = ratios.prod(axis=1) / (last - first + 1)
    return values, squares


def _groups(values: Matrix) -> list[tuple[int, int]]:
    """Return the first and last index of each run of equal eigenvalues."""
    scale = float(np.abs(values).max(initial=0.0))
    starts = [0, *(np.flatnonzero(np.diff(values) > SAME * scale) + 1).tolist()] if len(values) else []
    return list(zip(starts, [start - 1 for start in starts[1:]] + [len(values) - 1], strict=True))


def principal_loadings(codes_ND: npt.NDArray[Any]) -> Loadings:
    """Return which latent dimensions load on each principal direction of codes (N, D), N of at least 2.

    Above ``MAX_BY_IDENTITY`` dimensions the squares are those of ``eigh``'s vectors.
    """
    return loadings_of(np.atleast_2d(np.cov(np.asarray(codes_ND, dtype=np.float64), rowvar=False)))


def loadings_of(covariance_DD: Matrix) -> Loadings:
    """Return the loadings of codes with that covariance."""
    if len(covariance_DD) <= MAX_BY_IDENTITY:
        values, squares = squared_components(covariance_DD)
    else:
        values, vectors = np.linalg.eigh(covariance_DD)
        squares = (vectors**2).T
    return Loadings(values[::-1].copy(), squares[::-1].copy())
