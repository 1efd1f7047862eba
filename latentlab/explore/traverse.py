"""Walks along latent dimensions and grids over them, as arrays ready to decode."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentlab.core.messages import Floats, Ints

SPAN = 3.0


def traversal(z_D: Floats, dims: Sequence[int], count: int = 9, span: float = SPAN) -> Floats:
    """Return points that move one dimension at a time, row after row.

    Parameters
    ----------
    z_D
        The point to start from, (D,).
    dims
        Dimensions to move, one row each.
    count
        Points per row, at least 2.
    span
        A row runs from ``-span`` to ``span`` standard deviations of the prior.

    Returns
    -------
    ndarray
        (len(dims) * count, D) float32.

    Raises
    ------
    IndexError
        If a dimension does not exist.
    """
    values = np.linspace(-span, span, count, dtype=np.float32)
    points = np.tile(np.asarray(z_D, dtype=np.float32), (len(dims), count, 1))
    for row, dim in enumerate(dims):
        points[row, :, dim] = values
    return points.reshape(-1, points.shape[-1])


def plane(z_D: Floats, dims: tuple[int, int], count: int = 9, span: float = SPAN) -> Floats:
    """Return a square grid over two dimensions, (count * count, D) float32; the first dimension runs across."""
    values = np.linspace(-span, span, count, dtype=np.float32)
    points = np.tile(np.asarray(z_D, dtype=np.float32), (count, count, 1))
    points[:, :, dims[0]] = values[None, :]
    points[:, :, dims[1]] = values[::-1, None]
    return points.reshape(-1, points.shape[-1])


def class_grid(styles_ND: Floats, num_classes: int) -> tuple[Floats, Ints]:
    """Return z and labels of a class × style grid: a row for each style, a column for each class.

    Returns
    -------
    tuple
        (N * K, D) float32 and (N * K,) int64.
    """
    styles = np.asarray(styles_ND, dtype=np.float32)
    labels = np.tile(np.arange(num_classes, dtype=np.int64), len(styles))
    return np.repeat(styles, num_classes, axis=0), labels
