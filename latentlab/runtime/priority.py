"""How training makes room for exploring: the newest weights with their readers, and the right of way."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import WeightSnapshot

WAIT_S = 0.02
SHARE = 0.5
LARGEST_SHARE = 0.9


class ExplorePriority:
    """Lets a picture that somebody waits for go before the next training step.

    The inference thread marks itself busy; the trainer calls ``give_way`` between steps and waits
    until the picture is done, for at most ``WAIT_S``. With the usual share training keeps at least half of the
    time: a wait is never longer than the work done since the previous one.

    Thread: any.

    Attributes
    ----------
    share
        Largest share of the time that waiting may take, 0 to ``LARGEST_SHARE``.
    waited_s
        Seconds waited so far: what exploring has cost the training.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy = 0
        self._idle = threading.Event()
        self._idle.set()
        self._last_wait = time.perf_counter()
        self.share = SHARE
        self.waited_s = 0.0

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Mark a picture as being made. Thread: inference."""
        with self._lock:
            self._busy += 1
            self._idle.clear()
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1
                if self._busy == 0:
                    self._idle.set()

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until no picture is being made, and tell whether that is so. Thread: any that has no hurry."""
        return self._idle.wait(timeout_s)

    def give_way(self) -> float:
        """Wait while a picture is being made; return the seconds waited. Thread: trainer, between steps."""
        if self._idle.is_set():
            return 0.0
        began = time.perf_counter()
        worked = began - self._last_wait
        share = min(max(self.share, 0.0), LARGEST_SHARE)
        self._idle.wait(min(WAIT_S, worked * share / (1 - share)))
        self._last_wait = time.perf_counter()
        self.waited_s += self._last_wait - began
        return self._last_wait - began


class FollowedWeights(LatestSlot[WeightSnapshot]):
    """The newest weights, and when somebody last looked at them.

    A snapshot costs the trainer a copy of the weights, so it makes them often only while they are
    read. ``priority`` travels with the slot: whoever decodes with these weights goes before the
    trainer that makes them.

    Thread: any.
    """

    def __init__(self) -> None:
        super().__init__()
        self.read_at = -1e9
        self.priority = ExplorePriority()

    def get(self) -> tuple[int, WeightSnapshot | None]:
        """Return the version and the snapshot, and note that they were read."""
        self.read_at = time.monotonic()
        return super().get()

    def peek(self) -> tuple[int, WeightSnapshot | None]:
        """Return the same without counting as a reader."""
        return super().get()
