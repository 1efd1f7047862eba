"""Metric history that grows with the run and is drawn at a constant cost.

Raw values live in fixed-size chunks; above them a pyramid of (min, max, mean) triples, each level
``FACTOR`` times coarser, is extended as values arrive. A window of any length is answered from
the finest level that fits the wanted number of points.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

CHUNK = 4096
FACTOR = 16
EXACT = 1 << 18
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Summary:
    """A metric over a range of steps, in blocks of ``block`` consecutive logged values (the last may be shorter).

    ``steps`` is the step of each block's last value; ``minima``, ``maxima`` and ``means`` ignore NaN.
    With ``block`` 1 all three are the values as logged.
    """

    steps: Array
    minima: Array
    maxima: Array
    means: Array
    block: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """A metric over a range of steps: finite values only. ``slope`` is that of the fitted line, per step."""

    count: int
    mean: float
    deviation: float
    low: float
    high: float
    slope: float


class _Column:
    """An append-only float64 array that grows in chunks, so that no append copies the past.

    With ``whole`` a chunk that is full of whole numbers, as steps are, is kept in half the room.
    """

    def __init__(self, *, whole: bool = False) -> None:
        self._chunks: list[npt.NDArray[Any]] = []
        self._whole = whole
        self.length = 0

    def _seal(self) -> None:
        """Take in a chunk that has just been filled."""
        if self._whole and self.length % CHUNK == 0:
            full = self._chunks[-1]
            small = full.astype(np.uint32) if full[0] >= 0.0 and full.max() < 2**32 else full
            self._chunks[-1] = small if np.array_equal(small, full) else full

    def append(self, value: float) -> None:
        offset = self.length % CHUNK
        if offset == 0:
            self._chunks.append(np.empty(CHUNK))
        self._chunks[-1][offset] = value
        self.length += 1
        self._seal()

    def extend(self, values: Array) -> None:
        start = 0
        while start < len(values):
            offset = self.length % CHUNK
            if offset == 0:
                self._chunks.append(np.empty(CHUNK))
            take = min(CHUNK - offset, len(values) - start)
            self._chunks[-1][offset : offset + take] = values[start : start + take]
            self.length += take
            start += take
            self._seal()

    def view(self, start: int, stop: int) -> Array:
        """Return a copy of ``[start, stop)``."""
        stop = min(stop, self.length)
        if start >= stop:
            return np.empty(0)
        first, last = start // CHUNK, (stop - 1) // CHUNK
        parts = self._chunks[first : last + 1]
        joined = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return joined[start - first * CHUNK : stop - first * CHUNK].astype(np.float64)

    def every(self, start: int, stop: int, stride: int) -> Array:
        """Return a copy of ``[start:stop:stride]``; ``stride`` and CHUNK divide one another."""
        stop = min(stop, self.length)
        if stride >= CHUNK:
            return np.array([self._chunks[i // CHUNK][i % CHUNK] for i in range(start, stop, stride)], dtype=np.float64)
        if start >= stop:
            return np.empty(0)
        first, last = start // CHUNK, (stop - 1) // CHUNK
        picked = np.concatenate([chunk[start % stride :: stride] for chunk in self._chunks[first : last + 1]])
        skip = (start % CHUNK) // stride
        return picked[skip : skip + -(-(stop - start) // stride)].astype(np.float64)

    def search(self, value: float, side: str = "left") -> int:
        """Return the insertion index of ``value`` in an ascending column."""
        low, high = 0, self.length
        if not high or value < self._chunks[0][0]:
            return 0
        if value > self._chunks[-1][(high - 1) % CHUNK]:
            return high
        while low < high:
            middle = (low + high) // 2
            item = self._chunks[middle // CHUNK][middle % CHUNK]
            if item < value or (side == "right" and item == value):
                low = middle + 1
            else:
                high = middle
        return low


class _Series:
    """One metric: its rows' steps, its values, and the pyramid of their minima, maxima, means and last steps."""

    def __init__(self) -> None:
        self.steps = _Column(whole=True)
        self.values = _Column()
        self.levels = [(self.values, self.values, self.values, self.steps)]

    def append(self, step: float, value: float) -> None:
        self.steps.append(step)
        self.values.append(value)
        self._grow(1)

    def extend(self, steps: Array, values: Array) -> None:
        self.steps.extend(steps)
        self.values.extend(values)
        self._grow(1)

    def _grow(self, level: int) -> None:
        low, high, mean, steps = self.levels[level - 1]
        built = self.levels[level][0].length if level < len(self.levels) else 0
        ready = low.length // FACTOR - built
        if ready <= 0:
            return
        if level == len(self.levels):
            self.levels.append((_Column(), _Column(), _Column(), _Column(whole=True)))
        span = slice(built * FACTOR, (built + ready) * FACTOR)
        lows = low.view(span.start, span.stop).reshape(ready, FACTOR)
        highs = high.view(span.start, span.stop).reshape(ready, FACTOR)
        self.levels[level][0].extend(np.fmin.reduce(lows, axis=1))
        self.levels[level][1].extend(np.fmax.reduce(highs, axis=1))
        self.levels[level][2].extend(_row_means(mean.view(span.start, span.stop).reshape(ready, FACTOR)))
        self.levels[level][3].extend(steps.view(span.start, span.stop)[FACTOR - 1 :: FACTOR])
        self._grow(level + 1)


class MetricHistory:
    """All metrics of one run, by name, each against the step at which it was logged.

    Thread: any. The trainer appends; the window polls ``version`` and asks for windows.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[str, _Series] = {}
        self._span: tuple[float, float] | None = None
        self.version = 0

    def append(self, step: int, values: Mapping[str, float]) -> None:
        """Add the metrics of one logged step; steps must not decrease."""
        with self._lock:
            for name, value in values.items():
                self._series.setdefault(name, _Series()).append(float(step), float(value))
            if values:
                self._reach(float(step), float(step))
            self.version += 1

    def extend(self, name: str, steps: Sequence[float] | Array, values: Sequence[float] | Array) -> None:
        """Add many values of one metric at once, as when a run is opened."""
        with self._lock:
            series = self._series.setdefault(name, _Series())
            series.extend(np.asarray(steps, dtype=np.float64), np.asarray(values, dtype=np.float64))
            if len(steps):
                self._reach(float(steps[0]), float(steps[-1]))
            self.version += 1

    def clear(self) -> None:
        """Forget everything; the version grows."""
        with self._lock:
            self._series.clear()
            self._span = None
            self.version += 1

    def names(self) -> list[str]:
        """Return the metrics seen so far, in order of appearance."""
        with self._lock:
            return list(self._series)

    def last(self, name: str) -> tuple[float, float] | None:
        """Return the newest (step, value) of a metric, or None."""
        with self._lock:
            series = self._series.get(name)
            if series is None or series.values.length == 0:
                return None
            n = series.values.length
            return float(series.steps.view(n - 1, n)[0]), float(series.values.view(n - 1, n)[0])

    def span(self) -> tuple[float, float] | None:
        """Return the first and last step over all metrics, or None when empty."""
        return self._span

    def _reach(self, first: float, last: float) -> None:
        before = self._span or (first, last)
        self._span = (min(before[0], first), max(before[1], last))

    def at(self, name: str, step: float) -> tuple[float, float] | None:
        """Return the (step, value) logged nearest to ``step``, for the read-out under the cursor."""
        with self._lock:
            series = self._series.get(name)
            if series is None or series.steps.length == 0:
                return None
            i = series.steps.search(step)
            i0, i1 = max(0, i - 1), min(series.steps.length, i + 1)
            steps, values = series.steps.view(i0, i1), series.values.view(i0, i1)
            nearest = int(np.argmin(np.abs(steps - step)))
            return float(steps[nearest]), float(values[nearest])

    def window(
        self, name: str, first: float = -np.inf, last: float = np.inf, max_points: int = 2000
    ) -> tuple[Array, Array, Array]:
        """Return ``(steps, minima, maxima)`` of a metric between two steps, at most ``max_points`` + one block long.

        Where the window is short enough, minima and maxima are the raw values and equal each other.
        """
        with self._lock:
            series = self._series.get(name)
            if series is None:
                empty = np.empty(0)
                return empty, empty, empty
            start = max(0, series.steps.search(first) - 1)
            stop = min(series.steps.length, series.steps.search(last, "right") + 1)
            level = 0
            while (stop - start) // FACTOR**level > max_points and level + 1 < len(series.levels):
                level += 1
            return self._read(series, level, start, stop)

    @staticmethod
    def _read(series: _Series, level: int, start: int, stop: int) -> tuple[Array, Array, Array]:
        size = FACTOR**level
        low, high, _, _ = series.levels[level]
        first = start // size
        lows, highs = low.view(first, stop // size), high.view(first, stop // size)
        if level == 0:
            return series.steps.view(start, stop), lows, highs
        steps = series.steps.every(first * size, (first + len(lows)) * size, size)
        tail = (first + len(lows)) * size
        if tail < stop:  # The newest values are not in the coarse level yet: append them as one block.
            rest = series.values.view(tail, stop)
            steps = np.append(steps, series.steps.view(tail, tail + 1))
            lows, highs = np.append(lows, np.fmin.reduce(rest)), np.append(highs, np.fmax.reduce(rest))
        return steps, lows, highs

    def statistics(self, name: str, first: float, last: float) -> Statistics | None:
        """Return mean, standard deviation, ends and slope between two steps; None where nothing was logged.

        Exact up to a quarter of a million values; of more, deviation and slope are those of their block means.
        """
        found = self.summary(name, first, last, EXACT)
        inside = (found.steps >= first) & (found.steps <= last) & np.isfinite(found.means)
        if not inside.any():
            return None
        steps, means = found.steps[inside], found.means[inside]
        centred = steps - steps.mean()
        spread = float((centred**2).sum())
        slope = float((centred * means).sum() / spread) if spread > 0.0 else 0.0
        return Statistics(
            count=int(inside.sum()) * found.block,
            mean=float(means.mean()),
            deviation=float(means.std()),
            low=float(np.nanmin(found.minima[inside])),
            high=float(np.nanmax(found.maxima[inside])),
            slope=slope,
        )

    def summary(self, name: str, first: float = -np.inf, last: float = np.inf, max_points: int = 1000) -> Summary:
        """Return a metric between two steps in at most ``max_points`` + 2 equal blocks.

        The block is a power of two and blocks are counted from the start of the run, so that a
        growing window does not regroup the values it has shown before. The values next to the window
        on either side are included, so that a curve runs off its edges.
        """
        with self._lock:
            series = self._series.get(name)
            if series is None:
                empty = np.empty(0)
                return Summary(empty, empty, empty, empty, 1)
            start = max(0, series.steps.search(first) - 1)
            stop = min(series.steps.length, series.steps.search(last, "right") + 1)
            block = 1
            while (stop - start) > max_points * block:
                block *= 2
            return self._summarise(series, max(0, start // block - (block > 1)) * block, stop, block)

    @staticmethod
    def _summarise(series: _Series, start: int, stop: int, block: int) -> Summary:
        level = 0
        while FACTOR ** (level + 1) <= block and level + 1 < len(series.levels):
            level += 1
        size = FACTOR**level
        *columns, ends_at = (column.view(start // size, stop // size) for column in series.levels[level])
        rest = series.values.view(max(start, stop // size * size), stop)
        if level and len(rest):  # The newest values are not in this level yet.
            ends = (np.fmin.reduce(rest), np.fmax.reduce(rest), _row_means(rest[None])[0])
            columns = [np.append(column, end) for column, end in zip(columns, ends, strict=True)]
        lows, highs, means = (_grouped(column, block // size) for column in columns)
        steps = ends_at[block // size - 1 :: block // size]
        if len(steps) < len(means):  # the last block is not full: it ends at its newest value
            steps = np.append(steps, series.steps.view(stop - 1, stop))
        return Summary(steps, np.fmin.reduce(lows, axis=1), np.fmax.reduce(highs, axis=1), _row_means(means), block)


def _grouped(values: Array, size: int) -> Array:
    """Return ``values`` as rows of ``size``, the last one filled up with NaN."""
    rows = -(-len(values) // size)
    filled = np.full(rows * size, np.nan)
    filled[: len(values)] = values
    return filled.reshape(rows, size)


def _row_means(values: Array) -> Array:
    """Return the mean of each row's finite values; NaN where there is none."""
    finite = np.isfinite(values)
    counts = finite.sum(axis=1)
    sums = np.where(finite, values, 0.0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
