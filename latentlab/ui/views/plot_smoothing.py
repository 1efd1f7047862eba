"""Exponential smoothing of curves, without the bias of its start."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
MAX_SMOOTHING = 0.99
_SMALLEST_POWER = 1e-100


def smooth(values: Array, factor: float, block: int = 1) -> Array:
    """Return the exponential moving average of ``values``, each divided by the sum of its weights.

    ``s_t = sum_i w_i x_i / sum_i w_i`` with ``w_i = factor**(block * (t - i))`` over finite ``x_i``:
    the correction of Kingma & Ba 2015 (Adam), so that the first values are not pulled to zero.

    Parameters
    ----------
    values
        (N,) values or means of ``block`` values each; NaN is skipped and stays NaN.
    factor
        Share of the past kept per logged value, 0 (no smoothing) to 0.99.
    block
        Logged values per element, so that a coarser summary is smoothed over the same span of steps.
    """
    keep = min(max(factor, 0.0), MAX_SMOOTHING) ** block
    if keep <= 0.0 or len(values) == 0:
        return values.copy()
    finite = np.isfinite(values)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        sums = _decaying_sum(np.where(finite, values, 0.0), keep)
        if finite.all():
            return sums * (1 - keep) / (1 - keep ** np.arange(1, len(values) + 1))
        return np.where(finite, sums / _decaying_sum(finite.astype(np.float64), keep), np.nan)


def _decaying_sum(values: Array, keep: float) -> Array:
    """Return ``y_t = keep * y_{t-1} + x_t``, in stretches short enough for ``keep**-n`` to stay finite."""
    length = max(1, min(len(values), int(math.log(_SMALLEST_POWER) / math.log(keep))))
    powers = keep ** np.arange(1, length + 1)
    out = np.empty_like(values)
    carried = 0.0
    for start in range(0, len(values), length):
        part = values[start : start + length]
        decay = powers[: len(part)]
        out[start : start + length] = decay * (carried + np.cumsum(part / decay))
        carried = out[start + len(part) - 1]
    return out


def rows_remembered(factor: float) -> int:
    """Return after how many values the weight of a value has fallen below one percent."""
    return 0 if factor <= 0 else math.ceil(math.log(0.01) / math.log(min(factor, MAX_SMOOTHING)))
