"""Numbers as people read them: sensible digits, units apart, widths that hold still."""

from __future__ import annotations

import math

_SUFFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
MISSING = "–"
SMALLEST_PLAIN = 1e-4


def format_value(value: float | None, digits: int = 3) -> str:
    """Return ``value`` with ``digits`` significant digits: ``0.0243``, ``-1.50``, ``803``, ``1.2 k``, ``2.43e-5``.

    Trailing zeros stay, so that a changing number keeps its width. From 1000 on one digit less is
    shown beside the suffix.
    """
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    size = abs(value)
    if size == 0:
        return "0"
    if size < SMALLEST_PLAIN:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    rounded = abs(float(f"{value:.{digits}g}"))
    if rounded < 1000:
        whole = math.floor(math.log10(rounded)) + 1
        return f"{value:.{max(0, digits - whole)}f}"
    return _with_suffix(value, digits)


def _with_suffix(value: float, digits: int) -> str:
    for scale, suffix in _SUFFIXES:
        scaled = value / scale
        if abs(scaled) >= 0.9995:
            whole = len(str(int(abs(scaled) + 0.0005)))
            return f"{scaled:.{max(1 if whole < 3 else 0, digits - 1 - whole)}f} {suffix}"
    return f"{value:.0f}"


def format_steps(step: float | None) -> str:
    """Return a count in full, in groups of three: ``12,400``."""
    return MISSING if step is None or not math.isfinite(step) else f"{round(step):,}"


def format_duration(seconds: float | None) -> str:
    """Return a time as ``0:07``, ``3:12`` or ``1:02:05`` (hours are not capped)."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return "–:––"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def format_bytes(megabytes: float | None) -> str:
    """Return a memory size given in MB (10⁶ bytes): ``812 MB``, ``1.4 GB``."""
    if megabytes is None or not math.isfinite(megabytes):
        return MISSING
    return f"{megabytes:.0f} MB" if megabytes < 999.5 else f"{megabytes / 1000:.1f} GB"
