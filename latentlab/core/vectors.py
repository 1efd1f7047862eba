"""Metrics that are vectors: a value per latent dimension, or the bars of a histogram, over the steps of a run.

Where they come from and what their places mean, in one table:

================ ============= ==================================================================================
``kld_dim``      (D,) nats     mean KL of the test images' posteriors from N(0, 1), per latent dimension
``mean_dim``     (D,)          mean of z over all test images
``std_dim``      (D,)          standard deviation of z over all test images (law of total variance)
``variance_dim`` (D,)          variance of the posterior means over test images; above 0.01 a dimension is active
``z_hist``       (D * 32,)     share of z in 32 bins from -4 to 4, dimension by dimension; what lies outside is in
                               the end bins. Exact: the mixture of the posteriors, nothing is drawn
``z_norm_hist``  (48,)         share of |z|, z ~ q(z|x), in 48 bins from 0 to ``norm_reach(D)``
``d_real_hist``  (32,)         share of test images by the probability of being real that the discriminator gives
``d_recon_hist`` (32,)         the same of their reconstructions
``d_fake_hist``  (32,)         the same of samples of the prior
================ ============= ==================================================================================

They are measured with the test images, float32.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from latentlab.core.messages import Floats

Z_BINS, Z_REACH = 32, 4.0
NORM_BINS = 48
PROBABILITY_BINS = 32
MAX_ROWS = 1024
MIN_ROWS = 16
MAX_BYTES = 4 << 20
"""Room that one vector metric may take in a run, on disk and in memory: rows are thinned to stay within it."""


def rows_kept(length: int) -> int:
    """Return how many rows of a vector of so many float32 are kept: at most 1024, and 4 MB in all."""
    return max(MIN_ROWS, min(MAX_ROWS, MAX_BYTES // (4 * max(length, 1))))


def z_edges() -> npt.NDArray[np.float64]:
    """Return the edges of the bins of ``z_hist``, (33,)."""
    return np.linspace(-Z_REACH, Z_REACH, Z_BINS + 1)


def norm_reach(dim: int) -> float:
    """Return the upper end of ``z_norm_hist``: twice the prior's typical length, and two more."""
    return 2.0 * math.sqrt(dim) + 2.0


def norm_edges(dim: int) -> npt.NDArray[np.float64]:
    """Return the edges of the bins of ``z_norm_hist``, (49,)."""
    return np.linspace(0.0, norm_reach(dim), NORM_BINS + 1)


def chi_density(length: npt.NDArray[np.float64], dim: int) -> npt.NDArray[np.float64]:
    """Return the density of |z| for z ~ N(0, I) in ``dim`` dimensions: chi with ``dim`` degrees of freedom."""
    with np.errstate(divide="ignore"):
        log = (dim - 1) * np.log(length) - 0.5 * length**2
    found: npt.NDArray[np.float64] = np.exp(log - (0.5 * dim - 1.0) * math.log(2.0) - math.lgamma(0.5 * dim))
    return found


class Thinning:
    """Which rows of a growing sequence to keep, so that there are never more than ``most`` and they stay evenly spread.

    Every ``stride``-th row and the newest are kept; when there are too many the stride doubles.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.stride = 1
        self._places: list[int] = []
        self._next = 0

    def add(self) -> list[int]:
        """Count one more row; return the places, among the rows kept so far, of those to drop."""
        dropped = []
        if self._places and self._places[-1] % self.stride:  # It was kept for being the newest.
            dropped.append(len(self._places) - 1)
        self._places = [place for i, place in enumerate(self._places) if i not in dropped]
        if len(self._places) >= self.most:
            self.stride *= 2
            more = [i for i, place in enumerate(self._places) if place % self.stride]
            dropped = sorted({*dropped, *more})
            self._places = [place for place in self._places if place % self.stride == 0]
        self._places.append(self._next)
        self._next += 1
        return dropped


class _Rows:
    """One vector metric: steps and rows, thinned."""

    def __init__(self, length: int) -> None:
        self.steps: list[int] = []
        self.rows: list[Floats] = []
        self.length = length
        self._thinning = Thinning(rows_kept(length))

    def append(self, step: int, row: Floats) -> None:
        for place in reversed(self._thinning.add()):
            del self.steps[place], self.rows[place]
        self.steps.append(step)
        self.rows.append(row)


class VectorHistory:
    """The vector metrics of one run. Thread: any; the trainer appends, the window polls ``version``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[str, _Rows] = {}
        self.version = 0

    def append(self, step: int, vectors: Mapping[str, Floats]) -> None:
        """Add the vectors of a step; a vector of another length starts its metric anew."""
        if not vectors:
            return
        with self._lock:
            for name, row in vectors.items():
                series = self._series.get(name)
                if series is None or series.length != len(row):
                    series = self._series[name] = _Rows(len(row))
                series.append(step, row)
            self.version += 1

    def extend(self, name: str, steps: Sequence[int], rows: Sequence[Floats]) -> None:
        """Add many rows of one metric, as when a run is opened."""
        for step, row in zip(steps, rows, strict=True):
            self.append(step, {name: row})

    def clear(self) -> None:
        """Forget everything; the version grows."""
        with self._lock:
            self._series.clear()
            self.version += 1

    def names(self) -> list[str]:
        """Return the metrics seen so far."""
        with self._lock:
            return list(self._series)

    def table(self, name: str) -> tuple[npt.NDArray[np.int64], Floats]:
        """Return steps (N,) and rows (N, length) of a metric; both empty where it is unknown."""
        with self._lock:
            series = self._series.get(name)
            if series is None:
                return np.empty(0, dtype=np.int64), np.empty((0, 0), dtype=np.float32)
            return np.array(series.steps, dtype=np.int64), np.stack(series.rows)

    def at(self, name: str, step: float | None = None) -> tuple[int, Floats] | None:
        """Return the row measured nearest to ``step`` (None: the newest), with its step."""
        with self._lock:
            series = self._series.get(name)
            if series is None or not series.steps:
                return None
            place = len(series.steps) - 1
            if step is not None:
                place = int(np.argmin(np.abs(np.array(series.steps) - step)))
            return series.steps[place], series.rows[place]
