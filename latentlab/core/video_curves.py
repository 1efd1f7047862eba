"""What was measured on every frame of a clip: errors, and where the frames lie in latent space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from latentlab.core.directions import Direction
from latentlab.core.messages import Floats, Images, Ints

FRAME_CURVES = ("pixel", "feature_matching", "reconstruction", "kld_nats")
"""Names of ``core.metrics`` that can be measured on a single frame, in the order in which they are offered."""
MAD_TO_SIGMA = 1.4826
"""Factor from the median absolute deviation to the standard deviation of a normal distribution."""
ROBUST_SIGMAS = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class FrameCurves:
    """Errors of every frame of a clip, as far as they are known.

    Attributes
    ----------
    values
        Metric name to (N,) float32, NaN where unknown; only metrics that this model has.
    done
        How many frames were measured by the weights of ``step``; the others, where known, by older ones.
    step, taken_at
        The weights' training step and when they were copied (``time.monotonic``).
    absent
        Metric name to the sentence that says why it is not there.
    note
        What else there is to know, e.g. which discriminator gave the features.
    source
        Where the frames came from, to be compared with ``is``: what was measured of one film says nothing of the next.
    """

    values: Mapping[str, Floats]
    frames: int
    done: int
    step: int
    taken_at: float = 0.0
    absent: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    source: object = field(default=None, repr=False, compare=False)

    @property
    def complete(self) -> bool:
        """Whether every frame was measured by the same weights."""
        return self.done >= self.frames

    @property
    def names(self) -> list[str]:
        """Return the metrics there are, in the order in which they are offered."""
        return [name for name in FRAME_CURVES if name in self.values]


@dataclass(frozen=True, slots=True, eq=False)
class ClipPath:
    """Where the frames of a clip lie in latent space, prepared for drawing.

    Attributes
    ----------
    frames, points
        (M,) frames whose place is drawn, in order, and (M, 2) their scores on ``components``.
    components
        The principal directions of the plane, counted from 0.
    mean, vectors, sigma, explained
        Of the K first principal directions: (D,) mean of the clip's latents, (K, D) unit vectors, (K,)
        standard deviation of the clip along each, (K,) share of the clip's variance.
    variance, order
        (D,) variance of each dimension over the clip, and the dimensions, largest variance first.
    heat
        (R, W) float32: mean of a dimension over the frames of a column, rows as in ``order``; NaN where unknown.
    curves
        Dimension to (2, W) smallest and largest value in a column, for the dimensions asked for.
    jitter
        (N,) float32 distance of each frame's latents from those ``stride`` frames before, NaN where unknown.
    spreads
        Direction's name to the clip's standard deviation along it, for the directions asked for.
    first, last
        The frames that the columns of ``heat``, ``curves`` span, both included.
    stride
        Every how many frames latents are kept: 1, or more where the clip would not fit into memory.
    known, complete
        How many frames' latents are known, and whether they are all that will be.
    source
        As in ``FrameCurves``.
    """

    frames: Ints
    points: Floats
    components: tuple[int, int]
    mean: Floats
    vectors: Floats
    sigma: Floats
    explained: Floats
    variance: Floats
    order: Ints
    heat: Floats
    curves: Mapping[int, Floats]
    jitter: Floats
    spreads: Mapping[str, float]
    first: int
    last: int
    stride: int
    known: int
    complete: bool
    step: int
    taken_at: float = 0.0
    source: object = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class PathView:
    """Which part of the latents is to be drawn: the plane, dimensions as curves, and frames (-1: to the end).

    ``directions`` are those whose spread over the clip is asked for.
    """

    components: tuple[int, int] = (0, 1)
    dimensions: tuple[int, ...] = ()
    directions: tuple[Direction, ...] = ()
    first: int = 0
    last: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class BetweenFrames:
    """The way from frame ``first`` to frame ``last`` through latent space, decoded.

    ``images`` (N, H, W, C) uint8; ``step`` of the weights; ``difference`` (D,) is z of the last frame minus z
    of the first; ``originals`` (2, H, W, C).
    """

    first: int
    last: int
    images: Images
    originals: Images
    difference: Floats
    step: int
    kind: str


@dataclass(frozen=True, slots=True)
class CurveSummary:
    """A curve in a few numbers: ``known`` values, their median, 95th percentile, and the worst and its frame."""

    known: int
    median: float
    p95: float
    worst: float
    worst_frame: int


def summarise(values: Floats) -> CurveSummary | None:
    """Return the summary of (N,) values, NaN where unknown; None when none is known."""
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    median, p95 = (float(value) for value in np.percentile(known, (50, 95)))
    return CurveSummary(len(known), median, p95, float(known.max()), int(np.nanargmax(values)))


def worst_frames(values: Floats, count: int, apart: int = 1) -> list[int]:
    """Return up to ``count`` frames with the largest values, worst first: peaks, not the slopes beside them.

    Non-maximum suppression over time: a frame counts only if no frame less than ``apart`` away is worse;
    of equal ones the first counts.

    Parameters
    ----------
    values
        (N,), NaN where unknown.
    count
        How many at most.
    apart
        Least distance of two in frames, at least 1.
    """
    height = np.where(np.isnan(values), -np.inf, values).astype(np.float64)
    if count < 1 or not len(height):
        return []
    reach = max(1, apart) - 1
    peaks = np.where(height >= running_max(height, reach), height, -np.inf)
    chosen: list[int] = []
    while len(chosen) < count:
        frame = int(peaks.argmax())
        if peaks[frame] == -np.inf:
            break
        chosen.append(frame)
        peaks[max(0, frame - reach) : frame + reach + 1] = -np.inf
    return chosen


def running_max(values: npt.NDArray[np.float64], reach: int) -> npt.NDArray[np.float64]:
    """Return (N,) the largest of each value and the ``reach`` values on either side of it.

    In blocks as wide as the window, a window is the end of one block and the beginning of the next (van Herk
    1992; Gil and Werman 1993): the cost does not grow with ``reach``, which counts for films of hours.
    """
    width, count = 2 * reach + 1, len(values)
    blocks = -(-(count + 2 * reach) // width)
    padded = np.full(blocks * width, -np.inf)
    padded[reach : reach + count] = values
    rows = padded.reshape(blocks, width)
    begins = np.maximum.accumulate(rows, axis=1).ravel()
    ends = np.maximum.accumulate(rows[:, ::-1], axis=1)[:, ::-1].ravel()
    largest: npt.NDArray[np.float64] = np.maximum(ends[:count], begins[2 * reach : 2 * reach + count])
    return largest


def robust_top(values: npt.NDArray[np.floating]) -> float:
    """Return the top of an axis on which the usual values can be told apart, whatever a few cuts in the film do.

    Median plus eight robust standard deviations (1.4826 times the median absolute deviation), never above the
    largest value; 1 when nothing is known.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return 1.0
    median = float(np.median(known))
    spread = MAD_TO_SIGMA * float(np.median(np.abs(known - median)))
    largest = float(known.max())
    top = min(largest, median + ROBUST_SIGMAS * spread) if spread > 0 else largest
    return top if top > 0 else 1.0
