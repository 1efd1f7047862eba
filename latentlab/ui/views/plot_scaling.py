"""What range an axis shows: outliers cut, ends round, and no move without need."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from latentlab.ui.views.plot_ticks import nice_step

Array = npt.NDArray[np.float64]
Range = tuple[float, float]
PADDING = 0.06
_TAIL = 2.0  # percent of the values on either side that may be outliers
_REACH = 1.5  # how many inner spans beyond the inner range still count as data


def data_range(values: Array, must_show: Array) -> Range | None:
    """Return the range of ``values`` without far outliers, widened to ``must_show``; None without data.

    Values further than 1.5 inner spans (2nd to 98th percentile) outside the inner range are left
    out, so that one spike or the first steps do not flatten the rest.
    """
    values = values[np.isfinite(values)]
    shown = must_show[np.isfinite(must_show)]
    if not len(values) and not len(shown):
        return None
    if len(values):
        inner_low, inner_high = np.percentile(values, (_TAIL, 100.0 - _TAIL))
        reach = _REACH * (inner_high - inner_low)
        kept = values[(values >= inner_low - reach) & (values <= inner_high + reach)]
        shown = np.concatenate((shown, [kept.min(), kept.max()]))
    return float(shown.min()), float(shown.max())


def padded(span: Range, *, log: bool = False, floor: float | None = None) -> Range:
    """Return ``span`` with a margin; a span of no height gets one (a tenth of the value, or of a decade).

    ``floor`` is a value the lower end should not cross when the data stays above it (0 for losses).
    """
    low, high = span
    smallest = 0.1 if log else max(1e-9, 0.1 * max(abs(low), abs(high)))
    if high - low < smallest * 0.2:
        middle = (low + high) / 2
        low, high = middle - smallest / 2, middle + smallest / 2
    margin = PADDING * (high - low)
    bottom = low - margin
    if floor is not None and span[0] >= floor > bottom:
        bottom = floor
    return bottom, high + margin


def settled(current: Range | None, wanted: Range, data: Range) -> Range:
    """Return ``current`` while the data fits in it and still fills most of it, else ``wanted``.

    Axis numbers then move seldom, not with every value.
    """
    if current is None:
        return wanted
    inside = current[0] <= data[0] and data[1] <= current[1]
    tight = (wanted[1] - wanted[0]) >= 0.7 * (current[1] - current[0])
    return current if inside and tight else wanted


def growing_end(newest: float, current: float) -> float:
    """Return an end of the axis beyond ``newest``, kept until it is reached, then a twelfth further, rounded."""
    if newest <= current and newest >= 0.5 * current:
        return current
    step = nice_step(max(newest, 1e-9), 40)
    return max(1e-9, math.ceil(newest * 13 / 12 / step) * step)
