"""The error of every frame as it becomes known, and which frames to measure next."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import Floats, Ints
from latentlab.core.video_messages import ErrorCurve

BATCH = 16
STRIDES = (64, 16, 4, 1)
"""Measured coarsely first, so that the shape of the curve is there long before all of it."""
PUBLISH_S = 0.2
MUCH_NEWER = 1.3
"""A complete curve is measured again once the weights have trained this many times as long."""
REST_S = 5.0
"""And not sooner than this after it was completed."""


class CurveKeeper:
    """Collects errors for one video and one model, and tells the window a few times a second.

    Thread: video.
    """

    def __init__(self, frames: int, slot: LatestSlot[ErrorCurve]) -> None:
        self._slot = slot
        self._pixel = np.full(frames, np.nan, dtype=np.float32)
        self._fresh = np.zeros(frames, dtype=bool)
        self._done = 0
        self._step = -1
        self._due = 0.0
        self._finished_at = 0.0
        self._publish()

    @property
    def complete(self) -> bool:
        """Whether every frame was measured since the last restart."""
        return self._done >= len(self._pixel)

    def is_stale(self, newest_step: int) -> bool:
        """Whether the curve is complete and weights of ``newest_step`` are worth measuring it again."""
        rested = time.monotonic() - self._finished_at >= REST_S
        return self.complete and rested and newest_step > max(self._step * MUCH_NEWER, self._step + 1)

    def restart(self) -> None:
        """Hold every value for old; they stay on screen until measured again."""
        self._fresh[:] = False
        self._done, self._step = 0, -1
        self._publish()

    def next_numbers(self, present: npt.NDArray[np.bool_]) -> Ints:
        """Return up to ``BATCH`` of the frames ``present`` (N,) still to be measured, coarse before fine."""
        for stride in STRIDES:
            missing = np.flatnonzero(present[::stride] & ~self._fresh[::stride])[:BATCH]
            if len(missing):
                return (missing * stride).astype(np.int64)
        return np.empty(0, dtype=np.int64)

    def add(self, numbers: Ints, pixel: Floats, step: int) -> None:
        """Take in the errors of frames not measured since the last restart."""
        self._pixel[numbers] = pixel
        self._fresh[numbers] = True
        self._done += len(numbers)
        self._step = step if self._step < 0 else min(self._step, step)
        if self.complete:
            self._finished_at = time.monotonic()
        if self.complete or time.monotonic() >= self._due:
            self._publish()

    def _publish(self) -> None:
        self._due = time.monotonic() + PUBLISH_S
        self._slot.put(ErrorCurve(self._pixel.copy(), self._done, self._step))
