"""Medians and percentiles of the last few hundred measurements."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Summary:
    """What a series of measurements looked like, all in its own unit (here: milliseconds).

    ``maximum`` is the largest since the last ``reset``, not only of those still held.
    """

    last: float = 0.0
    median: float = 0.0
    p99: float = 0.0
    maximum: float = 0.0
    count: int = 0


class Rolling:
    """A ring of the newest measurements.

    Thread: any may ``add`` and read. Adding costs one store; percentiles are worked out when asked for.

    Parameters
    ----------
    size
        How many of the newest measurements the median and the percentile are taken over.
    """

    def __init__(self, size: int = 1000) -> None:
        self._lock = threading.Lock()
        self._values: npt.NDArray[np.float64] = np.zeros(size)
        self._count = 0
        self._maximum = 0.0

    def add(self, value: float) -> None:
        """Add a measurement; it displaces the oldest once the ring is full."""
        with self._lock:
            self._values[self._count % len(self._values)] = value
            self._count += 1
            self._maximum = max(self._maximum, value)

    def reset(self) -> None:
        """Forget everything measured so far, the maximum included."""
        with self._lock:
            self._count = 0
            self._maximum = 0.0

    def values(self) -> npt.NDArray[np.float64]:
        """Return a copy of the measurements held, in no particular order."""
        with self._lock:
            return self._values[: min(self._count, len(self._values))].copy()

    def median(self) -> float:
        """Return the median of what is held; zero before the first measurement."""
        held = self.values()
        return float(np.median(held)) if held.size else 0.0

    def summary(self) -> Summary:
        """Return last, median, 99th percentile and maximum; zeros before the first measurement."""
        held = self.values()
        if held.size == 0:
            return Summary()
        with self._lock:
            last = float(self._values[(self._count - 1) % len(self._values)])
            maximum, count = self._maximum, self._count
        return Summary(last, float(np.median(held)), float(np.percentile(held, 99)), maximum, count)
