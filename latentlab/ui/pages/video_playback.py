"""The clock of the video page: which frame is due, whatever was shown so far."""

from __future__ import annotations

import time
from typing import Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

TICK_MS = 15
SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


class Playback(QObject):
    """Plays by the file's own times, forwards or backwards: late frames are dropped, never queued.

    Thread: GUI.
    """

    due = Signal(int)  # frame to show now
    changed = Signal(bool)  # whether it plays

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.speed = 1.0
        self.direction = 1
        self.loop = False
        self._times: npt.NDArray[np.float64] = np.zeros(1)
        self._frame_s = 1.0
        self._first, self._last = 0, 0
        self._frame = 0
        self._began_at = 0.0
        self._began_s = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._on_tick)

    @property
    def playing(self) -> bool:
        """Whether frames are running."""
        return self._timer.isActive()

    def set_video(self, times_s: npt.NDArray[np.float64], fps: float) -> None:
        """Stop, and play another video, all of it, from now on."""
        self.pause()
        self._times = times_s - times_s[0]
        self._frame_s = 1.0 / fps
        self._first, self._last = 0, len(times_s) - 1
        self._frame = 0

    def set_range(self, first: int, last: int) -> None:
        """Play only frames ``first`` to ``last``, both included; a position outside of them is left alone."""
        self._first, self._last = first, last

    def play(self, direction: int = 1) -> None:
        """Go on from the frame shown, forwards (1) or backwards (-1); from the other end where that one is reached."""
        if self._first >= self._last:
            return
        inside = self._first <= self._frame <= self._last
        if not inside or self._frame == (self._last if direction > 0 else self._first):
            self._frame = self._first if direction > 0 else self._last
        self.direction = direction
        self._anchor()
        self._timer.start()
        self.changed.emit(True)

    def pause(self) -> None:
        """Stand still."""
        if self._timer.isActive():
            self._timer.stop()
            self.changed.emit(False)

    def set_speed(self, speed: float) -> None:
        """Play ``speed`` times as fast, without a jump."""
        self.speed = speed
        self._anchor()

    def moved_to(self, frame: int) -> None:
        """Go on from here: the user, or this clock, moved to ``frame``."""
        if frame != self._frame:
            self._frame = frame
            self._anchor()

    def _anchor(self) -> None:
        """Remember when and where playing began; backwards, a frame is over where it begins."""
        self._began_at = time.perf_counter()
        self._began_s = float(self._times[min(self._frame, len(self._times) - 1)])
        if self.direction < 0:
            self._began_s += self._length_of(self._frame)

    def _length_of(self, frame: int) -> float:
        """Return how long a frame stands, in seconds."""
        after = frame + 1
        return float(self._times[after] - self._times[frame]) if after < len(self._times) else self._frame_s

    @Slot()
    def _on_tick(self) -> None:
        now_s = self._began_s + self.direction * (time.perf_counter() - self._began_at) * self.speed
        start_s = float(self._times[self._first])
        end_s = float(self._times[self._last]) + self._length_of(self._last)
        if now_s >= end_s if self.direction > 0 else now_s <= start_s:
            self._end()
            return
        side: Literal["left", "right"] = "right" if self.direction > 0 else "left"
        frame = int(np.searchsorted(self._times, now_s, side=side)) - 1
        frame = min(max(self._first, frame), self._last)
        if frame != self._frame:
            self._frame = frame  # Not anchored again: the clock runs on, so that rounding cannot add up.
            self.due.emit(frame)

    def _end(self) -> None:
        """Begin again at the other end, or stand still on the last frame."""
        ends = (self._first, self._last)
        if not self.loop:
            self.pause()
            self.due.emit(ends[1] if self.direction > 0 else ends[0])
            return
        self._frame = ends[0] if self.direction > 0 else ends[1]
        self._anchor()
        self.due.emit(self._frame)
