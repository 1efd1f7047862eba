"""Tick places and their texts: pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence

from latentlab.ui.formatting import format_duration

_TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
_SCALES = ((1e9, " G"), (1e6, " M"), (1e3, " k"))
PLAIN_BELOW = 10_000


def nice_step(span: float, count: int) -> float:
    """Return the smallest of 1, 2, 5 x 10^n that parts ``span`` into at most ``count`` pieces."""
    if not span > 0 or not math.isfinite(span):
        return 1.0
    rough = span / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1.0, 2.0, 5.0, 10.0):
        if rough <= factor * power * (1 + 1e-9):
            return factor * power
    return 10.0 * power


def linear_ticks(low: float, high: float, count: int) -> tuple[list[float], float]:
    """Return at most about ``count`` round values in ``[low, high]`` and their distance."""
    step = nice_step(high - low, count)
    return _multiples(low, high, step), step


def time_ticks(low: float, high: float, count: int) -> tuple[list[float], float]:
    """Return ticks at round seconds, minutes or hours, and their distance in seconds."""
    rough = (high - low) / max(1, count)
    step = next((float(step) for step in _TIME_STEPS if step >= rough), nice_step(high - low, count))
    return _multiples(low, high, step), step


def log_ticks(low: float, high: float, count: int) -> list[float]:
    """Return log10 of round values between ``10**low`` and ``10**high``.

    As many as fit of: 1-2-5 steps, 1-3 steps, decades, every n-th decade. Within less than a third
    of a decade round values at equal distance are used instead.
    """
    first, last = math.floor(low), math.ceil(high)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        places = [e + math.log10(d) for e in range(first, last + 1) for d in digits]
        inside = [place for place in places if low <= place <= high]
        if 2 <= len(inside) <= count:
            return inside
        if len(inside) < 2:
            values, _ = linear_ticks(10**low, 10**high, count)
            return [math.log10(value) for value in values if value > 0]
    every = math.ceil((last - first) / max(1, count))
    return [float(e) for e in range(first, last + 1) if e % every == 0 and low <= e <= high]


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, min(last, first + 1000) + 1)]


def linear_texts(values: Sequence[float], step: float) -> list[str]:
    """Return the values with the decimals that ``step`` needs and one suffix for all: ``0.02``, ``1.5 k``."""
    largest = max((abs(value) for value in values), default=0.0)
    if largest > 0 and largest < 1e-3:
        power = math.floor(math.log10(largest))
        decimals = max(0, power - math.floor(math.log10(step) + 1e-9))
        return [f"{value / 10.0**power:.{decimals}f}e{power}" if value else "0" for value in values]
    scale, suffix = 1.0, ""
    if largest >= PLAIN_BELOW:
        scale, suffix = next((s, t) for s, t in _SCALES if largest >= s)
    decimals = max(0, -math.floor(math.log10(step / scale) + 1e-9))
    return [f"{value / scale:.{decimals}f}{suffix}" if value else "0" for value in values]


def log_texts(places: Sequence[float]) -> list[str]:
    """Return ``10**place`` in few characters that tell them apart: ``0.002``, ``1``, ``50``, ``2 k``, ``1e-6``."""
    texts: list[str] = []
    for digits in range(3, 10):
        texts = [_short(10.0**place, digits) for place in places]
        if len(set(texts)) == len(texts):
            break
    return texts


def _short(value: float, digits: int) -> str:
    if value < 0.9e-3 or value >= 0.99e10:
        mantissa, exponent = f"{value:.{digits - 2}e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    for scale, suffix in _SCALES:
        if value >= scale * 0.999:
            return f"{value / scale:.{digits}g}{suffix}"
    return f"{value:.{digits}g}"


def time_texts(values: Sequence[float]) -> list[str]:
    """Return times as ``0:30``, ``3:00``, ``1:00:00``."""
    return [format_duration(value) for value in values]
