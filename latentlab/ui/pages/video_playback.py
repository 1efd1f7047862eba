"""The clock of the video page: which frame is due, whatever was shown so far."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

TICK_MS = 15
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)


class Playback(QObject):
    """Plays by the file's own times: late frames are dropped, never queued.

    Thread: GUI.
    """

    due = Signal(int)  # frame to show now
    changed = Signal(bool)  # whether it plays

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.speed = 1.0
        self.loop = False
        self._times: npt.NDArray[np.float64] = np.zeros(1)
        self._end_s = 0.0
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
        """Stop, and play another video from now on."""
        self.pause()
        self._times = times_s - times_s[0]
        self._end_s = float(self._times[-1]) + 1.0 / fps
        self._frame = 0

    def play(self) -> None:
        """Go on from the frame shown; from the first one at the end."""
        if len(self._times) < 2:
            return
        if self._frame >= len(self._times) - 1:
            self._frame = 0
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
        self._began_at = time.perf_counter()
        self._began_s = float(self._times[min(self._frame, len(self._times) - 1)])

    @Slot()
    def _on_tick(self) -> None:
        now_s = self._began_s + (time.perf_counter() - self._began_at) * self.speed
        if now_s >= self._end_s:
            if not self.loop:
                self.pause()
                self.due.emit(len(self._times) - 1)
                return
            self._frame, now_s = 0, 0.0
            self._anchor()
            self.due.emit(0)
            return
        frame = max(0, int(np.searchsorted(self._times, now_s, side="right")) - 1)
        if frame != self._frame:
            self._frame = frame  # Not anchored again: the clock runs on, so that rounding cannot add up.
            self.due.emit(frame)
