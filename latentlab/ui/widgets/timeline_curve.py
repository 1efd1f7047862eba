"""The geometry of the timeline: an error curve reduced to the pixels it has, and times worth a tick."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from latentlab.core.messages import Floats

Values = npt.NDArray[np.float64]
_NICE_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
ROBUST_PERCENT = 99.5


def columns(values: Floats, width: int) -> tuple[Values, Values]:
    """Reduce a curve to ``width`` columns.

    Parameters
    ----------
    values
        (N,) one value per frame, NaN where unknown.
    width
        Columns to fill, at least 1.

    Returns
    -------
    mean, peak
        (width,) each: mean and maximum of the known values in a column. Columns without any lie on
        the line between their neighbours; before the first and after the last known value they are NaN.
    """
    mean, peak = np.full(width, np.nan), np.full(width, np.nan)
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return mean, peak
    place = np.minimum(known * width // len(values), width - 1)
    count = np.bincount(place, minlength=width)
    total = np.bincount(place, weights=values[known], minlength=width)
    filled = np.flatnonzero(count)
    mean[filled] = total[filled] / count[filled]
    starts = np.searchsorted(place, filled)
    peak[filled] = np.maximum.reduceat(values[known], starts)
    inside = np.arange(filled[0], filled[-1] + 1)
    mean[inside] = np.interp(inside, filled, mean[filled])
    peak[inside] = np.interp(inside, filled, peak[filled])
    return mean, peak


def ceiling(values: Floats) -> float:
    """Return the value at the top of the curve: just above all but the most extreme half percent."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 1.0
    top = max(float(np.percentile(known, ROBUST_PERCENT)), float(known.max()) / 2)
    return top * 1.08 if top > 0 else 1.0


def tick_seconds(duration_s: float, width: int, least_px: int = 80) -> float:
    """Return the time between two ticks so that they are at least ``least_px`` apart."""
    for step in _NICE_S:
        if duration_s <= 0 or step / duration_s * width >= least_px:
            return float(step)
    return float(_NICE_S[-1] * max(1, round(duration_s / width * least_px / _NICE_S[-1])))
