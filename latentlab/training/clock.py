"""Time spent training, without the pauses."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Counts active seconds from its creation on; time inside ``excluding`` does not count."""

    def __init__(self, elapsed_s: float = 0.0, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._origin = now() - elapsed_s
        self._mark = elapsed_s
        self._images = 0

    @property
    def elapsed_s(self) -> float:
        """Active seconds so far, those of earlier sessions of the run included."""
        return self._now() - self._origin

    def excluding(self, wait: Callable[[], None]) -> float:
        """Call ``wait`` off the clock and return how long it took, in seconds."""
        start = self._now()
        wait()
        took = self._now() - start
        self._origin += took
        return took

    def count(self, images: int) -> None:
        """Note that so many images were trained on."""
        self._images += images

    def images_per_s(self) -> float:
        """Return training images per active second since the last call; measuring and saving count as time."""
        elapsed = self.elapsed_s
        rate = self._images / max(elapsed - self._mark, 1e-9)
        self._mark, self._images = elapsed, 0
        return rate
