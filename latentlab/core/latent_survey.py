"""A latent survey: what the encoder makes of the whole data set at one step, and what follows from it.

Its makers are ``latentlab.explore.survey`` (encodes) and ``latentlab.runtime.latent_survey`` (in the background).
Principal directions are in ``latentlab.core.latent_pca``, nearest neighbours and density in ``latent_nearest``.

Shape suffixes: N images of the survey, D latent dimensions, K classes, A attributes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from latentlab.core.messages import Floats, Ints, ModelInfo

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class LatentSurvey:
    """The data set as seen by the encoder of one set of weights.

    Attributes
    ----------
    step
        Training step of the weights.
    info
        The model that encoded; its ``class_names`` and ``attribute_names`` go with ``labels`` and ``attributes``.
    rows
        (N,) ascending row numbers in the run's data set, by which its pictures are asked for.
    mu, logvar
        (N, D) mean and log variance of q(z|x); ``logvar`` is None for a plain auto-encoder.
    labels
        (N,) true classes, also those that the training was not told; -1 unknown, None without classes.
    attributes
        (N, A) int8: 1 present, 0 absent, -1 missing; None where there are none.
    pixel
        (N,) mean squared error of decode(mu), in [0,1] units.
    time
        (N,) seconds into its own film at which each picture is shown; None where the data is no video.
    film
        (N,) which of ``film_names`` it comes from; None where the data is no video.
    test
        (N,) bool, whether the picture is held out.
    factors
        Known causes by name, (N,) float32 each (the arena's ``coverage_a``, for one).
    total
        Pictures in the data set; more than N while the survey is under way, or beyond its limit.
    complete
        Whether every picture that is to be encoded has been.
    """

    step: int
    info: ModelInfo
    rows: Ints
    mu: Floats
    logvar: Floats | None = None
    labels: Ints | None = None
    attributes: npt.NDArray[np.int8] | None = None
    pixel: Floats | None = None
    time: Floats | None = None
    film: Ints | None = None
    film_names: tuple[str, ...] = ()
    test: Bools | None = None
    factors: Mapping[str, Floats] = field(default_factory=dict)
    total: int = 0
    complete: bool = True

    def __len__(self) -> int:
        """Return the number of images that were encoded."""
        return len(self.rows)

    @property
    def dim(self) -> int:
        """Latent dimensions."""
        return int(self.mu.shape[1])

    @property
    def class_names(self) -> tuple[str, ...]:
        """One name per class."""
        return self.info.class_names

    @property
    def attribute_names(self) -> tuple[str, ...]:
        """One name per attribute."""
        return self.info.attribute_names

    def rows_where(self, chosen: Bools | Ints) -> LatentSurvey:
        """Return the part of the survey that a mask (N,) or indices choose."""

        def part(values: npt.NDArray[Any] | None) -> Any:
            return None if values is None else values[chosen]

        names = ("logvar", "labels", "attributes", "pixel", "time", "film", "test")
        parts: dict[str, Any] = {name: part(getattr(self, name)) for name in names}
        factors = {name: values[chosen] for name, values in self.factors.items()}
        return replace(self, rows=self.rows[chosen], mu=self.mu[chosen], factors=factors, **parts)


def aggregate_draws(survey: LatentSurvey, count: int, seed: int = 0) -> tuple[Ints, Floats]:
    """Draw from the aggregate posterior q(z) = mean over x of q(z|x).

    Returns
    -------
    index, z
        (S,) which images were drawn, without repeats, S at most ``count``; (S, D) a draw from q(z|x) of each. A plain
        auto-encoder has no variance: its draws are the codes.
    """
    rng = np.random.default_rng(seed)
    size = min(count, len(survey))
    index = np.sort(rng.choice(len(survey), size=size, replace=False)).astype(np.int64)
    z: Floats = survey.mu[index].astype(np.float32)
    if survey.logvar is not None:
        z = z + np.exp(0.5 * survey.logvar[index]) * rng.standard_normal(z.shape).astype(np.float32)
    return index, z


def quantiles(survey: LatentSurvey, at: Sequence[float] = (0.01, 0.5, 0.99), *, limit: int = 20_000) -> Floats:
    """Return quantiles of the aggregate posterior, (len(at), D) float32, from at most ``limit`` draws.

    They bound what a slider should offer: where q(z) has its mass, the variance of q(z|x) included.
    """
    _, z = aggregate_draws(survey, limit)
    return np.quantile(z, at, axis=0).astype(np.float32)


def class_means(survey: LatentSurvey) -> Floats:
    """Return the mean code of each class, (K, D) float32; NaN for a class without images, (0, D) without classes."""
    count = max(len(survey.class_names), 0 if survey.labels is None else int(survey.labels.max(initial=-1)) + 1)
    if survey.labels is None or not count:
        return np.empty((0, survey.dim), dtype=np.float32)
    return np.stack([_mean(survey.mu, survey.labels == label) for label in range(count)])


def class_directions(survey: LatentSurvey) -> Floats:
    """Return, for each class, its mean minus the mean of all others with a known class, (K, D) float32 or NaN."""
    means = class_means(survey)
    labels = survey.labels
    if labels is None or not len(means):
        return means
    return np.stack([_contrast(survey.mu, labels == label, labels >= 0) for label in range(len(means))])


def attribute_directions(survey: LatentSurvey) -> Floats:
    """Return mean(on) - mean(off) of each attribute, (A, D) float32; NaN where one side has no images."""
    if survey.attributes is None:
        return np.empty((0, survey.dim), dtype=np.float32)
    columns = survey.attributes.T
    return np.stack([_contrast(survey.mu, values == 1, values >= 0) for values in columns])


def factor_direction(survey: LatentSurvey, name: str) -> Floats:
    """Return mean(upper half) - mean(lower half) of a known cause, (D,) float32; the middle belongs to neither."""
    values = survey.factors[name]
    low, high = np.quantile(values, [0.4, 0.6])
    upper = values >= max(high, np.nextafter(low, np.inf))
    return _contrast(survey.mu, upper, upper | (values <= low))


def group_direction(survey: LatentSurvey, chosen: Bools) -> Floats:
    """Return the mean of a group (N,) bool minus the mean of the rest, (D,) float32; NaN where one is empty."""
    return _contrast(survey.mu, chosen, np.ones(len(survey), dtype=bool))


def _mean(mu_ND: Floats, chosen: Bools) -> Floats:
    if not chosen.any():
        return np.full(mu_ND.shape[1], np.nan, dtype=np.float32)
    mean: Floats = mu_ND[chosen].mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def _contrast(mu_ND: Floats, on: Bools, among: Bools) -> Floats:
    return _mean(mu_ND, on) - _mean(mu_ND, among & ~on)
