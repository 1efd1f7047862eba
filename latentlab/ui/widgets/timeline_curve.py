"""The geometry of the timeline: curves reduced to the pixels there are, and times worth a tick."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from latentlab.core.messages import Floats

Values = npt.NDArray[np.float64]
_NICE_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
ROBUST_PERCENT = 99.5


def columns(values: Floats, width: int, first: float = 0.0, last: float | None = None) -> tuple[Values, Values]:
    """Reduce a curve to ``width`` columns.

    Parameters
    ----------
    values
        (N,) one value per frame, NaN where unknown.
    width
        Columns to fill, at least 1.
    first, last
        The frames at the left edge of the first and the right edge of the last column; the whole curve
        (0 and N) by default.

    Returns
    -------
    mean, peak
        (width,) each: mean and maximum of the known values in a column. Columns without any lie on
        the line between their neighbours; before the first and after the last known value they are NaN.
    """
    mean, peak = np.full(width, np.nan), np.full(width, np.nan)
    last = float(len(values)) if last is None else last
    # One frame more on each side, so that a line reaches the edges.
    start, stop = max(0, int(np.floor(first)) - 1), min(len(values), int(np.ceil(last)) + 2)
    known = np.flatnonzero(~np.isnan(values[start:stop])) + start
    if not len(known):
        return mean, peak
    span = max(last - first, 1e-9)
    place = np.floor((known - first) * width / span + 1e-9).astype(np.int64)
    place[(place == width) & (known <= last)] = width - 1
    inside = (place >= 0) & (place < width)
    if inside.any():
        _fill(place[inside], values[known[inside]], mean, peak)
    filled = np.flatnonzero(~np.isnan(mean))
    xs, means, peaks = filled.astype(np.float64), mean[filled], peak[filled]
    before, after = np.flatnonzero(place < 0), np.flatnonzero(place >= width)
    if len(before):
        edge = before[-1]
        xs = np.concatenate([[float(place[edge])], xs])
        means, peaks = (np.concatenate([[values[known[edge]]], part]) for part in (means, peaks))
    if len(after):
        edge = after[0]
        xs = np.concatenate([xs, [float(place[edge])]])
        means, peaks = (np.concatenate([part, [values[known[edge]]]]) for part in (means, peaks))
    line = np.arange(max(0, int(xs[0])), min(width - 1, int(xs[-1])) + 1)
    mean[line], peak[line] = np.interp(line, xs, means), np.interp(line, xs, peaks)
    return mean, peak


def _fill(place: npt.NDArray[np.int64], values: Floats, mean: Values, peak: Values) -> None:
    """Put mean and maximum of the values of each column into it; ``place`` ascends."""
    width = len(mean)
    count = np.bincount(place, minlength=width)
    total = np.bincount(place, weights=values, minlength=width)
    filled = np.flatnonzero(count)
    mean[filled] = total[filled] / count[filled]
    peak[filled] = np.maximum.reduceat(values, np.searchsorted(place, filled))


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
