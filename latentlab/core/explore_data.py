"""What the Explore page knows of a data set's codes: use of the dimensions, their range, and directions to move along.

Shape suffixes: N images, S draws, D latent dimensions, K classes, A attributes, P principal directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentlab.core.directions import Direction
from latentlab.core.latent_axes import ATTRIBUTES, CLASSES, PRINCIPAL, SAVED, Axes, dimension_axes, direction_axes
from latentlab.core.latent_pca import Pca, pca
from latentlab.core.latent_stats import DimensionStats, dimension_stats
from latentlab.core.latent_survey import (
    LatentSurvey,
    aggregate_draws,
    attribute_directions,
    class_directions,
    class_means,
)
from latentlab.core.messages import Floats

MOST_IMAGES = 20_000
DRAWS = 2_000
MOST_PRINCIPAL = 64


@dataclass(frozen=True, eq=False, slots=True)
class ExploreData:
    """What follows from the codes of one step.

    Attributes
    ----------
    step, images
        Training step of the weights that encoded, and how many images they encoded.
    stats
        Use of each dimension.
    draws
        (S, D) draws of the aggregate posterior.
    principal
        At most ``MOST_PRINCIPAL`` principal directions of the means.
    class_names, class_means, class_ways
        (K,), (K, D) mean code of each class, (K, D) class minus the others; NaN for a class without images.
    attribute_names, attribute_ways
        (A,), (A, D) mean with the attribute minus mean without.
    """

    step: int
    images: int
    stats: DimensionStats
    draws: Floats
    principal: Pca
    class_names: tuple[str, ...]
    class_means: Floats
    class_ways: Floats
    attribute_names: tuple[str, ...]
    attribute_ways: Floats

    @property
    def dim(self) -> int:
        """Latent dimensions."""
        return int(self.draws.shape[1])

    def known_classes(self) -> list[int]:
        """Return the classes that have a mean."""
        return [k for k, mean in enumerate(self.class_means) if np.isfinite(mean).all()]


def explore_data(survey: LatentSurvey) -> ExploreData:
    """Work out what the page shows of a survey. Takes up to a second for 20,000 x 512: not for the GUI thread."""
    if len(survey) > MOST_IMAGES:
        chosen = np.random.default_rng(0).choice(len(survey), MOST_IMAGES, replace=False)
        survey = survey.rows_where(np.sort(chosen).astype(np.int64))
    means = class_means(survey)
    names = tuple(_name(survey.class_names, k, "class") for k in range(len(means)))
    ways = attribute_directions(survey)
    return ExploreData(
        step=survey.step,
        images=len(survey),
        stats=dimension_stats(survey.mu, survey.logvar),
        draws=aggregate_draws(survey, DRAWS)[1],
        principal=pca(survey.mu, MOST_PRINCIPAL),
        class_names=names,
        class_means=means,
        class_ways=class_directions(survey),
        attribute_names=tuple(_name(survey.attribute_names, k, "attribute") for k in range(len(ways))),
        attribute_ways=ways,
    )


def _name(names: Sequence[str], index: int, what: str) -> str:
    return names[index] if index < len(names) and names[index] else f"{what} {index}"


def axes_of(kind: str, dim: int, data: ExploreData | None, saved: Sequence[Direction] = ()) -> Axes:
    """Return the axes of a set of sliders; empty where the data does not have them."""
    draws = None if data is None else data.draws
    if kind == SAVED:
        found = [(way.name, np.asarray(way.vector, np.float32), _length(way)) for way in saved]
        return direction_axes(SAVED, dim, [row for row in found if len(row[1]) == dim], draws)
    if kind == PRINCIPAL:
        return direction_axes(PRINCIPAL, dim, [] if data is None else _principal(data.principal), draws)
    if kind == CLASSES:
        return direction_axes(CLASSES, dim, [] if data is None else _classes(data), draws)
    if kind == ATTRIBUTES:
        return direction_axes(ATTRIBUTES, dim, [] if data is None else _attributes(data), draws)
    return dimension_axes(dim)


def _length(way: Direction) -> str:
    return f"Saved direction, {float(np.linalg.norm(way.vector)):.2f} σ long when it was saved"


def _principal(found: Pca) -> list[tuple[str, Floats, str]]:
    rows = zip(found.directions, found.share, strict=True)
    return [
        (f"PC {i + 1}", way, f"Principal direction {i + 1} of the encoded data: {share:.1%} of its variance")
        for i, (way, share) in enumerate(rows)
        if found.variance[i] > 1e-6
    ]


def _classes(data: ExploreData) -> list[tuple[str, Floats, str]]:
    rows = zip(data.class_names, data.class_ways, strict=True)
    return [(name, way, f"Mean code of class {name} minus that of all others{_long(way)}") for name, way in rows]


def _attributes(data: ExploreData) -> list[tuple[str, Floats, str]]:
    rows = zip(data.attribute_names, data.attribute_ways, strict=True)
    return [(name, way, f"Mean code with “{name}” minus that without{_long(way)}") for name, way in rows]


def _long(way: Floats) -> str:
    return f": {float(np.linalg.norm(way)):.2f} σ apart"
