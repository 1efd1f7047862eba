"""Which encoded images are nearest to a z, and whether there is any data there at all.

**Distance** is Euclidean over the active dimensions (Var_x(E[z|x]) > 0.01, Burda et al. 2015): a dead one does not
move the picture, and the prior's noise in it must not count. Where none is active, all count.

**Density** at z is told by its distance to its ``NEIGHBOURS``-th nearest code: in D dimensions the k-nearest-neighbour
estimate of a density is proportional to that distance to the power -D, which over- or underflows for a hundred
dimensions, so it is given as a rank. ``rank`` is the share of draws from the aggregate posterior q(z) that lie
*farther* from the codes than z does (each draw compared to the codes of all images but its own): 1 in the thick of the
data, 0 beyond all of it. Below ``OFF_THE_MAP``, farther out than 99 % of what the encoder makes of data, z is off the
map: the decoder was never trained there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentlab.core.latent_stats import ACTIVE_VARIANCE
from latentlab.core.latent_survey import LatentSurvey, aggregate_draws
from latentlab.core.messages import Floats, Ints

NEIGHBOURS = 10
OFF_THE_MAP = 0.01
REFERENCE_DRAWS = 500
CHUNK = 16_384


@dataclass(frozen=True, eq=False, slots=True)
class Neighbours:
    """The nearest codes, nearest first: indices into the survey (k,), and distances (k,) float32."""

    index: Ints
    distance: Floats


@dataclass(frozen=True, slots=True)
class Density:
    """How much data is around a z; see the head of this module.

    ``distance``: to the 10th nearest code, over active dimensions. ``rank``: share of the data's draws that lie
    farther out, in [0, 1].
    """

    distance: float
    rank: float

    @property
    def off_map(self) -> bool:
        """Whether the data has practically nothing there."""
        return self.rank < OFF_THE_MAP


class NearestCodes:
    """Answers neighbours and density for any z from one survey. Immutable once made; any thread.

    A query of 100,000 x 256 codes takes about 15 ms on one core of 2024: the codes are read once.
    """

    def __init__(self, survey: LatentSurvey) -> None:
        self.survey = survey
        active = survey.mu.var(axis=0) > ACTIVE_VARIANCE
        self._dims = np.flatnonzero(active) if active.any() else np.arange(survey.dim)
        self._codes: Floats = np.ascontiguousarray(survey.mu[:, self._dims])
        self._squares: Floats = np.einsum("nd,nd->n", self._codes, self._codes)
        self._reference = self._reference_distances()

    @property
    def dims(self) -> Ints:
        """The dimensions that count, ascending."""
        return self._dims.astype(np.int64)

    def nearest(self, z: Floats, count: int = NEIGHBOURS) -> Neighbours:
        """Return the ``count`` nearest codes to ``z`` (D,), or all where there are fewer."""
        squared = self._squared(z)
        count = min(count, len(squared))
        found = np.argpartition(squared, count - 1)[:count]
        order = found[np.argsort(squared[found], kind="stable")]
        # Differences once more: |a|^2 - 2ab + |b|^2 cancels where z is a code itself.
        exact = np.linalg.norm(self._codes[order] - z[self._dims], axis=1).astype(np.float32)
        order, exact = order[(by := np.argsort(exact, kind="stable"))], exact[by]
        return Neighbours(order.astype(np.int64), exact)

    def density(self, z: Floats) -> Density:
        """Return how much data is around ``z`` (D,)."""
        squared = self._squared(z)
        place = min(NEIGHBOURS, len(squared)) - 1
        return self._density_at(float(np.partition(squared, place)[place]))

    def around(self, z: Floats, count: int = NEIGHBOURS) -> tuple[Neighbours, Density]:
        """Return both at the price of one."""
        found = self.nearest(z, max(count, NEIGHBOURS))
        place = min(NEIGHBOURS, len(found.index)) - 1
        density = self._density_at(float(found.distance[place]) ** 2)
        return Neighbours(found.index[:count], found.distance[:count]), density

    def _density_at(self, squared: float) -> Density:
        distance = float(np.sqrt(max(squared, 0.0)))
        farther = len(self._reference) - np.searchsorted(self._reference, distance, side="right")
        return Density(distance, float(farther) / max(len(self._reference), 1))

    def _squared(self, z: Floats) -> Floats:
        point = np.asarray(z, dtype=np.float32)[self._dims]
        squared: Floats = self._squares - 2.0 * (self._codes @ point) + np.float32(point @ point)
        return squared

    def _reference_distances(self) -> npt.NDArray[np.float64]:
        """Return, ascending, how far draws of q(z|x) lie from the 10th nearest code of other images, (S,)."""
        index, z_SD = aggregate_draws(self.survey, REFERENCE_DRAWS)
        points = z_SD[:, self._dims]
        others = len(self._codes) - 1
        if others < 1:
            return np.zeros(0)
        place = min(NEIGHBOURS, others)
        best = np.full((len(points), place), np.inf, dtype=np.float32)
        own = np.einsum("sd,sd->s", points, points)[:, None]
        for start in range(0, len(self._codes), CHUNK):
            part = slice(start, start + CHUNK)
            squared = own - 2.0 * (points @ self._codes[part].T) + self._squares[part]
            inside = (index >= start) & (index < start + CHUNK)
            squared[np.flatnonzero(inside), index[inside] - start] = np.inf
            near = np.concatenate([best, squared], axis=1)
            best = np.partition(near, place - 1, axis=1)[:, :place]
        return np.sort(np.sqrt(np.maximum(best.max(axis=1), 0.0)).astype(np.float64))
