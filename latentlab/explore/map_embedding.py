"""t-SNE of codes (van der Maaten & Hinton 2008), with progress, the picture on the way, and a way to stop it.

Neighbours are found here, a block of exact distances at a time; the rest is openTSNE's, whose gradient costs the same
for each point however many there are (Linderman et al. 2019). Shape suffixes: M codes, D dimensions, K neighbours.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from latentlab.core.latent_pca import pca
from latentlab.core.messages import Floats, Ints, Progress, ProgressSink

MOST_POINTS = 20_000
"""Images that t-SNE places at most: a minute or so on one core."""
PERPLEXITY = 30.0
MOST_DIMS = 50
EARLY, LATE = 250, 500
"""Steps with the attraction exaggerated twelvefold, and without."""
TELL_EVERY = 25
BLOCK = 512
FEWEST_POINTS = 8
FEW = 4000
"""Below this many the tree of Barnes and Hut is faster than the interpolation."""

Publish = Callable[[Floats, int, int], None]
"""Given the places so far, the step and the number of steps, from the working thread."""


def sample(count: int, limit: int = MOST_POINTS, seed: int = 0) -> Ints:
    """Return at most ``limit`` of ``range(count)``, ascending, drawn without favour."""
    if count <= limit:
        return np.arange(count, dtype=np.int64)
    return np.sort(np.random.default_rng(seed).choice(count, size=limit, replace=False)).astype(np.int64)


def embed(codes_MD: Floats, progress: ProgressSink, publish: Publish) -> Floats:
    """Return places (M, 2) float32 of codes.

    Parameters
    ----------
    codes_MD
        At least ``FEWEST_POINTS``; beyond 50 dimensions their first 50 principal directions count.
    progress
        Told how far it is; may raise ``Cancelled``.
    publish
        Given the places every 25 steps.

    Raises
    ------
    ValueError
        If there are too few codes to have neighbours.
    """
    if len(codes_MD) < FEWEST_POINTS:
        raise ValueError(f"t-SNE needs at least {FEWEST_POINTS} images, and there are {len(codes_MD)}")
    from openTSNE import TSNEEmbedding, affinity, nearest_neighbors

    found = pca(codes_MD, MOST_DIMS)
    reduced = found.project(codes_MD)
    perplexity = min(PERPLEXITY, (len(codes_MD) - 1) / 4)
    neighbours, distances = nearest_neighbours(reduced, int(3 * perplexity), progress)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It warns of perplexities it has lowered itself.
        affinities = affinity.PerplexityBasedNN(
            perplexity=perplexity, knn_index=nearest_neighbors.PrecomputedNeighbors(neighbours, distances), n_jobs=1
        )
    start = reduced[:, :2].astype(np.float64)
    if start.shape[1] < 2:
        start = np.column_stack([start, np.random.default_rng(0).standard_normal(len(start)) * 1e-4])
    start /= max(float(start[:, 0].std()), 1e-12) / 1e-4
    gradient = "bh" if len(codes_MD) < FEW else "fft"
    embedding: Any = TSNEEmbedding(start, affinities, negative_gradient_method=gradient, n_jobs=1, random_state=0)
    teller = _Teller(progress, publish)
    embedding = embedding.optimize(EARLY, exaggeration=12.0, momentum=0.5, **teller.options(0))
    embedding = embedding.optimize(LATE, momentum=0.8, **teller.options(EARLY))
    return np.array(embedding, dtype=np.float32)


class _Teller:
    """Called by openTSNE every 25 steps. What ``progress`` raises ends the work."""

    def __init__(self, progress: ProgressSink, publish: Publish) -> None:
        self._progress, self._publish = progress, publish

    def options(self, before: int) -> dict[str, Any]:
        def call(step: int, _error: float, embedding: Any) -> bool:
            done = before + step
            self._progress(Progress("t-SNE", done, EARLY + LATE))
            self._publish(np.array(embedding, dtype=np.float32), done, EARLY + LATE)
            return False

        return {"callbacks": [call], "callbacks_every_iters": TELL_EVERY}


def nearest_neighbours(codes_MD: Floats, count: int, progress: ProgressSink) -> tuple[Ints, npt.NDArray[np.float64]]:
    """Return the ``count`` nearest other codes of each, (M, K) numbers and distances, nearest first."""
    size = len(codes_MD)
    squares = np.einsum("md,md->m", codes_MD, codes_MD)
    numbers = np.empty((size, count), dtype=np.int64)
    distances = np.empty((size, count))
    for start in range(0, size, BLOCK):
        progress(Progress("Finding neighbours", start, size))
        part = slice(start, start + BLOCK)
        squared = squares[part, None] - 2.0 * (codes_MD[part] @ codes_MD.T) + squares
        rows = np.arange(len(squared))
        squared[rows, start + rows] = np.inf
        near = np.argpartition(squared, count - 1, axis=1)[:, :count]
        far = np.take_along_axis(squared, near, axis=1)
        order = np.argsort(far, axis=1)
        numbers[part] = np.take_along_axis(near, order, axis=1)
        distances[part] = np.sqrt(np.maximum(np.take_along_axis(far, order, axis=1), 0.0))
    return numbers, distances
