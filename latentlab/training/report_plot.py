"""One plot of a report as inline SVG: a curve per run, over bands where a metric has them. Strings only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
WIDTH, HEIGHT = 560, 250
LEFT, RIGHT, TOP, BOTTOM = 58, 22, 8, 30
POINTS = 500
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b8508f", "#b87400", "#2ec4b6", "#7a828f", "#6f9a14")
"""One per run, of the Okabe-Ito family: told apart by colour-blind eyes, on white and on black."""


@dataclass(frozen=True)
class Line:
    """A curve: steps and values, and ``bands``: pairs of lower and upper ends over steps of their own."""

    label: str
    x: Array
    y: Array
    bands: Sequence[tuple[Array, Array, Array]] = field(default=())


def colour(index: int) -> str:
    """Return the colour of run ``index``."""
    return COLOURS[index % len(COLOURS)]


def thin(x: Array, *columns: Array, points: int = POINTS) -> tuple[Array, list[Array]]:
    """Return at most ``points`` means of consecutive values (finite ones), at their last x."""
    size = -(-len(x) // points)
    if size <= 1:
        return x, list(columns)
    ends = np.minimum(np.arange(size, len(x) + size, size), len(x)) - 1
    starts = np.concatenate(([0], ends[:-1] + 1))
    thinned = []
    for column in columns:
        finite = np.isfinite(column)
        sums = np.add.reduceat(np.where(finite, column, 0.0), starts)
        counts = np.add.reduceat(finite.astype(np.float64), starts)
        thinned.append(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))
    return x[ends], thinned


def svg(title: str, unit: str, lines: Sequence[Line], *, log: bool = False, smooth: float = 0.0) -> str:
    """Return the plot as SVG. ``log``: a logarithmic y axis, if all values allow it.

    ``smooth`` draws each curve as a moving average too, the raw values faintly below it.
    """
    lines = [line for line in lines if len(line.x)]
    values = np.concatenate([part for line in lines for part in (line.y, *(e for b in line.bands for e in b[1:]))])
    values = values[np.isfinite(values)]
    if not len(values):
        return ""
    log = log and bool((values > 0).all())
    frame = _Frame(max(float(line.x[-1]) for line in lines), values, log)
    parts = [frame.grid()]
    for index, line in enumerate(lines):
        parts += [frame.band(*band, colour(index)) for band in line.bands]
    for index, line in enumerate(lines):
        x, (y,) = thin(line.x, line.y)
        if smooth and len(y) > 20:
            parts.append(frame.curve(x, y, colour(index), faint=True, label=line.label))
            y = _smoothed(y, smooth)
        parts.append(frame.curve(x, y, colour(index), label=line.label))
    heading = escape(title) + (f' <span class="unit">{escape(unit)}</span>' if unit else "")
    body = "".join(parts)
    return (
        f'<figure><figcaption>{heading}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title, quote=True)}">{body}</svg></figure>'
    )


def _smoothed(y: Array, factor: float) -> Array:
    result, weight, mean = np.empty_like(y), 0.0, 0.0
    for i, value in enumerate(y):
        if math.isfinite(value):
            mean, weight = factor * mean + (1 - factor) * value, factor * weight + (1 - factor)
        result[i] = mean / weight if weight else math.nan
    return result


class _Frame:
    """Where values lie in the picture."""

    def __init__(self, last: float, values: Array, log: bool) -> None:
        self._last, self._log = max(last, 1.0), log
        low, high = np.quantile(values, (0.002, 0.998))  # A single outlier must not flatten the rest.
        low, high = (math.log10(low), math.log10(high)) if log else (float(low), float(high))
        if not log and 0 < low < 0.35 * high:
            low = 0.0
        room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
        self._low, self._high = low - (room if low else 0.0), high + room

    def x(self, steps: Array) -> Array:
        return LEFT + steps / self._last * (WIDTH - LEFT - RIGHT)

    def y(self, values: Array) -> Array:
        places = np.log10(np.maximum(values, 1e-300)) if self._log else values
        share = (places - self._low) / (self._high - self._low)
        return TOP + (1 - np.clip(share, -0.05, 1.05)) * (HEIGHT - TOP - BOTTOM)

    def grid(self) -> str:
        parts = []
        for value in self._y_ticks():
            y = float(self.y(np.array([value]))[0])
            parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
            parts.append(
                f'<text class="tick" x="{LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{_number(value)}</text>'
            )
        for value in nice_ticks(0.0, self._last, 6):
            x = float(self.x(np.array([value]))[0])
            parts.append(
                f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 12}" text-anchor="middle">{_number(value)}</text>'
            )
        parts.append(f'<text class="tick" x="{WIDTH - RIGHT}" y="{HEIGHT - 1}" text-anchor="end">step</text>')
        return "".join(parts)

    def _y_ticks(self) -> list[float]:
        if not self._log:
            return nice_ticks(self._low, self._high, 5)
        low, high = 10**self._low, 10**self._high
        decades = range(math.floor(self._low), math.ceil(self._high) + 1)
        factors = (1,) if len(decades) > 3 else (1, 2, 5)
        ticks = [factor * 10.0**decade for decade in decades for factor in factors]
        inside = [value for value in ticks if low <= value <= high]
        return inside if len(inside) >= 2 else [v for v in nice_ticks(low, high, 4) if v > 0]

    def curve(self, x: Array, y: Array, stroke: str, *, label: str, faint: bool = False) -> str:
        style = 'stroke-opacity="0.25"' if faint else 'stroke-width="1.6"'
        tip = "" if faint else f"<title>{escape(label)}</title>"
        return f'<path fill="none" stroke="{stroke}" {style} d="{_path(self.x(x), self.y(y))}">{tip}</path>'

    def band(self, x: Array, low: Array, high: Array, fill: str) -> str:
        x, (low, high) = thin(x, low, high, points=200)
        known = np.isfinite(low) & np.isfinite(high)
        xs, up, down = self.x(x[known]), self.y(high[known]), self.y(low[known])
        path = _path(np.concatenate((xs, xs[::-1])), np.concatenate((up, down[::-1])))
        return f'<path fill="{fill}" fill-opacity="0.12" stroke="none" d="{path}Z"/>' if path else ""


def _path(xs: Array, ys: Array) -> str:
    parts, pen_down = [], False
    for x, y in zip(xs, ys, strict=True):
        if not math.isfinite(y):
            pen_down = False
            continue
        parts.append(f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}")
        pen_down = True
    return "".join(parts)


def nice_ticks(low: float, high: float, wanted: int) -> list[float]:
    """Return about ``wanted`` round numbers between two."""
    if not high > low:
        return [low]
    rough = (high - low) / wanted
    decade = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * decade for factor in (1, 2, 2.5, 5, 10) if factor * decade >= rough)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}" if abs(value) < 1e6 else f"{value / 1e6:g} M"
    return f"{value:.3g}" if abs(value) > 1e-12 else "0"
