"""A map of a latent survey: which plane is looked at, the way back from it, and the lengths of z against the prior.

Shape suffixes: N images of the survey, M points of the map, D latent dimensions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from latentlab.core.latent_pca import Pca
from latentlab.core.latent_survey import LatentSurvey, aggregate_draws
from latentlab.core.messages import Floats, Ints

Kind = Literal["pca", "dims", "tsne"]
Doubles = npt.NDArray[np.float64]
NORM_DRAWS = 20_000
NORM_BINS = 60


@dataclass(frozen=True, slots=True)
class Plane:
    """What to look at: two principal directions, two latent dimensions, or the plane of t-SNE (``dims`` unused)."""

    kind: Kind = "pca"
    dims: tuple[int, int] = (0, 1)


@dataclass(frozen=True, eq=False, slots=True)
class MapLayout:
    """Places of a survey's images in a plane.

    Attributes
    ----------
    plane
        What was asked for; ``dims`` are within range.
    survey
        Whose images they are.
    index
        (M,) places in the survey; fewer than N where a method takes a sample.
    points
        (M, 2) float32: to the right, and up.
    axes
        What the two axes are.
    pca
        The principal directions of the survey.
    steps
        How far an iterative layout has come, out of how many; (0, 0) for one that is exact.
    """

    plane: Plane
    survey: LatentSurvey
    index: Ints
    points: Floats
    axes: tuple[str, str]
    pca: Pca
    steps: tuple[int, int] = (0, 0)

    @property
    def has_inverse(self) -> bool:
        """Whether each place of the plane is a point of latent space."""
        return self.plane.kind != "tsne"

    def lift(self, places_N2: npt.NDArray[np.floating]) -> Floats:
        """Return the z (N, D) float32 of places in the plane; all other directions are at the mean of the codes.

        Raises
        ------
        ValueError
            If the plane has no inverse (t-SNE places images, not points of latent space).
        """
        places = np.atleast_2d(np.asarray(places_N2, dtype=np.float32))
        if self.plane.kind == "pca":
            return self.pca.lift(places, self.plane.dims)
        if self.plane.kind == "dims":
            z = np.repeat(self.pca.mean[None], len(places), axis=0)
            z[:, list(self.plane.dims)] = places
            return z
        raise ValueError("there is no way back from t-SNE's plane to latent space")

    def place(self, z_ND: Floats) -> Floats | None:
        """Return where points of latent space lie in the plane, (N, 2); None where that is not defined."""
        if self.plane.kind == "pca":
            return self.pca.project(z_ND, self.plane.dims)
        return z_ND[:, list(self.plane.dims)] if self.plane.kind == "dims" else None

    @property
    def prior_centre(self) -> tuple[float, float] | None:
        """Where the prior's mean lies; the prior's contours are circles around it. None without a prior or a way."""
        if self.survey.logvar is None or not self.has_inverse:
            return None
        placed = self.place(np.zeros((1, self.survey.dim), dtype=np.float32))
        assert placed is not None
        return float(placed[0, 0]), float(placed[0, 1])


def flat_layout(survey: LatentSurvey, plane: Plane, directions: Pca) -> MapLayout:
    """Return the layout of a plane through latent space: principal directions or latent dimensions."""
    count = len(directions.directions) if plane.kind == "pca" else survey.dim
    dims = tuple(min(dim, count - 1) for dim in plane.dims)
    plane = Plane(plane.kind, (dims[0], dims[1]))
    if plane.kind == "pca":
        points = directions.project(survey.mu, plane.dims)
        axes = tuple(f"PC {dim + 1} · {directions.share[dim]:.1%} of the variance" for dim in dims)
    else:
        points = survey.mu[:, list(plane.dims)]
        axes = tuple(f"z{dim}" for dim in dims)
    index = np.arange(len(survey), dtype=np.int64)
    return MapLayout(plane, survey, index, np.ascontiguousarray(points), (axes[0], axes[1]), directions)


@dataclass(frozen=True, eq=False, slots=True)
class Group:
    """Some images of a survey, and how they differ from the others.

    ``index`` (G,) places in the survey; ``mean`` (D,) of their codes; ``direction`` (D,): their mean minus that of the
    rest, NaN where there is no rest; ``label``: their most frequent class, -1 where none is known; ``pixel``: their
    mean error; ``test``: how many are held out.
    """

    survey: LatentSurvey
    index: Ints
    mean: Floats
    direction: Floats
    label: int = -1
    pixel: float = math.nan
    test: int = 0

    def __len__(self) -> int:
        """Return how many images it holds."""
        return len(self.index)


def group_of(layout: MapLayout, chosen: npt.NDArray[np.bool_]) -> Group:
    """Return the facts about the chosen points (M,) of a map; the rest are the map's other points."""
    survey, index = layout.survey, layout.index[chosen]
    codes = survey.mu[index].astype(np.float64)
    # The sum over the others is the sum over all less the group's: no copy of a hundred thousand codes.
    everything = layout.survey.mu if len(layout.index) == len(survey) else survey.mu[layout.index]
    total, others = everything.sum(axis=0, dtype=np.float64), len(layout.index) - len(index)
    mean = codes.mean(axis=0) if len(index) else np.full(survey.dim, np.nan)
    rest = (total - codes.sum(axis=0)) / others if others else np.full(survey.dim, np.nan)
    label = -1
    if survey.labels is not None and (known := survey.labels[index][survey.labels[index] >= 0]).size:
        label = int(np.bincount(known).argmax())
    return Group(
        survey,
        index,
        mean.astype(np.float32),
        (mean - rest).astype(np.float32),
        label,
        float(survey.pixel[index].mean()) if survey.pixel is not None and len(index) else math.nan,
        int(survey.test[index].sum()) if survey.test is not None else 0,
    )


@dataclass(frozen=True, eq=False, slots=True)
class NormHistogram:
    """Lengths of z against what the prior says: ‖z‖ of z ~ N(0, I) follows the chi distribution with D degrees.

    ``edges`` (B+1,); ``draws`` and ``means`` (B,) densities (they integrate to 1) of ‖z‖ of draws from the aggregate
    posterior and of its means; ``chi`` (B,) the prior's density at the middle of each bin; ``dim`` D. For a plain
    auto-encoder the draws are the means, and ``chi`` is only a yardstick: it has no prior.
    """

    edges: Doubles
    draws: Doubles
    means: Doubles
    chi: Doubles
    dim: int


def chi_density(radius: Doubles, dim: int) -> Doubles:
    """Return the density of ‖z‖ for z ~ N(0, I_dim) at ``radius`` > 0.

    r^(D-1) exp(-r²/2) / (2^(D/2-1) Γ(D/2)), by its logarithm, so that no number overflows.
    """
    log = (dim - 1) * np.log(radius) - radius**2 / 2 - (dim / 2 - 1) * math.log(2) - math.lgamma(dim / 2)
    density: Doubles = np.exp(log)
    return density


def norm_histogram(survey: LatentSurvey) -> NormHistogram:
    """Return the lengths of at most 20,000 draws and their means, in 60 bins that hold them and the prior's bulk."""
    index, z = aggregate_draws(survey, NORM_DRAWS)
    lengths = np.linalg.norm(z, axis=1).astype(np.float64)
    means = np.linalg.norm(survey.mu[index], axis=1).astype(np.float64)
    bulk = math.sqrt(survey.dim) + 3.0  # chi has a standard deviation of at most 1/sqrt(2)
    top = max(float(np.quantile(np.maximum(lengths, means), 0.999)), bulk)
    edges = np.linspace(0.0, top, NORM_BINS + 1)
    counts = [np.histogram(values, edges)[0] / (len(values) * (edges[1] - edges[0])) for values in (lengths, means)]
    return NormHistogram(edges, counts[0], counts[1], chi_density((edges[1:] + edges[:-1]) / 2, survey.dim), survey.dim)
