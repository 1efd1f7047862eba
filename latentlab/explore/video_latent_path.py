"""The latents of a clip prepared for drawing: a plane, a heat map, curves, and the jitter."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from latentlab.core.directions import Direction
from latentlab.core.messages import Floats, Ints
from latentlab.core.video_curves import ClipPath, PathView
from latentlab.explore.video_latent import Principal, jitter, principal_directions, spread_along

MAX_POINTS = 8000
"""Places drawn in the plane at most; more would lie on top of each other."""
MAX_COLUMNS = 800
MAX_ROWS = 64
"""Dimensions in the heat map at most: of more, nobody could tell one row from the next."""


class PathMaker:
    """Makes ``ClipPath``, and keeps the signs of directions from one to the next.

    Thread: whichever created it.
    """

    def __init__(self) -> None:
        self._before: Principal | None = None

    def make(self, z_RD: Floats, view: PathView, frames: int, stride: int) -> ClipPath:
        """Prepare latents of every ``stride``-th frame, (R, D), NaN where unknown, with two rows known at least."""
        rows = np.flatnonzero(~np.isnan(z_RD[:, 0]))
        known = z_RD if len(rows) == len(z_RD) else z_RD[rows]
        main = self._before = principal_directions(known, like=self._before)
        components = _within(view.components, len(main.vectors_KD))
        shown = rows[:: -(-len(rows) // MAX_POINTS)]
        first = min(max(0, view.first), frames - 1)
        last = frames - 1 if view.last < 0 else min(max(first, view.last), frames - 1)
        order = np.argsort(-main.variance_D, kind="stable").astype(np.int64)
        inside = slice(-(-first // stride), last // stride + 1)
        dimensions = [dim for dim in view.dimensions if dim < z_RD.shape[1]]
        return ClipPath(
            frames=(shown * stride).astype(np.int64),
            points=main.scores(z_RD[shown], components),
            components=components,
            mean=main.mean_D,
            vectors=main.vectors_KD,
            sigma=main.sigma_K,
            explained=main.explained_K,
            variance=main.variance_D,
            order=order,
            heat=column_means(z_RD[inside], order[:MAX_ROWS]),
            curves={dim: column_ranges(z_RD[inside, dim]) for dim in dimensions},
            jitter=_spread(jitter(z_RD), frames, stride),
            spreads={direction.name: spread_along(known, direction.unit()) for direction in _fitting(view, known)},
            first=first,
            last=last,
            stride=stride,
            known=len(rows),
            complete=False,
            step=-1,
        )


def _fitting(view: PathView, z_TD: Floats) -> list[Direction]:
    return [direction for direction in view.directions if len(direction.vector) == z_TD.shape[1]]


def column_means(z_TD: Floats, order: Ints) -> Floats:
    """Return the mean of each dimension over the known frames of each column, (len(order), W), NaN where unknown."""
    edges = _edges(len(z_TD))
    means = np.full((len(order), len(edges) - 1), np.nan, dtype=np.float32)
    for column, (start, stop) in enumerate(pairwise(edges.tolist())):
        part = z_TD[start:stop]
        part = part[~np.isnan(part[:, 0])]
        if len(part):
            means[:, column] = part.mean(axis=0, dtype=np.float64)[order]
    return means


def column_ranges(values_T: Floats) -> Floats:
    """Return the smallest and largest known value of each column, (2, W), NaN where unknown."""
    edges = _edges(len(values_T))
    if len(edges) < 2:
        return np.empty((2, 0), dtype=np.float32)
    low = np.fmin.reduceat(values_T, edges[:-1])
    return np.stack([low, np.fmax.reduceat(values_T, edges[:-1])]).astype(np.float32)


def _edges(rows: int) -> Ints:
    """Return where columns begin and end: one column for each row, or as many as are useful."""
    return np.linspace(0, rows, min(rows, MAX_COLUMNS) + 1).astype(np.int64)


def _spread(values_R: Floats, frames: int, stride: int) -> Floats:
    """Return values of every ``stride``-th frame as values of all frames, NaN between."""
    if stride == 1:
        return values_R
    spread = np.full(frames, np.nan, dtype=np.float32)
    spread[::stride] = values_R
    return spread


def _within(components: tuple[int, int], count: int) -> tuple[int, int]:
    """Return components that exist."""
    return min(components[0], count - 1), min(components[1], count - 1)
